"""The meters' sums and each backend's calls by minute, in the books' file.

They are entered with the books, in one transaction, from the same entries: what `/metrics` counts
is what `cost` adds up, for every process on one log.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from halfdoor.canon.objectives import Counted, Objective
from halfdoor.canon.record import Entry, Outcome
from halfdoor.decide.objectives import WINDOWS, Level, levels
from halfdoor.record.tally import Called, Series, Tally, calls

TABLES: Final = {
    "tallies": """CREATE TABLE IF NOT EXISTS tallies (
         meter TEXT, labels TEXT, part TEXT, value INTEGER NOT NULL,
         PRIMARY KEY (meter, labels, part)) STRICT, WITHOUT ROWID""",
    "calls": """CREATE TABLE IF NOT EXISTS calls (
         minute INTEGER, backend TEXT, failed INTEGER, tenths INTEGER, number INTEGER NOT NULL,
         PRIMARY KEY (minute, backend, failed, tenths)) STRICT, WITHOUT ROWID""",
}
# SQLite's integers end there.
_LARGEST: Final = 2**63 - 1
_KEPT_MIN: Final = max(WINDOWS.values()) // 60 + 60
_SUM: Final = f"min({_LARGEST} - value, excluded.value) + value"
_ADD: Final = f"""INSERT INTO tallies VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET value = {_SUM}"""  # noqa: S608  a constant
_CALLED: Final = """INSERT INTO calls VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET number = number + excluded.number"""
_COUNTED: Final = """SELECT sum(number), sum(number * failed),
    sum(number * (failed = 0 AND tenths >= 0)),
    sum(number * (failed = 0 AND tenths > ?))
  FROM calls WHERE backend = ? AND minute > ?"""
_labels: Final = msgspec.json.Decoder(tuple[str, ...])


def enter(file: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Add entries up, inside the caller's transaction."""
    tally = Tally(_known(file))
    by_minute: dict[tuple[int, Called], int] = {}
    newest = 0
    for entry in entries:
        tally.take(entry)
        if isinstance(entry, Outcome):
            minute = int(datetime.fromisoformat(entry.time).timestamp()) // 60
            newest = max(newest, minute)
            for call in calls(entry):
                by_minute[minute, call] = by_minute.get((minute, call), 0) + 1
    file.executemany(_ADD, [(*_key(s), min(n, _LARGEST)) for s, n in tally.more.items()])
    rows = [(m, c.backend, int(c.failed), c.tenths, n) for (m, c), n in by_minute.items()]
    file.executemany(_CALLED, rows)
    if newest:
        file.execute("DELETE FROM calls WHERE minute < ?", (newest - _KEPT_MIN,))


def sums(file: sqlite3.Connection) -> dict[Series, int]:
    """Every number, in the order of its name."""
    rows = file.execute("SELECT meter, labels, part, value FROM tallies ORDER BY meter, labels")
    return {Series(meter, _labels.decode(labels), part): n for meter, labels, part, n in rows}


def standing(
    file: sqlite3.Connection, objectives: Iterable[Objective], now_ms: int
) -> tuple[Level, ...]:
    """How the objectives stand, over every window that ends now."""
    found: list[Level] = []
    for each in objectives:
        found += levels(each, _counted(file, each, now_ms))
    return tuple(found)


def _counted(file: sqlite3.Connection, objective: Objective, now_ms: int) -> Mapping[str, Counted]:
    """Whole minutes, the one under way among them."""
    limit = _LARGEST if objective.first_tenths is None else objective.first_tenths
    minute = now_ms // 60_000
    found = {}
    for name, seconds in WINDOWS.items():
        values = (limit, objective.backend, minute - seconds // 60)
        row = file.execute(_COUNTED, values).fetchone()
        found[name] = Counted(*(number or 0 for number in row))
    return found


def _known(file: sqlite3.Connection) -> dict[str, set[tuple[str, ...]]]:
    known: dict[str, set[tuple[str, ...]]] = {}
    for meter, labels in file.execute("SELECT DISTINCT meter, labels FROM tallies"):
        known.setdefault(meter, set()).add(_labels.decode(labels))
    return known


def _key(series: Series) -> tuple[str, str, str]:
    return series.meter, msgspec.json.encode(series.labels).decode(), series.part
