"""OpenAI's older completions, with `suffix`, as vendors and engines serve them."""

import json
from collections.abc import Mapping
from typing import Any

from tests.helpers.scenes import Heard, Say, Scene, demand, pieces
from tests.helpers.vendor_chat import ERRORS, sse, usage

FIELDS = frozenset({
    "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "model", "n",
    "presence_penalty", "prompt", "seed", "stop", "stream", "stream_options", "suffix",
    "temperature", "top_p", "user",
})  # fmt: skip


class CompletionsVendor:
    """Judges requests and writes answers; of a scene only what is said is told."""

    name = "openai_chat"
    path = "/v1/completions"
    stream_type = "text/event-stream; charset=utf-8"

    def __init__(self, *, open_fields: bool) -> None:
        self._open_fields = open_fields

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("authorization", "").removeprefix("Bearer ")

    def streams(self, body: dict[str, Any]) -> bool:
        return bool(body.get("stream"))

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard:
        """Read a request. Raises ComplaintError where the vendor would answer 400."""
        unknown = sorted(set(body) - FIELDS)
        demand(self._open_fields or not unknown, f"Unrecognized request argument: {unknown}")
        demand(isinstance(body.get("model"), str), "you must provide a model parameter")
        told = body.get("stream_options") is None or body.get("stream")
        demand(told, "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
        prompt = body.get("prompt", "<|endoftext|>")
        prompts = [prompt] if isinstance(prompt, str) else prompt
        strings = isinstance(prompts, list) and all(isinstance(one, str) for one in prompts)
        demand(strings, "Invalid type for 'prompt': expected a string or an array of strings.")
        suffix = body.get("suffix")
        demand(suffix is None or isinstance(suffix, str), "Invalid type for 'suffix'.")
        said = [*prompts, suffix] if suffix else list(prompts)
        return Heard(said=said, max_tokens=body.get("max_tokens"))

    def headers(self, request_id: str) -> dict[str, str]:
        return {"x-request-id": request_id, "openai-processing-ms": "12"}

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        text = "".join(part.text for part in scene.parts if isinstance(part, Say))
        return json.dumps(
            {**head(body), "choices": [choice(text, finish(scene))], "usage": usage(scene.counts)}
        ).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        said = [p for part in scene.parts if isinstance(part, Say) for p in pieces(part.text)]
        chunks: list[dict[str, Any]] = [{"choices": [choice(piece, None)]} for piece in said]
        chunks.append({"choices": [choice("", finish(scene))]})
        if (body.get("stream_options") or {}).get("include_usage"):
            chunks.append({"choices": [], "usage": usage(scene.counts)})
        return [*(sse({**head(body), **chunk}) for chunk in chunks), b"data: [DONE]\n\n"]

    def error(self, status: int, message: str, request_id: str, code: str | None = None) -> bytes:
        kind, usual = ERRORS[status]
        told = {"message": message, "type": kind, "param": None, "code": code or usual}
        return json.dumps({"error": told}).encode()

    def error_event(self, message: str) -> bytes:
        return sse({"error": {"message": message, "type": "server_error"}})

    def garbled(self) -> bytes:
        return b'data: {"id":"cmpl-fake","choices":[{"index":0,"te\n\n'


def head(body: dict[str, Any]) -> dict[str, Any]:
    made = {"id": "cmpl-fake01", "object": "text_completion", "created": 1763683200}
    return made | {"model": body["model"]}


def choice(text: str, reason: str | None) -> dict[str, Any]:
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}


def finish(scene: Scene) -> str:
    return "length" if scene.cut_short else "stop"
