"""What was used of flat plans: by quarter of an hour as we count it, and as their vendors say.

Windows slide. A vendor's own begins with its first request and holds no more than ours, so what we
count is never less than what it counts of the same requests. The first quarter of a window counts
as a whole.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, Protocol

from msgspec.structs import replace

from halfdoor.canon.plans import Fill, Plan, Standing, Told, Use, Window

QUARTER_MS: Final = 900_000
# The longest window that a configuration can have; what is older may be forgotten.
LONGEST_S: Final = 31 * 86_400

TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS uses (
         plan TEXT, quarter INTEGER, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
         PRIMARY KEY (plan, quarter)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS told (
         plan TEXT, window_s INTEGER, used_ppm INTEGER NOT NULL, until_ms INTEGER NOT NULL,
         PRIMARY KEY (plan, window_s)) STRICT, WITHOUT ROWID""",
)

_SUM: Final = """SELECT coalesce(sum(requests), 0), coalesce(sum(tokens), 0), min(quarter)
  FROM uses WHERE plan = ? AND quarter >= ? AND (requests > 0 OR tokens > 0)"""
_ADD: Final = """INSERT INTO uses VALUES (?, ?, max(?, 0), max(?, 0)) ON CONFLICT DO UPDATE
  SET requests = max(requests + ?, 0), tokens = max(tokens + ?, 0)"""
_NONE: Final = "DELETE FROM uses WHERE plan = ?"
_SAID: Final = "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?)"
_SAYS: Final = "SELECT window_s, used_ppm, until_ms FROM told WHERE plan = ? AND until_ms > ?"

# The ledger's file, in which they are kept.
FILE: Final = "ledger.db"

# Requests, tokens, and the first quarter in which there were any.
Sums = tuple[int, int, int | None]


class Uses(Protocol):
    """Where uses are kept."""

    def since(self, plan: str, quarter: int) -> Sums:
        """All that was used from a quarter on."""

    def add(self, use: Use, quarter: int) -> None:
        """Add to a quarter; a use may be negative, what was used never is."""

    def hear(self, plan: str, told: Sequence[Told]) -> None:
        """Keep what a vendor says."""

    def says(self, plan: str, now_ms: int) -> list[Told]:
        """What a vendor said that still holds, without words."""


class PaperUses:
    """In memory."""

    def __init__(self) -> None:
        self._uses: dict[str, dict[int, tuple[int, int]]] = {}
        self._told: dict[tuple[str, int], Told] = {}

    def since(self, plan: str, quarter: int) -> Sums:
        """See `Uses.since`."""
        kept = self._uses.get(plan, {}).items()
        found = {at: use for at, use in kept if at >= quarter and any(use)}
        requests, tokens = (sum(use[i] for use in found.values()) for i in (0, 1))
        return requests, tokens, min(found, default=None)

    def add(self, use: Use, quarter: int) -> None:
        """See `Uses.add`."""
        kept = self._uses.setdefault(use.plan, {})
        requests, tokens = kept.get(quarter, (0, 0))
        kept[quarter] = (max(requests + use.requests, 0), max(tokens + use.tokens, 0))

    def hear(self, plan: str, told: Sequence[Told]) -> None:
        """See `Uses.hear`."""
        self._told.update({(plan, each.window_s): each for each in told})

    def says(self, plan: str, now_ms: int) -> list[Told]:
        """See `Uses.says`."""
        return [t for (name, _), t in self._told.items() if name == plan and t.until_ms > now_ms]


class FiledUses:
    """In the ledger's file, inside whatever transaction is open there."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def since(self, plan: str, quarter: int) -> Sums:
        """See `Uses.since`."""
        requests, tokens, first = self._file.execute(_SUM, (plan, quarter)).fetchone()
        return requests, tokens, first

    def add(self, use: Use, quarter: int) -> None:
        """See `Uses.add`."""
        more = (use.requests, use.tokens)
        self._file.execute(_ADD, (use.plan, quarter, *more, *more))

    def hear(self, plan: str, told: Sequence[Told]) -> None:
        """See `Uses.hear`."""
        for each in told:
            self._file.execute(_SAID, (plan, each.window_s, each.used_ppm, each.until_ms))

    def says(self, plan: str, now_ms: int) -> list[Told]:
        """See `Uses.says`."""
        return [Told(*row) for row in self._file.execute(_SAYS, (plan, now_ms))]

    def begin(self, plan: str, used: Mapping[int, Use]) -> None:
        """Put what the books say in place of what was there."""
        self._file.execute(_NONE, (plan,))
        for quarter, use in used.items():
            self.add(use, quarter)


def heard(directory: Path, plan: str, now_ms: int) -> list[Told]:
    """What a vendor said, for whoever only looks; nothing where no ledger has been kept."""
    path = directory / FILE
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
            return FiledUses(file).says(plan, now_ms)
    except sqlite3.Error:
        return []


def has_room(uses: Uses, use: Use, windows: Sequence[Window], now_ms: int) -> bool:
    """May so much be used now?"""
    return all(_fits(uses, use, window, now_ms) for window in windows)


def standing(uses: Uses, plan: Plan, now_ms: int, where: tzinfo | None) -> Standing:
    """How a plan stands now. where: the time zone of its words."""
    fills = tuple(_fill(uses, plan.name, each, now_ms, where) for each in plan.windows)
    told = [replace(t, until=_words(t.until_ms, where)) for t in uses.says(plan.name, now_ms)]
    return Standing(fills, tuple(told))


def _fits(uses: Uses, use: Use, window: Window, now_ms: int) -> bool:
    requests, tokens, _ = uses.since(use.plan, _first(window, now_ms))
    return (window.requests is None or requests + use.requests <= window.requests) and (
        window.tokens is None or tokens + use.tokens <= window.tokens
    )


def _fill(uses: Uses, plan: str, window: Window, now_ms: int, where: tzinfo | None) -> Fill:
    requests, tokens, first = uses.since(plan, _first(window, now_ms))
    if first is None:
        return Fill()
    free_ms = (first + 1) * QUARTER_MS + window.seconds * 1000
    return Fill(requests, tokens, _words(free_ms, where))


def _first(window: Window, now_ms: int) -> int:
    return (now_ms - window.seconds * 1000) // QUARTER_MS


def _words(ms: int, where: tzinfo | None) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC).astimezone(where):%Y-%m-%d %H:%M %Z}"
