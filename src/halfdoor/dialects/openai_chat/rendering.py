"""Conversations → Chat Completions request bodies."""

from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from msgspec import Raw

from halfdoor.canon.request import (
    ChoiceMode,
    Conversation,
    Image,
    Message,
    Opaque,
    Options,
    Part,
    Role,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from halfdoor.dialects.openai_chat.body import ANY_OBJECT, UNNAMED_SCHEMA
from halfdoor.dialects.openai_errors import encode

# All that a Chat body may be unable to say.
DEGRADED: Final = frozenset({
    "image", "opaque-part", "order", "server-tool", "thinking", "thinking-budget", "tool-error",
    "tool-choice", "tool-result-images", "top-k",
})  # fmt: skip


class Rendering:
    """One body in the making; `lost` collects what it cannot say, in order, once each."""

    __slots__ = ("_conversation", "lost")

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.lost: dict[str, None] = {}

    def body(self, model_id: str) -> bytes:
        """The request body.

        The limit is `max_tokens`: every engine reads it, while `max_completion_tokens` is younger
        than many of them.
        """
        told = self._conversation
        body: dict[str, object] = {"model": model_id, "messages": list(self._messages())}
        if tools := list(self._tools()):
            body["tools"] = tools
            body |= self._calling(told)
        body |= self._options(told.options)
        if told.stream:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}
        return encode(body)

    def _lose(self, what: str) -> None:
        self.lost[what] = None

    def _messages(self) -> Iterator[dict[str, object]]:
        before: object = ""
        for message in self._conversation.messages:
            for said in self._turn(message):
                # A user turn with nothing left stays, but not behind results: they are one.
                if before != "tool" or said != {"role": "user", "content": ""}:
                    before = said["role"]
                    yield said

    def _turn(self, message: Message) -> Iterator[dict[str, object]]:
        match message.role:
            case Role.SYSTEM:
                yield {"role": "system", "content": _content(self._texts(message.parts))}
            case Role.USER:
                yield from self._user(message)
            case Role.ASSISTANT:
                yield from self._assistant(message)
            case _:
                assert_never(message.role)

    def _user(self, message: Message) -> Iterator[dict[str, object]]:
        """Results first: every call must be answered before anything else is said."""
        images: list[Text | Image] = []
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            yield self._result(result, images)
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        said = [*images, *self._said(rest, Text, Image)]
        if said or not results:
            yield {"role": "user", "content": _content(said)}

    def _result(self, result: ToolResult, images: list[Text | Image]) -> dict[str, object]:
        if result.is_error:
            self._lose("tool-error")
        said = self._said(result.parts, Text, Image)
        if found := [part for part in said if isinstance(part, Image)]:
            self._lose("tool-result-images")
            images += found
        text = "\n".join(part.text for part in said if isinstance(part, Text))
        return {"role": "tool", "tool_call_id": result.call_id, "content": text}

    def _assistant(self, message: Message) -> Iterator[dict[str, object]]:
        """Nothing, if nothing is left of the turn: vendors refuse an assistant without words."""
        calls = [_call(part) for part in message.parts if isinstance(part, ToolCall)]
        texts = self._texts(part for part in message.parts if not isinstance(part, ToolCall))
        if _calls_before_text(message.parts):
            self._lose("order")
        if texts or calls:
            said: dict[str, object] = {"content": _content(texts) if texts else None}
            yield {"role": "assistant"} | said | ({"tool_calls": calls} if calls else {})

    def _texts(self, parts: Iterable[Part]) -> list[Text | Image]:
        return self._said(parts, Text)

    def _said(self, parts: Iterable[Part], *kinds: type[Text | Image]) -> list[Text | Image]:
        """Parts of these kinds; the others are lost."""
        said: list[Text | Image] = []
        for part in parts:
            if isinstance(part, Text | Image) and isinstance(part, kinds):
                said.append(part)
            else:
                self._lose(_name(part))
        return said

    def _tools(self) -> Iterator[dict[str, object]]:
        for tool in self._conversation.tools:
            if isinstance(tool, ServerTool):
                self._lose("server-tool")
            else:
                yield {"type": "function", "function": _function(tool)}

    def _calling(self, told: Conversation) -> dict[str, object]:
        """How tools may be called: fields that are refused where there are no tools."""
        fields: dict[str, object] = {}
        if told.tool_choice is not None:
            fields["tool_choice"] = self._choice(told.tool_choice)
        fields["parallel_tool_calls"] = told.options.parallel_tool_calls
        return _stated(fields)

    def _choice(self, choice: ToolChoice) -> object:
        if choice.mode is not ChoiceMode.NAMED:
            return choice.mode.value
        tools = self._conversation.tools
        if not any(isinstance(tool, Tool) and tool.name == choice.name for tool in tools):
            self._lose("tool-choice")  # its tool is one that the vendor runs
            return None
        return {"type": "function", "function": {"name": choice.name}}

    def _options(self, options: Options) -> dict[str, object]:
        if options.top_k is not None:
            self._lose("top-k")
        if options.thinking_tokens is not None:
            self._lose("thinking-budget")
        fields: dict[str, object] = {
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "stop": list(options.stop) or None,
            "reasoning_effort": options.effort or None,
            "response_format": _format(options),
        }
        return _stated(fields)


def _stated(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _calls_before_text(parts: Iterable[Part]) -> bool:
    told = [isinstance(part, ToolCall) for part in parts if isinstance(part, Text | ToolCall)]
    return told != sorted(told)


def _name(part: Part) -> str:
    """What is lost with a part that cannot be said where it stands."""
    match part:
        case Thinking():
            return "thinking"
        case Opaque():
            return "opaque-part"
        case Image():
            return "image"
        case Text() | ToolCall() | ToolResult():
            return "order"  # a call outside an assistant's turn, a result outside a user's
        case _:
            assert_never(part)


def _content(parts: list[Text | Image]) -> str | list[dict[str, object]]:
    """One text is a plain string, which every template takes."""
    match parts:
        case []:
            return ""
        case [Text(text=text)]:
            return text
        case _:
            return [_piece(part) for part in parts]


def _piece(part: Text | Image) -> dict[str, object]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    url = f"data:{part.media_type};base64,{part.data}" if part.data else part.url
    return {"type": "image_url", "image_url": {"url": url}}


def _call(part: ToolCall) -> dict[str, object]:
    function = {"name": part.name, "arguments": part.arguments}
    return {"id": part.id, "type": "function", "function": function}


def _function(tool: Tool) -> dict[str, object]:
    fields: dict[str, object] = {
        "name": tool.name,
        "description": tool.description or None,
        "parameters": Raw(tool.schema) if tool.schema else None,
        "strict": tool.strict,
    }
    return _stated(fields)


def _format(options: Options) -> object:
    """Without `strict`: at the vendor that demands a subset of JSON Schema, and fails on others."""
    if not options.response_schema:
        return None
    if options.response_schema == ANY_OBJECT and not options.response_name:
        return {"type": "json_object"}
    schema = {
        "name": options.response_name or UNNAMED_SCHEMA,
        "schema": Raw(options.response_schema),
    }
    return {"type": "json_schema", "json_schema": schema}
