"""Unpacks a request's body, so that what is scanned is what is sent on.

One coding, one frame, and bounded before it is done: what a packed body may become is judged slice
by slice, and the loop serves others between two slices.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from halfdoor.errors import ClientError

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

# How much is unpacked at a time.
SLICE_BYTES: Final = 1 << 20
# A body may always unpack to this much; beyond it to `RATIO` times what was sent, and no more. Real
# conversations stay below 30 times.
FREE_BYTES: Final = 8 << 20
RATIO: Final = 100
# 8 MiB: what RFC 8878 wants every decoder to have, and no more memory for a frame that asks for it.
_WINDOW_LOG: Final = 23
_GZIP, _DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS


class _BrokenError(Exception):
    """It is not one whole frame of its coding."""


def _inflated(wbits: int, packed: bytes) -> Iterator[bytes]:
    unpacker, rest = zlib.decompressobj(wbits), packed
    while not unpacker.eof:
        piece = unpacker.decompress(rest, SLICE_BYTES)
        rest = unpacker.unconsumed_tail
        if not (piece or rest or unpacker.eof):
            raise _BrokenError
        yield piece
    if unpacker.unused_data:
        raise _BrokenError


def _unpressed(packed: bytes) -> Iterator[bytes]:
    unpacker = ZstdDecompressor(options={DecompressionParameter.window_log_max: _WINDOW_LOG})
    rest = packed
    while not unpacker.eof:
        piece, rest = unpacker.decompress(rest, SLICE_BYTES), b""
        if not (piece or unpacker.eof) and unpacker.needs_input:
            raise _BrokenError
        yield piece
    if unpacker.unused_data:
        raise _BrokenError


_UNPACKERS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {
    "zstd": _unpressed,
    "gzip": partial(_inflated, _GZIP),
    "deflate": partial(_inflated, _DEFLATE),
}
CODINGS: Final = tuple(_UNPACKERS)


async def unpacked(coding: str, packed: bytes, limit_bytes: int) -> bytes:
    """The body that was packed. coding: one of `CODINGS`. limit_bytes: of what comes out.

    Raises ClientError: 400 for what is not exactly one whole frame, 413 beyond a limit.
    """
    most = min(limit_bytes, max(FREE_BYTES, RATIO * len(packed)))
    parts: list[bytes] = []
    size = 0
    try:
        for piece in _UNPACKERS[coding](packed):
            size += len(piece)
            if size > most:
                raise _too_large(most)
            parts.append(piece)
            if len(piece) == SLICE_BYTES:
                await asyncio.sleep(0)
    except (_BrokenError, zlib.error, ZstdError):
        raise ClientError(
            f"the body is not one whole {coding} frame",
            code="invalid_encoding",
            hint="send it again, or as plain JSON",
        ) from None
    return b"".join(parts)


def _too_large(most: int) -> ClientError:
    return ClientError(
        f"the body unpacks to more than {most} bytes",
        status=413,
        code="request_too_large",
        hint="send less, or send it as plain JSON",
    )
