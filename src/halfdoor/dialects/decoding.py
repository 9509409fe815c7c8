"""JSON of others: read with errors that say where, and counts that cannot run away."""

import re
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from halfdoor.errors import ClientError

T = TypeVar("T")

# What a JSON decoder raises on bytes that somebody else wrote.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# "Any JSON object", which some dialects ask for by a word; canon says that as a schema.
ANY_OBJECT: Final = b'{"type":"object"}'
# A count beyond this is a fault of the backend; it would overflow sums and columns.
MOST_TOKENS: Final = 2**40
# How the decoder ends its words.
_PLACE: Final = re.compile(r" - at `\$\.?(.*)`$")

encode: Final = msgspec.json.Encoder().encode
_object: Final = msgspec.json.Decoder(dict[str, object])


def decoded(decoder: msgspec.json.Decoder[T], raw: bytes | memoryview | Raw, where: str) -> T:
    """A value that stands at `where`. Raises ClientError: `invalid_shape`, `invalid_json`."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        # The decoder's words name types, never content.
        what, *place = _PLACE.split(str(error))
        inside = place[0] if place else ""
        dot = "." if where and inside and not inside.startswith("[") else ""
        raise wrong(what[:1].lower() + what[1:], f"{where}{dot}{inside}") from None
    except UNREADABLE:
        raise ClientError(
            "this part of the body is not valid JSON", code="invalid_json", where=where
        ) from None


def wrong(what: str, where: str, hint: str = "") -> ClientError:
    """The error for a value that has no meaning where it stands."""
    return ClientError(what, code="invalid_shape", where=where, hint=hint)


def readable(decoder: msgspec.json.Decoder[T], raw: bytes) -> bool:
    """Can it be read at all?"""
    try:
        decoder.decode(raw)
    except UNREADABLE:
        return False
    return True


def object_of(text: str) -> Raw | None:
    """A call's JSON arguments as they stand, "" as `{}`; None where they are no object.

    INVARIANT: nothing is written into a body raw that was not read as one whole value: a model's
    broken JSON would end the place that it stands in, and go on with what it likes.
    """
    given = (text or "{}").encode("utf-8", "surrogatepass")
    return Raw(given) if readable(_object, given) else None


def present(raw: Raw) -> bool:
    """Was the field sent, and not as null?"""
    return bytes(raw) not in {b"", b"null"}


def tokens(count: int | None) -> int:
    """A count within 0 and 2^40: it comes from outside and becomes money."""
    return min(max(count or 0, 0), MOST_TOKENS)
