"""Turns that have just failed: memory of one process, bounded; it permits nobody anything.

Tools ask again by themselves, up to thirty times for one turn. What they ask then is the same
conversation, and here stands who has failed it already.
"""

from collections import OrderedDict
from typing import Final

# Turns, at about 200 bytes each. Only those that failed stand here.
KEPT: Final = 2_000
# So long after its last failure a turn is known; a backend that asks for more time gets it.
KEPT_MS: Final = 30_000


class Turns:
    """By print of the turn: the models that failed it, one for each call, and until when."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._failed: OrderedDict[bytes, tuple[tuple[str, ...], float]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._failed)

    def failed(self, turn: bytes, now_ms: float) -> tuple[str, ...]:
        """Who failed it, oldest first; a model stands here once for each of its calls."""
        models, until_ms = self._failed.get(turn, ((), 0.0))
        return models if now_ms < until_ms else ()

    def heard(self, turn: bytes, models: tuple[str, ...], wait_ms: int, now_ms: float) -> None:
        """These models failed it now; () forgets the turn, because it was answered."""
        known = self.failed(turn, now_ms)
        self._failed.pop(turn, None)
        if models:
            self._failed[turn] = (*known, *models), now_ms + KEPT_MS + wait_ms
            if len(self._failed) > self._kept:
                self._failed.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._failed.clear()
