"""Two servers that fill in the middle in ways of their own: llama.cpp's `/infill` and Mistral's.

Shapes: the server's README, and the vendor's published API description. llama.cpp ignores what it
does not know; Mistral refuses it.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.helpers.scenes import Heard, Say, Scene, demand, pieces
from tests.helpers.vendor_chat import ERRORS, sse, usage

MISTRAL_FIELDS = frozenset({
    "max_tokens", "metadata", "min_tokens", "model", "prompt", "random_seed", "stop", "stream",
    "suffix", "temperature", "top_p",
})  # fmt: skip


class FimVendor:
    """What both share. Subclasses judge, and shape what is said."""

    name = "openai_chat"
    path = ""
    stream_type = "text/event-stream"

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("authorization", "").removeprefix("Bearer ")

    def streams(self, body: dict[str, Any]) -> bool:
        return bool(body.get("stream"))

    def headers(self, request_id: str) -> dict[str, str]:
        return {}

    def error(self, status: int, message: str, request_id: str, code: str | None = None) -> bytes:
        kind, usual = ERRORS[status]
        told = {"message": message, "type": kind, "code": code or usual}
        return json.dumps({"error": told}).encode()

    def error_event(self, message: str) -> bytes:
        return sse({"error": {"code": 500, "message": message, "type": "server_error"}})

    def garbled(self) -> bytes:
        return b'data: {"content":"te\n\n'


class InfillVendor(FimVendor):
    """llama.cpp's server."""

    path = "/infill"

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard:
        """Read a request. Raises ComplaintError where the server would answer 400."""
        for field in ("input_prefix", "input_suffix"):
            demand(isinstance(body.get(field), str), f'"{field}" is required')
        extra = body.get("input_extra", [])
        demand(isinstance(extra, list), '"input_extra" must be an array of {"filename": string}')
        for chunk in extra:
            demand(isinstance(chunk.get("text"), str), "extra_context chunk must contain a text")
        said = [chunk["text"] for chunk in extra]
        limit = body.get("n_predict")
        return Heard(said=[*said, body["input_prefix"], body["input_suffix"]], max_tokens=limit)

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        text = "".join(part.text for part in scene.parts if isinstance(part, Say))
        return json.dumps({"index": 0, "content": text} | self._end(scene, body)).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        said = [p for part in scene.parts if isinstance(part, Say) for p in pieces(part.text)]
        told = [
            {"index": 0, "content": piece, "tokens": [1], "stop": False, "id_slot": 0}
            for piece in said
        ]
        return [sse(one) for one in (*told, {"index": 0, "content": ""} | self._end(scene, body))]

    def _end(self, scene: Scene, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "id_slot": 0,
            "stop": True,
            "model": body["model"],
            "tokens_predicted": scene.counts.answer,
            "tokens_evaluated": scene.counts.prompt,
            "truncated": False,
            "stop_type": "limit" if scene.cut_short else "eos",
            "stopping_word": "",
        }


class MistralVendor(FimVendor):
    """Mistral's FIM endpoint, which answers as Chat does."""

    path = "/v1/fim/completions"

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard:
        """Read a request. Raises ComplaintError where the vendor would answer 4xx."""
        unknown = sorted(set(body) - MISTRAL_FIELDS)
        demand(not unknown, f"Extra inputs are not permitted: {unknown}")
        demand(isinstance(body.get("prompt"), str), "Field required: prompt")
        suffix = body.get("suffix")
        demand(suffix is None or isinstance(suffix, str), "Input should be a valid string: suffix")
        said = [body["prompt"], suffix] if suffix else [body["prompt"]]
        return Heard(said=said, max_tokens=body.get("max_tokens"))

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        text = "".join(part.text for part in scene.parts if isinstance(part, Say))
        message = {"role": "assistant", "content": text, "tool_calls": None}
        choice = {"index": 0, "message": message, "finish_reason": self._why(scene)}
        head = self._head(body, "chat.completion")
        return json.dumps({**head, "choices": [choice], "usage": usage(scene.counts)}).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        head = self._head(body, "chat.completion.chunk")
        said = [p for part in scene.parts if isinstance(part, Say) for p in pieces(part.text)]
        told: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
            for piece in ("", *said)
        ]
        end = [{"index": 0, "delta": {"content": ""}, "finish_reason": self._why(scene)}]
        told.append({"choices": end, "usage": usage(scene.counts)})
        return [*(sse(head | one) for one in told), b"data: [DONE]\n\n"]

    def _head(self, body: dict[str, Any], kind: str) -> dict[str, Any]:
        return {"id": "fim-fake01", "object": kind, "created": 1763683200, "model": body["model"]}

    def _why(self, scene: Scene) -> str:
        return "length" if scene.cut_short else "stop"
