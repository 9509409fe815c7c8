"""`GET /metrics`: what the whole house counted, and how it stands now, whoever of it is asked."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from halfdoor.backends import guard
from halfdoor.canon.money import Budget, Purse
from halfdoor.canon.objectives import Objective
from halfdoor.decide.objectives import Level
from halfdoor.errors import ClientError, LogError
from halfdoor.flow.house import House
from halfdoor.flow.ports import Services
from halfdoor.record import meters
from halfdoor.record.tally import Series
from halfdoor.server.exposition import Gauge, text
from halfdoor.store.books import Books
from halfdoor.store.live import Live, Note, Process, look, note
from halfdoor.store.log import SqliteLog

METRICS: Final = "/metrics"
_Taken = Mapping[Purse, int]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Makes the page. directory: of the state. live: this process's own table of calls."""

    version: str
    directory: Path
    live: Live
    log: SqliteLog
    objectives: tuple[Objective, ...] = ()

    async def page(self, house: House, services: Services) -> bytes:
        """The page, as of now. Raises ClientError, 503: a part of it would be a wrong number."""
        self.live.beat(noted(services, self.log))
        try:
            taken = await _taken(house, services)
            sums, levels, crew = await asyncio.to_thread(self._read, services.clock.now_ms())
        except LogError as error:
            raise ClientError(
                f"the metrics cannot be read: {error.message}",
                status=503,
                code="halfdoor_log_unavailable",
                hint=error.hint,
            ) from None
        gauges = [
            *_crew(house, crew),
            *_budgets(house.budgets, taken),
            *_levels(levels),
            (meters.OFFLINE, (), int(guard.is_offline())),
            (meters.INFO, (self.version, house.policy_hash), 1),
        ]
        return text(sums, gauges)

    def _read(
        self, now_ms: int
    ) -> tuple[dict[Series, int], tuple[Level, ...], tuple[Process, ...]]:
        with Books(self.directory) as books:
            books.catch_up()
            standing = books.standing(self.objectives, now_ms)
            return books.sums(), standing, look(self.directory, now_ms)


def noted(services: Services, log: SqliteLog) -> Note:
    """What this process says of itself now."""
    unwell = services.health.unwell() if services.health else {}
    queues = {
        name: (queue.depth, (exchange for exchange, _ in queue.line()))
        for name, queue in services.queues.items()
    }
    return note(unwell, queues, log.pace)


async def _taken(house: House, services: Services) -> _Taken:
    if services.ledger is None or not house.budgets:
        return {}
    purses = [(budget.name, None) for budget in house.budgets]
    return (await services.ledger.spending(purses)).taken


def _crew(house: House, crew: tuple[Process, ...]) -> Iterator[Gauge]:
    running: Counter[tuple[str, str]] = Counter()
    waiting: Counter[tuple[str, str]] = Counter()
    for process in crew:
        for call in process.calls:
            (waiting if call.state == "waiting" else running)[call.model, call.backend] += 1
        if process.beyond:
            running[meters.OTHER, meters.OTHER] += process.beyond
    known = [(card.name, card.backend) for card in house.cards]
    for place in dict.fromkeys((*known, *running, *waiting)):
        yield meters.RUNNING, place, running[place]
        yield meters.WAITING, place, waiting[place]
    yield meters.PROCESSES, (), len(crew)
    yield meters.LOG_WAITING, (), sum(process.note.log[0] for process in crew)
    yield meters.LOG_WRITE, (), max((p.note.log[1] for p in crew), default=0) / 1000
    yield from _tripped(house, crew)


def _tripped(house: House, crew: tuple[Process, ...]) -> Iterator[Gauge]:
    """By the names of the configuration: what a card with `*` was asked for is a tool's word."""
    names = {(card.backend, card.model_id): card.name for card in house.cards}
    backends = dict.fromkeys(card.backend for card in house.cards)
    found: Counter[tuple[str, str]] = Counter()
    for process in crew:
        for each in process.note.tripped:
            name = names.get((each.backend, each.model), meters.OTHER if each.model else "")
            found[each.backend, name] += 1
    places = (*((name, "") for name in backends), *((c.backend, c.name) for c in house.cards))
    for place in dict.fromkeys((*places, *found)):
        yield meters.TRIPPED, place, found[place]


def _budgets(budgets: tuple[Budget, ...], taken: _Taken) -> Iterator[Gauge]:
    for budget in budgets:
        most = max((n for (name, _), n in taken.items() if name == budget.name), default=0)
        limit = budget.limit
        yield meters.BUDGET_LIMIT, (budget.name,), limit / meters.BUDGET_LIMIT.per
        left = max(0, limit - most)
        yield meters.BUDGET_LEFT, (budget.name,), left / meters.BUDGET_LEFT.per


def _levels(levels: tuple[Level, ...]) -> Iterator[Gauge]:
    for level in levels:
        whose = (level.backend, level.what)
        yield meters.TARGET, whose, level.target
        for window in level.of:
            yield meters.BURN, (*whose, window), level.burn(window)
            yield meters.BAD, (*whose, window), level.bad[window]
            yield meters.CONSIDERED, (*whose, window), level.of[window]
