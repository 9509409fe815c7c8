"""Anthropic Messages: splices about thinking, in a request's own bytes.

Thinking is sealed by who did it. The vendor refuses another's seal, and where thinking has a budget
also a tool loop that does not begin with its own; a session that was elsewhere has both.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Raw

from halfdoor.canon.decision import Edit
from halfdoor.canon.request import Request
from halfdoor.dialects.anthropic_messages import wire as wire
from halfdoor.dialects.decoding import UNREADABLE
from halfdoor.dialects.envelope import strings
from halfdoor.reading.spans import Member, elements, members
from halfdoor.reading.splice import without

# The least thinking budget that the API takes.
LEAST_BUDGET: Final = 1024
# The API refuses an assistant's turn without content.
_NO_THINKING: Final = b'{"type":"text","text":"(reasoning removed)"}'
_OFF: Final = b'{"type":"disabled"}'
_CLEARS: Final = b"clear_thinking"
_MESSAGE: Final = "messages["
# A blank text is short; longer blocks are not looked into.
_BLANK_BYTES: Final = 256


def lost(request: Request, seals: frozenset[str]) -> bool:
    """Does a tool loop go on, with a thinking budget, that did not begin in the vendor's thought?

    seals: of thinking that leaves the request. What follows in a loop needs no thinking of its own.
    """
    start, end = request.members.get("thinking", (0, 0))
    if b'"enabled"' not in request.body[start:end]:
        return False
    began = _began(request)
    return began is not None and not _thought(request.body, began, seals)


def _began(request: Request) -> dict[str, Member] | None:
    """The model's turn with which the loop began that the request goes on with; None outside."""
    body, answers, began = request.body, False, None
    for block in reversed(request.blocks):
        if not block.place.startswith(_MESSAGE):
            continue
        fields = _fields(body, block.start, block.end)
        if not _is_assistant(body, fields.get("role")):
            answers = answers or b'"tool_result"' in body[block.start : block.end]
        elif answers:
            began, answers = fields, False
        else:
            break
    return began


def _thought(body: bytes, fields: dict[str, Member], seals: frozenset[str]) -> bool:
    content = fields.get("content")
    if content is None or body[content.start] != ord("["):
        return False
    view = memoryview(body)
    for start, end in elements(body, content.start, content.end):
        seal = wire.seal(view[start:end])
        if seal not in seals:
            return seal is not None
    return False


def off(request: Request) -> Iterator[Edit]:
    """Switch thinking off for this one request, and what may only stand beside it."""
    yield Edit("thinking-off", *request.members["thinking"], _OFF)
    start, end = request.members.get("context_management", (0, 0))
    if _CLEARS in request.body[start:end]:
        yield Edit("thinking-off", start, end, b'{"edits":[]}')


def fitted(request: Request, limit: int) -> list[Edit]:
    """A thinking budget must stay below `max_tokens`; where none fits, thinking is switched off."""
    start, end = request.members.get("thinking", (0, 0))
    if request.max_tokens is None or request.max_tokens <= limit:
        return []
    if not request.body[start:end].startswith(b"{"):
        return []
    for member in members(request.body, start, end):
        if member.key == "budget_tokens" and request.body[member.start : member.end].isdigit():
            if int(request.body[member.start : member.end]) < limit:
                return []
            if limit <= LEAST_BUDGET:
                return [Edit("thinking-budget", start, end, _OFF)]
            fitting = b"%d" % max(LEAST_BUDGET, limit // 2)
            return [Edit("thinking-budget", member.start, member.end, fitting)]
    return []


def dropped(request: Request, seals: frozenset[str]) -> Iterator[Edit]:
    """Splices that take sealed thinking out, and what is blank beside it."""
    body = request.body
    for start, end in elements(body, *request.members["messages"]):
        fields = _fields(body, start, end)
        content = fields.get("content")
        if content and _is_assistant(body, fields.get("role")) and body[content.start] == ord("["):
            yield from _without(body, elements(body, content.start, content.end), seals)


def _fields(body: bytes, start: int, end: int) -> dict[str, Member]:
    if not body.startswith(b"{", start):
        return {}
    return {member.key: member for member in members(body, start, end)}


def _is_assistant(body: bytes, role: Member | None) -> bool:
    if role is None:
        return False
    try:
        return strings.decode(memoryview(body)[role.start : role.end]) == "assistant"
    except UNREADABLE:
        return False


def _without(body: bytes, blocks: list[tuple[int, int]], seals: frozenset[str]) -> Iterator[Edit]:
    """Splices that take the sealed blocks out of an array, each run with one of its commas."""
    view = memoryview(body)
    foreign = [wire.seal(view[start:end]) in seals for start, end in blocks]
    if not any(foreign):
        return
    # Only engines write blank text, and their thinking stands beside it.
    gone = [sealed or _blank(body, *span) for sealed, span in zip(foreign, blocks, strict=True)]
    if all(gone):
        yield Edit("drop-thinking", blocks[0][0], blocks[-1][1], _NO_THINKING)
        return
    for start, end in without(blocks, gone):
        yield Edit("drop-thinking", start, end, b"")


def _blank(body: bytes, start: int, end: int) -> bool:
    if end - start > _BLANK_BYTES:
        return False
    try:
        block = wire.block(Raw(body[start:end]))
    except UNREADABLE:
        return False
    return isinstance(block, wire.TextBlock) and not block.text.strip()
