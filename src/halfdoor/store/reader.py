"""Reading the log: for the command line, while others append. Nothing here can change it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from msgspec import Struct

from halfdoor.canon.record import Decided, Entry, Outcome
from halfdoor.errors import LogError
from halfdoor.record import checkpoint as notes
from halfdoor.record import entry, merkle
from halfdoor.record.audit import Auditor, Report, Row
from halfdoor.store import schema

PROGRESS_EVERY: Final = 2048
_ROW: Final = "SELECT seq, exchange, kind, time, leaf, hash FROM entries"
# SQLite's strings end before any id that continues with these.
_AFTER_ANY: Final = "\x7f"


class Exchange(Struct, frozen=True):
    """What the log holds of one exchange.

    position: of its decision. outcome: None until it ends, and for ever if halfdoor was killed.
    """

    position: int
    decided: Decided
    outcome: Outcome | None


class Inclusion(Struct, frozen=True):
    """Whether a signed head covers an entry. size: of that head; proven: the hashes lead there."""

    size: int
    proven: bool


class LogReader:
    """The log in `directory`; a context manager. Raises LogError if there is none to read."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / schema.FILE
        self._connection = schema.open_for_reading(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, *, since: str = "", after: int = -1) -> Iterator[Row]:
        """Entries in order. since: RFC 3339, UTC; after: only later positions than this."""
        query = f"{_ROW} WHERE seq > ? AND time >= ? ORDER BY seq"
        return self._rows(query, (after, since))

    def tail(self, count: int) -> list[Row]:
        """The newest entries, oldest first."""
        return list(self._rows(f"{_ROW} ORDER BY seq DESC LIMIT ?", (count,)))[::-1]

    def find(self, prefix: str) -> str:
        """The exchange id that begins with `prefix`; `last` is the newest.

        Raises LogError when there is none, or more than one.
        """
        found = self._ids(prefix)
        if not found:
            raise LogError(
                f"no exchange `{prefix}` is in the log",
                hint="`halfdoor ps` lists the newest; every answer's `x-halfdoor-id` is one",
            )
        if len(found) > 1 and prefix not in found:
            raise LogError(
                f"`{prefix}` begins {' and '.join(found)}", hint="give more of the exchange's id"
            )
        return found[0]

    def exchange(self, found: str) -> Exchange:
        """All that is recorded of one exchange. Raises LogError without a readable decision."""
        rows = self._rows(f"{_ROW} WHERE exchange = ? ORDER BY seq", (found,))
        entries = [(row.seq, self.entry(row)) for row in rows]
        decided = next(((seq, e) for seq, e in entries if isinstance(e, Decided)), None)
        if decided is None:
            raise LogError(
                f"`{found}` has no decision in the log", hint="run `halfdoor log verify`"
            )
        outcome = next((e for _, e in entries if isinstance(e, Outcome)), None)
        return Exchange(*decided, outcome)

    def recent(self, count: int) -> list[Exchange]:
        """The newest exchanges, newest first."""
        query = "SELECT exchange FROM entries WHERE kind = 'decided' ORDER BY seq DESC LIMIT ?"
        return [self.exchange(found) for (found,) in self._all(query, (count,))]

    def newest(self, said: Sequence[Mapping[str, str]], since: str) -> Exchange | None:
        """The newest exchange, decided at `since` (RFC 3339, UTC) or later, that says one of these.

        said: members of its decision and their texts. Reads back from the end, no further.
        """
        wanted = [[f'"{name}":"{text}"' for name, text in each.items()] for each in said]
        for row in self._rows(f"{_ROW} WHERE kind = ? ORDER BY seq DESC", ("decided",)):
            if row.time < since:
                return None
            if any(all(part in row.leaf for part in parts) for parts in wanted):
                return self.exchange(row.exchange)
        return None

    def entry(self, row: Row) -> Entry:
        """The entry of a row. Raises LogError if its text is none."""
        try:
            return entry.read(row.leaf).entry
        except LogError as error:
            raise LogError(
                error.message,
                where=f"{self.path}: entry {row.seq}",
                hint=error.hint or "run `halfdoor log verify`",
            ) from None

    def size(self) -> int:
        """How many entries there are."""
        return schema.read_frontier(self._connection).size

    def newest_checkpoint(self) -> str | None:
        """The newest signed head, as text; None before the first."""
        found = self._all("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1", ())
        return str(found[0][0]) if found else None

    def inclusion(self, position: int, key: notes.VerifierKey) -> Inclusion | None:
        """Prove an entry against the newest signed head; None if that is older than the entry.

        Raises LogError if the head is not signed by `key`.
        """
        note = self.newest_checkpoint()
        head = None if note is None else notes.verify(note, key)
        if head is None or head.size <= position:
            return None
        row = next(self._rows(f"{_ROW} WHERE seq = ?", (position,)))
        leaf = merkle.leaf_hash(row.leaf.encode("utf-8", "surrogateescape"))
        proof = merkle.inclusion_proof(position, head.size, self._node)
        return Inclusion(
            head.size, merkle.verify_inclusion(leaf, position, head.size, proof, head.root)
        )

    def verify(
        self,
        key: notes.VerifierKey,
        *,
        against: str | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Report:
        """Audit the whole log as of now, in constant memory. progress: gets entries done so far.

        against: a signed note kept elsewhere. Raises LogError if that is not one of this log.
        """
        auditor = Auditor(key, against)
        with self._snapshot():
            heads = self._connection.execute("SELECT size, note FROM checkpoints ORDER BY size")
            head = heads.fetchone()
            for row in self.rows():
                self._audit_nodes(auditor, row.seq, auditor.row(row))
                while head is not None and head[0] <= row.seq + 1:
                    auditor.checkpoint(*head)
                    head = heads.fetchone()
                if row.seq % PROGRESS_EVERY == 0:
                    progress(row.seq)
            while head is not None:
                auditor.checkpoint(*head)
                head = heads.fetchone()
            return auditor.finish(schema.read_frontier(self._connection))

    def _audit_nodes(self, auditor: Auditor, seq: int, completed: merkle.Proof) -> None:
        for level, node, true in schema.stored_nodes(seq, completed):
            found = self._all("SELECT hash FROM nodes WHERE level = ? AND node = ?", (level, node))
            auditor.node(level, node, found[0][0] if found else None, true)

    def _node(self, level: int, index: int) -> bytes:
        """A complete node's hash: stored at every eighth level, rebuilt between."""
        if level % schema.NODE_LEVELS:
            left, right = self._node(level - 1, 2 * index), self._node(level - 1, 2 * index + 1)
            return merkle.node_hash(left, right)
        if level == 0:
            found = self._all("SELECT hash FROM entries WHERE seq = ?", (index,))
        else:
            found = self._all("SELECT hash FROM nodes WHERE level = ? AND node = ?", (level, index))
        if not found:
            raise LogError("the evidence log has a gap", hint="run `halfdoor log verify`")
        return bytes(found[0][0])

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """One state of the file for several queries, whatever others append meanwhile."""
        try:
            self._connection.execute("BEGIN")
            yield
        except sqlite3.Error as error:
            raise schema.explained(error, self.path) from None
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _ids(self, prefix: str) -> list[str]:
        if prefix == "last":
            query = "SELECT exchange FROM entries WHERE kind = 'decided' ORDER BY seq DESC LIMIT 1"
            return [found for (found,) in self._all(query, ())]
        query = """SELECT DISTINCT exchange FROM entries
                   WHERE exchange >= ? AND exchange < ? ORDER BY exchange LIMIT 3"""
        return [found for (found,) in self._all(query, (prefix, prefix + _AFTER_ANY))]

    def _rows(self, query: str, values: tuple[object, ...]) -> Iterator[Row]:
        try:
            for found in self._connection.execute(query, values):
                yield Row(*found)
        except sqlite3.Error as error:
            raise schema.explained(error, self.path) from None

    def _all(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise schema.explained(error, self.path) from None
