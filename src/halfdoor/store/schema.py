"""The log's file: its tables, how it is opened, and what SQLite's errors mean to an operator."""

import errno
import os
import sqlite3
import time
from pathlib import Path
from typing import Final

from halfdoor.errors import LogError
from halfdoor.record.merkle import Frontier, Proof

FILE: Final = "log.db"
VERSION: Final = "1"
BUSY_TIMEOUT_S: Final = 5.0
# Inner nodes are kept at every eighth level, as tlog-tiles does: any proof then reads under
# 256 hashes a level, and an append writes one of them in 256.
NODE_LEVELS: Final = 8

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE IF NOT EXISTS entries (
         seq INTEGER PRIMARY KEY, exchange TEXT NOT NULL, kind TEXT NOT NULL, time TEXT NOT NULL,
         leaf TEXT NOT NULL, hash BLOB NOT NULL) STRICT""",
    "CREATE INDEX IF NOT EXISTS entries_by_exchange ON entries (exchange)",
    """CREATE TABLE IF NOT EXISTS nodes (
         level INTEGER, node INTEGER, hash BLOB NOT NULL,
         PRIMARY KEY (level, node)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS frontier (
         only INTEGER PRIMARY KEY CHECK (only = 0), size INTEGER NOT NULL,
         peaks BLOB NOT NULL) STRICT""",
    "CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT",
)


def open_for_appending(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open the log's file, durable at each commit. Raises sqlite3.Error or OSError.

    create: make the file (0600) if there is none; otherwise its absence is an error.
    """
    if create:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = _connect(path, "mode=rw")
    try:
        _durable(connection)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the log's file to read it; works on a copy that cannot be written, too.

    Raises LogError if there is none, or it cannot be read.
    """
    if not path.exists():
        raise LogError(
            "no exchange has been recorded yet",
            where=str(path),
            hint="start the gateway with `halfdoor serve` and send a request",
        )
    try:
        connection = _connect(path, _reading_mode(path))
        # A changed byte may break UTF-8; the auditor must still see the bytes that are there.
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT size FROM frontier").fetchone()
    except (sqlite3.Error, OSError) as error:
        raise explained(error, path) from None
    return connection


def read_frontier(connection: sqlite3.Connection) -> Frontier:
    """The growing edge of the tree as it is stored."""
    row = connection.execute("SELECT size, peaks FROM frontier").fetchone()
    if row is None:
        return Frontier()
    size, peaks = row
    return Frontier(size, tuple(peaks[i : i + 32] for i in range(0, len(peaks), 32)))


def stored_nodes(sequence: int, completed: Proof) -> list[tuple[int, int, bytes]]:
    """(level, node, hash) of the completed nodes that the file keeps: every eighth level."""
    step = NODE_LEVELS
    return [(n, sequence >> n, completed[n]) for n in range(step, len(completed), step)]


def explained(error: sqlite3.Error | OSError, path: Path) -> LogError:
    """The same error in the words of the person who can mend it."""
    found, hint = _words(error)
    return LogError(f"the evidence log {found}", where=str(path), hint=hint)


def _reading_mode(path: Path) -> str:
    # A reader that may write cleans up after itself (the WAL and its index); one that may not must
    # take the file as it is.
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return "mode=rw"
    return "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # Autocommit: transactions are spelt out, so that nothing begins one behind our back.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,  # opened by one thread, then handed to the only one that uses it
    )


def _durable(connection: sqlite3.Connection) -> None:
    write_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA fullfsync=ON")
    connection.execute("PRAGMA checkpoint_fullfsync=ON")


def write_ahead(connection: sqlite3.Connection) -> None:
    """Switching the journal waits for no lock, so processes that start together retry it."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _words(error: sqlite3.Error | OSError) -> tuple[str, str]:
    if isinstance(error, OSError):
        return _OS_WORDS.get(error.errno or 0, (f"failed: {error.strerror}", _DOCTOR))
    return _WORDS.get(_code(error), (f"failed: {error}", _DOCTOR))


_DOCTOR: Final = "run `halfdoor doctor`"
_FULL: Final = ("cannot grow: the disk is full", "free some space; service resumes by itself")
_SHUT: Final = ("cannot be opened for writing", "check the permissions of the file and its folder")
_HELD: Final = (
    f"was locked by another process for {BUSY_TIMEOUT_S:.0f} s",
    "find the process that holds it, e.g. with `fuser`",
)
_BROKEN: Final = ("is damaged", "keep a copy as evidence, then restore the state directory")
_WORDS: Final = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_READONLY: _SHUT,
    sqlite3.SQLITE_PERM: _SHUT,
    sqlite3.SQLITE_CANTOPEN: _SHUT,
    sqlite3.SQLITE_CORRUPT: _BROKEN,
    sqlite3.SQLITE_NOTADB: _BROKEN,
    sqlite3.SQLITE_CONSTRAINT: (
        "has an entry where the next one belongs",
        "run `halfdoor log verify`",
    ),
}
_OS_WORDS: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _SHUT,
    errno.EPERM: _SHUT,
    errno.EROFS: _SHUT,
}
