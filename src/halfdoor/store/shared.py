"""Memory that several processes share and a restart keeps: marks in a file beside the log.

What this process has seen is answered from memory; only marks it never met are looked up in the
file, each once. That is enough, because a mark that matters is in the file before the client can
send it back. Texts that labels follow are all held in memory, by every process: one that keeps a
source rings a bell (`store/bell.py`), and the others read it before they answer the next look-up.
Nothing here is flushed to the disk: after a power cut older marks may be missing, after a crash of
the process none is.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from halfdoor.canon.commands import Remember, Source, Texts
from halfdoor.canon.labels import Label
from halfdoor.errors import LogError
from halfdoor.reading.grams import Shingles
from halfdoor.store.bell import FILE as BELL
from halfdoor.store.bell import Bell
from halfdoor.store.memory import KEPT_MS, MOST_MARKS, Memory, Recollection
from halfdoor.store.schema import write_ahead
from halfdoor.store.seal import Seal, written
from halfdoor.store.seal import read as read_shingles
from halfdoor.store.sources import MOST_SHINGLES

FILE: Final = "memory.db"
BUSY_TIMEOUT_S: Final = 5.0
# How often marks that have expired leave the file.
PRUNE_MS: Final = 60 * 60 * 1000
# SQLite takes no more variables in one statement everywhere.
_AT_ONCE: Final = 500

_TABLE: Final = """CREATE TABLE IF NOT EXISTS marks (
  mark BLOB PRIMARY KEY, until_ms INTEGER NOT NULL, model TEXT NOT NULL, vendor TEXT NOT NULL,
  labels TEXT NOT NULL) STRICT, WITHOUT ROWID"""
_EXPIRED: Final = "DELETE FROM marks WHERE until_ms <= ?"
_KEEP: Final = "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)"
# A source that changes gets a new place at the end, so that the others meet it again.
_SOURCES: Final = """CREATE TABLE IF NOT EXISTS sources (
  place INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB UNIQUE NOT NULL, until_ms INTEGER NOT NULL,
  count INTEGER NOT NULL, labels TEXT NOT NULL, sealed BLOB NOT NULL) STRICT"""
_OLD_SOURCES: Final = "DELETE FROM sources WHERE until_ms <= ?"
_KEEP_SOURCE: Final = """INSERT OR REPLACE INTO sources (id, until_ms, count, labels, sealed)
  VALUES (?, ?, ?, ?, ?)"""
_NEW_SOURCES: Final = """SELECT place, id, until_ms, labels, sealed FROM sources
  WHERE place > ? AND until_ms > ? ORDER BY place"""
_ONE_SOURCE: Final = "SELECT labels, until_ms FROM sources WHERE id = ?"
_TOO_MANY: Final = """DELETE FROM sources WHERE place <= (SELECT place FROM (
  SELECT place, sum(count) OVER (ORDER BY place DESC) AS held FROM sources)
  WHERE held > ? ORDER BY place DESC LIMIT 1)"""
# How much longer a source must last before its file is told.
_FOLLOWED_ON_MS: Final = 60 * 60 * 1000

_labels: Final = msgspec.json.Decoder(tuple[Label, ...])
_names: Final = msgspec.json.Decoder(tuple[str, ...])

Row = tuple[bytes, str, str, str]
# place, id, until_ms, labels, sealed.
Told = tuple[int, bytes, int, str, bytes]
# id, until_ms, labels, shingles.
Telling = tuple[bytes, int, tuple[str, ...], Shingles]
T = TypeVar("T")


class SharedMemory:
    """Implements `flow.ports.Memory` over `directory`/memory.db.

    key: seals what labels follow, so that the file confirms no guess of a text; the same for all
        processes.
    Raises LogError when the file cannot be opened. A look-up that fails labels the request
    `scan-failed`, which keeps it on the device: what may be labelled is taken for it.
    """

    def __init__(self, directory: Path, now_ms: Callable[[], int], key: bytes) -> None:
        self._own = Memory(now_ms)
        self._seal = Seal(key)
        self._now_ms = now_ms
        self._asked: OrderedDict[bytes, None] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="halfdoor-memory")
        self._file = _opened(directory / FILE, now_ms())
        self._prune_at_ms = now_ms() + PRUNE_MS
        self._bell = Bell(directory / BELL)
        self._heard = self._bell.note()
        # The last source that was read; and labels and last moment of each, as the file has them.
        self._read_to = 0
        self._told: dict[bytes, tuple[tuple[str, ...], int]] = {}
        try:
            self._take(self._new_sources(0))
        except (sqlite3.Error, ValueError) as error:
            raise _damaged(directory / FILE, error) from None

    async def recall(self, marks: tuple[bytes, ...], texts: Texts | None = None) -> Recollection:
        """All that any process remembers about these marks and texts."""
        strange = tuple(mark for mark in marks if mark not in self._asked)
        known = not strange or await self._learn(strange)
        if not known or not await self._listen():
            return Recollection(labels=(Label("scan-failed", "memory", "memory"),))
        return self._own.look_up(marks, texts)

    async def remember(self, what: Remember) -> None:
        """Keep these marks here at once, and for the others before this returns."""
        self._own.keep(what)
        sources = self._to_tell(what.sources)
        if not what.marks and not sources:
            return
        self._met(what.marks)
        # What the file does not take, this process still knows.
        with contextlib.suppress(sqlite3.Error):
            await self._do(self._keep, what, sources)
            if sources:
                self._told.update((one, (names, until_ms)) for one, until_ms, names, _ in sources)
                self._bell.ring()

    async def close(self) -> None:
        """Close the file; nothing is remembered or recalled from here on."""
        await self._do(self._file.close)
        self._thread.shutdown(wait=False)
        self._bell.close()

    async def _learn(self, marks: tuple[bytes, ...]) -> bool:
        try:
            rows = await self._do(self._find, marks)
            read = [
                (mark, model, vendor, _labels.decode(told)) for mark, model, vendor, told in rows
            ]
        except (sqlite3.Error, msgspec.MsgspecError):
            return False
        for mark, model, vendor, labels in read:
            self._own.keep(Remember((mark,), model, vendor, labels))
        self._met(marks)
        return True

    async def _listen(self) -> bool:
        """Read the sources that other processes met; False when they cannot be known."""
        note = self._bell.note()
        if note == self._heard:
            return True
        try:
            self._take(await self._do(self._new_sources, self._read_to))
        except (sqlite3.Error, ValueError):
            return False
        self._heard = note
        return True

    def _new_sources(self, after: int) -> list[Told]:
        return self._file.execute(_NEW_SOURCES, (after, self._now_ms())).fetchall()

    def _take(self, rows: list[Told]) -> None:
        """Raises ValueError for a row that this key did not seal, or that was changed."""
        now_ms = self._now_ms()
        for place, source_id, until_ms, labels, sealed in rows:
            shingles = read_shingles(self._seal.open(_about(source_id, labels), sealed))
            names = _names.decode(labels)
            self._own.sources.add(
                Source(source_id, names, partial(set, shingles)), now_ms, until_ms
            )
            self._told[source_id] = (names, until_ms)
            self._read_to = max(self._read_to, place)

    def _to_tell(self, sources: Iterable[Source]) -> list[Telling]:
        """The sources that are new, have more labels, or last much longer than was told."""
        found, held = [], self._own.sources
        for source_id in dict.fromkeys((*(s.id for s in sources), *held.used())):
            names, shingles, until_ms = held.held(source_id)
            told, told_until_ms = self._told.get(source_id, ((), 0))
            if shingles and (names != told or until_ms > told_until_ms + _FOLLOWED_ON_MS):
                found.append((source_id, until_ms, names, shingles))
        return found

    def _met(self, marks: tuple[bytes, ...]) -> None:
        self._asked.update(dict.fromkeys(marks))
        # Both forget the oldest first, and this one fewer of them: a forgotten mark is asked again.
        while len(self._asked) > MOST_MARKS // 2:
            self._asked.popitem(last=False)

    async def _do(self, work: Callable[..., T], *of: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *of)

    def _find(self, marks: tuple[bytes, ...]) -> list[Row]:
        found: list[Row] = []
        for at in range(0, len(marks), _AT_ONCE):
            some = marks[at : at + _AT_ONCE]
            holes = ",".join("?" * len(some))
            query = f"SELECT mark, model, vendor, labels FROM marks WHERE mark IN ({holes}) AND until_ms > ?"  # noqa: S608, E501  holes only
            found += self._file.execute(query, (*some, self._now_ms()))
        return found

    def _keep(self, what: Remember, sources: list[Telling]) -> None:
        """INVARIANT: labels only add up, whichever process kept the mark before."""
        now_ms = self._now_ms()
        until_ms = now_ms + KEPT_MS
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            if now_ms >= self._prune_at_ms:
                self._prune_at_ms = now_ms + PRUNE_MS
                self._prune(now_ms)
            before = {mark: _labels.decode(labels) for mark, _, _, labels in self._find(what.marks)}
            for mark in what.marks:
                labels = dict.fromkeys((*before.get(mark, ()), *what.labels))
                said = msgspec.json.encode(tuple(labels)).decode()
                self._file.execute(_KEEP, (mark, until_ms, what.model, what.vendor, said))
            for source_id, until, names, shingles in sources:
                self._keep_source(source_id, until, {*names}, shingles)

    def _keep_source(
        self, source_id: bytes, until_ms: int, names: set[str], shingles: Shingles
    ) -> None:
        for known, known_until_ms in self._file.execute(_ONE_SOURCE, (source_id,)):
            names.update(_names.decode(known))
            until_ms = max(until_ms, known_until_ms)
        labels = msgspec.json.encode(sorted(names)).decode()
        sealed = self._seal.close(_about(source_id, labels), written(shingles))
        row = (source_id, until_ms, len(shingles), labels, sealed)
        self._file.execute(_KEEP_SOURCE, row)

    def _prune(self, now_ms: int) -> None:
        self._file.execute(_EXPIRED, (now_ms,))
        self._file.execute(_OLD_SOURCES, (now_ms,))
        self._file.execute(_TOO_MANY, (MOST_SHINGLES,))
        for source_id in [one for one, (_, until_ms) in self._told.items() if until_ms <= now_ms]:
            del self._told[source_id]


def _opened(path: Path, now_ms: int) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        file = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        write_ahead(file)
        file.execute("PRAGMA synchronous = OFF")
        file.execute(_TABLE)
        file.execute(_SOURCES)
        file.execute(_EXPIRED, (now_ms,))
        file.execute(_OLD_SOURCES, (now_ms,))
    except (OSError, sqlite3.Error) as error:
        raise _damaged(path, error) from None
    return file


def _damaged(path: Path, error: Exception) -> LogError:
    return LogError(
        f"what earlier answers were made of cannot be read: {error}",
        where=str(path),
        hint="check the folder; a damaged file may be deleted, and old answers are forgotten",
    )


def _about(source_id: bytes, labels: str) -> bytes:
    return source_id + b"\0" + labels.encode()
