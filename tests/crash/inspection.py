"""What must hold in a state directory whose gateway was killed, read from a copy of it."""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from halfdoor.canon.record import Decided, Outcome
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from tests.crash.load import Ledger

# A reader folds the journal in. The gateway must find it as the kill left it, so a copy is read;
# the shared index (-shm) is memory, which a lost machine would not have either.
COPIED: Final = ("log.db", "log.db-wal", "log.key", "mac.key")


@dataclass(frozen=True, slots=True)
class Found:
    """entries: in the log. unfinished: decisions without outcome, of all lives so far."""

    entries: int
    unfinished: int


def inspect(state: Path, ledger: Ledger, reached: set[bytes]) -> Found:
    """Assert all of it. reached: nonces that a backend saw."""
    with tempfile.TemporaryDirectory() as folder:
        return _inspect(_copied(state, Path(folder)), ledger, reached)


def _copied(state: Path, to: Path) -> Path:
    to.chmod(0o700)
    for name in COPIED:
        if (state / name).exists():
            shutil.copy2(state / name, to / name)
    return to


def _inspect(state: Path, ledger: Ledger, reached: set[bytes]) -> Found:
    if not (state / "log.db").exists() or not (state / "log.db").stat().st_size:
        assert not ledger.answered, "answers were given and there is no log"
        return Found(0, 0)
    keys = LogKeys.load(state)
    decided: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    macs: Counter[str] = Counter()
    with LogReader(state) as log:
        report = log.verify(keys.verifier)
        assert not report.problems, report.problems
        for row in log.rows():
            match log.entry(row):
                case Decided() as entry:
                    decided[entry.id] = row.seq
                    macs[entry.body_mac] += 1
                case Outcome() as entry:
                    outcomes[entry.id] = row.seq
    assert ledger.answered.keys() <= decided.keys(), "an answer has no decision in the log"
    assert ledger.settled <= outcomes.keys(), "an outcome is missing that was flushed"
    assert all(decided[found] < at for found, at in outcomes.items())
    recorded = {nonce: macs[keys.mac(body)] for nonce, body in ledger.sent.items()}
    unrecorded = [nonce for nonce in reached if not recorded[nonce]]
    assert not unrecorded, f"a backend saw what the log does not know: {unrecorded[:3]}"
    assert max(macs.values(), default=0) <= 1, "a request was recorded twice"
    assert sum(macs.values()) == sum(recorded.values()), "the log knows what nobody sent"
    return Found(report.size, len(decided) - len(outcomes))
