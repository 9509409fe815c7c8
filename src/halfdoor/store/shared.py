"""Memory that several processes share and a restart keeps: marks in a file beside the log.

What this process has seen is answered from memory; only marks it never met are looked up in the
file, each once. That is enough, because a mark that matters is in the file before the client can
send it back. Nothing here is flushed to the disk: after a power cut older marks may be missing,
after a crash of the process none is.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from halfdoor.canon.commands import Remember
from halfdoor.canon.labels import Label
from halfdoor.errors import LogError
from halfdoor.store.memory import KEPT_MS, MOST_MARKS, Memory, Recollection

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

_labels: Final = msgspec.json.Decoder(tuple[Label, ...])

Row = tuple[bytes, str, str, str]
T = TypeVar("T")


class SharedMemory:
    """Implements `flow.ports.Memory` over `directory`/memory.db.

    Raises LogError when the file cannot be opened. A look-up that fails labels the request
    `scan-failed`, which keeps it on the device: what may be labelled is taken for it.
    """

    def __init__(self, directory: Path, now_ms: Callable[[], int]) -> None:
        self._own = Memory(now_ms)
        self._now_ms = now_ms
        self._asked: OrderedDict[bytes, None] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="halfdoor-memory")
        self._file = _opened(directory / FILE, now_ms())
        self._prune_at_ms = now_ms() + PRUNE_MS

    async def recall(self, marks: tuple[bytes, ...]) -> Recollection:
        """All that any process remembers about these marks."""
        strange = tuple(mark for mark in marks if mark not in self._asked)
        if strange and not await self._learn(strange):
            return Recollection(labels=(Label("scan-failed", "memory", "memory"),))
        return self._own.look_up(marks)

    async def remember(self, what: Remember) -> None:
        """Keep these marks here at once, and for the others before this returns."""
        if not what.marks:
            return
        self._own.keep(what)
        self._met(what.marks)
        # What the file does not take, this process still knows.
        with contextlib.suppress(sqlite3.Error):
            await self._do(self._keep, what)

    async def close(self) -> None:
        """Close the file; nothing is remembered or recalled from here on."""
        await self._do(self._file.close)
        self._thread.shutdown(wait=False)

    async def _learn(self, marks: tuple[bytes, ...]) -> bool:
        try:
            rows = await self._do(self._find, marks)
        except sqlite3.Error:
            return False
        for mark, model, vendor, labels in rows:
            self._own.keep(Remember((mark,), model, vendor, _labels.decode(labels)))
        self._met(marks)
        return True

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

    def _keep(self, what: Remember) -> None:
        """INVARIANT: labels only add up, whichever process kept the mark before."""
        now_ms = self._now_ms()
        until_ms = now_ms + KEPT_MS
        with self._file:
            self._file.execute("BEGIN IMMEDIATE")
            if now_ms >= self._prune_at_ms:
                self._prune_at_ms = now_ms + PRUNE_MS
                self._file.execute(_EXPIRED, (now_ms,))
            before = {mark: _labels.decode(labels) for mark, _, _, labels in self._find(what.marks)}
            for mark in what.marks:
                labels = dict.fromkeys((*before.get(mark, ()), *what.labels))
                said = msgspec.json.encode(tuple(labels)).decode()
                self._file.execute(_KEEP, (mark, until_ms, what.model, what.vendor, said))


def _opened(path: Path, now_ms: int) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        file = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = OFF")
        file.execute(_TABLE)
        file.execute(_EXPIRED, (now_ms,))
    except (OSError, sqlite3.Error) as error:
        raise LogError(
            f"what earlier answers were made of cannot be read: {error}",
            where=str(path),
            hint="check the folder; a damaged file may be deleted, and old answers are forgotten",
        ) from None
    return file
