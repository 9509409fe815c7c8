"""What the log is told: entries made of counts, closed names and keyed hashes, never content."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, assert_never

import msgspec

from halfdoor.canon.commands import Answered, Faulted, HungUp
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Label
from halfdoor.canon.money import FREE, PicoUSD, Price, Usage
from halfdoor.canon.record import Attempt, Decided, LabelCount, Left, Outcome, Planned, TooLong
from halfdoor.canon.request import Kind
from halfdoor.decide.budgets import BUDGET
from halfdoor.decide.money import billed, cost
from halfdoor.decide.plans import PLAN
from halfdoor.flow import choosing
from halfdoor.flow.house import House
from halfdoor.flow.preparing import Prepared
from halfdoor.flow.weighing import Weighed

PLACES_SHOWN: Final = 16
# Integers that every reader of JSON keeps whole; as pico-USD, 9,007 USD for one exchange.
COUNT_LIMIT: Final = 2**53 - 1


def timestamp(ms: int) -> str:
    """RFC 3339, UTC, milliseconds."""
    return f"{_second(ms // 1000)}.{ms % 1000:03}Z"


@lru_cache(maxsize=4)
def _second(s: int) -> str:
    """Many entries are of one second."""
    return datetime.fromtimestamp(s, UTC).isoformat()[:-6]


def decided(
    weighed: Weighed, house: House, edits: tuple[str, ...], expected_tokens: int = 0
) -> Decided:
    """The decision, as it must be durable before any byte leaves."""
    request, verdict, actor = weighed.request, weighed.verdict, weighed.actor
    session = request.session
    return Decided(
        id=weighed.scene.id,
        time=timestamp(weighed.scene.now_ms),
        dialect=request.dialect,
        endpoint=request.endpoint,
        asked=weighed.candidates.known,
        stream=request.stream,
        body_bytes=len(request.body),
        body_mac=house.mac(request.body),
        labels=counted(weighed.labels),
        ceiling=verdict.ceiling.name.lower(),
        rule=verdict.rule,
        plan=tuple(_planned(target, weighed) for target in weighed.targets),
        excluded=tuple(
            Left(e.target, e.zone.name.lower(), e.rule, e.label, e.unmet) for e in verdict.excluded
        ),
        policy=house.policy_hash,
        detectors=house.surveyor.detectors_hash,
        edits=edits,
        refusal=_refusal(weighed),
        explicit=verdict.explicit,
        token=actor.token,
        tool=actor.tool,
        project=actor.project,
        session_mac=house.mac(session.encode("utf-8", "replace")) if session else "",
        session=weighed.scene.session,
        via=actor.via,
        unwell=tuple(f"{name}: {said}" for name, said in weighed.passed_over),
        unfit=tuple(
            TooLong(u.target, u.zone.name.lower(), u.tokens, u.window) for u in weighed.unfit
        ),
        expected_tokens=expected_tokens,
        choice=choosing.told(weighed.choice, weighed.targets, weighed.stayed, house.mac),
        busy=tuple(f"{name}: {how}" for name, how in weighed.overflowed),
        instead_of=_instead_of(weighed),
    )


def _instead_of(weighed: Weighed) -> tuple[str, ...]:
    if not weighed.targets:
        return ()
    return tuple(f"{name}: {why}" for name, why in weighed.instead_of(weighed.targets[0]))


def outcome(
    weighed: Weighed,
    attempts: tuple[Attempt, ...],
    over: Answered | Faulted | HungUp | None,
    notices: tuple[str, ...] = (),
) -> Outcome:
    """How it ended; the last attempt answered, failed or was abandoned."""
    last = attempts[-1] if attempts else None
    learnt = over.learnt if over else None
    elapsed = sum(attempt.ms for attempt in attempts)
    return Outcome(
        id=weighed.scene.id,
        time=timestamp(weighed.scene.now_ms + elapsed),
        result=_result(weighed, over),
        model=last.model if last else "",
        zone=last.zone if last else "",
        attempts=attempts,
        usage=told(over) if over else None,
        stop=learnt.stop if learnt else "",
        status=last.status if last else 200 if counted_here(weighed, over) else 400,
        first_byte_ms=over.first_byte_ms if over else -1,
        ms=elapsed,
        cost=_total(attempts),
        notices=notices,
    )


def counted_here(weighed: Weighed, over: Answered | Faulted | HungUp | None) -> bool:
    """Is this a count of tokens that no backend made? Then it is made here, and nothing leaves."""
    unanswered = over is None or (isinstance(over, Faulted) and not over.committed)
    return weighed.request.kind is Kind.COUNT and unanswered


def told(over: Answered | Faulted | HungUp) -> Usage | None:
    """What a backend said was used, if it did.

    It may claim anything; the log holds integers that JSON can, none negative.
    """
    usage = over.learnt.usage
    if usage is None:
        return None
    counts = msgspec.structs.astuple(usage)
    if min(counts) >= 0 and max(counts) <= COUNT_LIMIT:
        return usage
    return Usage(*(min(max(count, 0), COUNT_LIMIT) for count in counts))


def attempt(ready: Prepared, over: Answered | Faulted | HungUp) -> Attempt:
    """One call, as it went."""
    result, status = _ending(over)
    target = ready.target
    return Attempt(
        model=target.name,
        backend=target.backend,
        zone=target.zone.name.lower(),
        result=result,
        status=status,
        sent_bytes=over.sent_bytes,
        received_bytes=over.received_bytes,
        ms=over.ms,
        edits=(*ready.edits, *(f"repaired:{notation}" for notation in over.learnt.repaired)),
        cost=spent(over, target.price),
        priced_as=target.priced_as,
        plan="" if target.listed is None else target.plan,
        worth=None if target.listed is None else spent(over, target.listed),
        waited_ms=over.waited.ms,
        swap=over.waited.swap,
        first_ms=over.first_answer_ms,
    )


def spent(over: Answered | Faulted | HungUp, price: Price) -> PicoUSD | None:
    """What a call cost; None when nobody knows.

    A backend that was never reached, or that answered with an error, bills nothing. An answer that
    broke off costs what its backend had told until then.
    """
    usage = told(over)
    if usage is not None:
        known = cost(usage, price)
        return None if known is None else min(known, COUNT_LIMIT)
    result, _ = _ending(over)
    return None if billed(result, over.sent_bytes, usage) and price != FREE else 0


def _total(attempts: tuple[Attempt, ...]) -> int | None:
    known = [attempt.cost for attempt in attempts if attempt.cost is not None]
    return min(sum(known), COUNT_LIMIT) if len(known) == len(attempts) else None


def _ending(over: Answered | Faulted | HungUp) -> tuple[str, int]:
    match over:
        case Answered():
            return ("failed-inside" if over.learnt.failure else "answered"), over.status
        case Faulted():
            return over.fault.kind.value, over.fault.status
        case HungUp():
            # Many clients close the moment they have an answer's end: that is no hang-up.
            return ("answered", 200) if over.learnt.finished else ("hung-up", 0)
        case _:
            assert_never(over)


def counted(labels: Iterable[Label]) -> tuple[LabelCount, ...]:
    """Labels grouped by name, kind and detector, with the places they were found in."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for label in labels:
        groups.setdefault((label.name, label.detail, label.detector), []).append(label.place)
    return tuple(
        LabelCount(name, detail, detector, len(places), _shown(places))
        for (name, detail, detector), places in sorted(groups.items())
    )


def _shown(places: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(places))[:PLACES_SHOWN]


def _planned(target: Target, weighed: Weighed) -> Planned:
    due = weighed.dues.get(target.name)
    # INVARIANT: what a plan may not pay for after all counts with its list price until it is over.
    worst = due.beyond if due is not None and due.beyond else due
    most = None if worst is None or worst.most is None else min(worst.most, COUNT_LIMIT)
    planned = Planned(target.name, target.backend, target.zone.name.lower(), most, target.priced_as)
    if due is None or due.use is None or target.listed is None:
        return planned
    return msgspec.structs.replace(planned, plan=target.plan, tokens=due.use.tokens)


def _refusal(weighed: Weighed) -> str:
    if weighed.targets or weighed.request.kind is Kind.COUNT:
        return ""
    if weighed.tired:
        return "given-up"
    if weighed.unfit:
        return "too-long"
    if not weighed.verdict.excluded:
        return "no-target"
    return _kept(weighed)


def _kept(weighed: Weighed) -> str:
    """What kept the request from everybody."""
    kept = {each.label for each in weighed.verdict.excluded}
    if PLAN in kept:
        return "plan"
    if BUDGET in kept:
        return "budget"
    return "explicit" if weighed.verdict.explicit else "rule"


def _result(weighed: Weighed, over: Answered | Faulted | HungUp | None) -> str:
    if counted_here(weighed, over):
        return "counted"
    match over:
        case None:
            return "refused"
        case Answered():
            return "failed" if over.learnt.failure else "answered"
        case Faulted():
            return "failed"
        case HungUp():
            return "answered" if over.learnt.finished else "hung-up"
