"""A route's parameters as splices of a request's own body, in any dialect, by a table of places."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.decision import Edit
from halfdoor.canon.request import Kind, Request
from halfdoor.canon.routes import Parameters
from halfdoor.reading.spans import elements, members

TEMPERATURE, TOP_P, SEED, STOP, SYSTEM = KINDS = ("temperature", "top-p", "seed", "stop", "system")

# Claude Code's attribution line, which its vendor looks for in front of all system text.
_BILLING: Final = b"x-anthropic-billing-header"
_BETWEEN: Final = "\n\n"


class Places(Struct, frozen=True):
    """Where a dialect has a parameter; "" where it has none.

    inside: the object that holds all but the system text, "" for the body itself.
    messages: the array that a system message may begin. system: the member for system text.
    thinking: the member beside which its API takes no sampling parameters.
    """

    seed: str = ""
    stop: str = ""
    inside: str = ""
    messages: str = ""
    system: str = ""
    thinking: str = ""


def wanted(parameters: Parameters) -> tuple[str, ...]:
    """The kinds that a route sets, in the order of KINDS."""
    stated = (
        parameters.temperature is not None,
        parameters.top_p is not None,
        parameters.seed is not None,
        bool(parameters.stop),
        bool(parameters.system),
    )
    return tuple(kind for kind, is_stated in zip(KINDS, stated, strict=True) if is_stated)


def splices(request: Request, parameters: Parameters, places: Places) -> tuple[Edit, ...]:
    """The splices that set what the dialect has a place for; what it has none for is left out.

    The system text stands before all that the request brings, byte for byte the same every turn, so
    that caches of prompts keep working.
    """
    told = _told(request, parameters, places)
    edits = _inside(request, told, places.inside) if places.inside else _at_top(request, told)
    system = _system(request, parameters.system, places) if parameters.system else ()
    return (*edits, *system)


def _told(request: Request, parameters: Parameters, places: Places) -> dict[str, tuple[str, bytes]]:
    """Kind and value by the name that the dialect has for it."""
    thinks = places.thinking in request.members and b'"disabled"' not in _raw(
        request, places.thinking
    )
    told: dict[str, tuple[str, bytes]] = {}
    if parameters.temperature is not None and not thinks:
        told["temperature"] = (TEMPERATURE, msgspec.json.encode(parameters.temperature))
    if parameters.top_p is not None and not thinks:
        told["top_p"] = (TOP_P, msgspec.json.encode(parameters.top_p))
    if parameters.seed is not None and places.seed:
        told[places.seed] = (SEED, b"%d" % parameters.seed)
    if parameters.stop and places.stop:
        told[places.stop] = (STOP, msgspec.json.encode(parameters.stop))
    return told


def _raw(request: Request, key: str) -> bytes:
    start, end = request.members[key]
    return request.body[start:end]


def _at_top(request: Request, told: dict[str, tuple[str, bytes]]) -> Iterator[Edit]:
    return _set(request.body, request.body.index(b"{"), request.members, told)


def _inside(request: Request, told: dict[str, tuple[str, bytes]], key: str) -> Iterator[Edit]:
    """The same in an object of the body, which may not be there."""
    body, span = request.body, request.members.get(key)
    if not told:
        return
    if span is not None and body.startswith(b"{", span[0]):
        known = {member.key: (member.start, member.end) for member in members(body, *span)}
        yield from _set(body, span[0], known, told)
        return
    # One splice makes the object, and the log names all that it holds.
    fields = b",".join(b'"%s":%s' % (name.encode(), value) for name, (_, value) in told.items())
    at = body.index(b"{") + 1
    made = b"{%s}" % fields
    first, *rest = (kind for kind, _ in told.values())
    if span is None:
        yield Edit(first, at, at, b'"%s":%s,' % (key.encode(), made))
    else:
        yield Edit(first, *span, made)
    yield from (Edit(kind, at, at, b"") for kind in rest)


def _set(
    body: bytes, opens: int, known: dict[str, tuple[int, int]], told: dict[str, tuple[str, bytes]]
) -> Iterator[Edit]:
    """Values of an object's members, in place or in front of all others."""
    at = opens + 1
    comma = b"," if body[at:].lstrip()[:1] != b"}" else b""
    new = [name for name in told if name not in known]
    for name, (kind, value) in told.items():
        if name in known:
            yield Edit(kind, *known[name], value)
        else:
            end = comma if name == new[-1] else b","
            yield Edit(kind, at, at, b'"%s":%s%s' % (name.encode(), value, end))


def _system(request: Request, text: str, places: Places) -> Iterator[Edit]:
    if request.kind is Kind.COMPLETION and not places.system:
        return
    body, spans = request.body, request.members
    if places.messages in spans:
        message = msgspec.json.encode({"role": "system", "content": text})
        yield _first(request, spans[places.messages], message)
    elif places.system:
        written = msgspec.json.encode(text)
        start, end = spans.get(places.system, (0, 0))
        if body.startswith(b'"', start) and end:
            between = msgspec.json.encode(text + _BETWEEN)[1:-1]
            yield Edit(SYSTEM, start + 1, start + 1, between)
        elif body.startswith(b"[", start) and end:
            block = msgspec.json.encode({"type": "text", "text": text})
            yield _first(request, (start, end), block)
        elif end:
            yield Edit(SYSTEM, start, end, written)
        else:
            at = body.index(b"{") + 1
            yield Edit(SYSTEM, at, at, b'"%s":%s,' % (places.system.encode(), written))


def _first(request: Request, array: tuple[int, int], element: bytes) -> Edit:
    """The element in front of an array, or behind an attribution line that stands there."""
    found = elements(request.body, *array)
    if found and _BILLING in request.body[slice(*found[0])]:
        return Edit(SYSTEM, found[0][1], found[0][1], b"," + element)
    comma = b"," if found else b""
    return Edit(SYSTEM, array[0] + 1, array[0] + 1, element + comma)
