"""The machine's time and chance."""

import os
import time
from typing import Final

_CHANCE_BYTES: Final = 4096
_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
# Two digits at a time.
_DIGITS: Final = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)
_SHIFTS: Final = tuple(range(120, -10, -10))


class SystemClock:
    """Time and chance from the operating system; implements `flow.ports.Clock`.

    Chance is fetched some hundred requests ahead: each fetch lets go of the interpreter, and
    another thread then takes its turn.
    """

    def __init__(self) -> None:
        self._ahead = b""
        self._used = 0

    def now_ms(self) -> int:
        """Unix time, milliseconds."""
        return time.time_ns() // 1_000_000

    def ticks_ms(self) -> float:
        """Monotonic, milliseconds."""
        return time.perf_counter_ns() / 1e6

    def draw(self) -> float:
        """From the operating system's generator, 32 bits."""
        return int.from_bytes(self._chance(4)) / 2**32

    def _chance(self, count: int) -> bytes:
        """That many bytes that were never given before."""
        if self._used + count > len(self._ahead):
            self._ahead, self._used = os.urandom(_CHANCE_BYTES), 0
        self._used += count
        return self._ahead[self._used - count : self._used]

    def exchange_id(self, now_ms: int) -> str:
        """48 bits of time, then 80 of chance, as 26 base-32 digits: ids sort by time."""
        number = (now_ms << 80) | int.from_bytes(self._chance(10))
        return "hd_" + "".join([_DIGITS[number >> shift & 1023] for shift in _SHIFTS])
