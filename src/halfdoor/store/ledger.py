"""The ledger: what each purse has taken in its current period, spent and held.

`Ledger` keeps it in memory; `SharedLedger` in a file, for all processes on one state directory. In
both a hold is taken before a call, and replaced by its cost afterwards. The file is no evidence: it
is made from the log's books by the first process that opens it, so after a crash it says what the
log says, and what was under way counts with the most that it may have cost.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from halfdoor.canon.commands import Hold, Reserve, Settle, Short
from halfdoor.canon.money import Budget, Purse, Spending
from halfdoor.canon.plans import Plan, Standings, Use
from halfdoor.errors import LogError
from halfdoor.store.periods import Period, period
from halfdoor.store.schema import write_ahead
from halfdoor.store.uses import (
    FILE,
    LONGEST_S,
    QUARTER_MS,
    TABLES,
    FiledUses,
    PaperUses,
    Uses,
    has_room,
    standing,
)

PRESENCE: Final = "ledger.users"
BUSY_TIMEOUT_S: Final = 5.0
# SQLite's integers end there.
_LARGEST: Final = 2**63 - 1

_TABLE: Final = """CREATE TABLE IF NOT EXISTS purses (
  budget TEXT, key TEXT, start_ms INTEGER NOT NULL, taken INTEGER NOT NULL,
  PRIMARY KEY (budget, key)) STRICT, WITHOUT ROWID"""
_ONE: Final = "SELECT key, start_ms, taken FROM purses WHERE budget = ? AND key = ?"
_ALL: Final = "SELECT key, start_ms, taken FROM purses WHERE budget = ?"
_SET: Final = "INSERT OR REPLACE INTO purses VALUES (?, ?, ?, ?)"

Opening = Callable[[Budget, int], Mapping[str, int]]
Used = Callable[[Plan, int], Mapping[int, Use]]
T = TypeVar("T")


class Calendar:
    """Knows each budget's current period; asks the clock and a time zone."""

    def __init__(
        self, budgets: Iterable[Budget], now_ms: Callable[[], int], where: tzinfo | None
    ) -> None:
        self._kinds = {budget.name: budget.period for budget in budgets}
        self._now_ms = now_ms
        self._where = where
        self._periods: dict[str, Period] = {}

    def of(self, budget: str) -> Period:
        """The period that a budget is in now."""
        return self._current(self._kinds[budget])

    def until(self) -> dict[str, str]:
        """When each period ends, in words."""
        return {kind: self._current(kind).until for kind in set(self._kinds.values())}

    def now_ms(self) -> int:
        """Unix time, milliseconds."""
        return self._now_ms()

    def standings(self, uses: Uses, plans: Iterable[Plan]) -> Standings:
        """How plans stand now."""
        now_ms = self._now_ms()
        return {each.name: standing(uses, each, now_ms, self._where) for each in plans}

    def _current(self, kind: str) -> Period:
        now_ms = self._now_ms()
        known = self._periods.get(kind)
        if known is None or not known.start_ms <= now_ms < known.until_ms:
            known = self._periods[kind] = period(kind, now_ms, self._where)
        return known


class Ledger:
    """In memory: a shipped fake, and what one process alone could use."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._taken: dict[Purse, tuple[int, int]] = {}
        self._uses = PaperUses()

    async def spending(
        self, purses: Sequence[tuple[str, str | None]], plans: Sequence[Plan] = ()
    ) -> Spending:
        """See `flow.ports.Ledger.spending`."""
        names = {name for name, _ in purses}
        taken = {purse: self._now(purse) for purse in self._taken if purse[0] in names}
        standings = self._calendar.standings(self._uses, plans)
        return Spending(taken, self._calendar.until(), standings)

    async def reserve(self, command: Reserve) -> Hold | Short:
        """See `flow.ports.Ledger.reserve`."""
        for draw in command.draws:
            left = None if draw.limit is None else draw.limit - self._now(draw.purse)
            if left is not None and command.amount > left:
                return Short(draw.purse, max(0, left))
        now_ms = self._calendar.now_ms()
        if _no_room(self._uses, command, now_ms):
            return _full(command)
        starts = tuple(self._calendar.of(draw.purse[0]).start_ms for draw in command.draws)
        for draw, start in zip(command.draws, starts, strict=True):
            self._taken[draw.purse] = (start, self._now(draw.purse) + command.amount)
        return _held(self._uses, command, starts, now_ms)

    async def settle(self, command: Settle) -> None:
        """See `flow.ports.Ledger.settle`."""
        hold = command.hold
        _used(self._uses, command)
        if command.cost is None:
            return
        for draw, start in zip(hold.draws, hold.periods, strict=True):
            began, taken = self._taken.get(draw.purse, (0, 0))
            if began == start:
                self._taken[draw.purse] = (start, taken - hold.amount + command.cost)

    async def close(self) -> None:
        """Nothing to close."""

    def _now(self, purse: Purse) -> int:
        began, taken = self._taken.get(purse, (0, 0))
        return taken if began == self._calendar.of(purse[0]).start_ms else 0


class SharedLedger:
    """In `directory`, for all processes there. Raises LogError when it cannot be opened.

    opening: what a budget's purses had taken, by key, since a moment (Unix ms), from the books; it
    is asked once, when no other process uses the ledger. used: the same of plans, by quarter of an
    hour.
    """

    def __init__(
        self,
        directory: Path,
        calendar: Calendar,
        budgets: Sequence[Budget],
        opening: Opening,
        plans: Sequence[Plan] = (),
        used: Used = lambda _plan, _since: {},
    ) -> None:
        self._calendar = calendar
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="halfdoor-ledger")
        self._path = directory / FILE
        try:
            self._presence = _opened(directory / PRESENCE)
            self._file = _opened(self._path)
            write_ahead(self._file)
            self._file.execute("PRAGMA synchronous = NORMAL")
            for table in (_TABLE, *TABLES):
                self._file.execute(table)
            self._uses = FiledUses(self._file)
            self._join(partial(self._begin_again, budgets, opening, plans, used))
        except (OSError, sqlite3.Error) as error:
            raise _damaged(self._path, error) from None

    async def spending(
        self, purses: Sequence[tuple[str, str | None]], plans: Sequence[Plan] = ()
    ) -> Spending:
        """See `flow.ports.Ledger.spending`."""
        if not purses and not plans:
            return Spending()
        taken, standings = await self._do(self._read_both, purses, plans)
        return Spending(taken, self._calendar.until(), standings)

    async def reserve(self, command: Reserve) -> Hold | Short:
        """See `flow.ports.Ledger.reserve`."""
        return await self._do(self._reserve, command)

    async def settle(self, command: Settle) -> None:
        """See `flow.ports.Ledger.settle`."""
        if command.cost is not None or command.use is not None or command.told:
            await self._do(self._settle, command)

    async def close(self) -> None:
        """Close the file; nothing is held from here on."""
        await self._do(self._file.close)
        await self._do(self._presence.close)
        self._thread.shutdown(wait=False)

    def _join(self, begin_again: Callable[[], None]) -> None:
        """Be known as a user of the ledger; whoever is the only one makes it from the books."""
        with contextlib.suppress(sqlite3.OperationalError):  # another process uses it
            self._presence.execute("PRAGMA busy_timeout = 0")
            self._presence.execute("BEGIN EXCLUSIVE")
            begin_again()
            self._presence.execute("COMMIT")
        self._presence.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
        # A read that never ends: the lock goes when this process does, however that ends.
        self._presence.execute("BEGIN")
        self._presence.execute("SELECT * FROM sqlite_master").fetchall()

    def _begin_again(
        self, budgets: Sequence[Budget], opening: Opening, plans: Sequence[Plan], used: Used
    ) -> None:
        since_ms = self._calendar.now_ms() - LONGEST_S * 1000
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.execute("DELETE FROM purses")
            for budget in budgets:
                start = self._calendar.of(budget.name).start_ms
                for key, taken in opening(budget, start).items():
                    self._file.execute(_SET, (budget.name, key, start, min(taken, _LARGEST)))
            for plan in plans:
                self._uses.begin(plan.name, used(plan, since_ms))

    def _read_both(
        self, purses: Sequence[tuple[str, str | None]], plans: Sequence[Plan]
    ) -> tuple[dict[Purse, int], Standings]:
        return self._read(purses), self._calendar.standings(self._uses, plans)

    def _read(self, purses: Sequence[tuple[str, str | None]]) -> dict[Purse, int]:
        found: dict[Purse, int] = {}
        for name, key in purses:
            start = self._calendar.of(name).start_ms
            one = key is not None
            rows = self._file.execute(_ONE if one else _ALL, (name, key) if one else (name,))
            found.update({(name, k): taken for k, began, taken in rows if began == start})
        return found

    def _reserve(self, command: Reserve) -> Hold | Short:
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            before = self._read([draw.purse for draw in command.draws])
            for draw in command.draws:
                left = None if draw.limit is None else draw.limit - before.get(draw.purse, 0)
                if left is not None and command.amount > left:
                    return Short(draw.purse, max(0, left))
            now_ms = self._calendar.now_ms()
            if _no_room(self._uses, command, now_ms):
                return _full(command)
            starts = tuple(self._calendar.of(draw.purse[0]).start_ms for draw in command.draws)
            for draw, start in zip(command.draws, starts, strict=True):
                self._set(draw.purse, start, before.get(draw.purse, 0) + command.amount)
            return _held(self._uses, command, starts, now_ms)

    def _settle(self, command: Settle) -> None:
        hold = command.hold
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            _used(self._uses, command)
            if command.cost is None:
                return
            more = command.cost - hold.amount
            for draw, start in zip(hold.draws, hold.periods, strict=True):
                row = self._file.execute(_ONE, draw.purse).fetchone()
                if row is not None and row[1] == start:
                    self._set(draw.purse, start, row[2] + more)

    def _set(self, purse: Purse, start: int, taken: int) -> None:
        self._file.execute(_SET, (*purse, start, min(max(taken, 0), _LARGEST)))

    async def _do(self, work: Callable[..., T], *of: object) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *of)
        except sqlite3.Error as error:
            raise _damaged(self._path, error) from None


def _no_room(uses: Uses, command: Reserve, now_ms: int) -> bool:
    use = command.use
    return use is not None and not has_room(uses, use, command.windows, now_ms)


def _full(command: Reserve) -> Short:
    assert command.use is not None
    return Short(("", ""), 0, command.use.plan)


def _held(uses: Uses, command: Reserve, starts: tuple[int, ...], now_ms: int) -> Hold:
    if command.use is not None:
        uses.add(command.use, now_ms // QUARTER_MS)
    return Hold(command.draws, command.amount, starts, command.use, now_ms)


def _used(uses: Uses, command: Settle) -> None:
    """Replace what was held of a plan by what was used, where it was held."""
    hold = command.hold
    if hold.use is None:
        return
    uses.hear(hold.use.plan, command.told)
    if (use := command.use) is not None:
        requests, tokens = use.requests - hold.use.requests, use.tokens - hold.use.tokens
        uses.add(Use(use.plan, requests, tokens), hold.used_ms // QUARTER_MS)


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )


def _damaged(path: Path, error: Exception) -> LogError:
    return LogError(
        f"the ledger cannot be kept: {error}",
        where=str(path),
        hint="stop halfdoor and delete the file: it is made again from the log",
    )
