"""Parts of a gateway that fail as a seed says, and a journal of what really happened, in order."""

import random
from typing import Any, Final

from halfdoor.backends.scripted import ScriptedBackend
from halfdoor.canon.commands import FaultKind
from halfdoor.canon.labels import Label, Zone
from halfdoor.canon.record import Decided, Outcome
from halfdoor.detect.survey import Surveyor
from halfdoor.errors import LogError
from halfdoor.store.log import MemoryLog
from halfdoor.store.memory import Memory, Recollection

# What code that fails may raise; a plugin's or a library's own.
ERRORS: Final = (RuntimeError, ValueError, KeyError, MemoryError, RecursionError, OSError,
                 UnicodeDecodeError("utf-8", b"\xff", 0, 1, "scripted"), AssertionError)  # fmt: skip
SEAL: Final = b"s" * 32


class Journal:
    """events: (what, exchange, more): `decided`, `outcome`, `refused-entry`, `called`."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, Any]] = []

    def note(self, what: str, exchange: str, more: Any = None) -> None:
        self.events.append((what, exchange, more))


class Dice:
    """Faults of one kind: each throw fails with chance `odds`. thrown: how many did."""

    def __init__(self, chance: random.Random, odds: float) -> None:
        self._chance = chance
        self._odds = odds
        self.thrown = 0

    def __bool__(self) -> bool:
        """Does it fail this time?"""
        failed = self._chance.random() < self._odds
        self.thrown += failed
        return failed

    def throw(self) -> None:
        """Raise something if it fails this time."""
        if self:
            raise self._chance.choice(ERRORS)


class FailingDetector:
    """A detector that finds what another finds, when it does not fail."""

    def __init__(self, inner: Any, dice: Dice) -> None:
        self.name = inner.name
        self.identity = getattr(inner, "identity", "")
        self.reads_paths = getattr(inner, "reads_paths", True)
        self._inner = inner
        self._dice = dice

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def find(self, passage: Any) -> tuple[Label, ...]:
        self._dice.throw()
        found: tuple[Label, ...] = self._inner.find(passage)
        # And halfway: what it had found is lost with it.
        self._dice.throw()
        return found


class FailingCache:
    """A surveyor's cache of blocks that forgets, or breaks."""

    def __init__(self, inner: Any, dice: Dice, breaks: Dice) -> None:
        self._inner, self._dice, self._breaks = inner, dice, breaks

    def get(self, key: Any) -> Any:
        self._breaks.throw()
        return None if self._dice else self._inner.get(key)

    def keep(self, key: Any, seen: Any) -> None:
        self._breaks.throw()
        self._inner.keep(key, seen)


def fail_cache(surveyor: Surveyor, dice: Dice, breaks: Dice) -> None:
    """Give a surveyor such a cache."""
    failing: Any = FailingCache(surveyor._known, dice, breaks)
    surveyor._known = failing


class FailingLog(MemoryLog):
    """A log whose disk is full now and then, before the entry or after it."""

    def __init__(self, journal: Journal, dice: Dice) -> None:
        super().__init__(SEAL)
        self._journal = journal
        self._dice = dice

    async def append(self, entry: Any) -> Any:
        if self._dice:
            self._journal.note("refused-entry", entry.id, type(entry))
            raise LogError("scripted: no room", where="memory")
        permit = await super().append(entry)
        match entry:
            case Decided():
                self._journal.note("decided", entry.id, entry)
            case Outcome():
                self._journal.note("outcome", entry.id, entry)
        return permit


class FailingMemory(Memory):
    """A memory whose file cannot be read or written now and then: as the shared one says so.

    breaks: throws what nobody promised.
    """

    def __init__(self, now_ms: Any, dice: Dice, breaks: Dice) -> None:
        super().__init__(now_ms)
        self._dice = dice
        self._breaks = breaks

    async def recall(self, *of: Any, **more: Any) -> Any:
        self._breaks.throw()
        if self._dice:
            return Recollection(labels=(Label("scan-failed", "memory", "memory"),))
        return await super().recall(*of, **more)

    async def remember(self, *of: Any, **more: Any) -> None:
        self._breaks.throw()
        await super().remember(*of, **more)


class Witness(ScriptedBackend):
    """A scripted backend that notes each call that had leave, before anything of it is looked at."""

    def __init__(self, name: str, dialect: Any, zone: Zone, journal: Journal) -> None:
        super().__init__(name, dialect, zone, SEAL)
        self._journal = journal

    def permitted(self, target: Any, permit: Any) -> Zone:
        zone = super().permitted(target, permit)
        self._journal.note("called", permit.exchange, (self.name, self.zone, target.zone))
        return zone

    def script(self, turns: list[Any]) -> None:
        """The next answers, in place of what was left of the last script."""
        self._turns.clear()
        self._turns.extend(turns)
        self.calls.clear()


FAULTS: Final = tuple(
    kind for kind in FaultKind if kind not in {FaultKind.STATUS, FaultKind.STOPPED}
)
STATUSES: Final = (400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 529)
