"""Ollama request bodies → conversations."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Raw

from halfdoor.canon.request import (
    Conversation,
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
from halfdoor.dialects.decoding import ANY_OBJECT, decoded, present, wrong
from halfdoor.dialects.ollama.wire import (
    Body,
    EngineOptions,
    Turn,
    arguments_of,
    bodies,
)
from halfdoor.errors import ClientError

# Images come without their kind; what their bytes begin with in base64 tells it.
_KINDS: Final = (("iVBOR", "png"), ("/9j/", "jpeg"), ("R0lGOD", "gif"), ("UklGR", "webp"))

_ROLES: Final = {"system": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT}
# What only an engine of this protocol understands of a prompt.
_OWN: Final = ("suffix", "template", "raw", "context")


def read_conversation(body: bytes) -> Conversation:
    """All of a request that another dialect can hear. Raises ClientError where the shape is wrong.

    Results carry the id of their call where it is told, else they answer the first call of their
    name that has no answer yet, else the calls in order.
    """
    read = decoded(bodies, body, "")
    messages = _messages(read.messages) if read.messages is not None else _prompt(read)
    return Conversation(
        messages=tuple(messages),
        tools=tuple(_tools(read)),
        options=options(read),
        stream=read.stream is not False,
    )


def _prompt(read: Body) -> Iterator[Message]:
    refuse_own(read, _OWN)
    if read.system:
        yield Message(Role.SYSTEM, (Text(read.system),))
    yield Message(Role.USER, (*_text(read.prompt), *_images(read.images)))


def refuse_own(read: Body, fields: Sequence[str]) -> None:
    """Raise ClientError where one of these is set."""
    own = [name for name in fields if getattr(read, name)]
    if own:
        raise ClientError(
            "this way of prompting cannot be translated to another protocol",
            code="unsupported_field",
            where=own[0],
            hint="ask a model behind a backend of dialect `ollama`, or send `/api/chat`",
        )


def _messages(turns: Sequence[Turn]) -> Iterator[Message]:
    """Results in a row are one user message, together with a user message right behind."""
    results: list[Part] = []
    waiting: list[ToolCall] = []
    for i, turn in enumerate(turns):
        if turn.role == "tool":
            results.append(_result(turn, waiting, i))
            continue
        role = _role(turn, i)
        if results and role is not Role.USER:
            yield Message(Role.USER, tuple(results))
            results = []
        parts = tuple(_said(turn, i))
        waiting = [part for part in parts if isinstance(part, ToolCall)] or waiting
        yield Message(role, (*results, *parts))
        results = []
    if results:
        yield Message(Role.USER, tuple(results))


def _role(turn: Turn, i: int) -> Role:
    role = _ROLES.get(turn.role)
    if role is None:
        where = f"messages[{i}].role"
        raise wrong("the role is not known", where, "use `system`, `user`, `assistant` or `tool`")
    return role


def _result(turn: Turn, waiting: list[ToolCall], i: int) -> ToolResult:
    given = turn.tool_call_id or _answered(turn.tool_name, waiting) or f"call_{i}"
    waiting[:] = [call for call in waiting if call.id != given]
    return ToolResult(given, (*_text(turn.content), *_images(turn.images)))


def _answered(name: str | None, waiting: list[ToolCall]) -> str:
    """The call that a result without an id answers; results of parallel calls come in any order."""
    named = (call.id for call in waiting if call.name == name)
    return next(named, waiting[0].id if waiting else "")


def _said(turn: Turn, i: int) -> Iterator[Part]:
    if turn.thinking:
        yield Thinking(turn.thinking)
    yield from _text(turn.content)
    yield from _images(turn.images)
    for n, call in enumerate(turn.tool_calls or ()):
        arguments = arguments_of(call.function)
        yield ToolCall(call.id or f"call_{i}_{n}", call.function.name, arguments)


def _text(text: str | None) -> Iterator[Text]:
    """Empty text says nothing, and some vendors refuse it."""
    if text:
        yield Text(text)


def _images(images: list[str] | None) -> Iterator[Image]:
    for data in images or ():
        kind = next((kind for start, kind in _KINDS if data.startswith(start)), "png")
        yield Image(f"image/{kind}", data)


def _tools(read: Body) -> Iterator[Tool]:
    for entry in read.tools or ():
        if entry.function is not None:
            function = entry.function
            schema = bytes(function.parameters) if present(function.parameters) else b""
            yield Tool(function.name, function.description or "", schema)


def options(read: Body) -> Options:
    """What another dialect can hear of how to answer."""
    stated = read.options or EngineOptions()
    stop = [stated.stop] if isinstance(stated.stop, str) else stated.stop or []
    limit = stated.num_predict
    return Options(
        max_tokens=limit if limit is not None and limit > 0 else None,  # -1 means: no limit
        temperature=stated.temperature,
        top_p=stated.top_p,
        top_k=stated.top_k,
        stop=tuple(one for one in stop if one),
        response_schema=_schema(read.format),
        effort=read.think if isinstance(read.think, str) else "",
        thinking_tokens=0 if read.think is False else None,
    )


def _schema(form: Raw) -> bytes:
    if not present(form) or bytes(form) == b'""':
        return b""
    return bytes(form) if bytes(form).startswith(b"{") else ANY_OBJECT
