"""The books: what the log says was spent, added up by quarter of an hour, who, and on what.

The log is the ledger; this file beside it is only its sum, so that a month is read in a moment. It
is brought up to date by whoever asks, continues where it stopped, and is made again when it is
lost or the log is another one.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import Struct
from msgspec.structs import astuple, replace

from halfdoor.canon.money import Usage
from halfdoor.canon.objectives import Objective
from halfdoor.canon.plans import Use
from halfdoor.canon.record import Attempt, Decided, Entry, Outcome, Planned
from halfdoor.decide.objectives import Level
from halfdoor.decide.plans import taken
from halfdoor.errors import LogError
from halfdoor.record.audit import Row
from halfdoor.record.tally import Series
from halfdoor.store import schema, tallies
from halfdoor.store.reader import LogReader

FILE: Final = "books.db"
VERSION: Final = 5
# Every offset of a time zone is a whole number of these, so a day anywhere is some of them.
QUARTER_S: Final = 900
_AT_ONCE: Final = 4096
# SQLite's integers end there; nothing real comes near, but a backend may claim anything.
LARGEST: Final = 2**63 - 1

_TABLES: Final = {
    "head": """CREATE TABLE IF NOT EXISTS head (
         only INTEGER PRIMARY KEY CHECK (only = 0), next INTEGER NOT NULL, last BLOB NOT NULL)
       STRICT""",
    "lines": """CREATE TABLE IF NOT EXISTS lines (
         quarter INTEGER, model TEXT, backend TEXT, zone TEXT, token TEXT, tool TEXT,
         project TEXT, labels TEXT, plan TEXT,
         exchanges INTEGER NOT NULL, early INTEGER NOT NULL,
         unknown INTEGER NOT NULL, input INTEGER NOT NULL, cached INTEGER NOT NULL,
         written INTEGER NOT NULL, output INTEGER NOT NULL, cost INTEGER NOT NULL,
         most INTEGER NOT NULL, worth INTEGER NOT NULL, unvalued INTEGER NOT NULL,
         plan_calls INTEGER NOT NULL, plan_tokens INTEGER NOT NULL, unbounded INTEGER NOT NULL,
         PRIMARY KEY (quarter, model, backend, zone, token, tool, project, labels, plan))
       STRICT, WITHOUT ROWID""",
    "open": """CREATE TABLE IF NOT EXISTS open (
         exchange TEXT PRIMARY KEY, quarter INTEGER NOT NULL, who TEXT NOT NULL, plan TEXT NOT NULL)
       STRICT, WITHOUT ROWID""",
    **tallies.TABLES,
}
_KEY_COLUMNS: Final = 9


class Who(Struct, frozen=True):
    """Who asked, as the log names them. labels: names, sorted, joined by commas."""

    token: str = ""
    tool: str = ""
    project: str = ""
    labels: str = ""


class Key(Struct, frozen=True):
    """What one line of the books adds up. quarter: quarters of an hour since 1970, UTC.

    model: its name in the price list where its card sends on any name, else its card's.
    plan: the flat plan that paid, "" for none.
    """

    quarter: int
    model: str
    backend: str
    zone: str
    token: str = ""
    tool: str = ""
    project: str = ""
    labels: str = ""
    plan: str = ""


class Sum(Struct, frozen=True):
    """What was added up.

    early: exchanges that broke off, whose cost is what was told until then. unknown: calls whose
    cost nobody knows; most: pico-USD that those may have cost at most, as far as it was estimated.
    Tokens are as in `Usage`; cost is pico-USD.
    worth: pico-USD at list prices of what flat plans paid for. unvalued: calls that one paid for
    and of which nobody knows that. plan_calls, plan_tokens: what calls took of one, those that
    nobody told of with the most that was held.
    unbounded: those of `unknown` of which not even the most is known.
    """

    exchanges: int = 0
    early: int = 0
    unknown: int = 0
    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    cost: int = 0
    most: int = 0
    worth: int = 0
    unvalued: int = 0
    plan_calls: int = 0
    plan_tokens: int = 0
    unbounded: int = 0


class Line(Struct, frozen=True):
    """One line of the books."""

    key: Key
    sum: Sum


class Pending(Struct, frozen=True):
    """An exchange without an outcome: it is under way, or halfdoor was killed in it."""

    exchange: str
    quarter: int
    who: Who
    plan: tuple[Planned, ...]


def plus(one: Sum, other: Sum) -> Sum:
    """Both together; no number grows beyond what the file can hold."""
    return Sum(*(min(a + b, LARGEST) for a, b in zip(astuple(one), astuple(other), strict=True)))


class Books:
    """The books in `directory`; a context manager. Raises LogError if they cannot be kept."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / FILE
        try:
            self._file = _opened(self._path)
        except (OSError, sqlite3.Error) as error:
            raise _damaged(self._path, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def catch_up(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Enter all that the log holds by now. progress: gets the log's position reached.

        Raises LogError. Without a log there is nothing to enter.
        """
        if not (self._directory / schema.FILE).exists():
            return
        with LogReader(self._directory) as log, self._heard():
            self._same_log(log)
            while self._batch(log):
                progress(self._next())

    def lines(self, since_ms: int = 0, until_ms: int | None = None) -> Iterator[Line]:
        """The lines from one moment to another, both rounded down to a quarter of an hour."""
        first = since_ms // 1000 // QUARTER_S
        last = LARGEST if until_ms is None else until_ms // 1000 // QUARTER_S
        query = "SELECT * FROM lines WHERE quarter >= ? AND quarter < ? ORDER BY quarter"
        for row in self._rows(query, (first, last)):
            yield Line(Key(*row[:_KEY_COLUMNS]), Sum(*row[_KEY_COLUMNS:]))

    def first(self) -> int | None:
        """The quarter of an hour of the first line; None before there is one."""
        found = self._rows("SELECT min(quarter) FROM lines", ())
        return found[0][0] if found else None

    def pending(self, since_ms: int = 0) -> Iterator[Pending]:
        """Exchanges without an outcome, decided at that moment or later."""
        query = "SELECT * FROM open WHERE quarter >= ? ORDER BY exchange"
        for exchange, quarter, who, plan in self._rows(query, (since_ms // 1000 // QUARTER_S,)):
            yield Pending(exchange, quarter, _who.decode(who), _plan.decode(plan))

    def sums(self) -> dict[Series, int]:
        """What the meters count, see `record/meters.py`."""
        with self._heard():
            return tallies.sums(self._file)

    def standing(self, objectives: Iterable[Objective], now_ms: int) -> tuple[Level, ...]:
        """How the objectives stand at that moment."""
        with self._heard():
            return tallies.standing(self._file, objectives, now_ms)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _damaged(self._path, error) from None

    def _rows(self, query: str, values: tuple[object, ...]) -> Sequence[tuple[Any, ...]]:
        with self._heard():
            return self._file.execute(query, values).fetchall()

    def _next(self) -> int:
        row = self._file.execute("SELECT next FROM head").fetchone()
        return int(row[0]) if row else 0

    def _same_log(self, log: LogReader) -> None:
        """Begin again if what was entered last is not in this log."""
        row = self._file.execute("SELECT next, last FROM head").fetchone()
        if row is None:
            return
        there = next(iter(log.rows(after=row[0] - 2)), None)
        if there is None or there.seq != row[0] - 1 or there.hash != row[1]:
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                for table in _TABLES:
                    self._file.execute(f"DELETE FROM {table}")  # noqa: S608  a fixed name

    def _batch(self, log: LogReader) -> bool:
        """Enter some entries; False when there was none. One process at a time."""
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            rows = log.rows(after=self._next() - 1)
            taken = [row for row, _ in zip(rows, range(_AT_ONCE), strict=False)]
            if taken:
                _Entering(self._file).enter(log, taken)
        return bool(taken)


class _Entering:
    """One batch of the log on its way into the file, inside a transaction."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        self._open: dict[str, Pending] = {}
        self._sums: dict[Key, Sum] = {}

    def enter(self, log: LogReader, rows: Sequence[Row]) -> None:
        entries = [log.entry(row) for row in rows]
        for each in entries:
            self._entry(each)
        tallies.enter(self._file, entries)
        for key, more in self._sums.items():
            self._add(key, more)
        holes = "(?, ?, ?, ?)"
        self._file.executemany(
            f"INSERT OR REPLACE INTO open VALUES {holes}",  # noqa: S608  holes only
            [(p.exchange, p.quarter, _json(p.who), _json(p.plan)) for p in self._open.values()],
        )
        head = (rows[-1].seq + 1, rows[-1].hash)
        self._file.execute("INSERT OR REPLACE INTO head VALUES (0, ?, ?)", head)

    def _entry(self, found: Entry) -> None:
        match found:
            case Decided() if found.plan:
                who = _asked_by(found)
                self._open[found.id] = Pending(found.id, quarter(found.time), who, found.plan)
            case Outcome():
                pending = self._closed(found.id)
                if pending is not None:
                    self._outcome(pending, found)
            case _:
                pass

    def _closed(self, exchange: str) -> Pending | None:
        pending = self._open.pop(exchange, None)
        if pending is None:
            query = "DELETE FROM open WHERE exchange = ? RETURNING quarter, who, plan"
            row = self._file.execute(query, (exchange,)).fetchone()
            if row is None:
                return None
            pending = Pending(exchange, row[0], _who.decode(row[1]), _plan.decode(row[2]))
        return pending

    def _outcome(self, pending: Pending, found: Outcome) -> None:
        """Each call costs under its own model; the exchange and its tokens stand under the last."""
        who, last = pending.who, len(found.attempts) - 1
        for at, attempt in enumerate(found.attempts):
            key = Key(
                pending.quarter,
                attempt.priced_as or attempt.model,
                attempt.backend,
                attempt.zone,
                who.token,
                who.tool,
                who.project,
                who.labels,
                attempt.plan,
            )
            planned = next((p for p in pending.plan if p.model == attempt.model), None)
            more = _costs(attempt, planned, found.usage if at == last else None)
            if at == last:
                more = plus(more, _used(found))
            self._sums[key] = plus(self._sums.get(key, Sum()), more)

    def _add(self, key: Key, more: Sum) -> None:
        values = astuple(key)
        where = " AND ".join(f"{name} = ?" for name in Key.__struct_fields__)
        row = self._file.execute(f"SELECT * FROM lines WHERE {where}", values).fetchone()  # noqa: S608  names only
        before = Sum(*row[_KEY_COLUMNS:]) if row else Sum()
        total = (*values, *astuple(plus(before, more)))
        holes = ", ".join("?" * len(total))
        self._file.execute(f"INSERT OR REPLACE INTO lines VALUES ({holes})", total)  # noqa: S608  holes only


def _costs(attempt: Attempt, planned: Planned | None, usage: Usage | None) -> Sum:
    """usage: what the log knows of it, of the last call only; an earlier one took its most."""
    if attempt.plan:
        held = Use(attempt.plan, 1, planned.tokens if planned else 0)
        use = taken(held, attempt, usage)
        return Sum(
            cost=attempt.cost or 0,
            worth=attempt.worth or 0,
            unvalued=int(attempt.worth is None),
            plan_calls=use.requests,
            plan_tokens=use.tokens,
        )
    if attempt.cost is not None:
        return Sum(cost=attempt.cost)
    most = planned.most if planned else None
    return Sum(unknown=1, most=most or 0, unbounded=int(most is None))


def _used(found: Outcome) -> Sum:
    usage = found.usage
    tokens = Sum(exchanges=1, early=int(found.result in {"hung-up", "failed"}))
    if usage is None:
        return tokens
    return replace(
        tokens,
        input=usage.input_tokens,
        cached=usage.cached_tokens,
        written=usage.cache_write_tokens,
        output=usage.output_tokens,
    )


def _asked_by(found: Decided) -> Who:
    labels = ",".join(sorted({each.label for each in found.labels}))
    return Who(found.token, found.tool, found.project, labels)


def quarter(time: str) -> int:
    """The quarter of an hour of an entry's time."""
    return int(datetime.fromisoformat(time).timestamp()) // QUARTER_S


_who: Final = msgspec.json.Decoder(Who)
_plan: Final = msgspec.json.Decoder(tuple[Planned, ...])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    file = sqlite3.connect(path, timeout=schema.BUSY_TIMEOUT_S, isolation_level=None)
    try:
        schema.write_ahead(file)
        file.execute("PRAGMA synchronous = NORMAL")
        if file.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            _begin_again(file)
    except sqlite3.Error:
        file.close()
        raise
    return file


def _begin_again(file: sqlite3.Connection) -> None:
    with file:
        file.execute("BEGIN IMMEDIATE")
        for table in _TABLES:
            file.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in _TABLES.values():
            file.execute(statement)
        file.execute(f"PRAGMA user_version = {VERSION}")


def _damaged(path: Path, error: Exception) -> LogError:
    return LogError(
        f"the books cannot be kept: {error}",
        where=str(path),
        hint="delete the file: it is made again from the log",
    )
