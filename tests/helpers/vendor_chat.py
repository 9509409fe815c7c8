"""OpenAI Chat Completions as its vendor serves it, written apart from halfdoor's own dialect code.

Shapes and wordings: the published API reference and the official SDK's types; what a vendor refuses
is refused here too, so that a defect of translation is heard as a 400.
"""

import base64
import binascii
import itertools
import json
import re
from collections.abc import Mapping
from typing import Any

from tests.helpers.scenes import (
    ComplaintError,
    Counts,
    Heard,
    Say,
    Scene,
    Think,
    Use,
    demand,
    pieces,
)

FIELDS = frozenset(
    {
        "messages",
        "model",
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
ROLES = frozenset({"developer", "system", "user", "assistant", "tool"})
KINDS = {
    "developer": {"text"},
    "system": {"text"},
    "user": {"text", "image_url", "input_audio", "file"},
    "assistant": {"text", "refusal"},
    "tool": {"text"},
}
PART_FIELDS = frozenset(
    {
        "type",
        "text",
        "image_url",
        "input_audio",
        "file",
        "refusal",
        "prompt_cache_breakpoint",
    }
)
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
DATA_URL = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,(.*)", re.DOTALL)

ERRORS: dict[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    413: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("service_unavailable_error", "server_is_overloaded"),
    529: ("server_error", "overloaded"),
}


class ChatVendor:
    """Judges requests and writes answers."""

    name = "openai_chat"
    path = "/v1/chat/completions"
    stream_type = "text/event-stream; charset=utf-8"
    closing = b"data: [DONE]\n\n"

    def __init__(self, seals: Mapping[str, str], *, open_fields: bool) -> None:
        self._open_fields = open_fields

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("authorization", "").removeprefix("Bearer ")

    def streams(self, body: dict[str, Any]) -> bool:
        return bool(body.get("stream"))

    # --- judging ---

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard:
        """Read a request. Raises ComplaintError where the vendor would answer 400."""
        self._check_fields(body)
        heard = Heard(max_tokens=body.get("max_completion_tokens", body.get("max_tokens")))
        heard.tools = [self._tool(tool, i) for i, tool in enumerate(body.get("tools", []))]
        self._check_choice(body, heard)
        messages = body.get("messages")
        demand(isinstance(messages, list) and messages, "Invalid 'messages': empty array.")
        assert isinstance(messages, list)
        for i, message in enumerate(messages):
            self._message(message, f"messages.[{i}]", heard)
        self._check_answers(messages)
        return heard

    def _check_fields(self, body: dict[str, Any]) -> None:
        unknown = sorted(set(body) - FIELDS)
        demand(
            self._open_fields or not unknown,
            f"Unrecognized request argument supplied: {', '.join(unknown)}",
        )
        demand(
            isinstance(body.get("model"), str) and body["model"],
            "you must provide a model parameter",
        )
        demand(
            not ("max_tokens" in body and "max_completion_tokens" in body),
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        )
        for key in ("max_tokens", "max_completion_tokens"):
            demand(
                body.get(key) is None or (type(body[key]) is int and body[key] > 0),
                f"Invalid type for '{key}'.",
            )
        demand(
            body.get("stream_options") is None or body.get("stream"),
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        )
        demand(
            0 <= (body.get("temperature") or 0) <= 2,
            "Invalid 'temperature': expected a value <= 2.",
        )
        stop = body.get("stop")
        demand(
            not isinstance(stop, list) or len(stop) <= 4,
            "Invalid 'stop': array too long. Expected at most 4.",
        )

    def _tool(self, tool: Any, i: int) -> str:
        demand(
            tool.get("type") == "function", f"Invalid value: '{tool.get('type')}' tools[{i}].type"
        )
        function = tool["function"]
        demand(
            set(tool) == {"type", "function"}, f"Unknown parameter in tools[{i}]: {sorted(tool)}"
        )
        unknown = set(function) - {"name", "description", "parameters", "strict"}
        demand(
            self._open_fields or not unknown,
            f"Unknown parameter in tools[{i}].function: {sorted(unknown)}",
        )
        demand(
            NAME.fullmatch(function["name"]),
            f"Invalid 'tools[{i}].function.name': string does not match pattern.",
        )
        parameters = function.get("parameters", {"type": "object"})
        demand(
            isinstance(parameters, dict) and parameters.get("type") == "object",
            f"Invalid schema for function '{function['name']}': schema must be a JSON Schema of 'type: \"object\"'.",
        )
        return str(function["name"])

    def _check_choice(self, body: dict[str, Any], heard: Heard) -> None:
        for key in ("tool_choice", "parallel_tool_calls"):
            demand(
                key not in body or heard.tools,
                f"'{key}' is only allowed when 'tools' are specified.",
            )
        choice = body.get("tool_choice", "auto")
        if isinstance(choice, dict):
            demand(choice.get("type") == "function", "Invalid value for 'tool_choice'.")
            demand(
                choice["function"]["name"] in heard.tools,
                "Tool choice 'function' not found in 'tools' parameter.",
            )
        else:
            demand(choice in {"none", "auto", "required"}, f"Invalid value: '{choice}'.")

    def _message(self, message: Any, place: str, heard: Heard) -> None:
        role = message.get("role")
        demand(role in ROLES, f"Invalid value: '{role}' at {place}.role.")
        content = message.get("content")
        if role == "assistant":
            demand(
                content or message.get("tool_calls") or message.get("refusal"),
                f"Invalid value for 'content': expected a string, got null at {place}.",
            )
            demand(message.get("tool_calls") != [], f"Invalid '{place}.tool_calls': empty array.")
        else:
            demand(
                isinstance(content, str | list),
                f"Invalid value for 'content': expected a string, got null at {place}.",
            )
        text = self._content(role, content, place, heard)
        if role in {"system", "developer"}:
            heard.system.append(text)
        elif role == "tool":
            demand(
                isinstance(message.get("tool_call_id"), str),
                f"Missing parameter 'tool_call_id' at {place}.",
            )
            heard.results[message["tool_call_id"]] = text
        elif text:
            heard.said.append(text)
        if reasoning := message.get("reasoning_content"):
            heard.thinking.append(reasoning)
        for call in message.get("tool_calls") or []:
            self._call(call, place, heard)

    def _call(self, call: Any, place: str, heard: Heard) -> None:
        demand(call.get("type") == "function" and call.get("id"), f"Invalid tool call at {place}.")
        demand(
            NAME.fullmatch(call["function"]["name"]), f"Invalid '{place}.tool_calls.function.name'."
        )
        demand(
            isinstance(call["function"]["arguments"], str),
            f"Invalid type for '{place}.tool_calls.function.arguments': expected a string.",
        )
        heard.calls[call["id"]] = json.loads(call["function"]["arguments"])

    def _content(self, role: str, content: Any, place: str, heard: Heard) -> str:
        if content is None or isinstance(content, str):
            return content or ""
        demand(content, f"Invalid '{place}.content': empty array.")
        return "".join(self._part(role, part, place, heard) for part in content)

    def _part(self, role: str, part: Any, place: str, heard: Heard) -> str:
        kind = part.get("type")
        demand(
            kind in KINDS[role],
            f"Invalid value: '{kind}' at {place}.content. Supported values for {role}: {sorted(KINDS[role])}.",
        )
        unknown = set(part) - PART_FIELDS
        demand(
            self._open_fields or not unknown,
            f"Unknown parameter at {place}.content: {sorted(unknown)}.",
        )
        if kind == "image_url":
            heard.images.append(seen_image(part["image_url"]["url"], place))
        return str(part.get("text", ""))

    def _check_answers(self, messages: list[Any]) -> None:
        waiting: set[str] = set()
        for i, message in enumerate(messages):
            if message["role"] == "tool":
                demand(
                    message["tool_call_id"] in waiting,
                    f"Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls' (messages.[{i}]).",
                )
                waiting.discard(message["tool_call_id"])
                continue
            demand(not waiting, unanswered(waiting))
            waiting = {call["id"] for call in message.get("tool_calls") or []}
        demand(not waiting, unanswered(waiting))

    # --- answering ---

    def headers(self, request_id: str) -> dict[str, str]:
        return {
            "x-request-id": request_id,
            "openai-processing-ms": "12",
            "x-ratelimit-remaining-requests": "4999",
        }

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
        text = "".join(part.text for part in scene.parts if isinstance(part, Say))
        if text:
            message["content"] = text
        if thought := "".join(part.text for part in scene.parts if isinstance(part, Think)):
            message["reasoning_content"] = thought
        if calls := [part for part in scene.parts if isinstance(part, Use)]:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
                }
                for call in calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish(scene)}
        return json.dumps(
            {
                **head(body),
                "object": "chat.completion",
                "choices": [choice],
                "usage": usage(scene.counts),
            }
        ).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
        deltas += [
            {"reasoning_content": p}
            for part in scene.parts
            if isinstance(part, Think)
            for p in pieces(part.text)
        ]
        deltas += [
            {"content": p}
            for part in scene.parts
            if isinstance(part, Say)
            for p in pieces(part.text)
        ]
        deltas += call_deltas([part for part in scene.parts if isinstance(part, Use)])
        asked = (body.get("stream_options") or {}).get("include_usage")
        chunks: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
        ]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish(scene)}]})
        if asked:
            chunks = [{**chunk, "usage": None} for chunk in chunks]
            chunks.append({"choices": [], "usage": usage(scene.counts)})
        common = {**head(body), "object": "chat.completion.chunk"}
        return [sse({**common, **chunk}) for chunk in chunks] + [self.closing]

    def error(self, status: int, message: str, request_id: str, code: str | None = None) -> bytes:
        kind, usual = ERRORS[status]
        return json.dumps(
            {"error": {"message": message, "type": kind, "param": None, "code": code or usual}}
        ).encode()

    def error_event(self, message: str) -> bytes:
        return sse(
            {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
        )

    def garbled(self) -> bytes:
        return b'data: {"id":"chatcmpl-fake","choices":[{"index":0,"delta":{"content":"hal\n\n'


def seen_image(url: str, place: str) -> tuple[str, int]:
    """Media type and byte count of a data URL; remote images are ("url", 0)."""
    if url.startswith(("https://", "http://")):
        return "url", 0
    found = DATA_URL.fullmatch(url)
    demand(found, f"Invalid '{place}.content.image_url': expected a base64-encoded data URL.")
    assert found
    try:
        return found[1], len(base64.b64decode(found[2], validate=True))
    except binascii.Error:
        raise ComplaintError(f"Invalid base64 image_url at {place}.") from None


def unanswered(waiting: set[str]) -> str:
    return (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(sorted(waiting))}"
    )


def finish(scene: Scene) -> str:
    if scene.cut_short:
        return "length"
    return "tool_calls" if any(isinstance(part, Use) for part in scene.parts) else "stop"


def head(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-fake01",
        "created": 1763683200,
        "model": body["model"],
        "system_fingerprint": "fp_fake",
    }


def usage(counts: Counts) -> dict[str, Any]:
    return {
        "prompt_tokens": counts.prompt,
        "completion_tokens": counts.answer,
        "total_tokens": counts.prompt + counts.answer,
        "prompt_tokens_details": {"cached_tokens": counts.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def call_deltas(calls: list[Use]) -> list[dict[str, Any]]:
    """Each call's id and name, then the fragments of all calls' arguments in turn."""
    opened = [
        {
            "tool_calls": [
                {
                    "index": i,
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": ""},
                }
            ]
        }
        for i, call in enumerate(calls)
    ]
    fragments = [pieces(json.dumps(call.arguments), 9) for call in calls]
    mixed = [
        {"tool_calls": [{"index": i, "function": {"arguments": fragment}}]}
        for turn in itertools.zip_longest(*fragments)
        for i, fragment in enumerate(turn)
        if fragment
    ]
    return opened + mixed


def sse(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
