"""The line: one generator that yields commands and receives replies. It *is* the product.

Pure: no clock, no chance, no I/O; `flow/drive.py` performs what it asks for. Read it from top to
bottom: what is in the request, who may see it, who is tried, what was recorded.
"""

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.commands import (
    Answered,
    Append,
    Begin,
    Call,
    Command,
    Fault,
    Faulted,
    FaultKind,
    Headers,
    Hold,
    HungUp,
    Remember,
    Reply,
    Reserve,
    Settle,
    Short,
    Unrecorded,
)
from halfdoor.canon.decision import Permit, Target
from halfdoor.canon.request import Actor, Kind, Request
from halfdoor.canon.scene import Scene
from halfdoor.decide.budgets import Due, purses, short
from halfdoor.decide.instead import said
from halfdoor.decide.plans import beyond, taken, used_up
from halfdoor.dialects.overlong import overlong
from halfdoor.flow import replies, session, tries, writing
from halfdoor.flow.counting import Counting
from halfdoor.flow.house import House
from halfdoor.flow.keeping import Keeping
from halfdoor.flow.preparing import Prepared, prepare
from halfdoor.flow.weighing import Weighed, weigh
from halfdoor.reading.quotas import quotas

if TYPE_CHECKING:
    from halfdoor.canon.record import Attempt

Over = Answered | Faulted | HungUp

# Faults that are halfdoor's own.
_OURS: Final = frozenset({FaultKind.STOPPED, FaultKind.INTERNAL})


def exchange(
    request: Request, actor: Actor, house: House
) -> Generator[Command, object, Reply | None]:
    """One request, from its bytes to its outcome.

    Yields commands and receives their replies (`canon/commands.py`). Returns the whole answer for
    the client when no backend's answer reached it, else None.
    Raises ClientError, before anything was decided, for a request that cannot be read.
    """
    found = house.surveyor.survey(request)
    places = house.book.places
    known = session.session(request, actor, found, house.prints)
    again = tries.turn(request, actor, found, house.prints)
    scene = yield Begin(
        actor,
        request.session,
        found.marks,
        found.paths,
        found.texts,
        places,
        known.marks,
        purses(house.budgets, actor),
        known.pins,
        house.plans,
        again,
    )
    assert isinstance(scene, Scene)
    weighed = weigh(request, actor, found, scene, house)
    ready = prepare(weighed, weighed.targets[0], house) if weighed.targets else None
    counting = Counting(weighed, house)

    # INVARIANT: nothing below this line runs before the decision is durable (promise 1).
    permit = yield Append(writing.decided(weighed, house, _edits(ready), counting.foreseen))
    if isinstance(permit, Unrecorded):
        return replies.unrecorded(weighed, house, permit)
    assert isinstance(permit, Permit)

    keeping = Keeping(weighed, house, known)
    walked = yield from _walk(ready, permit, weighed, (keeping, counting), house)
    over, attempts = walked.over, walked.attempts

    # INVARIANT: remembered before the outcome is awaited: the client may ask again at once, with
    # half an answer if it hung up (promise 5).
    notices: tuple[str, ...] = ()
    if walked.ready is not None and over is not None:
        kept = keeping(walked.ready.target, over.learnt, floor=_reached(over))
        yield _with_turn(kept, again, walked, scene.failed)
        notices = counting.settled(walked.ready.target, over.learnt)
    yield Append(writing.outcome(weighed, attempts, over, notices))
    if writing.counted_here(weighed, over):
        return replies.counted(weighed, house)
    if over is None:
        return replies.refused(weighed, house)
    if isinstance(over, Faulted) and not over.committed:
        worded = replies.given_up if walked.tired else replies.failed
        return worded(walked.weighed, house, attempts, over.fault)
    return None


class _Walked(Struct, frozen=True):
    """A plan that was walked. failed: whom of it its turn was failed by. tired: that is enough.

    weighed: what was decided, with those that were tried before the last.
    """

    weighed: Weighed
    ready: Prepared | None
    over: Over | None
    attempts: "tuple[Attempt, ...]"
    failed: tuple[str, ...]
    tired: bool


def _walk(
    ready: Prepared | None,
    permit: Permit,
    weighed: Weighed,
    noting: tuple[Keeping, Counting],
    house: House,
) -> Generator[Command, object, _Walked]:
    """Ask one target after the other until it is over. ready: for the first of them."""
    attempts: list[Attempt] = []
    failed: list[str] = []
    over: Over | None = None
    fails = False
    for target in weighed.targets:
        if attempts:
            weighed = _knowing(weighed, attempts[-1])
        if attempts or ready is None:
            ready = prepare(weighed, target, house)
        ready, over, attempt = yield from _attempt(ready, permit, weighed, *noting, house)
        attempts.append(attempt)
        if fails := tries.failing(target, over):
            failed.append(target.name)
        if _final(over):
            break
    enough = len(weighed.scene.failed) + len(failed) >= weighed.tries
    return _Walked(weighed, ready, over, tuple(attempts), tuple(failed), fails and enough)


def _knowing(weighed: Weighed, attempt: "Attempt") -> Weighed:
    """Whoever answers now says who was asked before."""
    return replace(weighed, tried=(*weighed.tried, (attempt.model, said(attempt))))


def _with_turn(
    kept: Remember, turn: Callable[[], bytes], walked: _Walked, before: tuple[str, ...]
) -> Remember:
    """What failed it now is added to `before`, an answer forgets both, all else says nothing."""
    over = walked.over
    assert over is not None
    well = isinstance(over, Answered) and not over.learnt.failure
    if not walked.failed and not (well and before):
        return kept
    failed = () if well else walked.failed
    return replace(kept, turn=turn(), failed=failed, wait_ms=tries.wait_ms(over))


def _edits(ready: Prepared | None) -> tuple[str, ...]:
    return ready.edits if ready else ()


def _attempt(
    ready: Prepared,
    permit: Permit,
    weighed: Weighed,
    keeping: Keeping,
    counting: Counting,
    house: House,
) -> Generator[Command, object, tuple[Prepared, Over, "Attempt"]]:
    """The target as it was paid for, and how the call went, also as the log will have it."""
    outbound, pipe = ready.outbound, ready.pipe
    if outbound is None or pipe is None:
        assert ready.fault is not None
        return _uncalled(ready, ready.fault)
    keep = partial(keeping, ready.target) if weighed.labels else None
    lane = _lane(weighed)
    target, hold = yield from _paid(ready.target, weighed, house)
    if target is not ready.target:
        ready = replace(ready, target=target)
    if isinstance(hold, Fault):
        return _uncalled(ready, hold)
    notice = partial(counting.notice, target)
    error = house.dialects[target.dialect].error
    over = yield Call(target, outbound, permit, pipe, keep, lane, notice, error)
    assert isinstance(over, Answered | Faulted | HungUp)
    attempt = writing.attempt(ready, over)
    if hold is not None:
        use = hold.use and taken(hold.use, attempt, writing.told(over))
        said = quotas(_headers(over), weighed.scene.now_ms) if target.plan else ()
        yield Settle(hold, attempt.cost, use, said)
    return ready, over, attempt


def _lane(weighed: Weighed) -> str | None:
    """Whose turn it is: a session's, else its caller's. Counting tokens takes no slot anywhere."""
    if weighed.request.kind is Kind.COUNT:
        return None
    return weighed.request.session or weighed.actor.token or weighed.actor.tool


def _paid(
    target: Target, weighed: Weighed, house: House
) -> Generator[Command, object, tuple[Target, Hold | Fault | None]]:
    """Money and room for one call, or why there is none; None where it draws on nothing.

    The target's plan does not pay for it if another exchange was faster.
    """
    due = weighed.dues.get(target.name)
    held = yield from _reserved(due)
    if isinstance(held, Short) and held.plan and due and due.beyond and due.beyond.payable:
        target = beyond(target)
        held = yield from _reserved(due.beyond)
    match held:
        case Short():
            spending = weighed.scene.spending
            said = used_up(held.plan) if held.plan else short(held, house.budgets, spending)
            return target, Fault(FaultKind.BUDGET, said)
        case Unrecorded():
            return target, Fault(FaultKind.BUDGET, held.reason)
    return target, held


def _reserved(due: Due | None) -> Generator[Command, object, Hold | Short | Unrecorded | None]:
    if due is None or not (due.use or (due.draws and due.most)):
        return None
    held = yield Reserve(due.draws if due.most else (), due.most or 0, due.use, due.windows)
    assert isinstance(held, Hold | Short | Unrecorded)
    return held


def _uncalled(ready: Prepared, fault: Fault) -> "tuple[Prepared, Over, Attempt]":
    over = Faulted(fault, False, replies.NOTHING, 0, 0, -1, 0)
    return ready, over, writing.attempt(ready, over)


def _headers(over: Over) -> Headers:
    """The backend's own, where it answered."""
    if isinstance(over, Faulted):
        return over.fault.headers
    return over.headers if isinstance(over, Answered) else ()


def _reached(over: Over) -> bool:
    """Has the client anything of an answer? A request that nobody answered taints no session."""
    return isinstance(over, Answered) or over.committed


def _final(over: Over) -> bool:
    """Is there nothing more to try? INVARIANT: after commit nothing moves (promise 7)."""
    if not isinstance(over, Faulted) or over.committed or over.fault.kind in _OURS:
        return True
    status = over.fault.status
    if overlong(status, over.fault.body):
        return False  # the next one's window may be wider
    of_the_request = 400 <= status < 500 and status not in tries.BACKEND_AT_FAULT
    return of_the_request and over.fault.kind is not FaultKind.QUOTA
