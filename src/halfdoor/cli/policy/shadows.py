"""Rules that can never be the strictest. Decided exactly, up to a bound; what is open is said."""

from collections import defaultdict
from collections.abc import Iterator

from halfdoor.canon.rules import EVERY, Rule
from halfdoor.cli.policy.findings import Finding, is_path
from halfdoor.config.check import PATH
from halfdoor.detect.paths import PathDetector
from halfdoor.reading.globs import examples, path_pieces, within
from halfdoor.reading.passages import Passage
from halfdoor.reading.terms import covers


def shadowed(rules: tuple[Rule, ...]) -> Iterator[Finding]:
    """Rules of one file that can never be the strictest, because another one always is."""
    wider = _Wider(rules)
    for at, rule in enumerate(rules):
        for beside, other in wider.likely(rule):
            if beside == at or not covers(other, rule):
                continue
            inside = wider.holds(rule, other)
            if inside is None:
                yield _open(rule, other)
            elif inside and not (beside > at and covers(rule, other) and wider.holds(other, rule)):
                yield _never(rule, other)
                break


class _Wider:
    """Which of some rules speak of every text that another rule speaks of."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        labels = dict.fromkeys(rule.label for rule in rules if is_path(rule.label))
        self._detector = PathDetector(tuple(label.removeprefix(PATH) for label in labels))
        self._by_label: dict[str, list[tuple[int, Rule]]] = defaultdict(list)
        for at, rule in enumerate(rules):
            self._by_label[rule.label].append((at, rule))

    def likely(self, rule: Rule) -> list[tuple[int, Rule]]:
        """Rules, with their places, that may: few are left for the long question."""
        labels = {rule.label, EVERY}
        if is_path(rule.label):
            paths = [path for path in examples(rule.label.removeprefix(PATH)) if path]
            hits = [self._detector.find(Passage("", paths=(path,))) for path in paths]
            found = [{hit.name for hit in each} for each in hits]
            labels |= set.intersection(*found) if found else set()
        return sorted(
            (pair for label in labels for pair in self._by_label.get(label, ())),
            key=lambda pair: pair[0],
        )

    def holds(self, rule: Rule, other: Rule) -> bool | None:
        """Is the label of `other` on every text with that of `rule`? None: it was not settled."""
        if other.label in {rule.label, EVERY}:
            return True
        if not (is_path(rule.label) and is_path(other.label)):
            return False
        inner, outer = (path_pieces(one.label.removeprefix(PATH)) for one in (rule, other))
        return within(inner, outer)


def _open(rule: Rule, other: Rule) -> Finding:
    said_ = f"whether `{rule.label}` lies wholly in `{other.label}` was not settled: too many cases"
    return Finding("note", rule.source, "undecided", said_)


def _never(rule: Rule, other: Rule) -> Finding:
    by = f"`{other.name}` ({other.source})"
    if rule.ceiling > other.ceiling:
        allowed, held = rule.ceiling.name.lower(), other.ceiling.name.lower()
        message = f"rule `{rule.name}` allows {allowed}, but {by} holds all of it to {held}"
        return Finding(
            "warning", rule.source, "shadowed", message, "of two rules the stricter holds"
        )
    message = f"rule `{rule.name}` holds nothing that {by} does not hold"
    return Finding("warning", rule.source, "shadowed", message, "remove one of them")
