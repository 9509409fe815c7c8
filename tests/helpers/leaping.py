"""A loop whose time leaps: an hour of waiting costs nothing, and timers ring in their order."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Leaping(asyncio.SelectorEventLoop):
    """Its time stands still while anything can be done, then leaps to the next timer."""

    _scheduled: list[asyncio.TimerHandle]
    _ready: Any

    def __init__(self) -> None:
        self._leapt_s = 1000.0
        super().__init__()

    def time(self) -> float:
        return self._leapt_s

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self._leapt_s = max(self._leapt_s, self._scheduled[0].when())
        super()._run_once()  # type: ignore[misc]


def leaping(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, at once."""
    with asyncio.Runner(loop_factory=Leaping) as runner:
        return runner.run(work)
