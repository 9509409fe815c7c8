"""Conversations → `/api/chat` bodies."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Raw

from halfdoor.canon.request import (
    ChoiceMode,
    Conversation,
    Image,
    Message,
    Options,
    Part,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from halfdoor.dialects.decoding import ANY_OBJECT, encode, object_of
from halfdoor.dialects.rendering import Fields, Writing, lost_with, parameters, stated

# All that such a body may be unable to say.
DEGRADED: Final = frozenset({
    "image", "opaque-part", "order", "parallel-calls", "server-tool", "thinking",
    "thinking-budget", "tool-arguments", "tool-choice", "tool-error",
})  # fmt: skip


class Rendering(Writing):
    """A body in the making.

    context_tokens: the window that the engine loads the model with. Unstated, it takes its own
    default, and would cut off the oldest messages without a word: `truncate` forbids that.
    """

    __slots__ = ("_context_tokens", "_names")

    def __init__(self, conversation: Conversation, context_tokens: int | None) -> None:
        super().__init__(conversation)
        self._context_tokens = context_tokens
        self._names = {
            part.id: part.name
            for message in conversation.messages
            for part in message.parts
            if isinstance(part, ToolCall)
        }

    def body(self, model_id: str) -> bytes:
        """The request body; `stream` is always said, because left out it is true."""
        told = self._conversation
        body: Fields = {
            "model": model_id,
            "messages": [turn for message in told.messages for turn in self._turn(message)],
            "stream": told.stream,
            "truncate": False,
        }
        if tools := list(self._tools()):
            body["tools"] = tools
        body |= self._options(told.options)
        return encode(body)

    def _system(self, message: Message) -> Iterator[Fields]:
        yield {"role": "system"} | self._content(message.parts)

    def _user(self, message: Message) -> Iterator[Fields]:
        """Results first: every call must be answered before anything else is said."""
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            if result.is_error:
                self._lose("tool-error")
            named = {
                "tool_name": self._names.get(result.call_id, ""),
                "tool_call_id": result.call_id,
            }
            yield {"role": "tool", **named} | self._content(result.parts)
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        if rest or not results:
            yield {"role": "user"} | self._content(rest)

    def _assistant(self, message: Message) -> Iterator[Fields]:
        calls = [self._call(part) for part in message.parts if isinstance(part, ToolCall)]
        rest = [part for part in message.parts if not isinstance(part, ToolCall)]
        said = {"role": "assistant"} | self._content(rest)
        if calls or said["content"]:
            yield said | ({"tool_calls": calls} if calls else {})

    def _content(self, parts: Iterable[Part]) -> Fields:
        texts: list[str] = []
        images: list[str] = []
        for part in parts:
            match part:
                case Text(text=text):
                    texts.append(text)
                case Image(data=data) if data:
                    images.append(data)
                case _:  # an image's address, too: the engine takes bytes only
                    self._lose(lost_with(part))
        content: Fields = {"content": "\n".join(texts)}
        return content | ({"images": images} if images else {})

    def _call(self, part: ToolCall) -> Fields:
        """Arguments are an object here; text that is none goes as one string."""
        arguments: object = object_of(part.arguments)
        if arguments is None:
            self._lose("tool-arguments")
            arguments = {"input": part.arguments}
        return {"id": part.id, "function": {"name": part.name, "arguments": arguments}}

    def _tools(self) -> Iterator[Fields]:
        """The API has no choice of tools: with none allowed, none are told."""
        choice = self._conversation.tool_choice
        if choice is not None and choice.mode is ChoiceMode.NONE:
            return
        if choice is not None and choice.mode is not ChoiceMode.AUTO:
            self._lose("tool-choice")
        for tool in self._functions():
            yield {"type": "function", "function": _function(tool)}

    def _options(self, options: Options) -> Fields:
        if options.parallel_tool_calls is False:
            self._lose("parallel-calls")
        if options.thinking_tokens:
            self._lose("thinking-budget")
        fields: Fields = {
            "options": engine_options(options, self._context_tokens) or None,
            "format": _format(options),
            "think": options.effort or (False if options.thinking_tokens == 0 else None),
        }
        return stated(fields)


def engine_options(options: Options, context_tokens: int | None) -> Fields:
    """`options`. context_tokens: the window that the engine loads the model with."""
    return stated(
        {
            "num_ctx": context_tokens,
            "num_predict": options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "top_k": options.top_k,
            "stop": list(options.stop) or None,
            "seed": options.seed,
        }
    )


def _function(tool: Tool) -> Fields:
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": parameters(tool),
    }


def _format(options: Options) -> object:
    if not options.response_schema:
        return None
    return "json" if options.response_schema == ANY_OBJECT else Raw(options.response_schema)
