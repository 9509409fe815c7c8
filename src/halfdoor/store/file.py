"""The log's file as a thing to append to: one transaction for each batch, and the signed heads.

Every transaction begins from the tree's edge *in the file*, so that other processes may append too.
"""

import os
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from halfdoor.canon.record import Entry, Outcome
from halfdoor.errors import LogError
from halfdoor.record import audit
from halfdoor.record.entry import leaf
from halfdoor.record.merkle import Frontier, leaf_hash
from halfdoor.store import schema
from halfdoor.store.keys import LogKeys

CHECKPOINT_ENTRIES: Final = 1024
CHECKPOINT_S: Final = 1.0

Result = int | LogError


class LogFile:
    """Used by one thread at a time. Raises LogError if it cannot be opened or made."""

    def __init__(self, path: Path, keys: LogKeys) -> None:
        self._path = path
        self._keys = keys
        self._size = 0
        self._signed = 0
        self._sign_at: float | None = None
        self._file: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = self._connect(create=True)
        except (sqlite3.Error, OSError) as error:
            raise schema.explained(error, path) from None

    def append(self, entries: Sequence[Entry], *, last: bool = False) -> Sequence[Result]:
        """Make entries durable, all or none, and sign the head when that is due.

        last: sign in any case. Returns each entry's position, or why that one entry cannot be
        written. Raises LogError when nothing could be; the next attempt starts afresh.
        """
        try:
            return self._append(self._connected(), entries, last=last)
        except (sqlite3.Error, OSError) as error:
            self._retreat()
            raise schema.explained(error, self._path) from None
        except Exception:
            self._retreat()
            raise

    def unwritten(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Those that are not in the log: a commit that failed may have reached the disk after all.

        Raises LogError.
        """
        query = "SELECT 1 FROM entries WHERE exchange = ? AND kind = 'outcome'"
        try:
            ask = self._connected().execute
            return [each for each in outcomes if ask(query, (each.id,)).fetchone() is None]
        except (sqlite3.Error, OSError) as error:
            self._retreat()
            raise schema.explained(error, self._path) from None

    def sign_in_s(self) -> float | None:
        """Seconds until the head should be signed; None when it is, or nothing is new."""
        return None if self._sign_at is None else max(0.0, self._sign_at - time.monotonic())

    def close(self) -> None:
        """Fold the journal into the file; SQLite removes it with the last connection."""
        try:
            if self._connection is not None:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass  # The journal stays; it is complete, and the next start folds it in.
        finally:
            self._disconnect()

    def _retreat(self) -> None:
        self._disconnect()
        if self._sign_at is not None:
            self._sign_at = time.monotonic() + CHECKPOINT_S

    def _append(
        self, connection: sqlite3.Connection, entries: Sequence[Entry], *, last: bool
    ) -> Sequence[Result]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            growth = _Growth(self._edge(connection))
            results = [growth.add(entry) for entry in entries]
            size = growth.frontier.size
            self._store(connection, growth)
            sign = self._is_due(size) or (last and size > self._signed)
            if sign:
                self._sign(connection, growth.frontier)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._note(size, signed=sign)
        return results

    def _edge(self, connection: sqlite3.Connection) -> Frontier:
        frontier = schema.read_frontier(connection)
        (highest,) = connection.execute("SELECT max(seq) FROM entries").fetchone()
        count = 0 if highest is None else highest + 1
        # INVARIANT: entries are appended in log order; a gap means lost audit, so we stop.
        if count != frontier.size or frontier.size < self._size:
            expected = max(frontier.size, self._size)
            raise LogError(
                f"the evidence log went from {expected} entries to {min(count, frontier.size)}",
                where=str(self._path),
                hint="run `halfdoor log verify`; keep a copy as evidence before you mend it",
            )
        return frontier

    def _store(self, connection: sqlite3.Connection, growth: "_Growth") -> None:
        if growth.rows:
            connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", growth.rows)
            connection.executemany("INSERT INTO nodes VALUES (?, ?, ?)", growth.nodes)
            connection.execute(
                "INSERT OR REPLACE INTO frontier VALUES (0, ?, ?)",
                (growth.frontier.size, b"".join(growth.frontier.peaks)),
            )

    def _is_due(self, size: int) -> bool:
        timely = self._sign_at is not None and time.monotonic() >= self._sign_at
        return timely or size - self._signed >= CHECKPOINT_ENTRIES

    def _sign(self, connection: sqlite3.Connection, frontier: Frontier) -> None:
        # Another process may have signed the same head.
        connection.execute(
            "INSERT OR IGNORE INTO checkpoints VALUES (?, ?)",
            (frontier.size, self._keys.sign(frontier.size, frontier.root())),
        )

    def _note(self, size: int, *, signed: bool) -> None:
        self._size = size
        if signed:
            self._signed, self._sign_at = size, None
        elif size > self._signed and self._sign_at is None:
            self._sign_at = time.monotonic() + CHECKPOINT_S

    def _connected(self) -> sqlite3.Connection:
        """The connection, made anew after a failure; it must lead to the file at our path."""
        here = _identity(self._path)
        if here is None or (self._connection is not None and here != self._file):
            raise LogError(
                "the evidence log was moved or replaced while in use",
                where=str(self._path),
                hint="put it back; halfdoor does not begin another log while it runs",
            )
        if self._connection is None:
            self._connection = self._connect(create=False)
        return self._connection

    def _connect(self, *, create: bool) -> sqlite3.Connection:
        connection = schema.open_for_appending(self._path, create=create)
        try:
            self._prepare(connection)
            self._file = _identity(self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for table in schema.TABLES:
            connection.execute(table)
        created = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        connection.executemany(
            "INSERT OR IGNORE INTO meta VALUES (?, ?)",
            [("origin", self._keys.origin), ("schema", schema.VERSION), ("created", created)],
        )
        meta = dict(connection.execute("SELECT name, value FROM meta"))
        (signed,) = connection.execute("SELECT max(size) FROM checkpoints").fetchone()
        connection.execute("COMMIT")
        self._judge(meta)
        self._signed = signed or 0

    def _judge(self, meta: dict[str, str]) -> None:
        if meta["schema"] != schema.VERSION:
            raise LogError(
                f"the evidence log has schema version {meta['schema']}",
                where=str(self._path),
                hint="upgrade halfdoor to write to this log",
            )
        if meta["origin"] != self._keys.origin:
            raise LogError(
                "the evidence log was begun with another key",
                where=str(self._path),
                hint="restore `log.key` beside it, or move the log away to begin a new one",
            )

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Growth:
    """What one transaction adds to the tree."""

    def __init__(self, frontier: Frontier) -> None:
        self.frontier = frontier
        self.rows: list[tuple[int, str, str, str, str, bytes]] = []
        self.nodes: list[tuple[int, int, bytes]] = []

    def add(self, entry: Entry) -> Result:
        """Add one entry; one that has no leaf fails alone."""
        sequence = self.frontier.size
        try:
            data = leaf(entry, sequence)
        except LogError as error:
            return error
        hashed = leaf_hash(data)
        self.frontier, completed = self.frontier.grow(hashed)
        kind = audit.kind(entry)
        self.rows.append((sequence, entry.id, kind, entry.time, data.decode("utf-8"), hashed))
        self.nodes += schema.stored_nodes(sequence, completed)
        return sequence


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  Path.stat is slower, and this is once a commit
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
