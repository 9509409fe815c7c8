"""Which model an engine holds now, and with how large a window: asked beside the requests.

A window that a model *can* have says nothing of the one it was loaded with. Engines say so when
they are asked (`engines.py`); near ones are, at the start and again while requests come. Nothing
waits for an answer: a request is weighed with what is known, and the rest is left to the engine.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from msgspec import Struct

from halfdoor.backends.engines import (
    OLLAMA,
    PAGES,
    SWAPPING,
    Page,
    among,
    read,
    slots,
    windows,
)
from halfdoor.canon.cards import Resident
from halfdoor.errors import BackendError

LOOK_S: Final = 5.0
# An engine is asked again from this age on while requests come, and from that one on otherwise.
FRESH_S: Final = 15.0
IDLE_S: Final = 60.0
# One that may put out a model for another is asked more often: its queue goes by what it says.
SWAPPED_S: Final = 4.0
# After this silence an answer says nothing any more: the engine may hold anything by now.
KEPT_S: Final = 120.0

Windows = Mapping[tuple[str, str], int]
NOTHING: Final[Windows] = MappingProxyType({})


class Engine(Protocol):
    """Whom to ask: a backend that is no cloud's."""

    name: str

    async def look(self, path: str) -> tuple[int, bytes]:
        """GET a page below the engine's root: (status, body). Raises BackendError."""


class Asked(Struct, frozen=True):
    """An engine to ask. native: it speaks Ollama's own protocol, so no other page is tried."""

    engine: Engine
    native: bool = False


class Known(Struct, frozen=True):
    """What an engine said. kind: which engine it is. at_s: when it was asked, ticks in seconds."""

    kind: str
    found: tuple[Resident, ...]
    at_s: float

    @property
    def slots(self) -> int | None:
        """Requests that it answers at once; None where it does not say."""
        return slots(self.found)


class Residency:
    """What all engines said to this process.

    windows: of one request, in tokens, by backend and model id; under the id `*` for a server of
    one model. Replaced, never changed, so that whoever holds it may read it.
    """

    def __init__(self, ticks_s: Callable[[], float]) -> None:
        self.windows: Windows = NOTHING
        self._ticks_s = ticks_s
        self._known: dict[str, Known] = {}
        self._pages: dict[str, Page] = {}
        self._tried_s: dict[str, float] = {}
        self._used_s = ticks_s()

    def now(self) -> Windows:
        """`windows`, for a request that comes now; while requests come, engines are asked."""
        self._used_s = self._ticks_s()
        return self.windows

    def of(self, backend: str, model_id: str) -> tuple[str, Resident, float] | None:
        """(engine, model, age in seconds); None where nothing is known. Not loaded is known."""
        known = self._known.get(backend)
        if known is None:
            return None
        held = among(model_id, known.found) or Resident(model_id, loaded=False)
        return known.kind, held, self._ticks_s() - known.at_s

    def known(self, backend: str) -> Known | None:
        """What an engine said, None where nothing is known."""
        return self._known.get(backend)

    async def keep(self, asked: Callable[[], Iterable[Asked]]) -> None:
        """Ask all of these at once, then again as they are used; runs until cancelled."""
        while True:
            await self.refresh(asked())
            await asyncio.sleep(LOOK_S)

    async def refresh(self, asked: Iterable[Asked]) -> None:
        """Ask those that are due."""
        every = {each.engine.name: each for each in asked}
        await asyncio.gather(*(self._ask(each) for name, each in every.items() if self._due(name)))
        self._known = {name: known for name, known in self._known.items() if name in every}
        self.windows = MappingProxyType(
            {
                (name, model_id): window
                for name, known in self._known.items()
                for model_id, window in windows(known.found)
            }
        )

    def _due(self, name: str) -> bool:
        """An engine that is none of these is not asked for its pages more than once a minute."""
        tried_s = self._tried_s.get(name)
        if tried_s is None:
            return True
        known = self._known.get(name)
        if known is None or self._used_s < tried_s:
            return self._ticks_s() - tried_s >= IDLE_S
        return self._ticks_s() - tried_s >= (SWAPPED_S if known.kind in SWAPPING else FRESH_S)

    async def _ask(self, asked: Asked) -> None:
        """One that does not answer keeps its last word for a while; one that changed loses it."""
        name = asked.engine.name
        begun_s = self._tried_s[name] = self._ticks_s()
        try:
            for page in self._tries(asked):
                found = read(page, *await asked.engine.look(page.path))
                if found is not None:
                    self._pages[name] = page
                    self._known[name] = Known(page.engine, found, begun_s)
                    return
        except BackendError:
            known = self._known.get(name)
            if known is not None and self._ticks_s() - known.at_s <= KEPT_S:
                return
        self._pages.pop(name, None)
        self._known.pop(name, None)

    def _tries(self, asked: Asked) -> tuple[Page, ...]:
        if asked.native:
            return (OLLAMA,)
        page = self._pages.get(asked.engine.name)
        return PAGES if page is None else (page,)
