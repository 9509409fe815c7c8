"""Generated requests through the whole front door in one process, with faults wherever one can be.

Each case is made from its seed and number alone, on state that the cases before it left behind; so
a failing case is repeated with the few before it: see `Fuzzer.replay`.
"""

import itertools
import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from halfdoor.backends.scripted import Turn
from halfdoor.canon.cards import Card
from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Rule
from halfdoor.decide.strategies import STRATEGIES
from halfdoor.detect.paths import PathDetector
from halfdoor.detect.secrets import SecretDetector
from halfdoor.detect.survey import Surveyor
from halfdoor.flow.house import House
from halfdoor.reading.engine import Engine
from halfdoor.reading.prints import Prints
from halfdoor.reading.secret_formats import FORMATS
from halfdoor.server.access import Access
from halfdoor.server.app import App
from halfdoor.server.body import Limits
from halfdoor.server.status import Status
from halfdoor.wiring import DIALECTS
from tests.helpers.asgi import AsgiClient
from tests.helpers.asks import DIALECTS as ENDPOINTS
from tests.helpers.asks import Ask
from tests.helpers.house import house
from tests.helpers.world import world
from tests.leakhunt import files, harmless
from tests.leakhunt.bodies import DRESSES
from tests.leakhunt.canaries import FORMS, Canary, keys
from tests.leakhunt.faults import (
    FAULTS,
    STATUSES,
    Dice,
    FailingDetector,
    FailingLog,
    FailingMemory,
    Journal,
    Witness,
    fail_cache,
)
from tests.leakhunt.ground import ask_for
from tests.leakhunt.places import PLACES
from tests.leakhunt.ways import DEPTH, WAYS

# Cases that share one house, its caches, its log and its memory.
HOUSE_CASES: Final = 40
CARDS: Final = (
    Card("sonnet", "far-messages", "sonnet", Zone.CLOUD, "anthropic_messages", "anthropic"),
    Card("gpt", "far-chat", "gpt", Zone.CLOUD, "openai_chat", "openai"),
    Card("office", "office", "qwen-72b", Zone.NETWORK, "openai_chat", "vllm"),
    Card("qwen", "near-chat", "qwen", Zone.DEVICE, "openai_chat", "ollama"),
    Card("llama", "near-messages", "llama", Zone.DEVICE, "anthropic_messages", "llamacpp"),
)
RULES: Final = (
    Rule("secret", "secret", Zone.DEVICE),
    Rule("scan-failed", "scan-failed", Zone.DEVICE),
    Rule("not-scanned", "not-scanned", Zone.CLOUD),
    Rule("payments", f"path:{files.RULED}/**", Zone.DEVICE),
)
READINGS: Final = tuple(reading for reading in files.READINGS if not reading.needs)
SAID: Final = "The answer to this is long enough to be known again, and it is number {}: no more."


@dataclass
class Found:
    """What a run did, and what it must never do. leaks, unrecorded, held: with seed and number.

    stayed: sensitive requests that the device answered. free: harmless ones that belong to the
    cloud: nothing but a backend failed; held: those of them that did not get there.
    """

    cases: int = 0
    sensitive: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    free: int = 0
    stayed: int = 0

    def add(self, other: "Found") -> None:
        """Another process's share."""
        self.cases += other.cases
        self.sensitive += other.sensitive
        self.free += other.free
        self.stayed += other.stayed
        self.kinds += other.kinds
        self.faults += other.faults
        self.answers += other.answers
        self.leaks += other.leaks
        self.unrecorded += other.unrecorded
        self.held += other.held

    def as_json(self) -> dict[str, Any]:
        """All of it, for a file."""
        return {
            "requests": self.cases,
            "sensitive": self.sensitive,
            "answered_on_the_device": self.stayed,
            "kinds": len(self.kinds),
            "faults": dict(self.faults),
            "answers": dict(self.answers),
            "leaks": self.leaks,
            "unrecorded": self.unrecorded,
            "harmless_to_the_cloud": self.free,
            "harmless_held_back": self.held,
        }


class Clock:
    """Time stands still; ids do not repeat."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def now_ms(self) -> int:
        return 1_700_000_000_000

    def ticks_ms(self) -> float:
        return 0.0

    def draw(self) -> float:
        return 0.5

    def exchange_id(self, now_ms: int) -> str:
        return f"hd_{next(self._numbers):026}"


class Fuzzer:
    """One process's share of a seed's cases. engine: compiled once.

    loose: rules in place of the usual ones, to prove that a leak would be seen.
    """

    def __init__(self, seed: int, *, rules: tuple[Rule, ...] = RULES) -> None:
        self._seed = seed
        self._rules = rules
        self._engine = Engine(FORMATS)
        self.found = Found()

    async def run(self, start: int, count: int) -> Found:
        """Cases start … start + count; `start` is a multiple of HOUSE_CASES."""
        for first in range(start, start + count, HOUSE_CASES):
            await self.replay(first, min(HOUSE_CASES, start + count - first))
        return self.found

    async def replay(self, first: int, count: int) -> Found:
        """One house and its cases, from the number that it begins with."""
        place = World(random.Random(f"{self._seed}:{first}"), self._engine, self._rules)
        for number in range(first, first + count):
            await self._case(place, number)
        for kind, dice in place.dice.items():
            self.found.faults[kind] += dice.thrown
        return self.found

    async def _case(self, place: "World", number: int) -> None:
        chance = random.Random(f"{self._seed}:{number}:case")
        made = make(chance, number)
        place.prepare(chance, number)
        begun = len(place.journal.events)
        client = await place.ask(made, chance)
        self.found.cases += 1
        self.found.kinds[made.kind] += 1
        self.found.answers[str(client.status)] += 1
        self._judge(place, made, client, place.journal.events[begun:], number)

    def _judge(
        self, place: "World", made: "Made", client: AsgiClient, events: list[Any], number: int
    ) -> None:
        name = f"seed {self._seed}, case {number} ({made.kind})"
        called = [(exchange, more) for what, exchange, more in events if what == "called"]
        if made.sensitive:
            self.found.sensitive += 1
            self.found.stayed += client.headers.get("x-halfdoor-zone") == "device"
            self.found.leaks += [
                f"{name}: {more[0]} was called" for _, more in called if max(more[1:]) > Zone.DEVICE
            ]
        self.found.unrecorded += [f"{name}: {text}" for text in unrecorded(events, client)]
        if not made.sensitive and place.calm and client.leaves_after is None and made.auto:
            self.found.free += 1
            if not any(more[1] is Zone.CLOUD for _, more in called):
                self.found.held.append(f"{name}: {client.status} {client.body[:200]!r}")


def unrecorded(events: list[tuple[str, str, Any]], client: AsgiClient) -> list[str]:
    """What happened and is not in the log, in the order in which it must be there."""
    missing = []
    order = [(what, exchange) for what, exchange, _ in events]
    refused = {(e, more.__name__) for what, e, more in events if what == "refused-entry"}
    for exchange in dict.fromkeys(e for what, e in order if what == "called"):
        called = order.index(("called", exchange))
        if ("decided", exchange) not in order[:called]:
            missing.append(f"{exchange} was called before its decision")
        if ("outcome", exchange) not in order[called:] and (exchange, "Outcome") not in refused:
            missing.append(f"{exchange} has no outcome")
    told = client.headers.get("x-halfdoor-id")
    if told and ("decided", told) not in order and (told, "Decided") not in refused:
        missing.append(f"{told} was told to the client and is not recorded")
    return missing


class World:
    """A house with its own faults, caches, log and memory. calm: no faults but a backend's."""

    def __init__(self, chance: random.Random, engine: Engine, rules: tuple[Rule, ...]) -> None:
        self.journal = Journal()
        self.calm = chance.random() < 0.4
        odds = 0.0 if self.calm else chance.choice((0.02, 0.1, 0.5))
        kinds = ("detector", "cache", "broken cache", "log", "memory", "broken memory")
        hit = set(chance.sample(kinds, chance.randrange(1, len(kinds))))
        self.dice = {kind: Dice(chance, odds if kind in hit else 0.0) for kind in kinds}
        cards = chance.sample(CARDS, chance.randrange(2, len(CARDS) + 1))
        if self.calm:  # then a harmless request belongs to the cloud
            cards.sort(key=lambda card: -card.zone)
        self.clouded = any(card.zone is Zone.CLOUD for card in cards)
        self.calm = self.calm and self.clouded
        self.backends = {
            card.backend: Witness(card.backend, DIALECTS[card.dialect], card.zone, self.journal)
            for card in cards
        }
        place = self._house(chance, tuple(cards), engine, rules)
        clock = Clock()
        log = FailingLog(self.journal, self.dice["log"])
        memory = FailingMemory(clock.now_ms, self.dice["memory"], self.dice["broken memory"])
        made = world(**self.backends).services
        services = replace(made, log=log, memory=memory, clock=clock)
        status = Status("test", 1, 0.0, place.cards)
        self._app = App(place, services, Access(), Limits(), status)

    def _house(
        self, chance: random.Random, cards: tuple[Card, ...], engine: Engine, rules: Any
    ) -> House:
        prints = Prints(chance.randbytes(32))
        detectors = (SecretDetector(engine), PathDetector((f"{files.RULED}/**",)))
        failing = tuple(FailingDetector(each, self.dice["detector"]) for each in detectors)
        surveyor = Surveyor(failing, prints, cache_bytes=chance.choice((1, 3_000, 60_000, 1 << 24)))
        if not self.calm:
            fail_cache(surveyor, self.dice["cache"], self.dice["broken cache"])
        strategy = "prefer" if self.calm else chance.choice(sorted(STRATEGIES))
        return replace(
            house(cards, rules, strategy=strategy), surveyor=surveyor, prints=prints,
            paths=detectors[1],
            mac=lambda data: prints.block(data).hex(),
        )  # fmt: skip

    def prepare(self, chance: random.Random, number: int) -> None:
        """Each backend's next answers: most are good, some fail before or in the middle."""
        for backend in self.backends.values():
            backend.script([_turn(chance, number) for _ in range(4)])

    async def ask(self, made: "Made", chance: random.Random) -> AsgiClient:
        """Through the front door."""
        size = chance.choice((64, 1024, 1 << 20))
        pieces = [made.body[at : at + size] for at in range(0, len(made.body), size)] or [b""]
        leaves = chance.choice((0, 1, 40, 400)) if chance.random() < 0.1 else None
        client = AsgiClient(pieces, leaves)
        with suppress(Exception):  # a server would close the connection
            await client.ask(self._app, made.target, made.headers)
        return client


def _turn(chance: random.Random, number: int) -> Turn:
    text = SAID.format(number)
    match chance.randrange(10):
        case 0:
            return Turn(fails=chance.choice(FAULTS))
        case 1:
            return Turn(status=chance.choice(STATUSES))
        case 2:
            return Turn(text, breaks_after=chance.randrange(300), breaks=chance.choice(FAULTS))
        case 3:
            return Turn(raw=b"no answer at all")
        case 4:
            return Turn(text, calls=((f"call_{number}", "Read", '{"file_path": "a.py"}'),))
        case _:
            return Turn(text, chunk_bytes=chance.choice((0, 0, 7, 4096)))


@dataclass(frozen=True, slots=True)
class Made:
    """One generated request. auto: asked by a name that may mean any model."""

    kind: str
    sensitive: bool
    target: str
    headers: dict[str, str]
    body: bytes
    auto: bool


def make(chance: random.Random, number: int) -> Made:
    """A request with something that must stay, or, one in five, with nothing of the kind."""
    dialect = chance.choice(sorted(ENDPOINTS))
    auto = chance.random() < 0.8
    asked = chance.choice(("auto", f"claude-{number % 3}")) if auto else chance.choice(CARDS).name
    ask = ask_for(dialect, asked, stream=chance.random() < 0.5)
    draw = chance.random()
    if draw < 0.2:
        kind, sensitive = "harmless", False
    elif draw < 0.4:
        reading = chance.choice([r for r in READINGS if dialect in r.dialects])
        reading.plant(ask, files.RULED)
        kind, sensitive = f"file, {reading.name}", True
    else:
        kind, sensitive = _key(ask, chance), True
    _noise(ask, chance)
    body, headers = _written(ask, chance) if sensitive else (json.dumps(ask.body).encode(), {})
    return Made(kind, sensitive, ask.target(""), {**ask.headers, **headers}, body, auto)


def _noise(ask: Ask, chance: random.Random) -> None:
    """Other work before or after: the same texts come again and again, as in real sessions."""
    turns = ask.body["messages"]
    size = len(turns)
    for _ in range(chance.choice((0, 0, 1, 2))):
        again = random.Random(chance.randrange(40))
        kind = again.choice(sorted(harmless.KINDS))
        harmless.fill(ask, harmless.KINDS[kind](again)[:3000], again)
    if chance.random() < 0.5:
        turns[1:] = turns[size:] + turns[1:size]


def _key(ask: Ask, chance: random.Random) -> str:
    """A fresh key, in a place and a way that is promised to be read."""
    name = chance.choice(sorted(FORMS))
    canary = next(key for key in keys(chance) if key.name == name)
    places = [p for p in PLACES if ask.dialect in p.dialects and not p.dropped]
    while True:
        place, way = chance.choice(places), chance.choice(WAYS)
        dressed = way.dress(canary.text)
        if place.depth + way.depth <= DEPTH and _fits(canary, way.name, dressed, flat=place.flat):
            place.plant(ask, dressed)
            return f"{name} in {place.name}, {way.name}"


def _fits(canary: Canary, way: str, dressed: str, *, flat: bool) -> bool:
    if way == "Markdown escapes" and "_" not in canary.text:
        return False
    return not flat or (dressed.isascii() and dressed.isprintable())


def _written(ask: Ask, chance: random.Random) -> tuple[bytes, dict[str, str]]:
    """Mostly plain JSON, now and then a body that two readers could read in two ways."""
    body = json.dumps(ask.body, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.9:
        return body, {}
    dress = chance.choice(
        [d for d in DRESSES if d.name not in {"in chunks", "every letter escaped"}]
    )
    dressed, headers = dress.make(body, body, Canary("", "", b""))
    return dressed, headers
