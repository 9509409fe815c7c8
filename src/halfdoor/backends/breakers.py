"""Circuit breakers: which models have just failed, and for how long others are asked instead.

One for each backend and model, and one for a backend that cannot be reached at all. A failure that
tells how it is (no connection, a time-out, a 429, no credit) trips at once; one that may be chance
(5xx, a cut) at the third in a row. It stays tripped for a while that doubles with each further
failure; then one exchange tries again (half-open), and the others wait for what it learns. Credit
does not come back within seconds: then the while is the longest from the beginning.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from halfdoor.canon.commands import Answered, Fault, Faulted, FaultKind, HungUp
from halfdoor.canon.decision import Target
from halfdoor.canon.objectives import BUSY
from halfdoor.canon.scene import Unwell
from halfdoor.reading.waits import asked_for_ms

_AT_ONCE: Final = frozenset({FaultKind.CONNECT, FaultKind.TLS, FaultKind.TIMEOUT, FaultKind.QUOTA})
_BY_CHANCE: Final = frozenset({FaultKind.CUT, FaultKind.PROTOCOL})
_WHOLE_BACKEND: Final = frozenset({FaultKind.CONNECT, FaultKind.TLS})
_IN_A_ROW: Final = 3
_FIRST_MS: Final = 2_000
_LONGEST_MS: Final = 60_000
# A probe that never comes back must not keep everybody away.
_PROBE_MS: Final = 30_000
_MOST: Final = 1024

Place = tuple[str, str]


class _State(Struct):
    failures: int = 0
    until_ms: int = 0
    said: str = ""
    probing_ms: int = 0


class Breakers:
    """The breakers of one process; implements `flow.ports.Health`.

    now_ms: of a clock that nobody sets, or a step of the machine's would keep a model unwell for as
        long. draw: random, in [0, 1).
    """

    def __init__(self, now_ms: Callable[[], int], draw: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self._draw = draw
        self._states: dict[Place, _State] = {}

    def unwell(self) -> Mapping[Place, Unwell]:
        """See `flow.ports.Health.unwell`."""
        if not self._states:
            return {}
        now = self._now_ms()
        return {
            place: Unwell(state.said, max(state.until_ms, state.probing_ms) - now)
            for place, state in self._states.items()
            if now < max(state.until_ms, state.probing_ms)
        }

    def asked(self, target: Target) -> None:
        """See `flow.ports.Health.asked`."""
        if not self._states:
            return
        now = self._now_ms()
        for place in _places(target):
            state = self._states.get(place)
            if state is not None and state.until_ms:
                state.probing_ms = now + _PROBE_MS

    def heard(self, target: Target, over: Answered | Faulted | HungUp) -> None:
        """See `flow.ports.Health.heard`."""
        fault = _fault(over)
        if fault is None and not self._states:
            return
        whole, one = _places(target)
        if fault is None:
            self._no_fault(over, whole, one)
            return
        if fault.kind is FaultKind.STATUS and (fault.status < 500 and fault.status not in BUSY):
            # It answers, if not to this request.
            self._well(whole, one)
            return
        # A limit that one caller's own key has met says nothing to the others.
        limited = fault.kind is FaultKind.QUOTA or fault.status in BUSY
        if target.client_credentials and limited:
            return
        self._failed(whole if fault.kind in _WHOLE_BACKEND else one, fault)

    def _no_fault(self, over: Answered | Faulted | HungUp, *places: Place) -> None:
        """An answer heals. A client that hung up, or a fault of halfdoor's own, tells nothing."""
        if isinstance(over, Answered) or over.learnt.finished:
            self._well(*places)
            return
        for place in places:
            if (state := self._states.get(place)) is not None:
                state.probing_ms = 0

    def _well(self, *places: Place) -> None:
        for place in places:
            self._states.pop(place, None)

    def _failed(self, place: Place, fault: Fault) -> None:
        if len(self._states) >= _MOST and place not in self._states:
            self._states.pop(next(iter(self._states)))
        state = self._states.setdefault(place, _State())
        state.failures += 1
        state.probing_ms = 0
        state.said = _said(fault)
        beyond = state.failures - (1 if _certain(fault) else _IN_A_ROW)
        if beyond < 0 and not state.until_ms:
            return
        pause = min(_LONGEST_MS, _FIRST_MS << min(max(beyond, 0), 10))
        if fault.kind is FaultKind.QUOTA:
            pause = _LONGEST_MS
        # Half of it is chance, so that processes that tripped together do not return together.
        pause = int(pause * (0.5 + self._draw() / 2))
        state.until_ms = self._now_ms() + max(pause, asked_for_ms(fault.headers))


def _places(target: Target) -> tuple[Place, Place]:
    return (target.backend, ""), (target.backend, target.model_id)


def _fault(over: Answered | Faulted | HungUp) -> Fault | None:
    """What went wrong at the backend; None for what did not, or is halfdoor's own."""
    if isinstance(over, Answered) and over.learnt.failure:
        return Fault(FaultKind.CUT, over.learnt.failure)
    if not isinstance(over, Faulted):
        return None
    backends = _AT_ONCE | _BY_CHANCE | {FaultKind.STATUS}
    return over.fault if over.fault.kind in backends else None


def _certain(fault: Fault) -> bool:
    return fault.kind in _AT_ONCE or fault.status in BUSY


def _said(fault: Fault) -> str:
    return str(fault.status) if fault.kind is FaultKind.STATUS else fault.kind.value
