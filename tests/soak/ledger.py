"""What the clients know, held against what the log says."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from halfdoor.canon.record import Decided, Outcome
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from tests.soak.clients import Heard
from tests.soak.mix import Ask


@dataclass
class Ledger:
    """keys: of the gateway's log. answered: body's keyed hash by exchange. unheard: hashes of
    requests whose client left before it knew the exchange. wrong: what no answer may be.
    """

    keys: LogKeys
    answered: dict[str, str] = field(default_factory=dict)
    unheard: set[str] = field(default_factory=set)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, asked: Ask, heard: Heard) -> None:
        """One request is over, as its client sees it."""
        self.statuses[asked.kind, heard.status] += 1
        if asked.kind == "bad":
            if heard.id or heard.status != 400:
                self.wrong.append(f"a broken request was answered {heard}")
        elif heard.id:
            if heard.id in self.answered:
                self.wrong.append(f"two answers carry {heard.id}")
            self.answered[heard.id] = self.keys.mac(asked.body)
        elif heard.left:
            self.unheard.add(self.keys.mac(asked.body))
        else:
            self.wrong.append(f"`{asked.kind}` was answered without an id: {heard}")
        if asked.kind == "secret" and heard.zone not in {"device", ""}:
            self.wrong.append(f"a planted key was answered from {heard.zone}")

    def compare(self, state: Path) -> list[str]:
        """Everything that does not fit: each request once, with decision and outcome, no others."""
        found = list(self.wrong)
        decided: Counter[str] = Counter()
        outcomes: Counter[str] = Counter()
        with LogReader(state) as log:
            report = log.verify(self.keys.verifier)
            found += [problem.message for problem in report.problems]
            for row in log.rows():
                match log.entry(row):
                    case Decided() as entry:
                        decided[entry.id] += 1
                        found += self._misfits(entry)
                    case Outcome() as entry:
                        outcomes[entry.id] += 1
        found += [f"{each} is in the log {n} times" for each, n in decided.items() if n > 1]
        found += [
            f"{each} has {outcomes[each]} outcomes" for each in decided if outcomes[each] != 1
        ]
        found += [
            f"{each} was answered and has no decision"
            for each in self.answered
            if not decided[each]
        ]
        return found

    def _misfits(self, entry: Decided) -> list[str]:
        known = self.answered.get(entry.id)
        if known is None and entry.body_mac not in self.unheard:
            return [f"{entry.id} is in the log and nobody sent it"]
        if known not in {None, entry.body_mac}:
            return [f"{entry.id} was recorded with another body"]
        return []
