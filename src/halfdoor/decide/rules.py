"""Labels → the widest zone they allow together. The strictest rule holds; order never matters."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from halfdoor.canon.labels import DERIVED, Label, Zone
from halfdoor.canon.rules import EVERY, Above, Rule


class Bound(Struct, frozen=True):
    """One rule that a label brought into force; `*` is a label of every request."""

    rule: Rule
    label: Label


class RuleBook:
    """The rules in force, indexed by label.

    labels: those they speak of. places: some of them ask where files are.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        book: dict[str, list[Rule]] = {}
        for rule in self.rules:
            book.setdefault(rule.label, []).append(rule)
        self._book: Mapping[str, list[Rule]] = book
        every = Label(EVERY, "request", "rule")
        self._always = {(rule, EVERY): Bound(rule, every) for rule in book.pop(EVERY, ())}
        self.labels = frozenset(book)
        self.places = any(label.startswith(("path:", "repo:")) for label in book)

    def bounds(self, labels: Iterable[Label]) -> tuple[Bound, ...]:
        """Every rule that these labels bring into force, the strictest first.

        Rules for `*` hold without any. A derived label is under the rules of the label it derives
        from. A label that nobody has a rule for stays on the device: an unknown fact never widens.
        """
        found: dict[tuple[Rule, str], Bound] = dict(self._always)
        for label in labels:
            name = label.name.removeprefix(DERIVED)
            for rule in self._book.get(name) or (_unruled(name),):
                found.setdefault((rule, label.name), Bound(rule, label))
        return tuple(sorted(found.values(), key=strictness))

    def narrows(self, label: str) -> bool:
        """Does any rule keep text with this label from anybody? What nobody rules stays here."""
        rules = self._book.get(label.removeprefix(DERIVED))
        if rules is None:
            return True
        return any(rule.ceiling < Zone.CLOUD or rule.require is not None for rule in rules)


def strictness(bound: Bound) -> tuple[int, int, bool, str, bool, str]:
    """Sort key: narrower ceilings first, refuse before exclude, rules that require something first.

    Names make it total; what was found comes before what is derived from it.
    """
    rule = bound.rule
    derived = bound.label.name.startswith(DERIVED)
    free = rule.require is None
    return (rule.ceiling, rule.above, free, rule.name, derived, bound.label.name)


def _unruled(label: str) -> Rule:
    return Rule(f"no-rule-for:{label}", label, Zone.DEVICE, Above.EXCLUDE, "built in")
