"""Anthropic Messages: turns brought into the order that the vendor demands.

Its API wants a user's turn first, every tool call answered at the head of the very next user turn,
roles that alternate, unique call ids of `[A-Za-z0-9_-]`, and no blank text.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from halfdoor.canon.request import Message, Part, Role, Text, ToolCall, ToolResult

# What stands where the vendor wants a user's turn and the conversation begins otherwise.
OPENING: Final = Message(Role.USER, (Text("(start)"),))

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def split(messages: Iterable[Message]) -> tuple[list[Message], list[Message]]:
    """The system messages that lead, and all turns after them, in the vendor's order."""
    leading: list[Message] = []
    turns: list[Message] = []
    for message in map(_without_blank, messages):
        if message.role is Role.SYSTEM and not turns:
            leading.append(message)
        elif message.parts:
            turns.append(message)
    return leading, list(_merged(_answered(_with_unique_ids(turns))))


def _without_blank(message: Message) -> Message:
    parts = tuple(
        part for part in message.parts if not (isinstance(part, Text) and not part.text.strip())
    )
    return message if len(parts) == len(message.parts) else Message(message.role, parts)


def _with_unique_ids(messages: Iterable[Message]) -> Iterator[Message]:
    """Rename calls whose id the vendor refuses or has seen before, and their results alike.

    The new name depends on the id and how often it stood before, so a turn's prefix never changes.
    """
    times: dict[str, int] = {}
    names: dict[str, str] = {}
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                names[part.id] = _wire_id(part.id, times.get(part.id, 0))
                times[part.id] = times.get(part.id, 0) + 1
        yield Message(message.role, tuple(_renamed(part, names) for part in message.parts))


def _renamed(part: Part, names: dict[str, str]) -> Part:
    match part:
        case ToolCall():
            return replace(part, id=names[part.id])
        case ToolResult():
            return replace(part, call_id=names.get(part.call_id) or _wire_id(part.call_id, 0))
        case _:
            return part


def _wire_id(call_id: str, before: int) -> str:
    if not before and _ID.fullmatch(call_id):
        return call_id
    name = hashlib.blake2b(f"{before} {call_id}".encode(), digest_size=12).hexdigest()
    return f"toolu_{name}"


def _answered(messages: Iterable[Message]) -> Iterator[Message]:
    """Move the results of each assistant's turn to the head of what follows it."""
    run: list[Message] = []
    for message in messages:
        if message.role is Role.ASSISTANT:
            yield from _results_first(run)
            yield message
            run = []
        else:
            run.append(message)
    yield from _results_first(run)


def _results_first(run: list[Message]) -> Iterator[Message]:
    results = tuple(p for message in run for p in message.parts if isinstance(p, ToolResult))
    if results:
        yield Message(Role.USER, results)
    for message in run:
        rest = tuple(part for part in message.parts if not isinstance(part, ToolResult))
        if rest:
            yield Message(message.role, rest)


def _merged(messages: Iterable[Message]) -> Iterator[Message]:
    last: Message | None = None
    for message in messages:
        if last is not None and last.role is message.role:
            last = Message(last.role, last.parts + message.parts)
            continue
        if last is not None:
            yield last
        last = message
    if last is not None:
        yield last
