"""Where the values of a JSON object or array stand in its bytes.

The decoder (C) finds and checks the values; one walk beside it finds their offsets and proves that
every byte belongs to exactly one member. So a duplicate key, which decoders silently drop, shows
as bytes that nobody owns, and a splice never lands beside its value.
"""

from typing import Final, NamedTuple, NoReturn, TypeVar

import msgspec

from halfdoor.errors import ClientError

T = TypeVar("T")

_SPACE: Final = b" \t\n\r"
_BACKSLASH: Final = 0x5C

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
    values = _decoded(_object, body, start, end)
    found: list[Member] = []
    at = _after(body, start, b"{", "{")
    for key, raw in values.items():
        if found:
            at = _after(body, at, b",", "duplicate")
        key_start = _skip(body, at)
        key_end = _string_end(body, key_start)
        if _string.decode(memoryview(body)[key_start:key_end]) != key:
            _duplicate()
        at = _skip(body, _after(body, key_end, b":", ":"))
        if not body.startswith(bytes(raw), at):
            _duplicate()
        value_end = at + memoryview(raw).nbytes
        found.append(Member(key, key_start, at, value_end))
        at = value_end
    _after(body, at, b"}", "duplicate")
    return found


def elements(body: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Byte spans of the elements of the array in body[start:end]. Raises ClientError."""
    found: list[tuple[int, int]] = []
    at = _after(body, start, b"[", "[")
    for raw in _decoded(_array, body, start, end):
        if found:
            at = _after(body, at, b",", ",")
        at = _skip(body, at)
        stop = at + memoryview(raw).nbytes
        found.append((at, stop))
        at = stop
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


def _skip(body: bytes, at: int) -> int:
    while body[at] in _SPACE:
        at += 1
    return at


def _after(body: bytes, at: int, mark: bytes, why: str) -> int:
    """The offset behind `mark`, which must be the next byte that is no white space."""
    at = _skip(body, at)
    if body[at] != mark[0]:
        if why == "duplicate":
            _duplicate()
        raise ClientError(f"the body is not valid JSON at byte {at}", code="invalid_json")
    return at + 1


def _string_end(body: bytes, start: int) -> int:
    """The offset behind the string that begins at `start`."""
    at = start + 1
    while True:
        quote = body.index(b'"', at)
        back = quote - 1
        while body[back] == _BACKSLASH:
            back -= 1
        if (quote - back) % 2:
            return quote + 1
        at = quote + 1


def _duplicate() -> NoReturn:
    raise ClientError(
        "an object in the body holds the same key twice",
        code="duplicate_key",
        hint="send each key once: two readers could take different values",
    )
