"""Flat plans: which calls they pay for, and whom a plan without room leaves out.

INVARIANT: nothing here permits anybody. Where a plan's use is not known, it pays only if its vendor
refuses what is beyond it instead of billing it, and the answer says that the use is not known.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.decision import Exclusion, Target, Verdict
from halfdoor.canon.money import FREE, Usage
from halfdoor.canon.plans import Beyond, Plan, Standing, Standings, Told, Use
from halfdoor.canon.record import Attempt
from halfdoor.decide.money import TOKENS_LIMIT, billed, shown

# What stands in an exclusion instead of a label: no detector gives it.
PLAN: Final = "plan"
FULL_PPM: Final = 1_000_000
_HINT: Final = "ask for a model that is not under it, or change its `beyond` in [[plans]]"
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))


class Covered(Struct, frozen=True):
    """The verdict under flat plans: what they pay for costs nothing.

    told: by target, its plan and how full that is, for a header. halting: by target, why nobody
    after it is asked.
    INVARIANT: its permitted targets are among those of the verdict before.
    """

    verdict: Verdict
    told: Mapping[str, str] = {}
    halting: Mapping[str, str] = {}


def covering(plans: Sequence[Plan], target: Target) -> Plan | None:
    """The first plan that covers a target."""
    name = target.priced_as or target.name
    return next((each for each in plans if covers(each, name, target.backend)), None)


def covers(plan: Plan, model: str, backend: str) -> bool:
    """Does it cover a model, as the books call it, at a backend?"""
    return (not plan.backends or backend in plan.backends) and (
        not plan.models or any(fnmatchcase(model, glob) for glob in plan.models)
    )


def under_plans(
    verdict: Verdict, plans: Sequence[Plan], standings: Standings, tokens: Mapping[str, int]
) -> Covered:
    """Let plans pay for what they have room for. tokens: of a call to each target, at most."""
    permitted: list[Target] = []
    told: dict[str, str] = {}
    halting: dict[str, str] = {}
    full: dict[str, tuple[Plan, str]] = {}
    for target in verdict.permitted:
        plan = covering(plans, target)
        if plan is None:
            permitted.append(target)
            continue
        standing = standings.get(plan.name, Standing())
        trouble = _full(plan, standing, tokens[target.name])
        pays = not trouble and (plan.beyond is not Beyond.PAY or _known(plan, standing))
        if trouble and plan.beyond is not Beyond.PAY:
            full[target.name] = (plan, trouble)
            if plan.beyond is Beyond.FALLBACK:
                continue
            halting[target.name] = _refusal(plan, trouble, target.name)
        told[target.name] = f"{plan.name}, {_state(plan, standing, pays=pays)}"
        permitted.append(_paid(target, plan) if pays else replace(target, plan=plan.name))
    left = tuple(
        Exclusion(each.name, each.zone, full[each.name][0].name, PLAN)
        for each in verdict.permitted
        if each.name in full
    )
    verdict = replace(verdict, permitted=tuple(permitted), excluded=(*verdict.excluded, *left))
    if full and not permitted:
        first = next(each for each in verdict.excluded if each.target in full)
        verdict = _nobody(verdict, *full[first.target], first.target)
    return Covered(verdict, told, halting)


def halted(
    targets: tuple[Target, ...], covered: Covered, verdict: Verdict
) -> tuple[tuple[Target, ...], Verdict]:
    """The plan up to the first target whose flat plan stops there; a refusal if that is the first.

    INVARIANT: what is asked is a beginning of what would have been asked.
    """
    if not covered.halting:
        return targets, verdict
    at = next((i for i, each in enumerate(targets) if each.name in covered.halting), None)
    if at is None:
        return targets, verdict
    if at:
        return targets[:at], verdict
    refusal = covered.halting[targets[0].name]
    return (), replace(verdict, permitted=(), refusal=refusal, hint=_HINT)


def beyond(target: Target) -> Target:
    """A target that its plan does not pay for after all."""
    return target if target.listed is None else replace(target, price=target.listed, listed=None)


def use(target: Target, tokens: int) -> Use | None:
    """What a call takes of the plan that covers it: nothing where that does not pay for it."""
    if target.listed is None:
        return Use(target.plan, 0, 0) if target.plan else None
    return Use(target.plan, 1, tokens)


def taken(held: Use, call: Attempt, usage: Usage | None) -> Use:
    """What a call took of a plan, of the most that was held for it. usage: what its backend told.

    INVARIANT: the ledger and the books both ask here, so a restart forgets no call and adds none.
    """
    if not call.plan or not billed(call.result, call.sent_bytes, usage):
        return Use(held.plan, 0, 0)
    if usage is None:
        return held
    return Use(held.plan, 1, min(usage.input_tokens + usage.output_tokens, TOKENS_LIMIT))


def used_up(plan: str) -> str:
    """What a target is told that another exchange was faster than."""
    return f"plan `{plan}` has no room left for it"


def span(seconds: int) -> str:
    """`5h`, `7d`."""
    for unit, letter in _UNITS:
        if seconds % unit == 0:
            return f"{seconds // unit}{letter}"
    return f"{seconds}s"


def shares(plan: Plan, standing: Standing) -> Iterator[tuple[int, int]]:
    """(window in seconds, millionths of it that are used), by our own count and as vendors say."""
    for window, fill in zip(plan.windows, standing.fills, strict=False):
        parts = ((fill.requests, window.requests), (fill.tokens, window.tokens))
        limited = [used * FULL_PPM // limit for used, limit in parts if limit]
        yield window.seconds, max(limited, default=0)
    for each in standing.told:
        yield each.window_s, each.used_ppm


def _paid(target: Target, plan: Plan) -> Target:
    return replace(target, price=FREE, plan=plan.name, listed=target.price)


def _known(plan: Plan, standing: Standing) -> bool:
    return bool(standing.told or (plan.windows and standing.fills))


def _full(plan: Plan, standing: Standing, tokens: int) -> str:
    """Why a call does not fit, "" if it does as far as it is known."""
    for window, fill in zip(plan.windows, standing.fills, strict=False):
        free = f"; some is free again {fill.free}" if fill.free else ""
        if window.requests is not None and fill.requests >= window.requests:
            used = f"{fill.requests:,} of {window.requests:,} requests"
            return f"used {used} of {span(window.seconds)}{free}"
        if window.tokens is not None and fill.tokens + tokens > window.tokens:
            used = f"{fill.tokens:,} of {window.tokens:,} tokens"
            more = f"and this request may take {tokens:,}"
            return f"used {used} of {span(window.seconds)}, {more}{free}"
    return next((_said(each) for each in standing.told if each.used_ppm >= FULL_PPM), "")


def _said(told: Told) -> str:
    return f"used all of {span(told.window_s)}, as its vendor says, until {told.until}"


def _state(plan: Plan, standing: Standing, *, pays: bool) -> str:
    """In a few words for a header."""
    if not _known(plan, standing):
        return "use not known" + ("" if pays else ": at list price")
    if not pays:
        return "used up: at list price"
    window_s, ppm = max(shares(plan, standing), key=lambda each: each[1])
    return f"{100 * ppm // FULL_PPM}% of {span(window_s)}"


def _refusal(plan: Plan, trouble: str, target: str) -> str:
    fee = f"{shown(plan.fee)} a {plan.period}"
    return f"nothing was sent: plan `{plan.name}` ({fee}) of `{target}` has {trouble}"


def _nobody(verdict: Verdict, plan: Plan, trouble: str, target: str) -> Verdict:
    return replace(verdict, refusal=_refusal(plan, trouble, target), hint=_HINT)
