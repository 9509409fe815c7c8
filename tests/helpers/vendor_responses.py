"""OpenAI Responses as its vendor serves it, written apart from halfdoor's own dialect code.

Shapes and wordings: the published API reference and the official SDK's types; what a vendor refuses
is refused here too, so that a defect of translation is heard as a 400.
"""

import json
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from tests.helpers.scenes import Counts, Heard, Say, Scene, Think, Use, demand, pieces
from tests.helpers.vendor_chat import ERRORS, seen_image

FIELDS = frozenset({
    "background", "client_metadata", "context_management", "conversation", "include", "input",
    "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model",
    "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key",
    "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store", "stream",
    "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p",
    "truncation", "user",
})  # fmt: skip
ROLES = frozenset({"developer", "system", "user", "assistant"})
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}


class ResponsesVendor:
    """Judges requests and writes answers. seals: thinking text by the ciphertext issued for it."""

    name = "openai_responses"
    path = "/v1/responses"
    stream_type = "text/event-stream; charset=utf-8"

    def __init__(self, seals: MutableMapping[str, str], *, open_fields: bool) -> None:
        self._seals = seals
        self._open_fields = open_fields

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("authorization", "").removeprefix("Bearer ")

    def streams(self, body: dict[str, Any]) -> bool:
        return bool(body.get("stream"))

    # --- judging ---

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard:
        """Read a request. Raises ComplaintError where the vendor would answer 400."""
        unknown = sorted(set(body) - FIELDS)
        demand(self._open_fields or not unknown, f"Unknown parameter: '{', '.join(unknown)}'.")
        demand(isinstance(body.get("model"), str), "Missing required parameter: 'model'.")
        limit = body.get("max_output_tokens")
        demand(limit is None or limit >= 1, "Invalid 'max_output_tokens': below minimum value.")
        heard = Heard(max_tokens=limit)
        heard.tools = [name for tool in body.get("tools", []) for name in self._tool(tool)]
        self._check_choice(body, heard)
        if body.get("instructions"):
            heard.system.append(body["instructions"])
        items = body["input"]
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        demand(items, "Invalid 'input': empty array.")
        for i, item in enumerate(items):
            self._item(item, f"input[{i}]", heard)
        self._check_answers(items)
        return heard

    def _tool(self, tool: Any) -> list[str]:
        if tool["type"] == "namespace":
            return [name for inner in tool["tools"] for name in self._tool(inner)]
        if tool["type"] in {"web_search", "image_generation"}:
            return []
        demand(tool["type"] in {"function", "custom"}, f"Invalid value: '{tool['type']}'.")
        demand(NAME.fullmatch(tool["name"]), "Invalid 'tools[].name': does not match pattern.")
        if tool["type"] == "function":
            schema = tool.get("parameters")
            demand(
                isinstance(schema, dict) and schema.get("type") == "object",
                f"Invalid schema for function '{tool['name']}'.",
            )
            strict = tool.get("strict", True)
            demand(
                not strict or schema.get("additionalProperties") is False,
                f"Invalid schema for function '{tool['name']}': 'additionalProperties' is required.",
            )
        return [tool["name"]]

    def _check_choice(self, body: dict[str, Any], heard: Heard) -> None:
        choice = body.get("tool_choice", "auto")
        if isinstance(choice, dict):
            demand(choice["name"] in heard.tools, "Tool choice not found in 'tools' parameter.")
        else:
            demand(choice in {"none", "auto", "required"}, f"Invalid value: '{choice}'.")

    def _item(self, item: Any, place: str, heard: Heard) -> None:
        match item.get("type", "message"):
            case "message":
                self._message(item, place, heard)
            case "function_call":
                demand(isinstance(item["arguments"], str), f"Invalid type: {place}.arguments")
                heard.calls[item["call_id"]] = json.loads(item["arguments"])
            case "custom_tool_call":
                heard.calls[item["call_id"]] = item["input"]
            case "function_call_output" | "custom_tool_call_output":
                heard.results[item["call_id"]] = self._content(item["output"], place, heard)
            case "reasoning":
                self._reasoning(item, place, heard)
            case "additional_tools":
                heard.tools += [name for tool in item["tools"] for name in self._tool(tool)]
            case kind:
                demand(False, f"Invalid value: '{kind}' at {place}.type.")

    def _message(self, item: Any, place: str, heard: Heard) -> None:
        role = item.get("role")
        demand(role in ROLES, f"Invalid value: '{role}' at {place}.role.")
        wanted = "output_text" if role == "assistant" else "input_text"
        if isinstance(item["content"], list):
            kinds = {part["type"] for part in item["content"]}
            allowed = {wanted, "refusal"} if role == "assistant" else {wanted, "input_image"}
            demand(kinds <= allowed, f"Invalid value: {sorted(kinds)} at {place}.content.")
        text = self._content(item["content"], place, heard)
        (heard.system if role in {"system", "developer"} else heard.said).append(text)

    def _content(self, content: Any, place: str, heard: Heard) -> str:
        if isinstance(content, str):
            return content
        for part in content:
            if part["type"] == "input_image":
                heard.images.append(seen_image(part["image_url"], place))
        return "".join(part.get("text", "") for part in content)

    def _reasoning(self, item: Any, place: str, heard: Heard) -> None:
        demand(item.get("id", "").startswith("rs"), f"Missing required parameter: '{place}.id'.")
        sealed = item.get("encrypted_content")
        demand(sealed in self._seals, f"The encrypted content {place} could not be verified.")
        heard.thinking.append(self._seals[sealed])

    def _check_answers(self, items: list[Any]) -> None:
        made = [i["call_id"] for i in items if i.get("type") in CALLS]
        given = [i["call_id"] for i in items if i.get("type") in CALLS.values()]
        for call in given:
            demand(call in made, f"No tool call found for function call output {call}.")
        for call in made:
            demand(call in given, f"No tool output found for function call {call}.")

    # --- answering ---

    def headers(self, request_id: str) -> dict[str, str]:
        return {"x-request-id": request_id, "openai-processing-ms": "12"}

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        return json.dumps(self._response(scene, body, self._items(scene, body))).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        items = self._items(scene, body)
        begun = self._response(scene, body, []) | {"status": "in_progress", "usage": None}
        told: list[dict[str, Any]] = [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
        ]
        for at, item in enumerate(items):
            told += item_events(at, item)
        done = self._response(scene, body, items)
        told.append({"type": f"response.{done['status']}", "response": done})
        return [sse(n, event) for n, event in enumerate(told)]

    def _items(self, scene: Scene, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._made(at, part, body) for at, part in enumerate(scene.parts)]

    def _made(self, at: int, part: Any, body: dict[str, Any]) -> dict[str, Any]:
        match part:
            case Say(text):
                said = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
                message = {"type": "message", "role": "assistant", "content": [said]}
                return {"id": f"msg_{at}", "status": "completed", **message}
            case Think(text):
                sealed = f"gAAAA{len(self._seals)}" + "x" * 40
                self._seals[sealed] = text
                summary = [{"type": "summary_text", "text": text}]
                kept = {"summary": summary, "encrypted_content": sealed}
                return {"id": f"rs_{at}", "type": "reasoning", **kept}
            case Use():
                return call_item(at, part, body)
            case _:
                raise AssertionError(part)

    def _response(
        self, scene: Scene, body: dict[str, Any], items: list[dict[str, Any]]
    ) -> dict[str, Any]:
        why = {"reason": "max_output_tokens"} if scene.cut_short else None
        return {
            "id": "resp_fake01",
            "object": "response",
            "created_at": 1763683200,
            "status": "incomplete" if why else "completed",
            "error": None,
            "incomplete_details": why,
            "instructions": body.get("instructions"),
            "metadata": {},
            "model": body["model"],
            "output": items,
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": usage(scene.counts),
        }

    def error(self, status: int, message: str, request_id: str, code: str | None = None) -> bytes:
        kind, usual = ERRORS[status]
        return json.dumps(
            {"error": {"message": message, "type": kind, "param": None, "code": code or usual}}
        ).encode()

    def error_event(self, message: str) -> bytes:
        return sse(9, {"type": "error", "code": "server_error", "message": message, "param": None})

    def garbled(self) -> bytes:
        return b'event: response.output_text.delta\ndata: {"type":"response.output_te\n\n'


def call_item(at: int, part: Use, body: dict[str, Any]) -> dict[str, Any]:
    """A call to a function, or to a custom tool where the request declared one of that name."""
    custom = any(t["type"] == "custom" and t["name"] == part.name for t in body.get("tools", []))
    common = {"status": "completed", "call_id": part.id, "name": part.name}
    if custom:
        given = part.arguments["input"]
        return {"id": f"ctc_{at}", "type": "custom_tool_call", **common, "input": given}
    arguments = json.dumps(part.arguments)
    return {"id": f"fc_{at}", "type": "function_call", **common, "arguments": arguments}


def item_events(at: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    here = {"output_index": at, "item_id": item["id"]}
    match item["type"]:
        case "message":
            (part,) = item["content"]
            inner = {**here, "content_index": 0}
            text = part["text"]
            empty = {**part, "text": ""}
            told = [{"type": "response.content_part.added", **inner, "part": empty}]
            kind = "response.output_text"
            told += [
                {"type": f"{kind}.delta", **inner, "delta": p, "logprobs": []} for p in pieces(text)
            ]
            told.append({"type": f"{kind}.done", **inner, "text": text, "logprobs": []})
            told.append({"type": "response.content_part.done", **inner, "part": part})
            blank = {**item, "status": "in_progress", "content": []}
        case "reasoning":
            inner = {**here, "summary_index": 0}
            text = item["summary"][0]["text"]
            kind = "response.reasoning_summary_text"
            told = [{"type": f"{kind}.delta", **inner, "delta": p} for p in pieces(text)]
            told.append({"type": f"{kind}.done", **inner, "text": text})
            blank = {**item, "summary": [], "encrypted_content": None}
        case "custom_tool_call":
            kind = "response.custom_tool_call_input"
            told = [{"type": f"{kind}.delta", **here, "delta": p} for p in pieces(item["input"])]
            told.append({"type": f"{kind}.done", **here, "input": item["input"]})
            blank = {**item, "status": "in_progress", "input": ""}
        case _:
            kind, whole = "response.function_call_arguments", item["arguments"]
            told = [{"type": f"{kind}.delta", **here, "delta": p} for p in pieces(whole, 9)]
            told.append({"type": f"{kind}.done", **here, "arguments": whole, "name": item["name"]})
            blank = {**item, "status": "in_progress", "arguments": ""}
    added = {"type": "response.output_item.added", "output_index": at, "item": blank}
    done = {"type": "response.output_item.done", "output_index": at, "item": item}
    return [added, *told, done]


def usage(counts: Counts) -> dict[str, Any]:
    return {
        "input_tokens": counts.prompt,
        "input_tokens_details": {"cached_tokens": counts.cached, "cache_write_tokens": 0},
        "output_tokens": counts.answer,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": counts.prompt + counts.answer,
    }


def sse(number: int, event: dict[str, Any]) -> bytes:
    data = json.dumps({**event, "sequence_number": number})
    return f"event: {event['type']}\ndata: {data}\n\n".encode()
