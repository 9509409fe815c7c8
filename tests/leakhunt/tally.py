"""What a hunt tried and what it found; the report prints it and nothing else."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Leak:
    """case: in words. how: where the finder saw it, or how many bytes came that should not have."""

    case: str
    how: str


@dataclass
class Tally:
    """Counts by (kind, place, way, dialect); what left; what was held back without need.

    controls: harmless requests sent. held: those that did not reach the cloud. waiting: cases that
    were not run, by what they wait for. unplanted: cases in whose own request the finder saw no
    canary: they prove nothing. everyday: requests of ordinary work by kind, and those that were held
    back. skipped: parts of the hunt that could not run, with the reason.
    """

    tried: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    controls: int = 0
    held: list[str] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    unplanted: list[str] = field(default_factory=list)
    waiting: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    bytes_searched: int = 0
    everyday: Counter[str] = field(default_factory=Counter)
    everyday_held: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return sum(self.tried.values())

    def by(self, column: int) -> dict[str, int]:
        """Counts of one column of `tried`: 0 kind, 1 place, 2 way, 3 dialect."""
        counts: Counter[str] = Counter()
        for key, count in self.tried.items():
            counts[key[column]] += count
        return dict(sorted(counts.items()))

    def add(self, other: "Tally") -> None:
        """Another process's or part's findings."""
        self.tried += other.tried
        self.controls += other.controls
        self.held += other.held
        self.leaks += other.leaks
        self.unplanted += other.unplanted
        self.waiting += other.waiting
        self.skipped |= other.skipped
        self.bytes_searched += other.bytes_searched
        self.everyday += other.everyday
        self.everyday_held += other.everyday_held

    def as_json(self) -> dict[str, Any]:
        """All of it, for a file."""
        return {
            "requests": self.requests,
            "by_kind": self.by(0),
            "by_place": self.by(1),
            "by_way": self.by(2),
            "by_dialect": self.by(3),
            "tried": [[*key, count] for key, count in sorted(self.tried.items())],
            "controls": self.controls,
            "controls_held_back": self.held,
            "everyday": dict(self.everyday),
            "everyday_held_back": self.everyday_held,
            "leaks": [[leak.case, leak.how] for leak in self.leaks],
            "unplanted": self.unplanted,
            "waiting": dict(self.waiting),
            "skipped": self.skipped,
            "bytes_searched": self.bytes_searched,
        }
