"""The auditor: reads a log row by row, in constant memory, and says where it was changed.

The tree is rebuilt from the stored leaf hashes, and each leaf is compared with its own hash: a
changed leaf is then named exactly, and a row whose hash was changed with it still breaks every
signed root after it.
"""

from typing import Final

from msgspec import Struct

from halfdoor.canon.record import Checkpoint, Decided, Noted, Outcome
from halfdoor.errors import LogError
from halfdoor.record import checkpoint as notes
from halfdoor.record import entry, merkle

# Enough to see the pattern of what happened; the count goes on.
MOST_PROBLEMS: Final = 50


class Row(Struct, frozen=True):
    """A stored entry: its position, the columns it is searched by, its leaf and the leaf's hash.

    leaf: text; bytes that are no UTF-8 stand in it as surrogates (`surrogateescape`).
    """

    seq: int
    exchange: str
    kind: str
    time: str
    leaf: str
    hash: bytes


class Problem(Struct, frozen=True):
    """Damage. kind: `edited`, `missing`, `moved`, `root`, `truncated`, `signature`, `order`.

    first, last: the entries among which it lies, inclusive; message: a sentence for a person.
    """

    kind: str
    first: int
    last: int
    message: str


class Report(Struct, frozen=True):
    """What an audit found. size, root: of the tree as it stands; root is hex.

    checkpoints: how many signed heads were compared. covered: entries under the newest of them.
    unfinished: decisions without an outcome (each counts as sent to its whole plan).
    against: size of the checkpoint from outside, -1 if none was given.
    problems: at most 50 of `problem_count`.
    """

    size: int
    root: str
    checkpoints: int
    covered: int
    unfinished: int
    against: int
    problem_count: int
    problems: tuple[Problem, ...]


class Auditor:
    """Feed rows in order of `seq`, each checkpoint once its size is reached, then `finish`.

    against: a signed note kept outside the log. Raises LogError if it is none of this log's.
    """

    def __init__(self, key: notes.VerifierKey, against: str | None = None) -> None:
        self.frontier = merkle.Frontier()
        self._key = key
        self._against = None if against is None else notes.verify(against, key)
        self._next = 0
        self._good = 0
        self._checkpoints = 0
        self._covered = 0
        self._open: dict[str, int] = {}
        self._problems: list[Problem] = []
        self._count = 0
        # INVARIANT: after a gap no root can be rebuilt, so none is compared.
        self._whole = True

    def row(self, row: Row) -> merkle.Proof:
        """Check one entry; returns the hashes of the nodes it completed, by level."""
        if row.seq > self._next:
            self._missing(self._next, row.seq - 1)
        self._next = row.seq + 1
        self._check(row)
        self._pair(row)
        self.frontier, completed = self.frontier.grow(row.hash)
        if self._against is not None and self._against.size == self._next:
            self._compare(self._against, "the checkpoint from outside")
        return completed if self._whole else ()

    def node(self, level: int, index: int, stored: bytes | None, true: bytes) -> None:
        """Check a stored inner node against the one that the rows give."""
        if stored != true:
            first = index << level
            last = first + (1 << level) - 1
            self._found("root", first, last, "their stored subtree hash is another")

    def checkpoint(self, size: int, note: str) -> None:
        """Check a stored signed head of `size`: when that many rows were fed, or at the end."""
        try:
            head = notes.verify(note, self._key)
        except LogError as error:
            return self._found("signature", 0, max(size - 1, 0), error.message)
        if head.size != size:
            return self._found("signature", 0, size - 1, f"its checkpoint is for size {head.size}")
        self._checkpoints += 1
        return self._compare(head, "a checkpoint")

    def finish(self, stored: merkle.Frontier) -> Report:
        """Everything that was found. stored: the growing edge that the log keeps."""
        if stored.size > self._next:
            self._missing(self._next, stored.size - 1)
        elif stored != self.frontier and self._whole:
            self._found("root", self._good, max(self._next - 1, 0), "the stored tree is another")
        if self._against is not None and self._against.size > self._next:
            self._compare(self._against, "the checkpoint from outside")
        return self._report()

    def _report(self) -> Report:
        return Report(
            self._next,
            self.frontier.root().hex() if self._whole else "",
            self._checkpoints,
            self._covered,
            len(self._open),
            -1 if self._against is None else self._against.size,
            self._count,
            tuple(self._problems),
        )

    def _check(self, row: Row) -> None:
        if merkle.leaf_hash(row.leaf.encode("utf-8", "surrogateescape")) != row.hash:
            return self._found("edited", row.seq, row.seq, "its text is not what was recorded")
        try:
            leaf = entry.read(row.leaf)
        except LogError as error:
            return self._found("edited", row.seq, row.seq, error.message)
        if leaf.sequence != row.seq:
            message = f"it was recorded as entry {leaf.sequence}"
            return self._found("moved", row.seq, row.seq, message)
        found = leaf.entry
        if (row.exchange, row.kind, row.time) != (found.id, kind(found), found.time):
            return self._found("edited", row.seq, row.seq, "its columns do not match its text")
        return None

    def _pair(self, row: Row) -> None:
        """INVARIANT: a decision stands before its outcome, and each exchange has one of each."""
        exchange, seq = row.exchange, row.seq
        match row.kind:
            case "decided":
                if exchange in self._open:
                    self._found("order", self._open[exchange], seq, f"{exchange} was decided twice")
                self._open[exchange] = seq
            case "outcome" if self._open.pop(exchange, None) is None and self._whole:
                self._found("order", seq, seq, f"{exchange} has an outcome but no decision")

    def _compare(self, head: Checkpoint, what: str) -> None:
        if head.size > self._next:
            message = f"{what} covers {head.size} entries and the log has {self._next}"
            return self._found("truncated", self._next, head.size - 1, message)
        if not self._whole:
            return None
        if (head.size, head.root) != (self.frontier.size, self.frontier.root()):
            message = f"{what} at size {head.size} has another root"
            return self._found("root", self._good, max(head.size - 1, 0), message)
        self._good = self._covered = head.size
        return None

    def _missing(self, first: int, last: int) -> None:
        self._whole = False
        self._found("missing", first, last, "deleted")

    def _found(self, kind: str, first: int, last: int, message: str) -> None:
        self._count += 1
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(Problem(kind, first, last, message))


def kind(found: Decided | Outcome | Noted) -> str:
    """The value of an entry's `kind` member."""
    match found:
        case Decided():
            return "decided"
        case Outcome():
            return "outcome"
        case Noted():
            return "noted"
