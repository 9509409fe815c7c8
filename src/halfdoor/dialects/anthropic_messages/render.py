"""Anthropic Messages: Conversation → a request's body."""

from collections.abc import Iterable
from typing import Final, assert_never

import msgspec
from msgspec import Raw

from halfdoor.canon.events import UNSIGNED
from halfdoor.canon.request import (
    ChoiceMode,
    Conversation,
    Image,
    Message,
    Opaque,
    Options,
    Part,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from halfdoor.dialects.anthropic_messages import wire as wire
from halfdoor.dialects.anthropic_messages.turns import OPENING, split
from halfdoor.dialects.decoding import UNREADABLE

# The API demands a limit. This one every model on sale accepts, and a long source file fits in it.
DEFAULT_MAX_TOKENS: Final = 8192

# INVARIANT: what this dialect may fail to express has one of these names; the log shows them.
DEGRADED: Final = frozenset(
    {
        "effort",
        "image",
        "opaque-part",
        "opening-turn",
        "server-tool",
        "stop-sequence",
        "temperature",
        "thinking",
        "tool-arguments",
        "tool-choice",
    }
)

# Blocks that only this vendor understands, and understands from anyone.
_OWN_BLOCKS: Final = frozenset(
    {
        "container_upload",
        "document",
        "image",
        "search_result",
        "server_tool_use",
        "tool_reference",
        "web_fetch_tool_result",
        "web_search_tool_result",
    }
)
_CHOICES: Final = {
    ChoiceMode.AUTO: "auto",
    ChoiceMode.REQUIRED: "any",
    ChoiceMode.NAMED: "tool",
    ChoiceMode.NONE: "none",
}
_EFFORTS: Final = {"minimal": "low"} | {
    word: word for word in ("low", "medium", "high", "xhigh", "max")
}
_LEAST_BUDGET: Final = 1024  # of thinking tokens, by the API

_Fields = dict[str, object]
_object = msgspec.json.Decoder(dict[str, Raw])


def render(conversation: Conversation, model_id: str) -> tuple[bytes, tuple[str, ...]]:
    """A body in the vendor's order, and the names (of DEGRADED) of what it could not say."""
    writer = _Writer(conversation)
    body = writer.body(model_id)
    return msgspec.json.encode(body), tuple(sorted(writer.degraded))


class _Writer:
    """One rendering: the fields as they come, and what got lost on the way."""

    def __init__(self, conversation: Conversation) -> None:
        self._said = conversation
        self._options = conversation.options
        self.degraded: set[str] = set()

    def body(self, model_id: str) -> _Fields:
        options = self._options
        leading, turns = split(self._said.messages)
        if not turns or turns[0].role is not Role.USER:
            self.degraded.add("opening-turn")
            turns.insert(0, OPENING)
        system = self._words(part for message in leading for part in message.parts)
        tools = self._tools()
        body: _Fields = {
            "model": model_id,
            "max_tokens": self._max_tokens,
            "system": system or None,
            "messages": [fields for turn in turns if (fields := self._turn(turn))],
            "tools": tools or None,
            "tool_choice": self._choice({str(tool["name"]) for tool in tools}),
            "top_p": options.top_p,
            "top_k": options.top_k,
            "stop_sequences": self._stops(options) or None,
            "output_config": self._output(options) or None,
            "stream": self._said.stream or None,
        }
        body["thinking"] = self._thinking_config(body["tool_choice"])
        body["temperature"] = self._temperature(options, body["thinking"])
        return {key: value for key, value in body.items() if value is not None}

    @property
    def _max_tokens(self) -> int:
        limit = self._options.max_tokens
        return DEFAULT_MAX_TOKENS if limit is None else limit

    def _turn(self, turn: Message) -> _Fields | None:
        content = self._words(turn.parts) if turn.role is Role.SYSTEM else self._content(turn.parts)
        return {"role": turn.role.value, "content": content} if content else None

    def _words(self, parts: Iterable[Part]) -> object:
        """The content of a system message: the API takes nothing but text there."""
        parts = tuple(parts)
        texts = [part for part in parts if isinstance(part, Text)]
        if len(texts) < len(parts):
            self.degraded.add("opaque-part")
        return self._content(texts)

    def _content(self, parts: Iterable[Part]) -> object:
        """Content in its short form where it is one text."""
        blocks = [block for part in parts if (block := self._block(part)) is not None]
        match blocks:
            case [wire.TextBlock(text)]:
                return text
            case _:
                return blocks

    def _block(self, part: Part) -> object | None:
        block: object | None
        match part:
            case Text():
                block = wire.TextBlock(part.text)
            case Image():
                block = self._image(part)
            case Thinking():
                block = self._thinking(part)
            case ToolCall():
                block = wire.ToolUseBlock(part.id, part.name, self._input(part.arguments))
            case ToolResult():
                block = self._result(part)
            case Opaque():
                block = self._opaque(part)
            case _:
                assert_never(part)
        return block

    def _opaque(self, part: Opaque) -> object | None:
        if part.kind in _OWN_BLOCKS:
            return Raw(part.raw)
        self.degraded.add("opaque-part")
        return None

    def _image(self, image: Image) -> object | None:
        if image.url:
            return wire.ImageBlock(wire.UrlSource(image.url))
        if image.data:
            return wire.ImageBlock(wire.Base64Source(image.media_type, image.data))
        self.degraded.add("image")
        return None

    def _thinking(self, part: Thinking) -> object | None:
        """The vendor takes back only what it sealed itself."""
        if part.redacted:
            return wire.RedactedBlock(part.redacted)
        if part.signature not in {"", UNSIGNED}:
            return wire.ThinkingBlock(part.text, part.signature)
        self.degraded.add("thinking")
        return None

    def _input(self, arguments: str) -> Raw:
        value, intact = wire.tool_input(arguments)
        if not intact:
            self.degraded.add("tool-arguments")
        return value

    def _result(self, part: ToolResult) -> object:
        content = self._content([p for p in part.parts if not isinstance(p, Text) or p.text])
        fields: _Fields = {"type": "tool_result", "tool_use_id": part.call_id}
        if content:
            fields["content"] = content
        if part.is_error:
            fields["is_error"] = True
        return fields

    def _tools(self) -> list[_Fields]:
        tools = [tool for tool in self._said.tools if isinstance(tool, Tool)]
        if len(tools) < len(self._said.tools):
            self.degraded.add("server-tool")
        return [_tool(tool) for tool in tools]

    def _choice(self, names: set[str]) -> _Fields | None:
        choice, parallel = self._said.tool_choice, self._options.parallel_tool_calls
        if not names:
            return None
        if choice is None:
            single: _Fields = {"type": "auto", "disable_parallel_tool_use": True}
            return single if parallel is False else None
        if choice.mode is ChoiceMode.NAMED and choice.name not in names:
            self.degraded.add("tool-choice")
            return None
        fields: _Fields = {"type": _CHOICES[choice.mode]}
        if choice.mode is ChoiceMode.NAMED:
            fields["name"] = choice.name
        if parallel is not None and choice.mode is not ChoiceMode.NONE:
            fields["disable_parallel_tool_use"] = not parallel
        return fields

    def _thinking_config(self, choice: object) -> _Fields | None:
        """A budget fits between the API's least and the answer's limit, and forces no tool."""
        budget = self._options.thinking_tokens
        if budget is None:
            return None
        if budget <= 0:
            return {"type": "disabled"}
        fitting = min(max(budget, _LEAST_BUDGET), self._max_tokens - 1)
        forced = isinstance(choice, dict) and choice["type"] in {"any", "tool"}
        if forced or fitting < _LEAST_BUDGET or self._unthought():
            self.degraded.add("thinking")
            return None
        return {"type": "enabled", "budget_tokens": fitting}

    def _unthought(self) -> bool:
        """Does a tool loop go on that another model began? The API wants it to begin in thought."""
        answers, began = False, None
        for message in reversed(self._said.messages):
            if message.role is not Role.ASSISTANT:
                answers = answers or any(isinstance(part, ToolResult) for part in message.parts)
            elif answers:
                began, answers = message, False
            else:
                break
        if began is None:
            return False
        first = began.parts[0]
        return not (isinstance(first, Thinking) and self._thinking(first))

    def _temperature(self, options: Options, thinking: object) -> float | None:
        """The API knows 0 to 1, and no choice beside a thinking budget."""
        wanted = options.temperature
        if wanted is None:
            return None
        budgeted = isinstance(thinking, dict) and thinking["type"] == "enabled"
        if wanted > 1 or budgeted:
            self.degraded.add("temperature")
        return None if budgeted else min(wanted, 1.0)

    def _stops(self, options: Options) -> list[str]:
        stops = [stop for stop in options.stop if stop.strip()]
        if len(stops) < len(options.stop):
            self.degraded.add("stop-sequence")
        return stops

    def _output(self, options: Options) -> _Fields:
        fields: _Fields = {}
        if options.effort in _EFFORTS:
            fields["effort"] = _EFFORTS[options.effort]
        elif options.effort:
            self.degraded.add("effort")
        if options.response_schema:
            fields["format"] = {"type": "json_schema", "schema": Raw(options.response_schema)}
        return fields


def _tool(tool: Tool) -> _Fields:
    fields: _Fields = {"name": tool.name}
    if tool.description:
        fields["description"] = tool.description
    fields["input_schema"] = _schema(tool.schema)
    if tool.strict is not None:
        fields["strict"] = tool.strict
    return fields


def _schema(schema: bytes) -> object:
    """A tool's schema, which must say that it describes an object; many tools leave that out."""
    try:
        members = _object.decode(schema or b"{}")
    except UNREADABLE:
        return Raw(schema)
    if bytes(members.get("type", b"")) == b'"object"':
        return Raw(schema)
    return {**members, "type": "object"}
