"""A fair queue before an engine that can only do so much at once.

Sessions take turns (`lanes.py`). What would wait behind too many is turned away at once, before its
client has heard a byte, so that somebody else may answer. Where the engine would have to put out
the model that answers now, a request for another waits until that one has finished (`swaps.py`);
requests for the loaded model may pass it for a while, and no longer. A process has queues of its
own; what it is told of its engine comes from beside the requests (`loads.py`).
"""

import asyncio
from collections.abc import Iterable
from math import ceil
from typing import Final

from msgspec import Struct

from halfdoor.backends.lanes import Lanes, Waiter
from halfdoor.backends.pressure import Load
from halfdoor.backends.swaps import Models
from halfdoor.canon.scene import Depth, Place
from halfdoor.errors import BackendError

# The share of a new answer in the running mean of how long answers take.
_LEARNS: Final = 0.2
# Nobody is told to stay away for longer than this.
_LONGEST_WAIT_S: Final = 600
_QUIET: Final = Load(0, 0)


class Limits(Struct, frozen=True):
    """What the configuration says of a queue.

    slots: answers at once, None for as many as the engine says. longest: how many may wait.
    overflow: see `Depth`. swap_after_s: how long a request for a model that is not loaded is
    passed by others; 0 where it never waits for that.
    """

    slots: int | None = None
    longest: int = 64
    overflow: int | None = None
    swap_after_s: float = 30.0


class Turn:
    """One call's turn: entering waits for it, leaving ends it. See `flow.ports.Turn`."""

    __slots__ = ("_queue", "begun_s", "started", "waiter")

    def __init__(self, queue: "Queue", waiter: Waiter) -> None:
        self.waiter = waiter
        self.started: asyncio.Future[None] | None = None
        self.begun_s = 0.0
        self._queue = queue

    @property
    def place(self) -> Place | None:
        """See `flow.ports.Turn`."""
        return self._queue.place(self)

    @property
    def held(self) -> bool:
        """See `flow.ports.Turn`."""
        return self.waiter.held_s is not None

    async def __aenter__(self) -> None:
        await self._queue.enter(self)

    async def __aexit__(self, *why: object) -> None:
        self._queue.leave(self, answered=why[:1] == (None,))


class Queue:
    """One engine's; implements `flow.ports.Queue`. It lives in one event loop."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._told_slots: int | None = None
        self._load = _QUIET
        self._models = Models()
        self._lanes = Lanes()
        self._waiting: dict[Waiter, Turn] = {}
        self._running: dict[Turn, None] = {}
        self._answer_s = 0.0

    @property
    def limits(self) -> Limits:
        """What the configuration says."""
        return self._limits

    @property
    def slots(self) -> int | None:
        """Answers at once: by the configuration, else by the engine."""
        return self._limits.slots or self._told_slots

    @property
    def running(self) -> int:
        """How many this process has with the engine."""
        return len(self._running)

    @property
    def depth(self) -> Depth:
        """How it stands now."""
        loaded = self._loaded
        return Depth(
            self.slots,
            len(self._running),
            len(self._lanes),
            self._limits.overflow,
            self._load.others,
            self._load.behind,
            loaded,
            self._models.busy if loaded is not None else (),
        )

    def line(self) -> tuple[tuple[str, Place], ...]:
        """See `flow.ports.Queue`."""
        of = len(self._lanes)
        return tuple(
            (waiter.exchange, Place(at, of)) for at, waiter in enumerate(self._lanes, start=1)
        )

    def limit(self, limits: Limits) -> None:
        """The configuration has changed: who waits keeps its place, and nobody is turned away."""
        self._limits = limits
        self._serve()

    def tell(
        self, slots: int | None, loaded: Iterable[str] | None, asked_s: float, load: Load = _QUIET
    ) -> None:
        """What the engine says of itself; None for what it does not say. asked_s: loop time."""
        self._told_slots, self._load = slots, load
        self._models.tell(loaded, asked_s)
        self._serve()

    def turn(self, lane: str, model: str, exchange: str = "") -> Turn:
        """See `flow.ports.Queue`."""
        return Turn(self, Waiter(lane, model, exchange))

    def place(self, turn: Turn) -> Place | None:
        """Where it stands; None for one that does not wait."""
        position = self._lanes.place(turn.waiter)
        return Place(position, len(self._lanes)) if position else None

    async def enter(self, turn: Turn) -> None:
        """Return with its turn. Raises BackendError, `busy`, when too many wait already."""
        if self._room and not self._lanes and self._models.here(turn.waiter.model):
            self._admit_behind()
            self._begin(turn)
            return
        self._lanes.add(turn.waiter)
        self._waiting[turn.waiter] = turn
        self._serve()
        if turn in self._running:
            return
        if len(self._lanes) + self._load.behind > self._limits.longest:
            self._give_up(turn)
            raise self._busy()
        turn.started = asyncio.get_running_loop().create_future()
        try:
            await turn.started
        except asyncio.CancelledError:
            self._give_up(turn)
            raise

    def leave(self, turn: Turn, *, answered: bool) -> None:
        """Its turn is over, and others may begin. answered: its time is that of an answer."""
        self._end(turn)
        if answered:
            took_s = _now_s() - turn.begun_s
            known = self._answer_s or took_s
            self._answer_s = known + _LEARNS * (took_s - known)
        self._serve()

    @property
    def _room(self) -> bool:
        return self.slots is None or len(self._running) < self.slots

    @property
    def _loaded(self) -> frozenset[str] | None:
        return self._models.ready if self._limits.swap_after_s else None

    def _admit_behind(self) -> None:
        """What the engine itself keeps waiting counts as waiting here."""
        behind = self._load.behind
        if behind and behind >= self._limits.longest:
            raise self._busy()

    def _begin(self, turn: Turn) -> None:
        turn.begun_s = _now_s()
        self._running[turn] = None
        self._models.begin(turn.waiter.model, turn.begun_s)

    def _end(self, turn: Turn) -> None:
        del self._running[turn]
        self._models.end(turn.waiter.model)

    def _give_up(self, turn: Turn) -> None:
        """It waits no longer, or its turn came in the same moment and goes to another."""
        if turn in self._running:
            self._end(turn)
        else:
            self._lanes.remove(turn.waiter)
            del self._waiting[turn.waiter]
        self._serve()

    def _serve(self) -> None:
        """Let begin who may."""
        while self._room and self._lanes:
            waiter = self._next()
            if waiter is None:
                return
            turn = self._waiting.pop(waiter)
            self._begin(turn)
            if turn.started is not None and not turn.started.done():
                turn.started.set_result(None)

    def _next(self) -> Waiter | None:
        """The next in turn of those whose model is loaded; others when nobody else answers.

        Who was passed for long enough is the next, and nobody passes it any more: what answers now
        comes to its end, and then its model is loaded.
        """
        models, lanes, now_s = self._models, self._lanes, _now_s()
        if self._loaded is None:
            return lanes.take(lambda _: True, now_s)
        first = lanes.longest_held()
        if first is not None and now_s - (first.held_s or 0.0) >= self._limits.swap_after_s:
            wanted = first.model
            if not models.free(wanted):
                return None
            return lanes.take(lambda each: each.model == wanted, now_s)
        loaded = lanes.take(lambda each: models.here(each.model), now_s)
        return loaded or lanes.take(lambda each: models.free(each.model), now_s)

    def _busy(self) -> BackendError:
        waits = _counted(len(self._lanes) + self._load.behind, "request")
        slots = "" if self.slots is None else f" for {_counted(self.slots, 'slot')}"
        return BackendError(
            f"backend `{self._name}` has {waits} waiting{slots}",
            hint="ask again in a moment, or raise its `queue` in the config",
            kind="busy",
            retry_after_s=self._soon_s(),
        )

    def _soon_s(self) -> int:
        """When a place will be free, about: an answer's time, shared by the slots.

        Before any has ended, what the oldest one has taken until now.
        """
        oldest_s = _now_s() - next(iter(self._running)).begun_s if self._running else 0.0
        known_s = self._answer_s or oldest_s
        return min(_LONGEST_WAIT_S, max(1, ceil(known_s / (self.slots or 1))))


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _counted(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"
