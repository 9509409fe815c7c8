"""Labels and candidates → the verdict: who may see this request, and why."""

from collections.abc import Iterable
from typing import Final

from halfdoor.canon.decision import Exclusion, Target, Verdict
from halfdoor.canon.labels import Label, Zone
from halfdoor.canon.rules import EVERY, Above, Rule
from halfdoor.decide.names import Candidates
from halfdoor.decide.rules import Bound, RuleBook, strictness
from halfdoor.reading import terms

# Places that are no part of the body.
_REMOVE: Final = {
    "paths": "leave out the file whose name leads there",
    "project": "work in another repository",
    "session": "begin a new session, or have this one lifted (`halfdoor session list`)",
}


def decide(candidates: Candidates, labels: Iterable[Label], book: RuleBook) -> Verdict:
    """Keep the candidates that every rule in force allows.

    INVARIANT: more labels never mean more permitted targets (promise 2): labels are only ever used
    to find rules, and rules only ever to take targets away.
    """
    bounds = book.bounds(labels)
    permitted: list[Target] = []
    excluded: list[Exclusion] = []
    holding: list[Bound] = []
    refused: Bound | None = None
    for target in candidates.targets:
        held = next((bound for bound in bounds if _forbids(bound.rule, target)), None)
        if held is None:
            permitted.append(target)
            continue
        holding.append(held)
        excluded.append(_exclusion(target, held))
        refused = refused or _refusing(bounds, target)
    strictest = bounds[0] if bounds else None
    verdict = Verdict(
        ceiling=strictest.rule.ceiling if strictest else Zone.CLOUD,
        permitted=() if refused else tuple(permitted),
        excluded=tuple(excluded),
        rule=strictest.rule.name if strictest else "",
        label=strictest.label.name if strictest else "",
        explicit=candidates.explicit,
    )
    if verdict.permitted:
        return verdict
    return _refusal(verdict, candidates, refused or min(holding, key=strictness, default=None))


def _forbids(rule: Rule, target: Target) -> bool:
    """A target is too wide, or does not state what the rule requires of it."""
    return target.zone > rule.ceiling or bool(terms.unmet(rule.require, target.zone, target.terms))


def _exclusion(target: Target, held: Bound) -> Exclusion:
    rule = held.rule
    wide = target.zone > rule.ceiling
    unmet = () if wide else terms.unmet(rule.require, target.zone, target.terms)
    return Exclusion(target.name, target.zone, rule.name, held.label.name, unmet)


def _refusing(bounds: Iterable[Bound], target: Target) -> Bound | None:
    """The rule that refuses the whole request because this target was a candidate."""
    return next(
        (b for b in bounds if b.rule.above is Above.REFUSE and _forbids(b.rule, target)),
        None,
    )


def _refusal(verdict: Verdict, candidates: Candidates, bound: Bound | None) -> Verdict:
    refusal, hint = _no_target(candidates) if bound is None else _held(candidates, bound)
    return Verdict(
        ceiling=verdict.ceiling,
        permitted=(),
        excluded=verdict.excluded,
        rule=bound.rule.name if bound else verdict.rule,
        label=bound.label.name if bound else verdict.label,
        refusal=refusal,
        hint=hint,
        explicit=verdict.explicit,
    )


def _no_target(candidates: Candidates) -> tuple[str, str]:
    return (
        f"no model is configured that can answer `{candidates.known}`",
        "add one under [[models]], or ask for a model by its own name",
    )


def _held(candidates: Candidates, bound: Bound) -> tuple[str, str]:
    """Say what was found where, which rule holds it, and what would help."""
    rule = bound.rule
    too_wide = [target for target in candidates.targets if target.zone > rule.ceiling]
    if len(too_wide) < len([t for t in candidates.targets if _forbids(rule, t)]):
        return _unpromised(candidates, bound)
    zone = rule.ceiling.name.lower()
    refusal = f"nothing was sent: {_found(bound)} is held to zone `{zone}` by {_named(rule)}"
    remove = _remove(bound)
    if rule.above is Above.REFUSE:
        return (
            refusal + ", which refuses the whole request",
            f"{remove}ask for a model in zone `{zone}`",
        )
    if candidates.explicit:
        name = candidates.targets[0].name
        wide = candidates.targets[0].zone.name.lower()
        return (
            f"{refusal}, and the model asked for, `{name}`, is in zone `{wide}`",
            f"{remove}ask for `auto` or a model in zone `{zone}`",
        )
    return (
        f"{refusal}, and no model for `{candidates.known}` is there",
        f"{remove}add a model in zone `{zone}` to [[models]] and [[names]]",
    )


def _unpromised(candidates: Candidates, bound: Bound) -> tuple[str, str]:
    """A rule requires terms, and some target that is not too wide does not state them."""
    rule = bound.rule
    assert rule.require is not None
    target = next(t for t in candidates.targets if _forbids(rule, t) and t.zone <= rule.ceiling)
    refusal = (
        f"nothing was sent: {_found(bound)} goes beyond the device only on the terms "
        f"{terms.said(rule.require)}, by {_named(rule)}"
    )
    if rule.above is Above.REFUSE:
        refusal += ", which refuses the whole request"
    stated = f"backend `{target.backend}` of `{target.name}` states {terms.stated(target.terms)}"
    hint = "ask for a model on the device, or state in [[backends]] what its operator promises"
    return f"{refusal}; {stated}", _remove(bound) + hint


def _found(bound: Bound) -> str:
    label = bound.label
    if label.name == EVERY:
        return "every request"
    what = f" ({label.detail})" if label.detail else ""
    return f"label `{label.name}`{what} in {label.place}"


def _named(rule: Rule) -> str:
    return f"rule `{rule.name}` ({rule.source})"


def _remove(bound: Bound) -> str:
    """The beginning of a hint; what holds for every request cannot be taken out of it."""
    if bound.label.name == EVERY:
        return ""
    place = bound.label.place
    return f"{_REMOVE.get(place, f'take it out of {place}')}, or "
