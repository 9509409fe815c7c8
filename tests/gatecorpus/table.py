"""Counts, shares and their intervals, as Markdown."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.recognition.__main__ import shown


@dataclass(slots=True)
class Counts:
    """How often each check judged something, found something, and could not judge; by a name."""

    tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, name: str, check: str, *, found: bool, skipped: bool = False) -> None:
        """One judgement of one piece."""
        if skipped:
            self.skipped[name, check] += 1
            return
        self.tried[name, check] += 1
        self.found[name, check] += found

    def share(self, name: str, check: str) -> str:
        """`12 of 30: 40.0 % (24.6 % to 57.7 %)`, with the 95 % Wilson interval; "-" for none."""
        tried = self.tried[name, check]
        if not tried:
            return "-"
        found = self.found[name, check]
        return f"{found} of {tried}: {shown((found, tried))}"

    def checks(self, names: Iterable[str]) -> list[str]:
        """Those that judged anything under these names, in order of arrival."""
        wanted = set(names)
        return list(dict.fromkeys(check for name, check in self.tried if name in wanted))


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
