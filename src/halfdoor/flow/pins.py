"""Who answered each session last: memory of one process, bounded; it permits nobody anything."""

from collections import OrderedDict
from typing import Final

from halfdoor.canon.scene import Pin

# Sessions, at about 300 bytes each.
KEPT: Final = 10_000


class Pins:
    """Pins by print; those that were used longest ago are forgotten.

    Another process has its own: there a session's tool loop still stays where its calls were made,
    which all processes remember, and only the price of leaving a warm cache is not known.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._pins: OrderedDict[bytes, Pin] = OrderedDict()

    def find(self, marks: tuple[bytes, ...]) -> Pin | None:
        """The pin of the first of the marks that has one."""
        for mark in marks:
            if mark in self._pins:
                self._pins.move_to_end(mark)
                return self._pins[mark]
        return None

    def hold(self, marks: tuple[bytes, ...], pin: Pin) -> None:
        """Let the first of the marks stand for this pin."""
        for mark in marks[:1]:
            self._pins[mark] = pin
            self._pins.move_to_end(mark)
            if len(self._pins) > self._kept:
                self._pins.popitem(last=False)
