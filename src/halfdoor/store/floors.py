"""Floors of sessions: in a file beside the log, shared by all processes of this machine.

What is known is answered from memory. Whoever changes a floor rings a bell, and everybody looks the
file up again: so a floor holds, and a lift counts, for the very next request of any process.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec import Struct, structs

from halfdoor.canon.commands import Floor
from halfdoor.canon.labels import Label
from halfdoor.errors import LogError
from halfdoor.store.bell import Bell
from halfdoor.store.schema import write_ahead

FILE: Final = "sessions.db"
BELL: Final = "sessions.bell"
LASTS_MS: Final = 24 * 60 * 60 * 1000
KEY_CHARS: Final = 12
BUSY_TIMEOUT_S: Final = 5.0
_MOST_KNOWN: Final = 100_000
_MOST_KEPT: Final = 100_000
_AT_ONCE: Final = 500

_TABLE: Final = """CREATE TABLE IF NOT EXISTS floors (
  mark BLOB PRIMARY KEY, session TEXT NOT NULL, since_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL, labels TEXT NOT NULL, token TEXT NOT NULL, tool TEXT NOT NULL,
  project TEXT NOT NULL) STRICT, WITHOUT ROWID"""
_KEEP: Final = "INSERT OR REPLACE INTO floors VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_EXPIRED: Final = "DELETE FROM floors WHERE until_ms <= ?"
_SURPLUS: Final = """DELETE FROM floors WHERE mark IN (
  SELECT mark FROM floors ORDER BY until_ms DESC LIMIT -1 OFFSET ?)"""
_ALL: Final = "SELECT * FROM floors WHERE until_ms > ? ORDER BY since_ms"
_LIFT: Final = "DELETE FROM floors WHERE session = ?"

_names: Final = msgspec.json.Decoder(tuple[str, ...])
T = TypeVar("T")


class Standing(Struct, frozen=True):
    """One floor. session: short name, keyed. times: Unix, milliseconds. No content."""

    mark: bytes
    session: str
    since_ms: int
    until_ms: int
    labels: tuple[str, ...]
    token: str = ""
    tool: str = ""
    project: str = ""


class Under(Struct, frozen=True):
    """Obeys `flow.ports.Under`."""

    labels: tuple[Label, ...] = ()
    session: str = ""


_NOTHING: Final = Under()
_FAILED: Final = Under((Label("scan-failed", "session", "sessions"),))


class Floors:
    """In memory only; obeys `flow.ports.Floors`. lasts_ms: after the last answered request."""

    def __init__(self, now_ms: Callable[[], int], lasts_ms: int = LASTS_MS) -> None:
        self._now_ms = now_ms
        self._lasts_ms = lasts_ms
        self._floors: dict[bytes, Standing] = {}

    async def under(self, marks: tuple[bytes, ...]) -> Under:
        """See `flow.ports.Floors.under`."""
        now = self._now_ms()
        known = [self._floors[mark] for mark in marks if mark in self._floors]
        return merged(each for each in known if each.until_ms > now)

    async def hold(self, floor: Floor) -> None:
        """See `flow.ports.Floors.hold`."""
        for each in raised(floor, self._floors, self._now_ms(), self._lasts_ms):
            self._floors[each.mark] = each

    async def standing(self) -> tuple[Standing, ...]:
        """All floors that hold."""
        return tuple(each for each in self._floors.values() if each.until_ms > self._now_ms())

    async def lift(self, session: str) -> None:
        """Take a session's floor away."""
        self._floors = {k: v for k, v in self._floors.items() if v.session != session}


class SharedFloors:
    """Implements `flow.ports.Floors` over `directory`/sessions.db. Raises LogError."""

    def __init__(
        self, directory: Path, now_ms: Callable[[], int], lasts_ms: int = LASTS_MS
    ) -> None:
        self._now_ms = now_ms
        self._lasts_ms = lasts_ms
        self._known: OrderedDict[bytes, Standing | None] = OrderedDict()
        # What the file did not take, this process still knows.
        self._untold: dict[bytes, Standing] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="halfdoor-sessions")
        self._file = _opened(directory / FILE, now_ms())
        self._bell = Bell(directory / BELL)
        self._heard = self._bell.note()

    async def under(self, marks: tuple[bytes, ...]) -> Under:
        """See `flow.ports.Floors.under`."""
        note = self._bell.note()
        if note != self._heard:
            self._heard = note
            self._known.clear()
        strange = tuple(mark for mark in marks if mark not in self._known)
        # INVARIANT: taken before anything is awaited: meanwhile others may forget what is known.
        standing = [each for mark in marks if (each := self._known.get(mark)) is not None]
        if strange:
            try:
                found = await self._do(self._find, strange)
            except (sqlite3.Error, msgspec.MsgspecError):
                return _FAILED
            if self._bell.note() == note:
                self._learn(strange, found)
            standing += found.values()
            # Held by this process in the meantime.
            standing += [each for mark in strange if (each := self._known.get(mark)) is not None]
        untold, now = self._untold, self._now_ms()
        if untold:
            standing += [untold[mark] for mark in marks if mark in untold]
        return merged(each for each in standing if each.until_ms > now)

    async def hold(self, floor: Floor) -> None:
        """See `flow.ports.Floors.hold`."""
        floor = self._with_untold(floor)
        before = {mark: each for mark in floor.marks if (each := self._known.get(mark))}
        now = self._now_ms()
        if all(self._says(before.get(mark), floor, now) for mark in floor.marks):
            return
        try:
            held, news = await self._do(self._keep, floor, now)
        except (sqlite3.Error, msgspec.MsgspecError):
            rows = raised(floor, {**before, **self._untold}, now, self._lasts_ms)
            self._untold.update({each.mark: each for each in rows})
            return
        for each in held:
            self._known[each.mark] = each
            self._untold.pop(each.mark, None)
        if news:
            self._bell.ring()

    async def standing(self) -> tuple[Standing, ...]:
        """All floors that hold. Raises LogError."""
        try:
            return await self._do(standing, self._file, self._now_ms())
        except sqlite3.Error as error:
            raise _damaged(FILE, error) from None

    async def lift(self, session: str) -> None:
        """Take a session's floor away, for all processes. Raises LogError; then it stays."""
        try:
            await self._do(self._file.execute, _LIFT, (session,))
        except sqlite3.Error as error:
            raise _damaged(FILE, error) from None
        self._untold = {k: v for k, v in self._untold.items() if v.session != session}
        self._known.clear()
        self._bell.ring()

    async def close(self) -> None:
        """Close the file; nothing is held from here on."""
        await self._do(self._file.close)
        self._thread.shutdown(wait=False)
        self._bell.close()

    def _with_untold(self, floor: Floor) -> Floor:
        """The floor with what the file did not take before: it is tried again."""
        untold = [each for mark in floor.marks if (each := self._untold.get(mark))]
        if not untold:
            return floor
        names = {*floor.labels, *(name for each in untold for name in each.labels)}
        return structs.replace(floor, labels=tuple(sorted(names)))

    def _says(self, known: Standing | None, floor: Floor, now_ms: int) -> bool:
        """Is it in the file already, and to last nearly as long?"""
        if known is None:
            return not floor.labels
        if not {*floor.labels} <= {*known.labels}:
            return False
        return known.until_ms > now_ms + self._lasts_ms * 0.95

    def _learn(self, marks: tuple[bytes, ...], found: dict[bytes, Standing]) -> None:
        self._known.update((mark, found.get(mark)) for mark in marks)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _find(self, marks: tuple[bytes, ...]) -> dict[bytes, Standing]:
        found = {}
        for at in range(0, len(marks), _AT_ONCE):
            some = marks[at : at + _AT_ONCE]
            holes = ",".join("?" * len(some))
            query = f"SELECT * FROM floors WHERE mark IN ({holes})"  # noqa: S608  holes only
            rows = self._file.execute(query, some)
            found.update({row[0]: _standing(row) for row in rows})
        return found

    def _keep(self, floor: Floor, now_ms: int) -> tuple[list[Standing], bool]:
        """The floors as they stand now, and whether that is news. Labels only add up."""
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.execute(_EXPIRED, (now_ms,))
            before = self._find(floor.marks)
            held = raised(floor, before, now_ms, self._lasts_ms)
            for each in held:
                labels = msgspec.json.encode(each.labels).decode()
                rest = (each.token, each.tool, each.project)
                row = (each.mark, each.session, each.since_ms, each.until_ms, labels, *rest)
                self._file.execute(_KEEP, row)
            self._file.execute(_SURPLUS, (_MOST_KEPT,))
        old = {mark: each.labels for mark, each in before.items()}
        return held, any(old.get(each.mark) != each.labels for each in held)

    async def _do(self, work: Callable[..., T], *of: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *of)


def merged(floors: Iterable[Standing]) -> Under:
    """All that several floors hold, under the name of the first."""
    found = tuple(floors)
    if not found:
        return _NOTHING
    names = dict.fromkeys(name for each in found for name in each.labels)
    labels = tuple(Label(name, "session", "sessions") for name in names)
    return Under(labels, found[0].session)


def raised(
    floor: Floor, before: dict[bytes, Standing], now_ms: int, lasts_ms: int
) -> list[Standing]:
    """A floor as it stands once this one is added. INVARIANT: labels only add up."""
    known = [before[mark] for mark in floor.marks if mark in before]
    known = [each for each in known if each.until_ms > now_ms]
    if not known and not floor.labels:
        return []
    session = known[0].session if known else floor.marks[0].hex()[:KEY_CHARS]
    since_ms = min((each.since_ms for each in known), default=now_ms)
    return [
        Standing(
            mark,
            session,
            since_ms,
            now_ms + lasts_ms,
            tuple(sorted({*floor.labels, *(name for each in known for name in each.labels)})),
            floor.token,
            floor.tool,
            floor.project,
        )
        for mark in floor.marks
    ]


def standing(file: sqlite3.Connection, now_ms: int) -> tuple[Standing, ...]:
    """All floors of a file that hold."""
    return tuple(_standing(row) for row in file.execute(_ALL, (now_ms,)))


def read(directory: Path, now_ms: int) -> tuple[Standing, ...]:
    """All floors that hold, beside whoever else uses the file. Raises LogError."""
    path = directory / FILE
    if not path.exists():
        return ()
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as file:
            return standing(file, now_ms)
    except sqlite3.Error as error:
        raise _damaged(str(path), error) from None


def _standing(row: tuple[bytes, str, int, int, str, str, str, str]) -> Standing:
    mark, session, since_ms, until_ms, labels, *rest = row
    return Standing(mark, session, since_ms, until_ms, _names.decode(labels), *rest)


def _opened(path: Path, now_ms: int) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        file = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        write_ahead(file)
        file.execute("PRAGMA synchronous = NORMAL")
        file.execute(_TABLE)
        file.execute(_EXPIRED, (now_ms,))
    except (OSError, sqlite3.Error) as error:
        raise _damaged(str(path), error) from None
    return file


def _damaged(where: str, error: Exception) -> LogError:
    return LogError(
        f"the sessions' floors cannot be read: {error}",
        where=where,
        hint="check the folder; a damaged file may be deleted, and sessions lose their floors",
    )
