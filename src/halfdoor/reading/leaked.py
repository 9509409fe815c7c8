"""Tool calls that an engine left in its text, because it did not know its own model's notation.

Models are trained to write calls in a notation of their own; an engine without a parser for it
passes them on as prose, and the tool sees an answer that does nothing. Here such a text becomes
calls again, under conditions that prose *about* calls does not meet: every call is whole, names a
tool that was offered, gives an object, and nothing but white space follows the last one. Notations
that are plain JSON must also be the whole answer and give what the tool's schema requires.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from halfdoor.reading.notations import (
    NOTATIONS,
    PLAIN,
    Letters,
    Named,
    NoCallError,
    Notation,
    Reader,
    maybe,
)

# Name of a tool -> the JSON Schema of its arguments; an empty one where none was given.
Offered = Mapping[str, Mapping[str, Any]]


class Call(NamedTuple):
    """arguments: JSON text of an object."""

    name: str
    arguments: str


class Found(NamedTuple):
    """calls: in order. at: where in the text they begin. notation: which it was, for the log."""

    calls: tuple[Call, ...]
    at: int
    notation: str


FENCE: Final = "```"
# How JSON that may be a call begins, without its white space.
_PLAIN_BEGINS: Final = tuple(
    fence + bracket + member
    for fence in ("", "```json", "```tool_call", "```tool_code", "```")
    for bracket in ("", "[")
    for member in ('{"name":', '{"function":', '{"type":"function"', '{"id":')
)


def suspect(text: str, *, first: bool, fenced: bool) -> tuple[int, bool]:
    """Where a leak begins or may be about to (the text's end: nowhere), and whether it has begun.

    text: from the beginning of a line. first: it is the beginning of the answer.
    fenced: it stands in a code fence.
    """
    if first and (begun := _may_be_json(text)) is not None:
        return 0, begun
    found = [
        _first(text, begin, special=notation.special, fenced=fenced)
        for notation in NOTATIONS
        for begin in notation.begins
    ]
    return min(found, key=lambda place: (place[0], not place[1]))


def _may_be_json(text: str) -> bool | None:
    """True: it begins like a call in JSON. False: too little is known. None: it does not."""
    told = "".join(text[:200].split())
    if any(told.startswith(begin) for begin in _PLAIN_BEGINS):
        return True
    return False if any(begin.startswith(told) for begin in _PLAIN_BEGINS) else None


def _first(text: str, begin: str, *, special: bool, fenced: bool) -> tuple[int, bool]:
    """The first place of the mark; or of its own beginning at the text's end, or that end."""
    at = text.find(begin)
    while at >= 0 and not special and not _opens_line(text, at, fenced=fenced):
        at = text.find(begin, at + 1)
    if at >= 0:
        return at, True
    for size in range(min(len(begin) - 1, len(text)), 0, -1):
        at = len(text) - size
        if text.endswith(begin[:size]) and (special or _opens_line(text, at, fenced=fenced)):
            return at, False
    return len(text), False


def _opens_line(text: str, at: int, *, fenced: bool) -> bool:
    """Only white space stands before it in its line, and no fence is open."""
    line = text.rfind("\n", 0, at) + 1
    return not text[line:at].strip() and (text.count(FENCE, 0, at) + fenced) % 2 == 0


def leaked(text: str, offered: Offered) -> Found | None:
    """The calls at the end of a whole answer; None for an answer that is none."""
    for at, notation in _places(text):
        try:
            calls = tuple(_checked(named, offered) for named in _all(notation, text, at))
        except NoCallError:
            continue
        if notation is not PLAIN or _required(calls, offered):
            return Found(calls, at, notation.name)
    return None


def _places(text: str) -> list[tuple[int, Notation]]:
    found = [
        (at, notation)
        for notation in NOTATIONS
        for begin in notation.begins
        for at, begun in [_first(text, begin, special=notation.special, fenced=False)]
        if begun
    ]
    found.sort(key=lambda place: place[0])
    return [(0, PLAIN), *found] if _may_be_json(text) else found


def _all(notation: Notation, text: str, at: int) -> list[Named]:
    """One after the other, to the end of the text."""
    read, found = Reader(text, at), []
    while not read.over:
        found += notation.read(read)
    return found


def _checked(named: Named, offered: Offered) -> Call:
    name, given = named[0].removeprefix("functions."), named[1]
    if name not in offered:
        raise NoCallError
    if isinstance(given, str):
        given = maybe(Reader(given, 0))
    if not isinstance(given, dict):
        raise NoCallError
    schema = offered[name].get("properties")
    told = {key: _typed(value, schema, key) for key, value in given.items()}
    return Call(name, _written(told))


def _written(given: dict[str, Any]) -> str:
    try:
        text = json.dumps(given, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except (ValueError, RecursionError):  # half a character, or a number that JSON has not
        raise NoCallError from None
    return text


def _typed(value: Any, properties: Any, key: str) -> Any:
    """Letters between tags become what the schema says they are."""
    if not isinstance(value, Letters):
        return value
    wanted = properties.get(key) if isinstance(properties, dict) else None
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind in {None, "string"}:
        return str(value)
    told = maybe(Reader(value, 0))
    return str(value) if told is None else told


def _required(calls: tuple[Call, ...], offered: Offered) -> bool:
    """Does each give what its tool cannot do without, and nothing that it does not know?"""
    return all(_fits(json.loads(call.arguments), offered[call.name]) for call in calls)


def _fits(given: dict[str, Any], schema: Mapping[str, Any]) -> bool:
    needed, known = schema.get("required"), schema.get("properties")
    if isinstance(needed, list) and not {*map(str, needed)} <= {*given}:
        return False
    return not isinstance(known, dict) or {*given} <= {*known}
