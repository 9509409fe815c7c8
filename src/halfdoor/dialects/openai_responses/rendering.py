"""Conversations → Responses request bodies."""

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
from halfdoor.dialects.openai_errors import encode
from halfdoor.dialects.openai_responses.reading import ANY_OBJECT

# All that a Responses body may be unable to say.
DEGRADED: Final = frozenset({
    "opaque-part", "order", "server-tool", "stop", "thinking", "thinking-budget", "tool-choice",
    "tool-error", "top-k", "image",
})  # fmt: skip
# The API demands a name for a schema; this one stands for "no name given".
_UNNAMED_SCHEMA: Final = "answer"


class Rendering:
    """One body in the making; `lost` collects what it cannot say, in order, once each.

    Nothing is left with the vendor: `store` is false, and ciphertext is asked for so that thinking
    can come back (source: the vendor's notes on stateless use).
    """

    __slots__ = ("_conversation", "lost")

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.lost: dict[str, None] = {}

    def body(self, model_id: str) -> bytes:
        """The request body."""
        told = self._conversation
        first, rest = _instructions(told.messages)
        body: dict[str, object] = {"model": model_id}
        if first:
            body["instructions"] = first
        body["input"] = [item for message in rest for item in self._turn(message)]
        if tools := list(self._tools()):
            body["tools"] = tools
            body |= self._calling(told)
        body |= self._options(told.options)
        body["store"] = False
        if told.stream:
            body["stream"] = True
        return encode(body)

    def _lose(self, what: str) -> None:
        self.lost[what] = None

    def _turn(self, message: Message) -> Iterator[dict[str, object]]:
        match message.role:
            case Role.SYSTEM:
                yield from self._spoken("system", message.parts)
            case Role.USER:
                yield from self._user(message)
            case Role.ASSISTANT:
                yield from self._assistant(message)
            case _:
                assert_never(message.role)

    def _user(self, message: Message) -> Iterator[dict[str, object]]:
        rest: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield self._result(part)
            else:
                rest.append(part)
        yield from self._spoken("user", rest)

    def _result(self, result: ToolResult) -> dict[str, object]:
        if result.is_error:
            self._lose("tool-error")
        said = list(self._pieces(result.parts, "input_text"))
        plain = len(said) == 1 and said[0]["type"] == "input_text"
        output: object = said[0]["text"] if plain else said or ""
        return {"type": "function_call_output", "call_id": result.call_id, "output": output}

    def _assistant(self, message: Message) -> Iterator[dict[str, object]]:
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

    def _call(self, part: ToolCall) -> Iterator[dict[str, object]]:
        yield {
            "type": "function_call",
            "call_id": part.id,
            "name": part.name,
            "arguments": part.arguments,
        }

    def _thinking(self, part: Thinking) -> Iterator[dict[str, object]]:
        """Only what this protocol sealed: an id and a ciphertext (see `wire.seal`)."""
        id_, colon, sealed = part.signature.partition(":")
        if not colon or not sealed or not id_.startswith("rs"):
            self._lose("thinking")
            return
        summary = [{"type": "summary_text", "text": part.text}] if part.text else []
        yield {"type": "reasoning", "id": id_, "summary": summary, "encrypted_content": sealed}

    def _spoken(self, role: str, parts: Iterable[Part]) -> Iterator[dict[str, object]]:
        """A message, unless nothing of it is left."""
        kind = "output_text" if role == "assistant" else "input_text"
        said = list(self._pieces(parts, kind))
        if said:
            yield {"type": "message", "role": role, "content": said}

    def _pieces(self, parts: Iterable[Part], kind: str) -> Iterator[dict[str, object]]:
        for part in parts:
            match part:
                case Text(text=text):
                    yield {"type": kind, "text": text}
                case Image() if kind == "input_text":
                    url = f"data:{part.media_type};base64,{part.data}" if part.data else part.url
                    yield {"type": "input_image", "image_url": url, "detail": "auto"}
                case _:
                    self._lose(_name(part))

    def _tools(self) -> Iterator[dict[str, object]]:
        for tool in self._conversation.tools:
            if isinstance(tool, ServerTool):
                self._lose("server-tool")
            else:
                yield _function(tool)

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
        return {"type": "function", "name": choice.name}

    def _options(self, options: Options) -> dict[str, object]:
        stated = {
            "top-k": options.top_k is not None,
            "thinking-budget": options.thinking_tokens is not None,
            "stop": bool(options.stop),
        }
        for name in (name for name, is_stated in stated.items() if is_stated):
            self._lose(name)
        fields: dict[str, object] = {
            "max_output_tokens": options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "reasoning": {"effort": options.effort} if options.effort else None,
            "include": ["reasoning.encrypted_content"] if options.effort else None,
            "text": _format(options),
        }
        return _stated(fields)


def _instructions(messages: tuple[Message, ...]) -> tuple[str, tuple[Message, ...]]:
    """The leading system message as plain text, and the rest; later ones stay in their places."""
    if not messages or messages[0].role is not Role.SYSTEM:
        return "", messages
    texts = [part.text for part in messages[0].parts if isinstance(part, Text)]
    if len(texts) != len(messages[0].parts):
        return "", messages
    return "\n\n".join(texts), messages[1:]


def _stated(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


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


def _function(tool: Tool) -> dict[str, object]:
    """`strict` is always said: left out it would be true, and demand a subset of JSON Schema."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": Raw(tool.schema) if tool.schema else {"type": "object", "properties": {}},
        "strict": bool(tool.strict),
    }


def _format(options: Options) -> object:
    if not options.response_schema:
        return None
    if options.response_schema == ANY_OBJECT and not options.response_name:
        return {"format": {"type": "json_object"}}
    schema = {
        "type": "json_schema",
        "name": options.response_name or _UNNAMED_SCHEMA,
        "schema": Raw(options.response_schema),
        "strict": False,
    }
    return {"format": schema}
