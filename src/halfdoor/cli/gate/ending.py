"""What ends the gate from outside (CI that is cancelled, a closed terminal) ends it in order."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_ENDS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextmanager
def ending_well() -> Iterator[None]:
    """Inside, such a signal unwinds: what runs is ended, and private folders are taken away."""
    had = [signal.signal(each, _leave) for each in _ENDS]
    try:
        yield
    finally:
        for each, handler in zip(_ENDS, had, strict=True):
            signal.signal(each, handler)


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
