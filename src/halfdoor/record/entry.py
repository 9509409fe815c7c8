"""Entries as leaves of the tree: canonical JSON with a position in the log and a version.

The three structs below are the canon's entries plus two members, so that a leaf is one flat object
and the encoder does all the work. Its output for them is RFC 8785: keys sorted, ASCII names, exact
integers (the tests compare it with `canonical`).
"""

from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from halfdoor.canon.money import Usage
from halfdoor.canon.record import Decided, Entry, Noted, Outcome
from halfdoor.errors import LogError
from halfdoor.record.canonical import LARGEST_EXACT, canonical

SCHEMA: Final = 1
LARGEST: Final = 64 * 1024 - 1  # C2SP tlog-tiles gives an entry 16 bits for its length


class _DecidedLeaf(Decided, frozen=True, tag="decided"):
    seq: int = 0
    v: int = SCHEMA


class _OutcomeLeaf(Outcome, frozen=True, tag="outcome"):
    seq: int = 0
    v: int = SCHEMA


class _NotedLeaf(Noted, frozen=True, tag="noted"):
    seq: int = 0
    v: int = SCHEMA


class Leaf(msgspec.Struct, frozen=True):
    """What a leaf says: an entry and the position it was written for (0, 1, 2 …)."""

    entry: Entry
    sequence: int


_encoder: Final = msgspec.json.Encoder(order="sorted")
_decoder: Final[msgspec.json.Decoder[_DecidedLeaf | _OutcomeLeaf | _NotedLeaf]] = (
    msgspec.json.Decoder(_DecidedLeaf | _OutcomeLeaf | _NotedLeaf)
)


def leaf(entry: Entry, sequence: int) -> bytes:
    """Encode an entry for position `sequence`: about 2 µs.

    Raises LogError if it is larger than 64 KiB, is not Unicode, or holds a number JSON cannot.
    """
    try:
        data = _encoded(entry, sequence)
    except UnicodeEncodeError:
        raise LogError("an entry holds text that is not valid Unicode") from None
    if len(data) > LARGEST:
        raise LogError(
            f"an entry of {len(data)} bytes is too large for the log",
            hint="the limit is 64 KiB; fewer labels or a shorter plan would fit",
        )
    return data


def read(data: bytes | str) -> Leaf:
    """Decode a leaf. Raises LogError if it is not one, or was written by a later version."""
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise LogError(f"an entry cannot be read: {error}") from None
    if found.v != SCHEMA:
        raise LogError(
            f"an entry has schema version {found.v}", hint="upgrade halfdoor to read this log"
        )
    *members, sequence, _ = astuple(found)
    match found:
        case _DecidedLeaf():
            return Leaf(Decided(*members), sequence)
        case _OutcomeLeaf():
            return Leaf(Outcome(*members), sequence)
        case _NotedLeaf():
            return Leaf(Noted(*members), sequence)


def _encoded(entry: Entry, sequence: int) -> bytes:
    match entry:
        case Decided():
            return _encoder.encode(_DecidedLeaf(*_values(entry, sequence)))
        case Outcome():
            _exact(entry.usage)
            return _encoder.encode(_OutcomeLeaf(*_values(entry, sequence)))
        case Noted():
            # Facts have free keys, and the encoder sorts those by UTF-8, not by UTF-16.
            return canonical(msgspec.to_builtins(_NotedLeaf(*_values(entry, sequence))))


def _values(entry: Entry, sequence: int) -> tuple[Any, ...]:
    return (*astuple(entry), sequence)


def _exact(usage: Usage | None) -> None:
    """Token counts are a backend's word, so they are the numbers that may be absurd."""
    if usage is not None and any(abs(count) > LARGEST_EXACT for count in astuple(usage)):
        raise LogError("a token count is too large for the log")
