"""What can be wrong with a policy that loads: rules that never matter, models that never answer."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.cards import Alias, Card
from halfdoor.canon.decision import Target, Verdict
from halfdoor.canon.labels import Label, Zone
from halfdoor.canon.rules import EVERY, Rule
from halfdoor.cli.policy.findings import Finding, is_path
from halfdoor.cli.policy.shadows import shadowed
from halfdoor.config.check import PATH, produced
from halfdoor.config.rules import DEFAULTS
from halfdoor.config.suggest import meant
from halfdoor.decide.names import AUTO, Candidates, target
from halfdoor.decide.policy import decide
from halfdoor.decide.rules import RuleBook
from halfdoor.detect.paths import PathDetector
from halfdoor.reading.globs import name_pieces, within
from halfdoor.reading.passages import Passage
from halfdoor.reading.terms import said, unmet

_LISTED: Final = 4


class Policy(Struct, frozen=True):
    """What is looked over.

    rules: all in force. user, project: what each file says. cards: None when models are not stated
    in a file. names: the patterns, each with its place. paths: every path of the project, relative,
    None where they are not compared; sought: the rules whose globs should be among them.
    """

    rules: tuple[Rule, ...]
    user: tuple[Rule, ...] = ()
    project: tuple[Rule, ...] = ()
    cards: tuple[Card, ...] | None = None
    names: tuple[tuple[Alias, str], ...] = ()
    paths: tuple[str, ...] | None = None
    sought: tuple[Rule, ...] = ()


def look_over(policy: Policy) -> list[Finding]:
    """All findings, in the order of files and lines."""
    found = [
        *shadowed(policy.user),
        *shadowed(policy.project),
        *_idle((*policy.user, *policy.project)),
        *_literal((*policy.user, *policy.project)),
        *_loosened(policy.user),
        *_unmatched(policy),
        *_unreached(policy.names),
    ]
    if policy.cards is not None:
        found += [
            *_deserted(policy.rules, policy.cards),
            *_unpromised(policy.rules, policy.cards),
            *_never_asked(policy.rules, policy.cards),
            *_unanswered(policy, policy.cards),
        ]
    return sorted(found, key=lambda finding: (_place(finding.where), finding.level))


def _place(where: str) -> tuple[str, int]:
    file, _, line = where.rpartition(":")
    return (file, int(line)) if line.isascii() and line.isdigit() else (where, 0)


def _idle(rules: Iterable[Rule]) -> Iterator[Finding]:
    defaults = {rule.label for rule in DEFAULTS}
    for rule in rules:
        if rule.ceiling is Zone.CLOUD and rule.require is None and rule.label not in defaults:
            message = f"rule `{rule.name}` holds nothing back: nothing is wider than cloud"
            hint = "write a narrower `ceiling`, or what you `require`"
            yield Finding("warning", rule.source, "idle", message, hint)


def _literal(rules: Iterable[Rule]) -> Iterator[Finding]:
    """Characters that other globs give a meaning to."""
    for rule in rules:
        glob = rule.label.removeprefix(PATH) if is_path(rule.label) else ""
        if glob.startswith("!") or not set(glob).isdisjoint("[]{}"):
            message = f"in `{rule.label}` the marks `[`, `{{` and `!` stand for themselves"
            hint = "write a rule for each, or `?` and `*`"
            yield Finding("note", rule.source, "literal", message, hint)


def _loosened(rules: tuple[Rule, ...]) -> Iterator[Finding]:
    held = {rule.label: rule.ceiling for rule in DEFAULTS}
    for label, default in held.items():
        own = [rule for rule in rules if rule.label == label]
        if own and min(rule.ceiling for rule in own) > default:
            reach = min(rule.ceiling for rule in own).name.lower()
            message = f"`{label}` may reach {reach}; without this rule it is {default.name.lower()}"
            yield Finding("warning", own[0].source, "loosened", message)


def _unmatched(policy: Policy) -> Iterator[Finding]:
    if policy.paths is None:
        return
    sought = [rule for rule in policy.sought if is_path(rule.label)]
    globs = tuple(rule.label.removeprefix(PATH) for rule in sought)
    found = PathDetector(globs).find(Passage("", paths=policy.paths))
    met = {label.name for label in found}
    for rule in sought:
        if rule.label not in met:
            message = f"`{rule.label}` matches nothing in the project ({len(policy.paths):,} paths)"
            hint = "is it spelled as the folder is? a rule for what is to come is fine"
            yield Finding("warning", rule.source, "unmatched", message, hint)


def _unreached(names: tuple[tuple[Alias, str], ...]) -> Iterator[Finding]:
    """Patterns behind one that takes all that they match; the first that matches answers."""
    for at, (alias, where) in enumerate(names):
        inner = name_pieces(alias.match)
        for earlier, there in names[:at]:
            outer = name_pieces(earlier.match)
            if inner and outer and within(inner, outer, one_crosses=True):
                message = f"`{alias.match}` is never reached: `{earlier.match}` ({there}) is first"
                yield Finding("warning", where, "unreached", message, "put the wider one last")
                break


def _deserted(rules: tuple[Rule, ...], cards: tuple[Card, ...]) -> Iterator[Finding]:
    """Ceilings that no model is in or below."""
    nearest = min((card.zone for card in cards), default=Zone.CLOUD)
    by_zone: dict[tuple[str, Zone], list[Rule]] = defaultdict(list)
    for rule in rules:
        if produced(rule.label) and rule.ceiling < nearest:
            by_zone[rule.source, rule.ceiling].append(rule)
    for (source, zone), held in by_zone.items():
        every = any(rule.label == EVERY for rule in held)
        what = "" if every else " with " + _listed([rule.label for rule in held])
        message = f"no model is in zone {zone.name.lower()}: every request{what} is refused"
        hint = "add one to [[models]], or mean it so"
        yield Finding("error" if every else "warning", source, "deserted", message, hint)


def _unpromised(rules: tuple[Rule, ...], cards: tuple[Card, ...]) -> Iterator[Finding]:
    """Requirements that no backend in reach of the rule meets."""
    for rule in rules:
        reached = [card for card in cards if Zone.DEVICE < card.zone <= rule.ceiling]
        if rule.require is None or any(
            not unmet(rule.require, card.zone, card.terms) for card in reached
        ):
            continue
        message = f"no backend beyond the device states {said(rule.require)}"
        regions = {card.terms.region for card in reached} - {""}
        near = [hint for region in rule.require.regions if (hint := meant(region, regions))]
        hint = next((text for text in near if text.startswith("did")), "nothing leaves under it")
        yield Finding("warning", rule.source, "unmet", message, hint)


def _never_asked(rules: tuple[Rule, ...], cards: tuple[Card, ...]) -> Iterator[Finding]:
    """Models that a rule for every request leaves out; those beyond its ceiling are meant to be."""
    book = RuleBook(rules)
    for card in cards:
        verdict = _verdict((card,), (), book, card.name)
        for left in verdict.excluded:
            if left.unmet:
                message = f"model `{card.name}` never answers: rule `{left.rule}` requires "
                message += f"{', '.join(left.unmet)}, which backend `{card.backend}` does not state"
                yield Finding("note", _source(rules, left.rule), "never-asked", message)


def _unanswered(policy: Policy, cards: tuple[Card, ...]) -> Iterator[Finding]:
    """Names whose requests nobody may answer, under no label or under one that a rule speaks of."""
    book = RuleBook(policy.rules)
    by_name = {card.name: card for card in cards}
    asked = [(alias.match, tuple(by_name[c] for c in alias.choose), w) for alias, w in policy.names]
    if not asked:  # then `auto` is all there is
        asked = [(AUTO, tuple(cards), "[[models]]")]
    labels = dict.fromkeys(rule.label for rule in policy.rules if produced(rule.label))
    for name, chosen, where in asked:
        bare = _verdict(chosen, (), book, name)
        if not bare.permitted:
            message = f"nobody may answer `{name}`: {bare.refusal}"
            yield Finding("error", where, "unanswered", message, bare.hint)
            continue
        refused = [
            label
            for label in labels
            if label != EVERY and not _verdict(chosen, (_label(label),), book, name).permitted
        ]
        if refused:
            message = f"requests for `{name}` with {_listed(refused)} are refused"
            hint = "add a model that may see them to its `choose`, or mean it so"
            yield Finding("warning", where, "unanswered", message, hint)


def _verdict(
    cards: tuple[Card, ...], labels: tuple[Label, ...], book: RuleBook, name: str
) -> Verdict:
    targets: tuple[Target, ...] = tuple(target(card, name) for card in cards)
    return decide(Candidates(targets, name, explicit=False), labels, book)


def _label(name: str) -> Label:
    return Label(name, "messages[0]", "check")


def _source(rules: Iterable[Rule], name: str) -> str:
    return next((rule.source for rule in rules if rule.name == name), "")


def _listed(labels: list[str]) -> str:
    shown = ", ".join(f"`{label}`" for label in labels[:_LISTED])
    more = len(labels) - _LISTED
    return f"{shown} and {more:,} more" if more > 0 else shown
