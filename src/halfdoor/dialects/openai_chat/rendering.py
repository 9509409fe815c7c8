"""Conversations → Chat Completions request bodies."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Raw

from halfdoor.canon.request import (
    Image,
    Message,
    Options,
    Part,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from halfdoor.dialects.decoding import ANY_OBJECT, encode
from halfdoor.dialects.openai_words import UNNAMED_SCHEMA, address
from halfdoor.dialects.rendering import Fields, Writing, lost_with, stated

# All that a Chat body may be unable to say.
DEGRADED: Final = frozenset({
    "image", "opaque-part", "order", "server-tool", "thinking", "thinking-budget", "tool-error",
    "tool-choice", "tool-result-images", "top-k",
})  # fmt: skip


class Rendering(Writing):
    """A Chat body in the making."""

    __slots__ = ()

    def body(self, model_id: str) -> bytes:
        """The request body.

        The limit is `max_tokens`: every engine reads it, while `max_completion_tokens`, which a
        vendor's reasoning models demand, is younger than many of them.
        """
        told = self._conversation
        body: Fields = {"model": model_id, "messages": list(self._messages())}
        if tools := list(self._tools()):
            body["tools"] = tools
            body |= self._calling(_named)
        body |= self._options(told.options)
        if told.stream:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}
        return encode(body)

    def _messages(self) -> Iterator[Fields]:
        before: object = ""
        for message in self._conversation.messages:
            for said in self._turn(message):
                # A user turn with nothing left stays, but not behind results: they are one.
                if before != "tool" or said != {"role": "user", "content": ""}:
                    before = said["role"]
                    yield said

    def _system(self, message: Message) -> Iterator[Fields]:
        yield {"role": "system", "content": _content(self._texts(message.parts))}

    def _user(self, message: Message) -> Iterator[Fields]:
        """Results first: every call must be answered before anything else is said."""
        images: list[Text | Image] = []
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            yield self._result(result, images)
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        said = [*images, *self._said(rest, Text, Image)]
        if said or not results:
            yield {"role": "user", "content": _content(said)}

    def _result(self, result: ToolResult, images: list[Text | Image]) -> Fields:
        if result.is_error:
            self._lose("tool-error")
        said = self._said(result.parts, Text, Image)
        if found := [part for part in said if isinstance(part, Image)]:
            self._lose("tool-result-images")
            images += found
        text = "\n".join(part.text for part in said if isinstance(part, Text))
        return {"role": "tool", "tool_call_id": result.call_id, "content": text}

    def _assistant(self, message: Message) -> Iterator[Fields]:
        """Nothing, if nothing is left of the turn: vendors refuse an assistant without words."""
        calls = [_call(part) for part in message.parts if isinstance(part, ToolCall)]
        texts = self._texts(part for part in message.parts if not isinstance(part, ToolCall))
        if _calls_before_text(message.parts):
            self._lose("order")
        if texts or calls:
            said: Fields = {"content": _content(texts) if texts else None}
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
                self._lose(lost_with(part))
        return said

    def _tools(self) -> Iterator[Fields]:
        for tool in self._functions():
            yield {"type": "function", "function": _function(tool)}

    def _options(self, options: Options) -> Fields:
        if options.top_k is not None:
            self._lose("top-k")
        if options.thinking_tokens is not None:
            self._lose("thinking-budget")
        limit = "max_completion_tokens" if options.completion_limit else "max_tokens"
        fields: Fields = {
            limit: options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "stop": list(options.stop) or None,
            "seed": options.seed,
            "reasoning_effort": options.effort or None,
            "response_format": _format(options),
        }
        return stated(fields)


def _named(name: str) -> Fields:
    return {"type": "function", "function": {"name": name}}


def _calls_before_text(parts: Iterable[Part]) -> bool:
    told = [isinstance(part, ToolCall) for part in parts if isinstance(part, Text | ToolCall)]
    return told != sorted(told)


def _content(parts: list[Text | Image]) -> str | list[Fields]:
    """One text is a plain string, which every template takes."""
    match parts:
        case []:
            return ""
        case [Text(text=text)]:
            return text
        case _:
            return [_piece(part) for part in parts]


def _piece(part: Text | Image) -> Fields:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": address(part)}}


def _call(part: ToolCall) -> Fields:
    function = {"name": part.name, "arguments": part.arguments}
    return {"id": part.id, "type": "function", "function": function}


def _function(tool: Tool) -> Fields:
    fields: Fields = {
        "name": tool.name,
        "description": tool.description or None,
        "parameters": Raw(tool.schema) if tool.schema else None,
        "strict": tool.strict,
    }
    return stated(fields)


def _format(options: Options) -> object:
    """`strict` where it was asked for: it demands a subset of JSON Schema, and fails on others."""
    if not options.response_schema:
        return None
    if options.response_schema == ANY_OBJECT and not options.response_name:
        return {"type": "json_object"}
    schema: Fields = {
        "name": options.response_name or UNNAMED_SCHEMA,
        "schema": Raw(options.response_schema),
        "strict": options.response_strict or None,
    }
    return {"type": "json_schema", "json_schema": stated(schema)}
