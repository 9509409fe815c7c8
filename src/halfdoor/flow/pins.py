"""Who answered each session last, in the memory of one process: bounded.

What several processes share is `store/pins.py`.
"""

from collections import OrderedDict
from typing import Final

from halfdoor.canon.scene import Pin

# Sessions, at about 300 bytes each.
KEPT: Final = 10_000


class Pins:
    """Implements `flow.ports.Pinned`; those that were used longest ago are forgotten."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._pins: OrderedDict[bytes, Pin] = OrderedDict()

    def find(self, marks: tuple[bytes, ...]) -> Pin | None:
        """See `flow.ports.Pinned.find`."""
        for mark in marks:
            if mark in self._pins:
                self._pins.move_to_end(mark)
                return self._pins[mark]
        return None

    def hold(self, marks: tuple[bytes, ...], pin: Pin) -> None:
        """See `flow.ports.Pinned.hold`."""
        for mark in marks[:1]:
            self._pins[mark] = pin
            self._pins.move_to_end(mark)
            if len(self._pins) > self._kept:
                self._pins.popitem(last=False)
