"""What the log, the books, the backends and the tools say of one run, held against each other."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from halfdoor.canon.record import Decided, Outcome
from halfdoor.store.books import Books
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from tests.chaos.agents import CANARY, Diary, Turn
from tests.chaos.sky import ZONES, Sky

# Calls of one turn that a gateway makes in one life, with all that its tool asks again.
CALLS = 2


@dataclass
class Found:
    """faults: what must not be. The rest is counted. most: calls of the dearest failed turn.

    hows: as what failed turns ended for their tools.
    """

    faults: list[str] = field(default_factory=list)
    requests: int = 0
    turns: int = 0
    failed: int = 0
    upstream: int = 0
    most: int = 0
    entries: int = 0
    unfinished: int = 0
    hows: Counter[int | str] = field(default_factory=Counter)


@dataclass
class Log:
    """The log as it was read."""

    decided: dict[str, Decided] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def open(self) -> set[str]:
        return self.decided.keys() - self.outcomes.keys()


def judged(state: Path, diary: Diary, sky: Sky, killed: set[int]) -> Found:
    """All that is wrong. killed: turns that were under way when halfdoor was killed."""
    log = _read(state)
    arrivals = sky.arrivals()
    per_turn: Counter[int] = sum(arrivals.values(), Counter())
    turns = diary.turns
    found = Found(
        requests=sum(len(turn.bodies) for turn in turns.values()),
        turns=len(turns),
        failed=sum(turn.failed is not None for turn in turns.values()),
        upstream=sum(per_turn.values()),
        most=max((per_turn[n] for n, turn in turns.items() if turn.failed), default=0),
        entries=len(log.decided) + len(log.outcomes),
        unfinished=len(log.open),
        hows=Counter(turn.failed.told.how for turn in turns.values() if turn.failed),
    )
    known = _known(state, turns)
    found.faults += log.problems
    found.faults += _leaks(sky)
    found.faults += _complaints(sky)
    found.faults += _too_many(turns, per_turn)
    found.faults += _unrecorded(log, known, arrivals)
    found.faults += _unexplained(log, known, killed)
    found.faults += _books(state, log)
    return found


def _read(state: Path) -> Log:
    log = Log()
    keys = LogKeys.load(state)
    with LogReader(state) as reader:
        log.problems += [problem.message for problem in reader.verify(keys.verifier).problems]
        for row in reader.rows():
            match reader.entry(row):
                case Decided() as entry:
                    log.decided[entry.id] = entry
                case Outcome() as entry:
                    if entry.id not in log.decided:
                        log.problems.append(f"{entry.id} ended before it was decided")
                    if entry.id in log.outcomes:
                        log.problems.append(f"{entry.id} ended twice")
                    log.outcomes[entry.id] = entry
    return log


def _known(state: Path, turns: dict[int, Turn]) -> dict[str, Turn]:
    """Turns by the keyed hash of each body that asked for them."""
    keys = LogKeys.load(state)
    return {keys.mac(body): turn for turn in turns.values() for body in turn.bodies}


def _leaks(sky: Sky) -> list[str]:
    """No request left its permitted set: what holds a key stays on the device."""
    return [
        f"the key reached `{name}`"
        for name, fake in sky.fakes.items()
        if ZONES[name] != "device" and any(seen.saw(CANARY.encode()) for seen in fake.seen)
    ]


def _complaints(sky: Sky) -> list[str]:
    """No vendor refused what it was sent."""
    return [
        f"`{name}` refused a request: {seen.complaint}"
        for name, fake in sky.fakes.items()
        for seen in fake.seen
        if seen.complaint
    ]


def _too_many(turns: dict[int, Turn], calls: Counter[int]) -> list[str]:
    """Few calls a turn; a gateway that began anew has forgotten the ones before."""
    return [
        f"turn {n} of {turns[n].tool} made {count} calls in {turns[n].lives + 1} lives"
        for n, count in calls.items()
        if count > CALLS * (turns[n].lives + 1)
    ]


def _unrecorded(log: Log, known: dict[str, Turn], arrivals: dict[str, Counter[int]]) -> list[str]:
    """Every request at a backend is in the log: as an attempt, or in the plan of an open decision."""
    may: dict[str, Counter[int]] = {name: Counter() for name in arrivals}
    strangers = []
    for id_, entry in log.decided.items():
        turn = known.get(entry.body_mac)
        if turn is None:
            strangers.append(f"{id_} is in the log and nobody sent it")
            continue
        outcome = log.outcomes.get(id_)
        if outcome is None:
            for name in {planned.backend for planned in entry.plan}:
                may[name][turn.number] += 1
            continue
        for attempt in outcome.attempts:
            may[attempt.backend][turn.number] += attempt.sent_bytes > 0
    return strangers + [
        f"turn {n} reached `{name}` {count} times, and the log knows {may[name][n]}"
        for name, reached in arrivals.items()
        for n, count in reached.items()
        if count > may[name][n]
    ]


def _unexplained(log: Log, known: dict[str, Turn], killed: set[int]) -> list[str]:
    """A decision has its outcome, unless halfdoor was killed in between."""
    return [
        f"{id_} has no outcome and was not killed"
        for id_ in log.open
        if (turn := known.get(log.decided[id_].body_mac)) and turn.number not in killed
    ]


def _books(state: Path, log: Log) -> list[str]:
    """The books add up to what the log says."""
    with Books(state) as books:
        books.catch_up()
        booked = sum(line.sum.cost for line in books.lines())
        pending = {each.exchange for each in books.pending()}
    costs = (attempt.cost or 0 for each in log.outcomes.values() for attempt in each.attempts)
    logged = sum(costs)
    wrong = [] if booked == logged else [f"the books have {booked}, the log {logged}"]
    return wrong + ([] if pending == log.open else ["the books' open exchanges are not the log's"])
