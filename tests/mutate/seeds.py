"""One sound request of every endpoint, with all that it can hold: what the mutations begin from."""

import copy
from dataclasses import dataclass
from typing import Any, Final

from tests.helpers.pictures import PNG_DATA, PNG_URL
from tests.leakhunt import shapes

SCHEMA: Final = shapes.SCHEMA
_CALL: Final = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "look", "arguments": '{"path": "a.md"}'},
}
CHAT: Final[dict[str, Any]] = {
    "messages": [
        {"role": "developer", "content": "You code."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look around."},
                {"type": "image_url", "image_url": {"url": PNG_URL, "detail": "low"}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [_CALL], "reasoning_content": "So."},
        {"role": "tool", "tool_call_id": "call_1", "content": "# The harbour"},
        {"role": "user", "content": "Go on."},
    ],
    "tools": [{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "stream_options": {"include_usage": True},
    "max_completion_tokens": 4000,
    "temperature": 0.5,
    "stop": ["END"],
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": shapes.ANSWER, "strict": True},
    },
    "logit_bias": {"50256": -100},
}
MESSAGES: Final[dict[str, Any]] = {
    "max_tokens": 64000,
    "system": [
        {"type": "text", "text": "You code.", "cache_control": {"type": "ephemeral"}},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look around."},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": PNG_DATA},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "First the file.", "signature": "c2VhbA=="},
                {"type": "redacted_thinking", "data": "b3BhcXVl"},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"path": "a.md"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "text", "text": "# The harbour"}],
                    "is_error": False,
                }
            ],
        },
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Go on."},
    ],
    "tools": [
        {"name": "look", "description": "It looks.", "input_schema": SCHEMA},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 2048},
    "context_management": {"edits": []},
    "metadata": {"user_id": '{"device_id": "d"}'},
    "stop_sequences": ["END"],
}
_TEXTS: Final[dict[str, Any]] = {"input": ["The tide table."], "truncate": False, "options": {}}


@dataclass(frozen=True, slots=True)
class Seed:
    """asked: names of models that can answer it, each behind another dialect."""

    path: str
    body: dict[str, Any]
    asked: tuple[str, ...]

    def made(self, asked: str, *, stream: bool) -> dict[str, Any]:
        """A body of its own."""
        return {"model": asked, "stream": stream, **copy.deepcopy(self.body)}


_ANY: Final = ("by-chat", "by-messages", "by-responses", "by-ollama")
SEEDS: Final = (
    Seed("/v1/chat/completions", CHAT, _ANY),
    Seed("/v1/messages", MESSAGES, _ANY),
    Seed("/v1/responses", shapes.RESPONSES, _ANY),
    Seed("/api/chat", shapes.OLLAMA, _ANY),
    Seed("/v1/completions", shapes.COMPLETION, ("by-chat",)),
    Seed("/v1/embeddings", shapes.EMBEDDINGS, ("by-chat",)),
    Seed("/api/generate", shapes.GENERATE, _ANY),
    Seed("/api/generate", shapes.INSERT, ("by-ollama",)),
    Seed("/v1/messages/count_tokens", MESSAGES, ("by-messages", "by-chat")),
    Seed("/v1/responses/input_tokens", shapes.RESPONSES, ("by-responses", "by-chat")),
    Seed("/api/embed", _TEXTS, ("by-ollama", "by-chat")),
    Seed("/api/embeddings", {"prompt": "The tide table."}, ("by-ollama", "by-chat")),
    Seed("/infill", {"input_prefix": "def f(", "input_suffix": "\n"}, ("by-chat",)),
    Seed("/api/show", {"name": "by-chat"}, ("by-chat",)),
)
