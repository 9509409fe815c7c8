"""Ollama's embeddings: `/api/embed` for one text or several, and `/api/embeddings` for one."""

import json
from typing import Any

from tests.helpers.scenes import Heard, Scene, demand
from tests.helpers.vendor_embeddings import vector
from tests.helpers.vendor_ollama import OllamaVendor, unmarshalled


class OllamaEmbedsVendor(OllamaVendor):
    """Judges requests of one of the two and writes its answers; numbers follow from each text."""

    stream_type = ""

    def streams(self, body: dict[str, Any]) -> bool:
        return False

    def hear(self, body: dict[str, Any], headers: Any) -> Heard:
        """Read a request. Raises ComplaintError where the engine would answer 400."""
        demand(isinstance(body.get("model"), str) and body["model"], "model is required")
        if self.path == "/api/embeddings":
            prompt = body.get("prompt", "")
            demand(isinstance(prompt, str), unmarshalled(prompt, "prompt", "string"))
            return Heard(said=[prompt])
        given = body.get("input")
        texts: list[Any] = given if isinstance(given, list) else [given]
        demand(all(isinstance(text, str) for text in texts), "invalid input type")
        return Heard(said=texts)

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        size = body.get("dimensions")
        told = [vector(text)[:size] for text in heard.said]
        if self.path == "/api/embeddings":
            return json.dumps({"embedding": told[0]}).encode()
        durations = {"total_duration": 14_143_917, "load_duration": 1_019_500}
        counts = {"prompt_eval_count": scene.counts.prompt}
        head = {"model": body["model"], "embeddings": told}
        return json.dumps({**head, **durations, **counts}).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        return [self.whole(scene, heard, body)]
