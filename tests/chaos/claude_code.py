"""Claude Code 2.1.197, as it asks: Messages, with thinking, a tool, and the patience it has."""

import json
from typing import Any, Final

from tests.chaos.habits import CUT, ERROR, LOST, BrokenError, Habits, Reply, events

TOOL: Final = {
    "name": "Read",
    "description": "Reads.",
    "input_schema": {"type": "object", "properties": {"file_path": {"type": "string"}}},
}


class ClaudeCode:
    """thinking: how it asks for it."""

    name = "claude-code"
    path = "/v1/messages"
    habits = Habits(
        tries={401: 11, 404: 2, 408: 11, 409: 11, 429: 11, 500: 11, 502: 11, 503: 11, 504: 11,
               529: 11, CUT: 2, ERROR: 2, LOST: 11},
        heeds=frozenset({401, 429, 500, 502, 503, 504}),  # and not 529
        plain=frozenset({404, CUT, ERROR}),
        counts=True,
    )  # fmt: skip

    def __init__(self, thinking: dict[str, Any] | None = None) -> None:
        self._thinking = thinking or {"type": "adaptive"}

    def headers(self, session: str) -> dict[str, str]:
        return {
            "user-agent": "claude-cli/2.1.197 (external, cli)",
            "anthropic-version": "2023-06-01",
            "x-claude-code-session-id": session,
        }

    def body(self, model: str, history: list[dict[str, Any]], *, stream: bool) -> dict[str, Any]:
        told = {"model": model, "max_tokens": 32_000, "thinking": self._thinking, "tools": [TOOL]}
        return told | {"messages": history} | ({"stream": True} if stream else {})

    def says(self, text: str) -> dict[str, Any]:
        return {"role": "user", "content": [{"type": "text", "text": text}]}

    def result(self, call: str, text: str) -> dict[str, Any]:
        result = {"type": "tool_result", "tool_use_id": call, "content": text}
        return {"role": "user", "content": [result]}

    def read(self, body: bytes, *, stream: bool) -> Reply:
        if not stream:
            try:
                return _reply(json.loads(body)["content"])
            except (ValueError, KeyError):
                raise BrokenError(CUT) from None
        blocks: list[dict[str, Any]] = []
        written = ""
        for event in events(body):
            match event["type"]:
                case "content_block_start":
                    blocks.append(event["content_block"])
                    written = ""
                case "content_block_delta":
                    written += _grow(blocks[-1], event["delta"])
                case "content_block_stop" if blocks[-1]["type"] == "tool_use":
                    blocks[-1]["input"] = json.loads(written or "{}")
                case "error":
                    raise BrokenError(ERROR)
                case "message_stop":
                    return _reply(blocks)
        raise BrokenError(CUT)


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> str:
    """Add to a block; what it added of a call's arguments."""
    kind = str(delta["type"]).removesuffix("_delta")
    if kind == "input_json":
        return str(delta["partial_json"])
    block[kind] = block.get(kind, "") + delta[kind]
    return ""


def _reply(blocks: list[dict[str, Any]]) -> Reply:
    calls = tuple(block["id"] for block in blocks if block["type"] == "tool_use")
    said = blocks or [{"type": "text", "text": "(no content)"}]
    return Reply([{"role": "assistant", "content": said}], calls)
