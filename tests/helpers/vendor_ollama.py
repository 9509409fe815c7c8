"""Ollama as its engine serves it, written apart from halfdoor's own dialect code.

Shapes and wordings: the engine's published API documentation and its official SDK's types; what the
engine refuses is refused here too. Unknown fields are ignored, as its decoder ignores them.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from tests.helpers.scenes import Counts, Heard, Say, Scene, Think, Use, demand, pieces

ROLES = ("system", "user", "assistant", "tool")
STARTS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
EFFORTS = {"low", "medium", "high"}


class OllamaVendor:
    """Judges requests of one endpoint and writes its answers. path: `/api/chat` or `/api/generate`."""

    name = "ollama"
    stream_type = "application/x-ndjson"

    def __init__(self, path: str) -> None:
        self.path = path

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("authorization", "").removeprefix("Bearer ")

    def streams(self, body: dict[str, Any]) -> bool:
        return body.get("stream") is not False

    # --- judging ---

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard:
        """Read a request. Raises ComplaintError where the engine would answer 400."""
        demand(isinstance(body.get("model"), str) and body["model"], "model is required")
        options = body.get("options") or {}
        demand(
            isinstance(options, dict), unmarshalled(options, "options", "map[string]interface {}")
        )
        limit = options.get("num_predict")
        demand(limit is None or type(limit) is int, 'option "num_predict" must be of type integer')
        window = options.get("num_ctx")
        demand(window is None or type(window) is int, 'option "num_ctx" must be of type integer')
        think = body.get("think")
        demand(
            think is None or isinstance(think, bool) or think in EFFORTS,
            f'invalid think value: {think!r} (must be "high", "medium", "low", true, or false)',
        )
        form = body.get("format")
        demand(
            form in {None, "", "json"} if not isinstance(form, dict) else True,
            f'invalid format: {form!r}; expected "json" or a valid JSON Schema object',
        )
        heard = Heard(max_tokens=limit if limit and limit > 0 else None)
        (self._generate if self.path == "/api/generate" else self._chat)(body, heard)
        return heard

    def _chat(self, body: dict[str, Any], heard: Heard) -> None:
        messages = body.get("messages")
        demand(isinstance(messages, list), unmarshalled(messages, "messages", "[]api.Message"))
        assert isinstance(messages, list)
        heard.tools = [self._tool(tool) for tool in body.get("tools") or []]
        for message in messages:
            self._message(message, heard)

    def _generate(self, body: dict[str, Any], heard: Heard) -> None:
        for field in ("prompt", "suffix", "system", "template"):
            given = body.get(field)
            demand(given is None or isinstance(given, str), unmarshalled(given, field, "string"))
        raw = body.get("raw") and any(body.get(n) for n in ("template", "system", "context"))
        demand(not raw, "raw mode does not support template, system, or context")
        heard.system += [body["system"]] if body.get("system") else []
        heard.said += [body[field] for field in ("prompt", "suffix") if body.get(field)]
        self._images(body.get("images"), heard)

    def _tool(self, tool: Any) -> str:
        demand(isinstance(tool.get("function"), dict), "invalid tool: function is missing")
        parameters = tool["function"].get("parameters", {})
        demand(
            isinstance(parameters, dict),
            unmarshalled(parameters, "tools.function.parameters", "api.ToolFunctionParameters"),
        )
        return str(tool["function"]["name"])

    def _message(self, message: Any, heard: Heard) -> None:
        role, content = message.get("role"), message.get("content", "")
        demand(role in ROLES, f"invalid role: {role}, must be one of {list(ROLES)}")
        demand(isinstance(content, str), unmarshalled(content, "messages.content", "string"))
        self._images(message.get("images"), heard)
        for call in message.get("tool_calls") or []:
            given = call["function"].get("arguments")
            where = "messages.tool_calls.function.arguments"
            demand(
                isinstance(given, dict),
                unmarshalled(given, where, "api.ToolCallFunctionArguments"),
            )
            heard.calls[call.get("id") or call["function"]["name"]] = given
        if message.get("thinking"):
            heard.thinking.append(message["thinking"])
        if role == "tool":
            heard.results[message.get("tool_call_id") or message.get("tool_name") or ""] = content
        elif role == "system":
            heard.system.append(content)
        elif content:
            heard.said.append(content)

    def _images(self, images: Any, heard: Heard) -> None:
        for data in images or []:
            demand(isinstance(data, str), unmarshalled(data, "images", "api.ImageData"))
            try:
                found = base64.b64decode(data, validate=True)
            except binascii.Error:
                demand(False, "illegal base64 data at input byte 0")
                raise
            kind = next((kind for start, kind in STARTS.items() if found.startswith(start)), "")
            demand(kind, "invalid image input")
            heard.images.append((kind, len(found)))

    # --- answering ---

    def headers(self, request_id: str) -> dict[str, str]:
        return {}

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        text = "".join(part.text for part in scene.parts if isinstance(part, Say))
        thought = "".join(part.text for part in scene.parts if isinstance(part, Think))
        said = self._said(text, thought, [p for p in scene.parts if isinstance(p, Use)])
        return json.dumps(head(body) | said | ended(scene)).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        """A line each; calls come whole, one a line."""
        told: list[dict[str, Any]] = []
        for part in scene.parts:
            match part:
                case Say(text):
                    told += [self._said(piece) for piece in pieces(text)]
                case Think(text):
                    told += [self._said("", piece) for piece in pieces(text)]
                case Use():
                    told.append(self._said("", "", [part]))
        begun = [head(body) | one | {"done": False} for one in told]
        return [line(one) for one in (*begun, head(body) | self._said("") | ended(scene))]

    def _said(self, text: str, thought: str = "", calls: list[Use] | None = None) -> dict[str, Any]:
        thinking = {"thinking": thought} if thought else {}
        if self.path == "/api/generate":
            return {"response": text, **thinking}
        message: dict[str, Any] = {"role": "assistant", "content": text, **thinking}
        if calls:
            message["tool_calls"] = [called(i, call) for i, call in enumerate(calls)]
        return {"message": message}

    def error(self, status: int, message: str, request_id: str, code: str | None = None) -> bytes:
        return json.dumps({"error": message}).encode()

    def error_event(self, message: str) -> bytes:
        return line({"error": message})

    def garbled(self) -> bytes:
        return b'{"model":"m","message":{"role":"assistant","con\n'


def called(index: int, call: Use) -> dict[str, Any]:
    function = {"index": index, "name": call.name, "arguments": call.arguments}
    return {"id": call.id, "function": function}


def head(body: dict[str, Any]) -> dict[str, Any]:
    return {"model": body["model"], "created_at": "2025-11-21T00:00:00.123456Z"}


def ended(scene: Scene) -> dict[str, Any]:
    counts: Counts = scene.counts
    return {
        "done": True,
        "done_reason": "length" if scene.cut_short else "stop",
        "total_duration": 181_000_000,
        "load_duration": 12_000_000,
        "prompt_eval_count": counts.prompt,
        "prompt_eval_duration": 90_000_000,
        "eval_count": counts.answer,
        "eval_duration": 79_000_000,
    }


def line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def unmarshalled(value: object, field: str, wanted: str) -> str:
    """As the engine's decoder words a wrong type."""
    kinds = {dict: "object", list: "array", str: "string", bool: "bool", type(None): "null"}
    kind = kinds.get(type(value), "number")
    return f"json: cannot unmarshal {kind} into Go struct field {field} of type {wanted}"
