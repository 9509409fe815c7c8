"""OpenAI's embeddings, as numbers and in base64, as the vendor serves them."""

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

from tests.helpers.scenes import Heard, Scene, demand
from tests.helpers.vendor_chat import ERRORS

FIELDS = frozenset({"dimensions", "encoding_format", "input", "model", "user"})


class EmbeddingsVendor:
    """Judges requests and writes answers; the numbers follow from each text."""

    name = "openai_chat"
    path = "/v1/embeddings"
    stream_type = ""

    def __init__(self, *, open_fields: bool) -> None:
        self._open_fields = open_fields

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("authorization", "").removeprefix("Bearer ")

    def streams(self, body: dict[str, Any]) -> bool:
        return False

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard:
        """Read a request. Raises ComplaintError where the vendor would answer 400."""
        unknown = sorted(set(body) - FIELDS)
        demand(self._open_fields or not unknown, f"Unrecognized request argument: {unknown}")
        demand(isinstance(body.get("model"), str), "you must provide a model parameter")
        given = body.get("input")
        texts = [given] if isinstance(given, str) else given
        strings = isinstance(texts, list) and texts and all(isinstance(t, str) and t for t in texts)
        demand(strings, "'$.input' is invalid. Please check the API reference.")
        form = body.get("encoding_format", "float")
        demand(form in {"float", "base64"}, f"Invalid value: '{form}' for 'encoding_format'.")
        assert isinstance(texts, list)
        return Heard(said=texts)

    def headers(self, request_id: str) -> dict[str, str]:
        return {"x-request-id": request_id, "openai-model": "embedder"}

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        packed = body.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": i, "embedding": base64_of(v) if packed else v}
            for i, v in enumerate(vector(t)[: body.get("dimensions")] for t in heard.said)
        ]
        counts = {"prompt_tokens": scene.counts.prompt, "total_tokens": scene.counts.prompt}
        told = {"object": "list", "data": data, "model": body["model"], "usage": counts}
        return json.dumps(told).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        return [self.whole(scene, heard, body)]

    def error(self, status: int, message: str, request_id: str, code: str | None = None) -> bytes:
        kind, usual = ERRORS[status]
        told = {"message": message, "type": kind, "param": None, "code": code or usual}
        return json.dumps({"error": told}).encode()

    def error_event(self, message: str) -> bytes:
        return b""

    def garbled(self) -> bytes:
        return b"{"


def vector(text: str) -> list[float]:
    """Eight numbers that 32 bits hold exactly."""
    return [byte / 256 for byte in hashlib.sha256(text.encode()).digest()[:8]]


def base64_of(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
