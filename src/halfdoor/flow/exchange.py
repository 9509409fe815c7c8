"""The line: one generator that yields commands and receives replies. It *is* the product.

Pure: no clock, no chance, no I/O; `flow/drive.py` performs what it asks for. Read it from top to
bottom: what is in the request, who may see it, who is tried, what was recorded.
"""

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Final

from halfdoor.canon.commands import (
    Answered,
    Append,
    Begin,
    Call,
    Command,
    Fault,
    Faulted,
    FaultKind,
    Hold,
    HungUp,
    Reply,
    Reserve,
    Settle,
    Short,
    Unrecorded,
)
from halfdoor.canon.decision import Permit
from halfdoor.canon.request import Actor, Request
from halfdoor.canon.scene import Scene
from halfdoor.decide.budgets import Due, purses, short
from halfdoor.dialects.overlong import overlong
from halfdoor.flow import replies, session, writing
from halfdoor.flow.counting import Counting
from halfdoor.flow.house import House
from halfdoor.flow.keeping import Keeping
from halfdoor.flow.preparing import Prepared, prepare
from halfdoor.flow.weighing import Weighed, weigh

if TYPE_CHECKING:
    from halfdoor.canon.record import Attempt

Over = Answered | Faulted | HungUp

# 4xx answers after which another target may be tried: the backend's fault, not the request's.
_BACKEND_AT_FAULT: Final = frozenset({401, 402, 403, 404, 408, 409, 425, 429})
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
    attempts: list[Attempt] = []
    over: Over | None = None
    for target in weighed.targets:
        if attempts or ready is None:
            ready = prepare(weighed, target, house)
        over = yield from _attempt(ready, permit, weighed, keeping, counting)
        attempts.append(writing.attempt(ready, over))
        if _final(over):
            break

    # INVARIANT: remembered before the outcome is awaited: the client may ask again at once, with
    # half an answer if it hung up (promise 5).
    notices: tuple[str, ...] = ()
    if ready is not None and over is not None:
        yield keeping(ready.target, over.learnt, floor=_reached(over))
        notices = counting.settled(ready.target, over.learnt)
    yield Append(writing.outcome(weighed, tuple(attempts), over, notices))
    if writing.counted_here(weighed, over):
        return replies.counted(weighed, house)
    if over is None:
        return replies.refused(weighed, house)
    if isinstance(over, Faulted) and not over.committed:
        return replies.failed(weighed, house, tuple(attempts), over.fault)
    return None


def _edits(ready: Prepared | None) -> tuple[str, ...]:
    return ready.edits if ready else ()


def _attempt(
    ready: Prepared, permit: Permit, weighed: Weighed, keeping: Keeping, counting: Counting
) -> Generator[Command, object, Over]:
    if ready.outbound is None or ready.pipe is None:
        assert ready.fault is not None
        return Faulted(ready.fault, False, replies.NOTHING, 0, 0, -1, 0)
    keep = partial(keeping, ready.target) if weighed.labels else None
    lane = weighed.request.session or weighed.actor.token or weighed.actor.tool
    hold = yield from _reserved(weighed.dues.get(ready.target.name))
    if isinstance(hold, Fault):
        return Faulted(hold, False, replies.NOTHING, 0, 0, -1, 0)
    notice = partial(counting.notice, ready.target)
    over = yield Call(ready.target, ready.outbound, permit, ready.pipe, keep, lane, notice)
    assert isinstance(over, Answered | Faulted | HungUp)
    if hold is not None:
        yield Settle(hold, writing.spent(over, ready.target.price))
    return over


def _reserved(due: Due | None) -> Generator[Command, object, Hold | Fault | None]:
    """Money for one call, or why there is none; None where it draws on nothing."""
    if due is None or not due.draws or not due.most:
        return None
    held = yield Reserve(due.draws, due.most)
    match held:
        case Short():
            return Fault(FaultKind.BUDGET, short(held.purse[0], held.left))
        case Unrecorded():
            return Fault(FaultKind.BUDGET, held.reason)
    assert isinstance(held, Hold)
    return held


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
    return 400 <= status < 500 and status not in _BACKEND_AT_FAULT
