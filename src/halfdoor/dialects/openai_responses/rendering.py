"""Conversations → Responses request bodies."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Raw

from halfdoor.canon.request import (
    Image,
    Message,
    Options,
    Part,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from halfdoor.dialects.decoding import ANY_OBJECT, encode
from halfdoor.dialects.openai_words import UNNAMED_SCHEMA, address
from halfdoor.dialects.rendering import Fields, Writing, lost_with, parameters, stated

# All that a Responses body may be unable to say.
DEGRADED: Final = frozenset({
    "opaque-part", "order", "server-tool", "stop", "thinking", "thinking-budget", "tool-choice",
    "tool-error", "top-k", "image",
})  # fmt: skip


class Rendering(Writing):
    """A Responses body in the making.

    Nothing is left with the vendor: `store` is false, and ciphertext is asked for so that thinking
    can come back (source: the vendor's notes on stateless use).
    """

    __slots__ = ()

    def body(self, model_id: str) -> bytes:
        """The request body."""
        told = self._conversation
        first, rest = _instructions(told.messages)
        body: Fields = {"model": model_id}
        if first:
            body["instructions"] = first
        body["input"] = [item for message in rest for item in self._turn(message)]
        if tools := list(self._tools()):
            body["tools"] = tools
            body |= self._calling(_named)
        body |= self._options(told.options)
        body["store"] = False
        if told.stream:
            body["stream"] = True
        return encode(body)

    def _system(self, message: Message) -> Iterator[Fields]:
        yield from self._spoken("system", message.parts)

    def _user(self, message: Message) -> Iterator[Fields]:
        rest: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield self._result(part)
            else:
                rest.append(part)
        yield from self._spoken("user", rest)

    def _result(self, result: ToolResult) -> Fields:
        if result.is_error:
            self._lose("tool-error")
        said = list(self._pieces(result.parts, "input_text"))
        plain = len(said) == 1 and said[0]["type"] == "input_text"
        output: object = said[0]["text"] if plain else said or ""
        return {"type": "function_call_output", "call_id": result.call_id, "output": output}

    def _assistant(self, message: Message) -> Iterator[Fields]:
        """Items in the order in which the model made them: here it can be said."""
        said: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolCall | Thinking):
                yield from self._spoken("assistant", said)
                said = []
                yield from self._call(part) if isinstance(part, ToolCall) else self._thinking(part)
            else:
                said.append(part)
        yield from self._spoken("assistant", said)

    def _call(self, part: ToolCall) -> Iterator[Fields]:
        yield {
            "type": "function_call",
            "call_id": part.id,
            "name": part.name,
            "arguments": part.arguments,
        }

    def _thinking(self, part: Thinking) -> Iterator[Fields]:
        """Only what this protocol sealed: an id and a ciphertext (see `wire.seal`)."""
        id_, colon, sealed = part.signature.partition(":")
        if not colon or not sealed or not id_.startswith("rs"):
            self._lose("thinking")
            return
        summary = [{"type": "summary_text", "text": part.text}] if part.text else []
        yield {"type": "reasoning", "id": id_, "summary": summary, "encrypted_content": sealed}

    def _spoken(self, role: str, parts: Iterable[Part]) -> Iterator[Fields]:
        """A message, unless nothing of it is left."""
        kind = "output_text" if role == "assistant" else "input_text"
        said = list(self._pieces(parts, kind))
        if said:
            yield {"type": "message", "role": role, "content": said}

    def _pieces(self, parts: Iterable[Part], kind: str) -> Iterator[Fields]:
        for part in parts:
            match part:
                case Text(text=text):
                    yield {"type": kind, "text": text}
                case Image() if kind == "input_text":
                    yield {"type": "input_image", "image_url": address(part), "detail": "auto"}
                case _:
                    self._lose(lost_with(part))

    def _tools(self) -> Iterator[Fields]:
        return map(_function, self._functions())

    def _options(self, options: Options) -> Fields:
        unsaid = {
            "top-k": options.top_k is not None,
            "thinking-budget": options.thinking_tokens is not None,
            "stop": bool(options.stop),
        }
        for name in (name for name, asked in unsaid.items() if asked):
            self._lose(name)
        fields: Fields = {
            "max_output_tokens": options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "reasoning": {"effort": options.effort} if options.effort else None,
            "include": ["reasoning.encrypted_content"] if options.effort else None,
            "text": _format(options),
        }
        return stated(fields)


def _instructions(messages: tuple[Message, ...]) -> tuple[str, tuple[Message, ...]]:
    """The leading system message as plain text, and the rest; later ones stay in their places."""
    if not messages or messages[0].role is not Role.SYSTEM:
        return "", messages
    texts = [part.text for part in messages[0].parts if isinstance(part, Text)]
    if len(texts) != len(messages[0].parts):
        return "", messages
    return "\n\n".join(texts), messages[1:]


def _named(name: str) -> Fields:
    return {"type": "function", "name": name}


def _function(tool: Tool) -> Fields:
    """`strict` is always said: left out it would be true, and demand a subset of JSON Schema."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": parameters(tool),
        "strict": bool(tool.strict),
    }


def _format(options: Options) -> object:
    if not options.response_schema:
        return None
    if options.response_schema == ANY_OBJECT and not options.response_name:
        return {"format": {"type": "json_object"}}
    schema = {
        "type": "json_schema",
        "name": options.response_name or UNNAMED_SCHEMA,
        "schema": Raw(options.response_schema),
        "strict": options.response_strict,
    }
    return {"format": schema}
