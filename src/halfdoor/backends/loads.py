"""How busy engines are, and what they have loaded: told to their queues, beside the requests.

Others may use the same engine: its own numbers (`pressure.py`) tell of them. Only engines whose
backend says from when on others should answer (`overflow_at`) are asked for these, often while
requests come and seldom otherwise; slots and models come from what `residency.py` knows anyway.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from halfdoor.backends import pressure
from halfdoor.backends.engines import SWAPPING
from halfdoor.backends.pressure import Load, Page
from halfdoor.backends.queues import Queue
from halfdoor.backends.residency import Engine, Known, Residency
from halfdoor.errors import BackendError

LOOK_S: Final = 1.0
# An engine is asked again from this age on while it has requests of ours, else from that one on.
FRESH_S: Final = 2.0
IDLE_S: Final = 15.0
# What it said is believed so long; after that own counts alone decide.
KEPT_S: Final = 20.0
_QUIET: Final = Load(0, 0)


class Watched(Struct, frozen=True):
    """An engine and the queue before it."""

    engine: Engine
    queue: Queue


class _Heard(Struct, frozen=True):
    load: Load
    at_s: float


class Loads:
    """Asks engines how busy they are, and tells their queues. ticks_s: monotonic."""

    def __init__(self, residency: Residency, ticks_s: Callable[[], float]) -> None:
        self._residency = residency
        self._ticks_s = ticks_s
        self._heard: dict[str, _Heard] = {}
        self._tried_s: dict[str, float] = {}
        self._pages: dict[str, Page] = {}

    async def keep(self, watched: Callable[[], Iterable[Watched]]) -> None:
        """Look again and again; runs until cancelled."""
        while True:
            await self.refresh(watched())
            await asyncio.sleep(LOOK_S)

    async def refresh(self, watched: Iterable[Watched]) -> None:
        """Ask those that are due, and tell every queue what is known."""
        every = {each.engine.name: each for each in watched}
        await asyncio.gather(*(self._ask(each) for each in every.values() if self._due(each)))
        for name in self._tried_s.keys() - every.keys():
            del self._tried_s[name]
            self._heard.pop(name, None)
            self._pages.pop(name, None)
        for name, each in every.items():
            self._tell(each.queue, self._residency.known(name), self._load(name))

    def _due(self, each: Watched) -> bool:
        if each.queue.limits.overflow is None:
            return False
        tried_s = self._tried_s.get(each.engine.name)
        if tried_s is None:
            return True
        depth = each.queue.depth
        in_use = depth.running or depth.waiting
        return self._ticks_s() - tried_s >= (FRESH_S if in_use else IDLE_S)

    async def _ask(self, each: Watched) -> None:
        """One that does not answer, or strangely, keeps its last word for a while."""
        name = each.engine.name
        known = self._residency.known(name)
        if known is None:
            return
        begun_s = self._tried_s[name] = self._ticks_s()
        own = each.queue.running
        for page in self._tries(name, known):
            try:
                said = pressure.read(page, *await each.engine.look(page.path))
            except BackendError:
                return
            if said is not None:
                self._pages[name] = page
                self._heard[name] = _Heard(said.beside(own), begun_s)
                return
        self._pages.pop(name, None)

    def _tries(self, name: str, known: Known) -> tuple[Page, ...]:
        pages = pressure.PAGES.get(known.kind, ())
        last = self._pages.get(name)
        return (last,) if last in pages else pages

    def _load(self, name: str) -> Load:
        heard = self._heard.get(name)
        if heard is None or self._ticks_s() - heard.at_s > KEPT_S:
            return _QUIET
        return heard.load

    def _tell(self, queue: Queue, known: Known | None, load: Load) -> None:
        if known is None:
            queue.tell(None, None, 0.0, load)
            return
        loaded = [each.model_id for each in known.found] if known.kind in SWAPPING else None
        age_s = self._ticks_s() - known.at_s
        asked_s = asyncio.get_running_loop().time() - age_s
        queue.tell(known.slots, loaded, asked_s, load)
