"""What another policy would have made of exchanges in the log. Pure; counts and names only.

The log holds labels, not text: a rule that was not in force when an exchange was recorded gave it
no label, and what such a rule would have found can only be told where an older label implies it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal

from msgspec import Struct

from halfdoor.canon.cards import Card, Terms
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import DERIVED, Label, Zone
from halfdoor.canon.record import Decided, Outcome, Planned
from halfdoor.canon.rules import Rule
from halfdoor.config.check import PATH, PRODUCED
from halfdoor.config.rules import DEFAULTS
from halfdoor.decide.names import Candidates
from halfdoor.decide.policy import decide
from halfdoor.decide.rules import RuleBook
from halfdoor.reading.globs import path_pieces, within

Change = Literal["refused", "narrower", "fewer", "wider", "same"]
CHANGES: Final[tuple[Change, ...]] = ("refused", "narrower", "fewer", "wider", "same")
_ALWAYS: Final = frozenset((*PRODUCED, *(rule.label for rule in DEFAULTS)))


class Judgement(Struct, frozen=True):
    """One exchange under the new policy.

    before, after: the widest zone that might see it, "" for nobody. rule, label: the first that
    takes a model away which was permitted. held: bytes that were sent, by zone, to models that
    would not get them any more; without an outcome the whole body counts for the whole plan.
    """

    id: str
    time: str
    change: Change
    before: str
    after: str
    rule: str
    label: str
    held: dict[str, int]
    sent: dict[str, int]


class Reviewer:
    """Judges recorded exchanges under a set of rules. cards: what is known of models by name."""

    def __init__(self, rules: tuple[Rule, ...], cards: Iterable[Card]) -> None:
        self._rules = rules
        self._book = RuleBook(rules)
        self._cards = {card.name: card for card in cards}
        self._globs = tuple(dict.fromkeys(r.label for r in rules if r.label.startswith(PATH)))
        self._ruled = {rule.label for rule in rules}
        self._implied = lru_cache(maxsize=4096)(self._implied_by)
        self.met: set[str] = set()

    def judge(self, decided: Decided, outcome: Outcome | None) -> Judgement:
        """What would have become of it."""
        targets = self._targets(decided)
        name = decided.asked
        asked = Candidates(targets, name, decided.explicit)
        verdict = decide(asked, self._labels(decided), self._book)
        permitted = {target.name for target in verdict.permitted}
        lost = [left for left in verdict.excluded if left.target in _names(decided.plan)]
        sent = _sent(decided, outcome)
        gone = _names(decided.plan) - permitted
        before = _widest(Zone[planned.zone.upper()] for planned in decided.plan)
        after = _widest(target.zone for target in verdict.permitted)
        held: dict[str, int] = {}
        for model, zone, count in sent:
            if model in gone:
                held[zone] = held.get(zone, 0) + count
        return Judgement(
            id=decided.id,
            time=decided.time,
            change=_change(before, after, fewer=bool(gone)),
            before=_said(before),
            after=_said(after),
            rule=(lost[0].rule if lost else verdict.rule) if gone else "",
            label=(lost[0].label if lost else verdict.label) if gone else "",
            held=held,
            sent=_by_zone(sent),
        )

    def untold(self) -> tuple[Rule, ...]:
        """Rules whose labels no judged exchange had: nothing is known of what they would hold."""
        return tuple(rule for rule in self._rules if rule.label in self._unmet())

    def _unmet(self) -> set[str]:
        return {label for label in self._ruled - _ALWAYS if label not in self.met}

    def _labels(self, decided: Decided) -> tuple[Label, ...]:
        found = []
        for count in decided.labels:
            derived = count.label.startswith(DERIVED)
            for name in self._implied(count.label.removeprefix(DERIVED)):
                self.met.add(name)
                place = count.places[0] if count.places else ""
                shown = f"{DERIVED}{name}" if derived else name
                found.append(Label(shown, place, count.detector, count.detail))
        return tuple(found)

    def _implied_by(self, label: str) -> tuple[str, ...]:
        """Labels of the new rules that a recorded label stands for.

        A recorded path or repository that no new rule speaks of would not be looked for any more.
        """
        if not label.startswith(PATH):
            looked_for = label in self._ruled or label in _ALWAYS or ":" not in label
            return (label,) if looked_for else ()
        inner = path_pieces(label.removeprefix(PATH))
        return tuple(
            glob
            for glob in self._globs
            if glob == label or within(inner, path_pieces(glob.removeprefix(PATH)))
        )

    def _targets(self, decided: Decided) -> tuple[Target, ...]:
        """All who were asked about then, in the zones that were recorded."""
        planned = [self._target(one.model, one.backend, one.zone) for one in decided.plan]
        return (*planned, *(self._target(one.model, "", one.zone) for one in decided.excluded))

    def _target(self, model: str, backend: str, said: str) -> Target:
        zone = Zone[said.upper()]
        card = self._cards.get(model)
        # Terms are stated of a place; a model that was found elsewhere has none.
        terms = card.terms if card and card.zone is zone else Terms()
        return Target(model, backend, "", zone, "", "", terms=terms)


def pairs(entries: Iterable[object]) -> Iterator[tuple[Decided, Outcome | None]]:
    """Decisions with their outcomes, in the order in which they ended; open ones come last."""
    waiting: dict[str, Decided] = {}
    for entry in entries:
        if isinstance(entry, Decided):
            waiting[entry.id] = entry
        elif isinstance(entry, Outcome) and entry.id in waiting:
            yield waiting.pop(entry.id), entry
    for decided in waiting.values():
        yield decided, None


def _names(plan: Iterable[Planned]) -> set[str]:
    return {planned.model for planned in plan}


def _widest(zones: Iterable[Zone]) -> Zone | None:
    return max(zones, default=None)


def _said(zone: Zone | None) -> str:
    return "" if zone is None else zone.name.lower()


def _change(before: Zone | None, after: Zone | None, *, fewer: bool) -> Change:
    if after is None:
        return "same" if before is None else "refused"
    if before is None or after > before:
        return "wider"
    if after < before:
        return "narrower"
    return "fewer" if fewer else "same"


def _sent(decided: Decided, outcome: Outcome | None) -> list[tuple[str, str, int]]:
    """(model, zone, body bytes) of each time it was sent."""
    if outcome is None:
        return [(planned.model, planned.zone, decided.body_bytes) for planned in decided.plan]
    return [(one.model, one.zone, one.sent_bytes) for one in outcome.attempts if one.sent_bytes]


def _by_zone(sent: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for _, zone, count in sent:
        totals[zone] = totals.get(zone, 0) + count
    return totals


def added(totals: dict[str, int], more: Mapping[str, int]) -> None:
    """Add counts by zone."""
    for zone, count in more.items():
        totals[zone] = totals.get(zone, 0) + count
