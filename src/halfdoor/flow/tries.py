"""How often one turn is tried, with all that its client asks again: each permitted model once.

A single model is tried twice: a failure may be chance once.
"""

from collections.abc import Callable
from typing import Final

from halfdoor.canon.commands import Answered, Faulted, FaultKind, HungUp
from halfdoor.canon.decision import Target
from halfdoor.canon.request import TURNS, Actor, Kind, Request
from halfdoor.canon.scene import Scene
from halfdoor.detect.survey import Found
from halfdoor.dialects.overlong import overlong
from halfdoor.reading.prints import Prints
from halfdoor.reading.waits import asked_for_ms

AT_LEAST: Final = 2
# Refusals that are the backend's fault, not the request's: there clients ask again.
BACKEND_AT_FAULT: Final = frozenset({401, 402, 403, 404, 408, 409, 425, 429})
_OWN_KEY: Final = frozenset({401, 403})
_NOT_ASKED: Final = frozenset(
    {FaultKind.STOPPED, FaultKind.INTERNAL, FaultKind.BUSY, FaultKind.BUDGET}
)


def turn(request: Request, actor: Actor, found: Found, prints: Prints) -> Callable[[], bytes]:
    """Makes the print of the turn: who asks which name for an answer to which conversation.

    What else a client changes when it asks again, as whether it streams, makes no other turn.
    """

    def made() -> bytes:
        if request.kind is not Kind.CHAT or found.texts is None:
            return b""
        said = [key for place, key in found.texts.blocks if place.startswith(TURNS)]
        who = f"{actor.token}\0{request.session}\0{request.model}\0".encode("utf-8", "replace")
        return prints.block(who + b"".join(said)) if said else b""

    return made


def limit(targets: tuple[Target, ...]) -> int:
    """Calls that one turn may make at models that fail it."""
    return max(AT_LEAST, len(targets))


def left(targets: tuple[Target, ...], scene: Scene) -> tuple[Target, ...]:
    """Whom of a plan to ask yet: those that have not failed this turn first."""
    failed = scene.failed
    if not failed:
        return targets
    ordered = sorted(targets, key=lambda target: failed.count(target.name))
    return tuple(ordered[: max(0, limit(targets) - len(failed))])


def failing(target: Target, over: Answered | Faulted | HungUp) -> bool:
    """Was this a call that a model failed, in such a way that its client may ask again?"""
    match over:
        case Answered():
            return bool(over.learnt.failure)
        case HungUp():
            return False
    fault = over.fault
    if not over.sent_bytes or fault.kind in _NOT_ASKED or overlong(fault.status, fault.body):
        return False
    own = fault.status in _OWN_KEY or fault.kind is FaultKind.QUOTA
    if own and target.client_credentials:
        return False  # the caller may come back with another key
    if fault.kind is not FaultKind.STATUS:
        return True
    return fault.status >= 500 or fault.status in BACKEND_AT_FAULT


def wait_ms(over: Answered | Faulted | HungUp) -> int:
    """So long the backend asks to be left alone."""
    return asked_for_ms(over.fault.headers) if isinstance(over, Faulted) else 0
