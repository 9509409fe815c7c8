"""Anthropic Messages as its vendor serves it, written apart from halfdoor's own dialect code.

Shapes and wordings: the published API reference and the official SDK's types; what a vendor refuses
is refused here too, so that a defect of translation is heard as a 400.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, MutableMapping
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
        "model",
        "max_tokens",
        "messages",
        "system",
        "metadata",
        "stop_sequences",
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "context_management",
        "service_tier",
        "container",
        "mcp_servers",
        "cache_control",
        "inference_geo",
        "speed",
    }
)
KINDS = {
    "user": {"text", "image", "document", "tool_result"},
    "assistant": {"text", "thinking", "redacted_thinking", "tool_use"},
    "system": {"text"},
}
MEDIA = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
ID = re.compile(r"[a-zA-Z0-9_-]+")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")

ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    529: "overloaded_error",
}


class MessagesVendor:
    """Judges requests and writes answers. seals: thinking text by the signature issued for it."""

    name = "anthropic_messages"
    path = "/v1/messages"
    stream_type = "text/event-stream; charset=utf-8"

    def __init__(self, seals: MutableMapping[str, str], *, open_fields: bool) -> None:
        self._seals = seals
        self._open_fields = open_fields
        self._issued: set[str] = set()  # ids of its own calls

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")

    def streams(self, body: dict[str, Any]) -> bool:
        return bool(body.get("stream"))

    # --- judging ---

    def hear(self, body: dict[str, Any], headers: Mapping[str, str]) -> Heard:
        """Read a request. Raises ComplaintError where the vendor would answer 400."""
        demand(headers.get("anthropic-version"), "anthropic-version: header is required")
        self._check_fields(body)
        heard = Heard(max_tokens=body["max_tokens"])
        heard.tools = [self._tool(tool, i) for i, tool in enumerate(body.get("tools", []))]
        demand(len(set(heard.tools)) == len(heard.tools), "tools: Tool names must be unique.")
        self._check_choice(body, heard)
        self._system(body.get("system"), heard)
        messages = body.get("messages")
        demand(
            isinstance(messages, list) and messages,
            "messages: at least one message is required",
        )
        assert isinstance(messages, list)
        demand(
            messages[0].get("role") == "user",
            "messages: first message must use the user role",
        )
        for i, message in enumerate(messages):
            self._message(message, f"messages.{i}", heard)
        said = turns(messages)
        check_answers(said)
        thinks = (body.get("thinking") or {}).get("type") == "enabled"
        if thinks and not self._open_fields:  # engines take back whatever stands there
            check_thinking(said, self._issued)
        return heard

    def _check_fields(self, body: dict[str, Any]) -> None:
        unknown = sorted(set(body) - FIELDS)
        demand(
            self._open_fields or not unknown,
            f"{', '.join(unknown)}: Extra inputs are not permitted",
        )
        demand(isinstance(body.get("model"), str) and body["model"], "model: Field required")
        demand("max_tokens" in body, "max_tokens: Field required")
        limit = body["max_tokens"]
        demand(
            type(limit) is int and limit >= 1,
            "max_tokens: Input should be greater than or equal to 1",
        )
        demand(0 <= body.get("temperature", 0) <= 1, "temperature: range: 0..1")
        thinking = body.get("thinking") or {"type": "disabled"}
        demand(
            thinking.get("type") in {"enabled", "disabled", "adaptive"},
            "thinking.type: Input should be 'enabled', 'disabled' or 'adaptive'",
        )
        if thinking["type"] == "enabled":
            budget = thinking.get("budget_tokens", 0)
            demand(
                budget >= 1024,
                "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
            )
            demand(budget < limit, "`max_tokens` must be greater than `thinking.budget_tokens`.")
            demand(
                body.get("temperature", 1) == 1,
                "`temperature` may only be set to 1 when thinking is enabled.",
            )

    def _tool(self, tool: Any, i: int) -> str:
        demand(
            tool.get("type", "custom") == "custom",
            f"tools.{i}: Input tag '{tool.get('type')}' found using 'type' does not match any of the expected tags",
        )
        demand(
            NAME.fullmatch(tool.get("name", "")),
            f"tools.{i}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'",
        )
        schema = tool.get("input_schema")
        demand(
            isinstance(schema, dict) and schema.get("type") == "object",
            f"tools.{i}.custom.input_schema.type: Field required",
        )
        unknown = set(tool) - {
            "type",
            "name",
            "description",
            "input_schema",
            "cache_control",
            "strict",
        }
        demand(
            self._open_fields or not unknown,
            f"tools.{i}.custom: {sorted(unknown)}: Extra inputs are not permitted",
        )
        return str(tool["name"])

    def _check_choice(self, body: dict[str, Any], heard: Heard) -> None:
        choice = body.get("tool_choice")
        if choice is None:
            return
        demand(heard.tools, "tool_choice may only be specified while providing tools.")
        demand(
            choice.get("type") in {"auto", "any", "tool", "none"},
            "tool_choice: Input tag found using 'type' does not match any of the expected tags",
        )
        demand(
            choice["type"] != "tool" or choice["name"] in heard.tools,
            f"Tool '{choice.get('name')}' not found in provided tools",
        )
        forced = choice["type"] in {"any", "tool"}
        demand(
            not (forced and (body.get("thinking") or {}).get("type") == "enabled"),
            "Thinking may not be enabled when tool_choice forces tool use.",
        )

    def _system(self, system: Any, heard: Heard) -> None:
        if isinstance(system, str):
            heard.system.append(system)
        elif system is not None:
            heard.system += [self._text(block, "system") for block in system]

    def _text(self, block: Any, place: str) -> str:
        demand(
            block.get("type") == "text", f"{place}: Input tag '{block.get('type')}' is not allowed"
        )
        demand(block.get("text"), f"{place}: text content blocks must be non-empty")
        demand(
            self._open_fields or block["text"].strip(),
            f"{place}: text content blocks must contain non-whitespace text",
        )
        return str(block["text"])

    def _message(self, message: Any, place: str, heard: Heard) -> None:
        role = message.get("role")
        demand(role in KINDS, f"{place}.role: Input should be 'user' or 'assistant'")
        content = message.get("content")
        demand(content, f"{place}: all messages must have non-empty content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for i, block in enumerate(blocks):
            self._block(role, block, f"{place}.content.{i}", heard)

    def _block(self, role: str, block: Any, place: str, heard: Heard) -> None:
        kind = block.get("type")
        demand(
            kind in KINDS[role],
            f"{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags for {role}",
        )
        match kind:
            case "text":
                text = self._text(block, place)
                (heard.system if role == "system" else heard.said).append(text)
            case "image":
                heard.images.append(seen_image(block, place))
            case "thinking" | "redacted_thinking":
                self._thinking(block, place, heard)
            case "tool_use":
                self._use(block, place, heard)
            case "tool_result":
                heard.results[block["tool_use_id"]] = self._result(block, place, heard)

    def _thinking(self, block: Any, place: str, heard: Heard) -> None:
        signature = block.get("signature" if block["type"] == "thinking" else "data")
        text = block.get("thinking", "")
        demand(
            self._seals.get(signature) == text,
            f"{place}: Invalid `signature` in `thinking` block",
        )
        heard.thinking.append(text)

    def _use(self, block: Any, place: str, heard: Heard) -> None:
        demand(
            ID.fullmatch(block.get("id", "")),
            f"{place}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        )
        demand(NAME.fullmatch(block.get("name", "")), f"{place}.tool_use.name: String should match")
        demand(
            isinstance(block.get("input"), dict),
            f"{place}.tool_use.input: Input should be a valid dictionary",
        )
        heard.calls[block["id"]] = block["input"]

    def _result(self, block: Any, place: str, heard: Heard) -> str:
        content = block.get("content", "")
        if isinstance(content, str):
            return content
        texts = []
        for part in content:
            if part.get("type") == "image":
                heard.images.append(seen_image(part, place))
            else:
                texts.append(self._text(part, place))
        return "".join(texts)

    # --- answering ---

    def headers(self, request_id: str) -> dict[str, str]:
        return {
            "request-id": request_id,
            "anthropic-ratelimit-requests-remaining": "4999",
            "anthropic-organization-id": "org-fake",
        }

    def seal(self, text: str) -> str:
        """Issue a signature for thinking; it is the only one accepted for this text."""
        signature = base64.b64encode(hashlib.sha512(b"fake seal" + text.encode()).digest()).decode()
        self._seals[signature] = text
        return signature

    def _blocks(self, scene: Scene) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        for part in scene.parts:
            match part:
                case Say(text):
                    blocks.append({"type": "text", "text": text})
                case Think(text):
                    blocks.append(
                        {
                            "type": "thinking",
                            "thinking": text,
                            "signature": self.seal(text),
                        }
                    )
                case Use(name, arguments, call):
                    self._issued.add(call)
                    blocks.append(
                        {"type": "tool_use", "id": call, "name": name, "input": arguments}
                    )
        return blocks

    def _head(self, scene: Scene, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": "msg_fake01",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage(scene.counts),
        }

    def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> bytes:
        return json.dumps(
            {
                **self._head(scene, body),
                "content": self._blocks(scene),
                "stop_reason": stop_reason(scene),
            }
        ).encode()

    def events(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> list[bytes]:
        head = self._head(scene, body)
        head["usage"] = {**head["usage"], "output_tokens": 1}
        out = [sse("message_start", message=head), sse("ping")]
        for index, block in enumerate(self._blocks(scene)):
            out += block_events(index, block)
        out.append(
            sse(
                "message_delta",
                delta={"stop_reason": stop_reason(scene), "stop_sequence": None},
                usage=usage(scene.counts),
            )
        )
        return [*out, sse("message_stop")]

    def error(self, status: int, message: str, request_id: str, code: str | None = None) -> bytes:
        return json.dumps(
            {
                "type": "error",
                "error": {"type": ERRORS[status], "message": message},
                "request_id": request_id,
            }
        ).encode()

    def error_event(self, message: str) -> bytes:
        return sse("error", error={"type": "overloaded_error", "message": message})

    def garbled(self) -> bytes:
        return b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"ty\n\n'


def seen_image(block: Any, place: str) -> tuple[str, int]:
    """Media type and byte count; images by URL are ("url", 0)."""
    source = block["source"]
    if source["type"] == "url":
        return "url", 0
    demand(
        source["type"] == "base64" and source.get("media_type") in MEDIA,
        f"{place}.image.source.media_type: Input should be one of {sorted(MEDIA)}",
    )
    try:
        return source["media_type"], len(base64.b64decode(source["data"], validate=True))
    except binascii.Error:
        raise ComplaintError(f"{place}.image.source.base64: invalid base64 data") from None


def turns(messages: list[Any]) -> list[tuple[str, list[Any]]]:
    """Messages as (role, blocks), adjacent ones of one role combined as the vendor does."""
    out: list[tuple[str, list[Any]]] = []
    for message in messages:
        content = message["content"]
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        if out and out[-1][0] == message["role"]:
            out[-1][1].extend(blocks)
        else:
            out.append((message["role"], list(blocks)))
    return out


def check_answers(said: list[tuple[str, list[Any]]]) -> None:
    """Every tool_use is answered in the next user message, and nothing else is."""
    waiting: list[str] = []
    uses = [b["id"] for _, blocks in said for b in blocks if b["type"] == "tool_use"]
    demand(len(uses) == len(set(uses)), "messages: `tool_use` ids must be unique")
    for i, (_role, blocks) in enumerate(said):
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        for call in results:
            demand(
                call in waiting,
                f"messages.{i}: unexpected `tool_use_id` found in `tool_result` blocks: {call}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
            )
        missing = [call for call in waiting if call not in results]
        demand(
            not missing,
            f"messages.{i}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(missing)}.",
        )
        demand(
            [block["type"] for block in blocks[: len(results)]] == ["tool_result"] * len(results),
            f"messages.{i}: `tool_result` blocks must come before other content",
        )
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
    demand(
        not waiting,
        f"messages: `tool_use` ids were found without `tool_result` blocks: {waiting}",
    )


def check_thinking(said: list[tuple[str, list[Any]]], own: set[str]) -> None:
    """A tool loop that goes on must have begun with the model's thinking.

    own: calls of this vendor's, which would have thought first; here a scene may leave that out.
    """
    first = None
    for i, (role, blocks) in reversed(list(enumerate(said))):
        if role == "user" and not any(block["type"] == "tool_result" for block in blocks):
            break
        if role == "assistant" and i < len(said) - 1:
            mine = any(block["type"] == "tool_use" and block["id"] in own for block in blocks)
            first = None if mine else (i, blocks[0]["type"])
    demand(
        first is None or first[1] in {"thinking", "redacted_thinking"},
        f"messages.{first and first[0]}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first and first[1]}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks).",
    )


def stop_reason(scene: Scene) -> str:
    if scene.cut_short:
        return "max_tokens"
    return "tool_use" if any(isinstance(part, Use) for part in scene.parts) else "end_turn"


def usage(counts: Counts) -> dict[str, Any]:
    return {
        "input_tokens": counts.prompt - counts.cached - counts.written,
        "cache_creation_input_tokens": counts.written,
        "cache_read_input_tokens": counts.cached,
        "output_tokens": counts.answer,
        "service_tier": "standard",
    }


def block_events(index: int, block: dict[str, Any]) -> list[bytes]:
    opened, deltas = block, []
    match block["type"]:
        case "text":
            opened = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": p} for p in pieces(block["text"])]
        case "thinking":
            opened = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": p} for p in pieces(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "tool_use":
            opened = {**block, "input": {}}
            written = json.dumps(block["input"]) if block["input"] else ""
            deltas = [
                {"type": "input_json_delta", "partial_json": p} for p in ["", *pieces(written, 9)]
            ]
    return [
        sse("content_block_start", index=index, content_block=opened),
        *(sse("content_block_delta", index=index, delta=delta) for delta in deltas),
        sse("content_block_stop", index=index),
    ]


def sse(kind: str, **rest: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **rest})}\n\n".encode()
