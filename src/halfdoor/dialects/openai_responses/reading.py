"""Responses request bodies → conversations."""

from collections.abc import Iterator, Sequence
from typing import Final, assert_never

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
from halfdoor.dialects.openai_responses import body as wire
from halfdoor.dialects.openai_responses.body import (
    Body,
    Format,
    InputItem,
    Piece,
    ToolEntry,
)
from halfdoor.dialects.openai_responses.items import REDACTED
from halfdoor.dialects.openai_responses.names import FREE_TEXT, Names
from halfdoor.dialects.openai_words import ROLES, image, mode
from halfdoor.errors import ClientError

# The shell that Codex runs itself, as a function.
LOCAL_SHELL: Final = "local_shell"

# What only the vendor's store can resolve: the request itself does not hold it.
_STORED: Final = ("previous_response_id", "conversation", "prompt", "background")


def read_conversation(body: bytes) -> Conversation:
    """All of a request that another dialect can hear. Raises ClientError where the shape is wrong.

    Namespaced tools get flat names, and custom tools become functions with one string `input`: see
    `names.Names`, by which an answer finds back. Tools that the vendor runs stay server tools.
    """
    read = decoded(wire.bodies, body, "")
    _refuse_stored(read)
    found = _items(read)
    entries = tuple(_tool_entries(read, found))
    names = Names(entry for entry, _ in entries)
    tools = tuple(_tools(entries, names))
    choice, allowed = _tool_choice(read.tool_choice, names)
    if allowed is not None:
        tools = tuple(tool for tool in tools if isinstance(tool, Tool) and tool.name in allowed)
    return Conversation(
        messages=(*_instructions(read), *_messages(found, names)),
        tools=tools,
        tool_choice=choice,
        options=_options(read),
        stream=bool(read.stream),
    )


def names_of(body: bytes) -> Names:
    """The flat names of a request's tools. Raises ClientError where the shape is wrong."""
    read = decoded(wire.bodies, body, "")
    return Names(entry for entry, _ in _tool_entries(read, _items(read)))


def _refuse_stored(read: Body) -> None:
    stored = [name for name in _STORED if getattr(read, name)]
    if stored:
        raise ClientError(
            "what only the vendor has stored cannot be translated to another protocol",
            code="unsupported_field",
            where=stored[0],
            hint="send the whole conversation in `input`, with `store` false",
        )


def _items(read: Body) -> list[InputItem]:
    if isinstance(read.input, str):
        return [InputItem(type="message", role="user", content=read.input)]
    return [decoded(wire.items, raw, f"input[{i}]") for i, raw in enumerate(read.input)]


def _instructions(read: Body) -> Iterator[Message]:
    if read.instructions:
        yield Message(Role.SYSTEM, (Text(read.instructions),))


def _tool_entries(read: Body, found: Sequence[InputItem]) -> Iterator[tuple[ToolEntry, bytes]]:
    """Tools of the request, and those that its items add, each with its bytes."""
    for i, raw in enumerate(read.tools or ()):
        yield decoded(wire.tools, raw, f"tools[{i}]"), bytes(raw)
    for i, item in enumerate(found):
        if item.type == "additional_tools":
            for k, raw in enumerate(item.tools or ()):
                yield decoded(wire.tools, raw, f"input[{i}].tools[{k}]"), bytes(raw)


def _tools(entries: Sequence[tuple[ToolEntry, bytes]], names: Names) -> Iterator[Tool | ServerTool]:
    for entry, raw in entries:
        yield from _tool(entry, raw, names, "")


def _tool(
    entry: ToolEntry, raw: bytes, names: Names, namespace: str
) -> Iterator[Tool | ServerTool]:
    match entry.type:
        case "namespace":
            for inner in entry.tools or ():
                yield from _tool(inner, encode(inner), names, entry.name or "")
        case "function":
            schema = bytes(entry.parameters) if present(entry.parameters) else b""
            flat = names.flat(entry.name or "", namespace)
            yield Tool(flat, entry.description or "", schema, entry.strict)
        case "custom":
            yield Tool(names.flat(entry.name or "", namespace), _custom(entry), FREE_TEXT)
        case kind:
            yield ServerTool(kind, raw)


def _custom(entry: ToolEntry) -> str:
    """A custom tool's description, with the grammar that its input must follow."""
    said = entry.description or ""
    if not present(entry.format):
        return said
    return f"{said}\n\nThe input must follow this format:\n{bytes(entry.format).decode()}".strip()


def _messages(found: Sequence[InputItem], names: Names) -> Iterator[Message]:
    """Items of one speaker in a row are one message, and so are results and what follows them."""
    role, parts = Role.SYSTEM, list[Part]()
    for i, item in enumerate(found):
        if item.type == "additional_tools":
            continue
        speaker, said = _said(item, names, f"input[{i}]")
        if parts and not _joins(role, parts, speaker):
            yield Message(role, tuple(parts))
            parts = []
        role = speaker
        parts += said
    if parts:
        yield Message(role, tuple(parts))


def _joins(role: Role, parts: Sequence[Part], speaker: Role) -> bool:
    if role is not speaker:
        return False
    match role:
        case Role.ASSISTANT:
            return True
        case Role.USER:
            return isinstance(parts[-1], ToolResult)
        case Role.SYSTEM:
            return False
        case _:
            assert_never(role)


def _said(item: InputItem, names: Names, where: str) -> tuple[Role, list[Part]]:
    kind = item.type or "message"
    match kind:
        case "message":
            role = _role(item, where)
            return role, list(_content(item.content, f"{where}.content"))
        case "function_call" | "custom_tool_call" | "local_shell_call":
            return Role.ASSISTANT, [_call(item, kind, names)]
        case "reasoning":
            return Role.ASSISTANT, [_thinking(item, where)]
        case _ if kind.endswith("_call_output"):
            return Role.USER, [_result(item, where)]
        case "item_reference":
            raise ClientError(
                "a reference to a stored item cannot be translated to another protocol",
                code="unsupported_field",
                where=where,
                hint="send the item itself",
            )
        case _:
            return Role.ASSISTANT, [Opaque(kind, encode(item))]


def _role(item: InputItem, where: str) -> Role:
    role = ROLES.get(item.role or "")
    if role is None:
        raise wrong(
            "the role is not known",
            f"{where}.role",
            "use `system`, `developer`, `user` or `assistant`",
        )
    return role


def _call(item: InputItem, kind: str, names: Names) -> ToolCall:
    if kind == "custom_tool_call":
        arguments = encode({"input": item.input or ""}).decode()
    elif kind == "local_shell_call":
        return ToolCall(item.call_id or "", LOCAL_SHELL, encode(item.action or {}).decode())
    elif isinstance(item.arguments, dict):
        arguments = encode(item.arguments).decode()
    else:
        arguments = item.arguments or "{}"
    return ToolCall(
        item.call_id or "", names.flat(item.name or "", item.namespace or ""), arguments
    )


def _thinking(item: InputItem, where: str) -> Thinking:
    said = [part.text for part in item.summary or () if part.text]
    said = said or [p.text for p in _content(item.content, where) if isinstance(p, Text)]
    sealed = item.encrypted_content or ""
    if sealed.startswith(REDACTED):
        return Thinking("", redacted=sealed.removeprefix(REDACTED))
    return Thinking("\n\n".join(said), sealed)


def _result(item: InputItem, where: str) -> ToolResult:
    output = item.output
    if isinstance(output, dict):
        output = encode(output).decode()
    return ToolResult(item.call_id or "", tuple(_content(output, f"{where}.output")))


def _content(content: str | list[Raw] | None, where: str) -> Iterator[Text | Image | Opaque]:
    """Parts of a message or an output; empty text says nothing, and some vendors refuse it."""
    if isinstance(content, str):
        if content:
            yield Text(content)
        return
    for i, raw in enumerate(content or ()):
        part = _piece(raw, f"{where}[{i}]")
        if part != Text(""):
            yield part


def _piece(raw: Raw, where: str) -> Text | Image | Opaque:
    piece = decoded(wire.pieces, raw, where)
    match piece:
        case Piece(type="refusal", refusal=str(text)) | Piece(text=str(text)):
            return Text(text)
        case Piece(type="input_image", image_url=str(url)):
            return image(url)
        case _:
            return Opaque(piece.type, bytes(raw))


def _tool_choice(
    choice: str | ToolEntry | None, names: Names
) -> tuple[ToolChoice | None, set[str] | None]:
    """The choice, and the names of the tools that are left when it restricts them."""
    match choice:
        case None:
            return None, None
        case str():
            return ToolChoice(mode(choice)), None
        case ToolEntry(type="function" | "custom", name=str(name)):
            return ToolChoice(ChoiceMode.NAMED, names.flat(name)), None
        case ToolEntry(type="allowed_tools", tools=list(left)):
            return ToolChoice(mode(choice.mode)), {names.flat(tool.name or "") for tool in left}
        case _:
            raise wrong(
                "this choice cannot be translated to another protocol",
                "tool_choice",
                'use "auto", "required", "none", a function or `allowed_tools`',
            )


def _options(read: Body) -> Options:
    options = Options(
        max_tokens=read.max_output_tokens,
        temperature=read.temperature,
        top_p=read.top_p,
        parallel_tool_calls=read.parallel_tool_calls,
        effort=(read.reasoning and read.reasoning.effort) or "",
    )
    match read.text and read.text.format:
        case Format(type="json_object"):
            return structs.replace(options, response_schema=ANY_OBJECT)
        case Format(type="json_schema", name=name, schema=schema, strict=strict):
            shape = bytes(schema) if present(schema) else ANY_OBJECT
            return structs.replace(
                options, response_schema=shape, response_name=name, response_strict=strict is True
            )
        case _:
            return options
