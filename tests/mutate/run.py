"""Makes mutated requests from a seed and a number, sends them, and says what was wrong."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from halfdoor.server import ollama
from halfdoor.server.app import routes
from halfdoor.wiring import DIALECTS
from tests.mutate.judge import wrong
from tests.mutate.mutations import Case, mutate
from tests.mutate.seeds import SEEDS, Seed
from tests.mutate.world import Door, Troubles, overheard

# path -> dialect. What a later part has not built yet has no route, and is not asked.
ROUTES: Final = {
    **{path: dialect.name for path, (dialect, _) in routes(DIALECTS).items()},
    ollama.SHOW: "ollama",
}
ASKED: Final = tuple(seed for seed in SEEDS if seed.path in ROUTES)
# Cases that share one application.
_SHARED: Final = 200


@dataclass
class Found:
    """What a run did. wrong: with seed and number. slowest: seconds and its name."""

    cases: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
    mutations: Counter[str] = field(default_factory=Counter)
    sent_on: int = 0
    wrong: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")


def made(seed: int, number: int) -> tuple[Seed, Case, int]:
    """The request of that number, and in pieces of how many bytes it is sent."""
    chance = random.Random(f"{seed}:{number}:mutate")
    of = ASKED[number % len(ASKED)]
    case = Case(of.made(chance.choice(of.asked), stream=chance.random() < 0.5))
    case.headers["content-type"] = "application/json"
    mutate(chance, case)
    return of, case, chance.choice((977, 1 << 16, 1 << 20))


async def run(seed: int, numbers: Iterable[int]) -> Found:
    """All of them, one after the other."""
    found = Found()
    door = Door()
    with overheard() as troubles:
        for turn, number in enumerate(numbers, 1):
            await _one(door, seed, number, found, troubles)
            door = Door() if turn % _SHARED == 0 else door
    return found


async def _one(door: Door, seed: int, number: int, found: Found, troubles: Troubles) -> None:
    of, case, size = made(seed, number)
    name = f"seed {seed}, case {number}: {of.path}, {' + '.join(case.done)}"
    began = time.monotonic()
    try:
        client, sent = await door.ask(of.path, case, size)
    except TimeoutError:
        found.wrong.append(f"{name}: no answer")
        return
    except Exception as error:  # noqa: BLE001  whatever it raises is a finding
        found.wrong.append(f"{name}: raised {type(error).__name__}: {error}")
        return
    finally:
        found.slowest = max(found.slowest, (time.monotonic() - began, name))
    found.cases += 1
    found.answers[client.status] += 1
    found.paths[of.path] += 1
    found.mutations.update(case.done)
    found.sent_on += bool(sent)
    said = wrong(client, sent, ROUTES[of.path]) or "; ".join(troubles.told)
    troubles.told.clear()
    if said:
        found.wrong.append(f"{name}: {said}")


def ran(seed: int, numbers: Iterable[int]) -> Found:
    """The same from outside a loop."""
    return asyncio.run(run(seed, numbers))
