"""Labels and candidates → the verdict: who may see this request, and why."""

from collections.abc import Iterable

from halfdoor.canon.decision import Exclusion, Target, Verdict
from halfdoor.canon.labels import Label, Zone
from halfdoor.canon.rules import Above
from halfdoor.decide.names import Candidates
from halfdoor.decide.rules import Bound, RuleBook


def decide(candidates: Candidates, labels: Iterable[Label], book: RuleBook) -> Verdict:
    """Keep the candidates that every rule in force allows.

    INVARIANT: more labels never mean more permitted targets (promise 2): labels are only ever used
    to find rules, and rules only ever to take targets away.
    """
    bounds = book.bounds(labels)
    permitted: list[Target] = []
    excluded: list[Exclusion] = []
    refused: Bound | None = None
    for target in candidates.targets:
        held = next((bound for bound in bounds if target.zone > bound.rule.ceiling), None)
        if held is None:
            permitted.append(target)
            continue
        excluded.append(Exclusion(target.name, target.zone, held.rule.name, held.label.name))
        refused = refused or _refusing(bounds, target.zone)
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
    return _refusal(verdict, candidates, (refused or strictest) if excluded else None)


def _refusing(bounds: Iterable[Bound], zone: Zone) -> Bound | None:
    """The rule that refuses the whole request because a target in `zone` was a candidate."""
    return next(
        (b for b in bounds if b.rule.above is Above.REFUSE and zone > b.rule.ceiling),
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
    label, rule = bound.label, bound.rule
    zone = rule.ceiling.name.lower()
    what = f" ({label.detail})" if label.detail else ""
    refusal = (
        f"nothing was sent: label `{label.name}`{what} in {label.place} is held to zone `{zone}` "
        f"by rule `{rule.name}` ({rule.source})"
    )
    remove = f"take it out of {label.place}"
    if rule.above is Above.REFUSE:
        return refusal + ", which refuses the whole request", remove
    if candidates.explicit:
        name = candidates.targets[0].name
        wide = candidates.targets[0].zone.name.lower()
        return (
            f"{refusal}, and the model asked for, `{name}`, is in zone `{wide}`",
            f"{remove}, or ask for `auto` or a model in zone `{zone}`",
        )
    return (
        f"{refusal}, and no model for `{candidates.known}` is there",
        f"{remove}, or add a model in zone `{zone}` to [[models]] and [[names]]",
    )
