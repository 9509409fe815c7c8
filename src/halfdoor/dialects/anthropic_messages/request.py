"""Anthropic Messages: a request's body → Conversation."""

from typing import Final, NoReturn, assert_never

import msgspec
from msgspec import Raw, Struct

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
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from halfdoor.dialects.anthropic_messages import wire as wire
from halfdoor.dialects.anthropic_messages.typed import written_out
from halfdoor.dialects.decoding import UNREADABLE
from halfdoor.errors import ClientError

# Claude Code's first system block: an attribution line for its own vendor, useless elsewhere.
BILLING_MARK: Final = "x-anthropic-billing-header"

_Content = str | list[Raw]


class _Message(Struct):
    role: str
    content: _Content


class _Tool(Struct):
    name: str
    description: str | None = ""
    input_schema: Raw = Raw()
    strict: bool | None = None


class _ToolType(Struct):
    type: str | None = None
    name: str | None = None


class _Choice(Struct):
    type: str
    name: str = ""
    disable_parallel_tool_use: bool | None = None


class _Thinking(Struct):
    type: str
    budget_tokens: int | None = None


class _Format(Struct):
    type: str
    schema: Raw = Raw()


class _Output(Struct):
    effort: str | None = None
    format: _Format | None = None


class _Body(Struct):
    messages: list[_Message]
    system: _Content | None = None
    tools: list[Raw] | None = None
    tool_choice: _Choice | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    thinking: _Thinking | None = None
    output_config: _Output | None = None
    stream: bool | None = False


_body = msgspec.json.Decoder(_Body)
_tool = msgspec.json.Decoder(_Tool)
_tool_type = msgspec.json.Decoder(_ToolType)

_CHOICES: Final = {
    "auto": ChoiceMode.AUTO,
    "any": ChoiceMode.REQUIRED,
    "tool": ChoiceMode.NAMED,
    "none": ChoiceMode.NONE,
}
_ROLES: Final = {role.value: role for role in Role}


def conversation(body: bytes) -> Conversation:
    """Read a whole body. Raises ClientError, with the place of what is wrong."""
    try:
        seen = _body.decode(body)
    except UNREADABLE as error:
        _refuse(error, "")
    return Conversation(
        messages=(*_system(seen.system), *map(_message, range(len(seen.messages)), seen.messages)),
        tools=tuple(_read_tool(raw, f"tools[{i}]") for i, raw in enumerate(seen.tools or ())),
        tool_choice=_choice(seen.tool_choice),
        options=_options(seen),
        stream=bool(seen.stream),
    )


def _system(system: _Content | None) -> tuple[Message, ...]:
    parts = tuple(
        part
        for part in _parts(system or "", "system")
        if not (isinstance(part, Text) and part.text.startswith(BILLING_MARK))
    )
    return (Message(Role.SYSTEM, parts),) if parts else ()


def _message(index: int, message: _Message) -> Message:
    place = f"messages[{index}]"
    role = _ROLES.get(message.role)
    if role is None:
        raise ClientError(
            "the role is none that Messages knows",
            where=f"{place}.role",
            hint="use user, assistant or system",
        )
    return Message(role, _parts(message.content, f"{place}.content"))


def _parts(content: _Content, place: str) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Text(content),) if content else ()
    return tuple(_part(raw, f"{place}[{i}]") for i, raw in enumerate(content))


def _part(raw: Raw, place: str) -> Part:
    try:
        return _known(wire.block(raw), raw, place)
    except UNREADABLE as error:
        _refuse(error, place)


def _known(block: wire.Block | str, raw: Raw, place: str) -> Part:
    part: Part
    match block:
        case str():
            part = Opaque(block, bytes(raw))
        case wire.TextBlock():
            part = Text(block.text)
        case wire.ImageBlock():
            part = _image(block)
        case wire.ThinkingBlock():
            part = Thinking(block.thinking, signature=_signature(block))
        case wire.RedactedBlock():
            part = Thinking("", redacted=block.data)
        case wire.ToolUseBlock():
            part = ToolCall(block.id, block.name, wire.arguments(block.input))
        case wire.ToolResultBlock():
            part = _result(block, place)
        case _:
            assert_never(block)
    return part


def _signature(block: wire.ThinkingBlock) -> str:
    signature = block.signature or ""
    return "" if signature == UNSIGNED else signature


def _image(block: wire.ImageBlock) -> Image:
    source = block.source
    if isinstance(source, wire.UrlSource):
        return Image(url=source.url)
    return Image(media_type=source.media_type, data=source.data)


def _result(block: wire.ToolResultBlock, place: str) -> ToolResult:
    parts: list[Text | Image | Opaque] = []
    for part in _parts(block.content or "", f"{place}.content"):
        if not isinstance(part, Text | Image | Opaque):
            raise ClientError(
                "a tool result cannot hold a block of this type",
                where=f"{place}.content",
                hint="send text, image or document blocks",
            )
        parts.append(part)
    return ToolResult(block.tool_use_id, tuple(parts), is_error=bool(block.is_error))


def _read_tool(raw: Raw, place: str) -> Tool | ServerTool:
    try:
        head = _tool_type.decode(raw)
        kind = head.type
        if kind not in {None, "custom"}:
            known = written_out(str(kind), head.name or "")
            return known or ServerTool(str(kind), bytes(raw), head.name or "")
        tool = _tool.decode(raw)
    except UNREADABLE as error:
        _refuse(error, place)
    return Tool(tool.name, tool.description or "", bytes(tool.input_schema), tool.strict)


def _choice(choice: _Choice | None) -> ToolChoice | None:
    if choice is None:
        return None
    mode = _CHOICES.get(choice.type)
    if mode is None:
        raise ClientError(
            "the tool choice is none that Messages knows",
            where="tool_choice.type",
            hint="use auto, any, tool or none",
        )
    return ToolChoice(mode, choice.name if mode is ChoiceMode.NAMED else "")


def _options(seen: _Body) -> Options:
    output = seen.output_config or _Output()
    single = seen.tool_choice.disable_parallel_tool_use if seen.tool_choice else None
    schema = output.format.schema if output.format and output.format.type == "json_schema" else b""
    return Options(
        max_tokens=seen.max_tokens,
        temperature=seen.temperature,
        top_p=seen.top_p,
        top_k=seen.top_k,
        stop=tuple(seen.stop_sequences or ()),
        parallel_tool_calls=None if single is None else not single,
        response_schema=bytes(schema),
        effort=output.effort or "",
        thinking_tokens=_budget(seen.thinking),
    )


def _budget(thinking: _Thinking | None) -> int | None:
    """Adaptive thinking leaves it to the model, which is what not stating it means."""
    match thinking:
        case _Thinking(type="enabled"):
            return thinking.budget_tokens
        case _Thinking(type="disabled"):
            return 0
        case _:
            return None


def _refuse(error: Exception, place: str) -> NoReturn:
    """The decoder's words name a type and a path, never content; the path continues `place`."""
    words, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`")
    raise ClientError(
        "nested too deeply" if isinstance(error, RecursionError) else words,
        where=(place + path).lstrip("."),
        hint="see the Messages API reference for the shape of this field",
    ) from None
