"""Embeddings between protocols: lists of numbers whose every digit stays, and OpenAI's base64.

Base64 holds 32-bit floats, the lowest byte first, as the vendor documents and its SDK reads it.
"""

import base64
import binascii
import struct
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from halfdoor.canon.events import Event, Start, Stop, StopReason, Used, Vector
from halfdoor.canon.money import Usage
from halfdoor.dialects.decoding import UNREADABLE, encode, tokens
from halfdoor.errors import BackendError

_FLOAT_BYTES: Final = 4
_numbers: Final = msgspec.json.Decoder(list[float])
_strings: Final = msgspec.json.Decoder(str)


def events(
    model: str | None, found: Sequence[Raw], counted: int | None, wanted: int
) -> list[Event]:
    """An embedding's whole answer. counted: tokens of the texts; wanted: how many texts there were.

    Raises BackendError(kind="protocol") where it is not a list of numbers for each text.
    """
    if len(found) != wanted:
        raise BackendError(f"the backend measured {len(found)} of {wanted} texts", kind="protocol")
    vectors = [Vector(i, _read(raw)) for i, raw in enumerate(found)]
    used = Used(Usage(input_tokens=tokens(counted)))
    return [Start("", model or ""), *vectors, used, Stop(StopReason.END)]


class Measured(Struct):
    """What an embedding's events tell. numbers: a JSON array a text. tokens: of all texts."""

    model: str = ""
    numbers: list[bytes] = []
    tokens: int = 0


def measured(told: Iterable[Event]) -> Measured:
    """All of an answer."""
    found = Measured()
    for event in told:
        match event:
            case Start():
                found.model = event.model
            case Vector():
                found.numbers.append(event.numbers)
            case Used(usage=usage):
                found.tokens = usage.input_tokens
            case _:
                pass  # the end
    return found


def packed(numbers: bytes) -> str:
    """A JSON array as OpenAI's base64. Raises BackendError for what 32 bits cannot hold."""
    given = _numbers.decode(numbers)
    try:
        return base64.b64encode(struct.pack(f"<{len(given)}f", *given)).decode()
    except OverflowError:
        raise BackendError("an embedding holds a number beyond 32 bits", kind="protocol") from None


def _read(raw: Raw) -> bytes:
    """Checked, and otherwise as it came."""
    try:
        if bytes(raw).startswith(b'"'):
            return encode(_unpacked(_strings.decode(raw)))
        _numbers.decode(raw)
    except (*UNREADABLE, binascii.Error, struct.error):
        raise BackendError("an embedding is no list of numbers", kind="protocol") from None
    return bytes(raw)


def _unpacked(text: str) -> tuple[float, ...]:
    data = base64.b64decode(text, validate=True)
    return struct.unpack(f"<{len(data) // _FLOAT_BYTES}f", data)
