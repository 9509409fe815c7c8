"""Where the values of a JSON object or array stand in its bytes.

The decoder (C) finds and checks the values; one walk beside it finds their offsets and proves that
every byte belongs to exactly one member. So a duplicate key, which decoders silently drop, shows
as bytes that nobody owns, and a splice never lands beside its value.
"""

import re
from typing import Final, NamedTuple, NoReturn, TypeVar

import msgspec

from halfdoor.errors import ClientError

T = TypeVar("T")

_KEY: Final = rb'("[^"\\]*(?:\\.[^"\\]*)*")[ \t\n\r]*:[ \t\n\r]*'
# What stands before a member's value, and behind the last.
_FIRST: Final = re.compile(rb"[ \t\n\r]*\{[ \t\n\r]*" + _KEY, re.DOTALL)
_NEXT: Final = re.compile(rb"[ \t\n\r]*,[ \t\n\r]*" + _KEY, re.DOTALL)
_NONE: Final = re.compile(rb"[ \t\n\r]*\{[ \t\n\r]*\}")
_LAST: Final = re.compile(rb"[ \t\n\r]*\}")
# What stands before an element.
_OPENS: Final = re.compile(rb"[ \t\n\r]*\[[ \t\n\r]*")
_COMMA: Final = re.compile(rb"[ \t\n\r]*,[ \t\n\r]*")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_string = msgspec.json.Decoder(str)


class Member(NamedTuple):
    """One member of an object: body[key_start:end] is `"key": value`, body[start:end] the value."""

    key: str
    key_start: int
    start: int
    end: int


def members(body: bytes, start: int = 0, end: int | None = None) -> list[Member]:
    """The members of the object in body[start:end], in order.

    Nested values are skipped, not validated beyond their brackets and quotes.
    Raises ClientError: `invalid_json` (malformed, or no object), `duplicate_key`.
    """
    end = len(body) if end is None else end
    found: list[Member] = []
    before, at = _FIRST, start
    for key, raw in _decoded(_object, body, start, end).items():
        match = before.match(body, at)
        if match is None or _string.decode(match[1]) != key:
            _duplicate()
        value = bytes(raw)
        if not body.startswith(value, match.end()):
            _duplicate()
        at = match.end() + len(value)
        found.append(Member(key, match.start(1), match.end(), at))
        before = _NEXT
    if not (_LAST if found else _NONE).match(body, at):
        _duplicate()
    return found


def elements(body: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Byte spans of the elements of the array in body[start:end]. Raises ClientError."""
    found: list[tuple[int, int]] = []
    before, at = _OPENS, start
    for raw in _decoded(_array, body, start, end):
        match = before.match(body, at)
        if match is None:
            raise ClientError(f"the body is not valid JSON at byte {at}", code="invalid_json")
        at = match.end() + memoryview(raw).nbytes
        found.append((match.end(), at))
        before = _COMMA
    return found


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes, start: int, end: int) -> T:
    try:
        return decoder.decode(memoryview(body)[start:end])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # The decoder's words name a byte offset and a kind, never content.
        raise ClientError(
            f"the body is not the JSON expected here: {error}",
            code="invalid_json",
            hint="send one UTF-8 JSON object",
        ) from None


def _duplicate() -> NoReturn:
    raise ClientError(
        "an object in the body holds the same key twice",
        code="duplicate_key",
        hint="send each key once: two readers could take different values",
    )
