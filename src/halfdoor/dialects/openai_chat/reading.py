"""Chat Completions request bodies → conversations."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Raw, structs

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
from halfdoor.dialects.decoding import ANY_OBJECT, decoded, encode, present, wrong
from halfdoor.dialects.openai_chat.body import (
    Allowed,
    Body,
    CallEntry,
    ChoiceEntry,
    Format,
    FunctionEntry,
    ImageUrl,
    Named,
    Piece,
    Schema,
    ToolEntry,
    Turn,
)
from halfdoor.dialects.openai_chat.wire import arguments_text
from halfdoor.dialects.openai_words import ROLES, UNNAMED_SCHEMA, image, mode
from halfdoor.errors import ClientError

_bodies: Final = msgspec.json.Decoder(Body)
_pieces: Final = msgspec.json.Decoder(Piece)
_entries: Final = msgspec.json.Decoder(ToolEntry)


def read_conversation(body: bytes) -> Conversation:
    """All of a request that another dialect can hear. Raises ClientError where the shape is wrong.

    Fields that are not known here are left out, and so are `user` and `metadata`: they name people
    and devices. Custom tools become server tools (only their own vendor understands their
    grammars); calls to them stay calls, with arguments `{"input": …}`, so that results keep theirs.
    """
    read = decoded(_bodies, body, "")
    _refuse_legacy(read)
    if (read.n or 1) > 1:
        raise ClientError(
            "more than one answer cannot be translated to this model's protocol",
            code="unsupported_value",
            where="n",
            hint="send `n` as 1, or ask once for each answer",
        )
    tools = tuple(_tools(read))
    choice, allowed = _tool_choice(read.tool_choice)
    if allowed is not None:
        tools = tuple(tool for tool in tools if isinstance(tool, Tool) and tool.name in allowed)
    return Conversation(
        messages=tuple(_messages(read.messages)),
        tools=tools,
        tool_choice=choice,
        options=_options(read),
        stream=bool(read.stream),
    )


def _refuse_legacy(read: Body) -> None:
    legacy = [name for name in ("functions", "function_call") if getattr(read, name) is not None]
    legacy += [
        f"messages[{i}]"
        for i, message in enumerate(read.messages)
        if message.role == "function" or message.function_call is not None
    ]
    if legacy:
        raise ClientError(
            "the retired function-calling fields cannot be translated to another protocol",
            code="unsupported_field",
            where=legacy[0],
            hint="send `tools`, `tool_choice`, `tool_calls` and messages of role `tool`",
        )


def _messages(wire: Sequence[Turn]) -> Iterator[Message]:
    """Tool messages in a row are one user message, together with a user message right behind."""
    results: list[Part] = []
    for i, message in enumerate(wire):
        where = f"messages[{i}]"
        if message.role == "tool":
            results.append(_tool_result(message, where))
            continue
        role = _role(message, where)
        parts = _assistant(message, where) if role is Role.ASSISTANT else _content(message, where)
        if results and role is not Role.USER:
            yield Message(Role.USER, tuple(results))
            results = []
        yield Message(role, (*results, *parts))
        results = []
    if results:
        yield Message(Role.USER, tuple(results))


def _role(message: Turn, where: str) -> Role:
    role = ROLES.get(message.role)
    if role is None:
        raise wrong(
            "the role is not known",
            f"{where}.role",
            "use `system`, `developer`, `user`, `assistant` or `tool`",
        )
    return role


def _tool_result(message: Turn, where: str) -> ToolResult:
    return ToolResult(message.tool_call_id or "", tuple(_content(message, where)))


def _assistant(message: Turn, where: str) -> list[Part]:
    parts: list[Part] = []
    thinking = message.reasoning_content or message.reasoning
    if isinstance(thinking, str):
        parts.append(Thinking(thinking))
    parts += _content(message, where)
    if message.refusal:
        parts.append(Text(message.refusal))
    parts += [
        _call(call, f"{where}.tool_calls[{i}]") for i, call in enumerate(message.tool_calls or ())
    ]
    return parts


def _call(call: CallEntry, where: str) -> ToolCall:
    if call.custom is not None:
        arguments = encode({"input": call.custom.input}).decode()
        return ToolCall(call.id or "", call.custom.name, arguments)
    if call.function is None:
        raise wrong("a tool call holds no `function`", where)
    return ToolCall(
        call.id or "", call.function.name, arguments_text(call.function.arguments) or "{}"
    )


def _content(message: Turn, where: str) -> list[Text | Image | Opaque]:
    """Parts of a message; empty text says nothing, and some vendors refuse it."""
    if isinstance(message.content, list):
        parts = [_piece(raw, f"{where}.content[{i}]") for i, raw in enumerate(message.content)]
        return [part for part in parts if part != Text("")]
    return [Text(message.content)] if message.content else []


def _piece(raw: Raw, where: str) -> Text | Image | Opaque:
    piece = decoded(_pieces, raw, where)
    match piece:
        case Piece(type="text", text=str(text)) | Piece(type="refusal", refusal=str(text)):
            return Text(text)
        case Piece(type="image_url", image_url=ImageUrl(url=url)):
            return image(url)
        case Piece(type="text" | "refusal" | "image_url"):
            raise wrong(f"the part holds no `{piece.type}`", where)
        case _:
            return Opaque(piece.type, bytes(raw))


def _tools(read: Body) -> Iterator[Tool | ServerTool]:
    for i, raw in enumerate(read.tools or ()):
        entry = decoded(_entries, raw, f"tools[{i}]")
        if entry.type != "function":
            yield ServerTool(entry.type, bytes(raw))
        elif entry.function is None:
            raise wrong("the tool holds no `function`", f"tools[{i}]")
        else:
            yield _tool(entry.function)
    if present(read.web_search_options):
        yield ServerTool("web_search_options", bytes(read.web_search_options))


def _tool(function: FunctionEntry) -> Tool:
    schema = bytes(function.parameters) if present(function.parameters) else b""
    return Tool(function.name, function.description or "", schema, function.strict)


def _tool_choice(choice: str | ChoiceEntry | None) -> tuple[ToolChoice | None, set[str] | None]:
    """The choice, and the names of the tools that are left when it restricts them."""
    match choice:
        case None:
            return None, None
        case str():
            return ToolChoice(mode(choice)), None
        case ChoiceEntry(type="function", function=Named(name=name)):
            return ToolChoice(ChoiceMode.NAMED, name), None
        case ChoiceEntry(type="allowed_tools", allowed_tools=Allowed() as allowed):
            names = {entry.function.name for entry in allowed.tools if entry.function}
            return ToolChoice(mode(allowed.mode)), names
        case _:
            raise wrong(
                "this choice cannot be translated to another protocol",
                "tool_choice",
                'use "auto", "required", "none", a function or `allowed_tools`',
            )


def _options(read: Body) -> Options:
    stop = [read.stop] if isinstance(read.stop, str) else read.stop or []
    options = Options(
        max_tokens=read.max_tokens
        if read.max_completion_tokens is None
        else read.max_completion_tokens,
        temperature=read.temperature,
        top_p=read.top_p,
        stop=tuple(one for one in stop if one),
        parallel_tool_calls=read.parallel_tool_calls,
        effort=read.reasoning_effort or "",
    )
    return _shaped(options, read.response_format)


def _shaped(options: Options, form: Format | None) -> Options:
    match form:
        case Format(type="json_object"):
            return structs.replace(options, response_schema=ANY_OBJECT)
        case Format(
            type="json_schema", json_schema=Schema(name=name, schema=schema, strict=strict)
        ):
            return structs.replace(
                options,
                response_schema=bytes(schema) if present(schema) else ANY_OBJECT,
                response_name="" if name == UNNAMED_SCHEMA else name,
                response_strict=strict is True,
            )
        case _:
            return options
