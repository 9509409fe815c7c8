"""What runs at this moment, for `ps`: each call, each backend, how it keeps what it is held to."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from halfdoor.cli.held import Held, held_of
from halfdoor.config.load import Loaded
from halfdoor.config.objectives import objectives
from halfdoor.config.tables.backends import Backend
from halfdoor.decide.objectives import Level
from halfdoor.store.books import Books
from halfdoor.store.live import Call, Lane, Process, Seen, listening, look

_WAITING: Final = "waiting"


class Under(Call, frozen=True):
    """One call under way, as of a look.

    position, of: its place among those of its process that wait for the same backend, as of the
        last second; 0 for one that does not.
    tokens: of its answer so far, about: one for each frame of its stream. tokens_per_s: since the
        last look, or since its stream began; None before it has.
    cost: pico-USD so far, by these tokens; None where no price or no count is known.
    """

    position: int
    of: int
    tokens: int
    tokens_per_s: float | None
    cost: int | None
    age_ms: int


class Standing(Struct, frozen=True):
    """One backend.

    slots: of all processes, None where it has no limit here. tripped: how it, or a model of it, has
        just failed, with the milliseconds for which others are asked instead.
    """

    name: str
    zone: str
    slots: int | None
    running: int
    waiting: int
    tripped: dict[str, int]
    objectives: tuple[Held, ...]


class Now(Struct, frozen=True):
    """One look. at_ms: Unix time. processes: of the house. beyond: calls that are not listed.

    listens: its address; as configured where none of it runs.
    """

    at_ms: int
    processes: int
    calls: tuple[Under, ...]
    backends: tuple[Standing, ...]
    beyond: int = 0
    listens: str = ""


class Watcher:
    """Looks, and looks again."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._before: dict[tuple[str, str], tuple[int, int]] = {}

    def look(self, now_ms: int) -> Now:
        """As it is now. Raises LogError when the books cannot be kept."""
        crew = look(self._loaded.state_dir, now_ms)
        levels = _levels(self._loaded, now_ms)
        calls = sorted((c for p in crew for c in p.calls), key=lambda each: each.begun_ms)
        queues = [queue for process in crew for queue in _queues(process)]
        shown = tuple(self._under(call, queues, now_ms) for call in calls)
        self._before = {(c.exchange, c.model): (now_ms, c.frames) for c in calls}
        config = self._loaded.config
        backends = tuple(_standing(each, crew, calls, levels) for each in config.backends)
        beyond = sum(process.beyond for process in crew)
        where = listening(crew, config.server.listen)
        return Now(now_ms, len(crew), shown, backends, beyond, where)

    def _under(self, call: Seen, queues: Sequence[Sequence[Seen]], now_ms: int) -> Under:
        queue: Sequence[Seen] = next((queue for queue in queues if call in queue), ())
        return Under(
            **{name: getattr(call, name) for name in Call.__struct_fields__},
            position=queue.index(call) + 1 if queue else 0,
            of=len(queue),
            tokens=call.frames,
            tokens_per_s=self._speed(call, now_ms),
            cost=_cost(call),
            age_ms=max(0, now_ms - call.begun_ms),
        )

    def _speed(self, call: Seen, now_ms: int) -> float | None:
        if not call.first_ms:
            return None
        then_ms, frames = self._before.get((call.exchange, call.model), (call.first_ms, 0))
        since_ms = now_ms - max(then_ms, call.first_ms)
        return round((call.frames - frames) * 1000 / since_ms, 1) if since_ms > 0 else None


def _queues(process: Process) -> Iterator[list[Seen]]:
    """Who waits for a backend, in the order of its queue; who has just come, behind all others."""
    lines = {lane.backend: lane.line for lane in process.note.lanes}

    def place(call: Seen) -> tuple[str, int, int]:
        line = lines.get(call.backend, ())
        at = line.index(call.exchange) if call.exchange in line else len(line)
        return call.backend, at, call.begun_ms

    waiting = sorted((call for call in process.calls if call.state == _WAITING), key=place)
    for _, queue in groupby(waiting, key=lambda call: call.backend):
        yield list(queue)


def _cost(call: Seen) -> int | None:
    if call.input < 0 or call.output < 0:
        return None
    if call.input and not call.input_tokens:
        return None
    return call.input_tokens * call.input + call.frames * call.output


def _levels(loaded: Loaded, now_ms: int) -> tuple[Level, ...]:
    held_to = objectives(loaded.config.backends)
    if not held_to:
        return ()
    with Books(loaded.state_dir) as books:
        books.catch_up()
        return books.standing(held_to, now_ms)


def _slots(lanes: Sequence[Lane]) -> int | None:
    """Of all processes; None where one has no limit."""
    known = [lane.slots for lane in lanes if lane.slots is not None]
    return sum(known) if len(known) == len(lanes) else None


def _standing(
    backend: Backend, crew: Sequence[Process], calls: Sequence[Seen], levels: Sequence[Level]
) -> Standing:
    mine = [call.state for call in calls if call.backend == backend.name]
    tripped: dict[str, int] = {}
    for process in crew:
        for each in process.note.tripped:
            if each.backend == backend.name:
                said = f"{each.model}: {each.said}" if each.model else each.said
                tripped[said] = max(each.for_ms, tripped.get(said, 0))
    lanes = [lane for p in crew for lane in p.note.lanes if lane.backend == backend.name]
    slots = _slots(lanes) if lanes else backend.slots
    waiting = mine.count(_WAITING)
    held = tuple(held_of(level) for level in levels if level.backend == backend.name)
    running = len(mine) - waiting
    return Standing(backend.name, backend.zone, slots, running, waiting, tripped, held)
