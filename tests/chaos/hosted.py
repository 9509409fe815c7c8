"""halfdoor in a process whose wall clock a test can set, and which tells how many tasks it has.

Run as a script: `hosted.py CLOCK serve …`. CLOCK holds the offset in milliseconds, eight bytes.
SIGUSR1 has the number of asyncio tasks written beside it, as CLOCK.tasks.
"""

import asyncio
import mmap
import signal
import struct
import sys
import time
from pathlib import Path


def set_clock(clock: Path) -> None:
    """The wall clock goes as far off as the file says, at every look; the monotonic one does not."""
    with clock.open("rb") as file:
        seen = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    real_ns = time.time_ns

    def time_ns() -> int:
        (offset_ms,) = struct.unpack("q", seen[:8])
        return real_ns() + int(offset_ms) * 1_000_000

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9


def tell_tasks(to: Path) -> None:
    """On SIGUSR1."""

    def tell(*_: object) -> None:
        draft = to.with_suffix(".draft")
        draft.write_text(str(len(asyncio.all_tasks())))
        draft.replace(to)

    signal.signal(signal.SIGUSR1, tell)


if __name__ == "__main__":
    _, place, *words = sys.argv
    set_clock(Path(place))
    tell_tasks(Path(f"{place}.tasks"))
    from halfdoor.cli import main  # after the clock, which modules take by name

    sys.argv = ["halfdoor", *words]
    main()
