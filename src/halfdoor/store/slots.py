"""Small values that all processes of one machine share: a file of slots of one size, mapped.

To read or write one costs what a copy of some hundred bytes costs, so it can be done for every
request, on the event loop. Nobody waits for anybody: of two who write a slot at a time one is lost,
and what is neither the one nor the other is known by its checksum. Nothing is flushed: what a
power cut leaves is checked in the same way. It is for what may be lost, never for what forbids.
"""

from pathlib import Path
from struct import Struct
from typing import Final
from zlib import crc32

from halfdoor.store.mapped import mapped

KEY_BYTES: Final = 16
SLOT_BYTES: Final = 256
# A key may stand in any slot of its row; the one that was written longest ago gives way.
_IN_A_ROW: Final = 4
_ROW_BYTES: Final = SLOT_BYTES * _IN_A_ROW
# Key, checksum, when (Unix, milliseconds), length.
_HEAD: Final = Struct("<16sIQH")
_CHECKED: Final = Struct("<16sQ")
MOST_BYTES: Final = SLOT_BYTES - _HEAD.size


class Slots:
    """`count` slots in the file at `path`. Raises LogError when it cannot be mapped.

    key: 16 bytes, evenly spread, as prints are. value: up to MOST_BYTES.
    """

    def __init__(self, path: Path, count: int) -> None:
        self._rows = max(1, count // _IN_A_ROW)
        size = self._rows * _ROW_BYTES
        self._map = mapped(path, size, "what processes share cannot be mapped")

    def find(self, key: bytes) -> bytes | None:
        """The value that was kept last under this key."""
        begin = self._begin(key)
        if self._map.find(key, begin, begin + _ROW_BYTES) < 0:
            return None
        row, newest, found = self._map[begin : begin + _ROW_BYTES], -1, None
        for at in range(0, _ROW_BYTES, SLOT_BYTES):
            when, value = _read(row, at, key)
            if value is not None and when > newest:
                newest, found = when, value
        return found

    def hold(self, key: bytes, value: bytes, now_ms: int) -> bool:
        """Keep a value; False when it is too long."""
        if len(value) > MOST_BYTES:
            return False
        begin = self._begin(key)
        row = self._map[begin : begin + _ROW_BYTES]
        heads = [_HEAD.unpack_from(row, at) for at in range(0, _ROW_BYTES, SLOT_BYTES)]
        # Its own slot, else the oldest: one that was never written is the oldest of all.
        slot = min(range(_IN_A_ROW), key=lambda at: (heads[at][0] != key, heads[at][2]))
        head = _HEAD.pack(key, _sum(key, now_ms, value), now_ms, len(value))
        begin += slot * SLOT_BYTES
        self._map[begin : begin + len(head) + len(value)] = head + value
        return True

    def close(self) -> None:
        """Let go of the memory."""
        self._map.close()

    def _begin(self, key: bytes) -> int:
        return int.from_bytes(key[:4]) % self._rows * _ROW_BYTES


def _read(row: bytes, at: int, key: bytes) -> tuple[int, bytes | None]:
    if not row.startswith(key, at):
        return 0, None
    _, checksum, when, length = _HEAD.unpack_from(row, at)
    if length > MOST_BYTES:
        return 0, None
    value = row[at + _HEAD.size : at + _HEAD.size + length]
    return when, value if _sum(key, when, value) == checksum else None


def _sum(key: bytes, when: int, value: bytes) -> int:
    return crc32(value, crc32(_CHECKED.pack(key, when)))
