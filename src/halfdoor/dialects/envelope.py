"""The outside of a request, which every dialect reads alike: members, blocks, passing headers."""

from collections.abc import Collection, Iterator
from typing import Final, TypeVar

import msgspec

from halfdoor.canon.commands import Headers
from halfdoor.canon.decision import Edit
from halfdoor.canon.request import Block, Request
from halfdoor.dialects.decoding import decoded, encode, wrong
from halfdoor.reading.spans import Member, elements, members

T = TypeVar("T")

# Where the value of each top-level member stands, see `Request.members`.
Spans = dict[str, tuple[int, int]]

strings: Final = msgspec.json.Decoder(str)
flags: Final[msgspec.json.Decoder[bool | None]] = msgspec.json.Decoder(bool | None)
counts: Final[msgspec.json.Decoder[int | None]] = msgspec.json.Decoder(int | None)

JSON: Final = ("content-type", "application/json")


def opened(body: bytes) -> tuple[list[Member], Spans]:
    """The members of a body. Raises ClientError: `invalid_json`, `duplicate_key`."""
    found = members(body)
    return found, {member.key: (member.start, member.end) for member in found}


def begins(body: bytes, spans: Spans, field: str, marks: bytes) -> bool:
    """Is the member there, and does its value begin with one of these bytes?"""
    return field in spans and body[spans[field][0]] in marks


def value(decoder: msgspec.json.Decoder[T], body: bytes, spans: Spans, field: str, absent: T) -> T:
    """A member's value. Raises ClientError where it has another type."""
    if field not in spans:
        return absent
    start, end = spans[field]
    return decoded(decoder, memoryview(body)[start:end], field)


def model(body: bytes, spans: Spans) -> str:
    """The model asked for. Raises ClientError where none is."""
    if not begins(body, spans, "model", b'"'):
        raise wrong("must be a string", "model", 'send `"model": "…"`')
    return value(strings, body, spans, "model", "")


def blocks(
    body: bytes, found: list[Member], lists: Collection[str], fields: Collection[str]
) -> Iterator[Block]:
    """A block for each element of the arrays in `lists`, and one for each other member.

    What lies outside is punctuation, white space and the keys of the arrays.
    fields: the API's own; any other key is the caller's own word, and is not named in a log.
    """
    for member in found:
        if member.key in lists and body.startswith(b"[", member.start):
            for i, (start, end) in enumerate(elements(body, member.start, member.end)):
                yield Block(f"{member.key}[{i}]", start, end)
        else:
            place = member.key if member.key in fields else "(unknown)"
            yield Block(place, member.key_start, member.end, member=True)


def renamed(request: Request, model_id: str) -> list[Edit]:
    """The splice of the name that the backend knows its model by."""
    if request.model == model_id:
        return []
    return [Edit("model", *request.members["model"], encode(model_id))]


def passing(headers: Headers, names: Collection[str], prefixes: tuple[str, ...]) -> Headers:
    """Headers of a request that go on to a backend of its dialect."""
    return tuple(
        (name, told) for name, told in headers if name in names or name.startswith(prefixes)
    )


def sent_on(
    request: Request | None, names: Collection[str], prefixes: tuple[str, ...] = ()
) -> Headers:
    """Headers for a backend. request: None when the body was written here."""
    if request is None:
        return (JSON,)
    sent = passing(request.headers, names, prefixes)
    return sent if any(name == JSON[0] for name, _ in sent) else (JSON, *sent)
