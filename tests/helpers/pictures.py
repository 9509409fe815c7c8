"""One small, real PNG, made here."""

import base64
import struct
import zlib


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int = 8) -> bytes:
    """A square of one colour."""
    rows = (b"\0" + b"\x2a\x6f\x97" * side) * side
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


PNG = png()
PNG_DATA = base64.b64encode(PNG).decode()
PNG_URL = f"data:image/png;base64,{PNG_DATA}"
