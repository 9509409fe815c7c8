"""Zstandard frames without compression (RFC 8878): enough to hide a body in one, and to find it.

Nothing here inflates a compressed block; who meets one must say so and not pass over it.
"""

from collections.abc import Iterator
from typing import Final

MAGIC: Final = b"\x28\xb5\x2f\xfd"
_BLOCK: Final = 1 << 17
_ID_BYTES: Final = (0, 1, 2, 4)
_SIZE_BYTES: Final = (0, 2, 4, 8)


class CompressedError(Exception):
    """A block that only a real decoder reads."""


def stored(data: bytes) -> bytes:
    """The data as one frame of raw blocks: single segment, eight bytes of content size."""
    head = MAGIC + bytes([0b1110_0000]) + len(data).to_bytes(8, "little")
    parts = [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)] or [b""]
    blocks = (_block(part, last=number == len(parts) - 1) for number, part in enumerate(parts))
    return head + b"".join(blocks)


def _block(part: bytes, *, last: bool) -> bytes:
    return (len(part) << 3 | last).to_bytes(3, "little") + part


def unstored(data: bytes) -> bytes:
    """The content of the frame at the data's start. Raises CompressedError."""
    return b"".join(_blocks(data))


def _blocks(data: bytes) -> Iterator[bytes]:
    described = data[4]
    single = bool(described & 0b10_0000)
    sized = _SIZE_BYTES[described >> 6] or int(single)
    at = 5 + (not single) + _ID_BYTES[described & 3] + sized
    last = False
    while not last:
        head = int.from_bytes(data[at : at + 3], "little")
        last, kind, size = bool(head & 1), head >> 1 & 3, head >> 3
        if kind > 1 or at + 3 > len(data):
            raise CompressedError
        yield data[at + 3 : at + 3 + size] if kind == 0 else data[at + 3 : at + 4] * size
        at += 3 + (size if kind == 0 else 1)
