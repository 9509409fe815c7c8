"""The one file that names concrete classes: configuration → house and services."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from halfdoor.backends.admission import Admission, Asked, Note
from halfdoor.backends.breakers import Breakers
from halfdoor.backends.credentials import Credentials
from halfdoor.backends.dialling import trusted
from halfdoor.backends.http import HttpBackend
from halfdoor.backends.loads import Loads, Watched
from halfdoor.backends.queues import Limits
from halfdoor.backends.queues import Queue as EngineQueue
from halfdoor.backends.residency import Asked as Held
from halfdoor.backends.residency import Residency
from halfdoor.backends.scripted import ScriptedBackend
from halfdoor.canon.cards import Card
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Listed
from halfdoor.canon.record import Noted
from halfdoor.canon.routes import Route
from halfdoor.canon.rules import Rule
from halfdoor.config.load import Loaded, aliases, cards, rules_in_force
from halfdoor.config.prices import listed
from halfdoor.config.tables.backends import Backend as BackendTable
from halfdoor.decide.names import AS_ASKED, Names
from halfdoor.decide.rules import RuleBook
from halfdoor.detect.paths import PathDetector
from halfdoor.detect.provenance import ProvenanceDetector
from halfdoor.detect.secrets import SecretDetector
from halfdoor.detect.survey import Surveyor
from halfdoor.detect.task import AskReader
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.base import Dialect
from halfdoor.dialects.ollama import Ollama
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.dialects.openai_responses import OpenAIResponses
from halfdoor.errors import SetupError
from halfdoor.flow.clock import SystemClock
from halfdoor.flow.house import House
from halfdoor.flow.ports import Backend, Clock, Log, Queue, Services
from halfdoor.flow.writing import timestamp
from halfdoor.reading.engine import Engine
from halfdoor.reading.prints import Prints
from halfdoor.reading.secret_formats import secret_engine
from halfdoor.reading.tokens import Scales
from halfdoor.store import index
from halfdoor.store.checkout import Checkout
from halfdoor.store.floors import SharedFloors
from halfdoor.store.keys import LogKeys
from halfdoor.store.ledger import Calendar, SharedLedger
from halfdoor.store.live import Live
from halfdoor.store.log import SqliteLog
from halfdoor.store.opening import opening, used
from halfdoor.store.patterns import kept_engine
from halfdoor.store.periods import zone
from halfdoor.store.pins import SharedPins, SharedRatios
from halfdoor.store.shared import SharedMemory

DIALECTS: Final[dict[str, Dialect]] = {
    dialect.name: dialect
    for dialect in (OpenAIChat(), AnthropicMessages(), OpenAIResponses(), Ollama())
}

# Projects whose tools ask at one time; each has a cache of blocks of its own.
SETS_OF_RULES: Final = 32
_PATH: Final = "path:"
_REPO: Final = "repo:"


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything that serves. `close` drains the log and closes every connection.

    tightened: the house for a caller that brings rules of its own project.
    admission: what engines have said of where their models run; it outlives a reload.
    residency: what engines have said of what they have loaded; it does, too.
    loads: asks how busy they are, and tells their queues.
    indexed: roots of the projects whose restricted files are known by their text.
    live: what this process shows of the calls that run.
    """

    house: House
    services: Services
    log: SqliteLog
    memory: SharedMemory
    floors: SharedFloors
    pins: SharedPins
    ratios: SharedRatios
    keys: LogKeys
    engine: Engine
    loaded: Loaded
    tightened: Callable[[tuple[Rule, ...]], House]
    admission: Admission
    residency: Residency
    indexed: frozenset[str]
    loads: Loads
    live: Live

    def asked(self) -> tuple[Asked, ...]:
        """Every model whose engine must say where it runs it, as far as its name is known."""
        backends = self.services.backends
        near = [c for c in self.house.cards if c.zone is not Zone.CLOUD and c.model_id != AS_ASKED]
        return tuple(
            Asked(backend, card.model_id, card.name)
            for card in near
            if isinstance(backend := backends[card.backend], HttpBackend)
        )

    def engines(self) -> tuple[Held, ...]:
        """Every engine that is asked what it has loaded: what may be near, and nobody's cloud."""
        backends = self.services.backends
        return tuple(
            Held(backend, native=table.dialect == "ollama")
            for table in self.loaded.config.backends
            if isinstance(backend := backends[table.name], HttpBackend)
            and backend.zone is not Zone.CLOUD
        )

    def watched(self) -> tuple[Watched, ...]:
        """Every engine that has a queue, and is asked how busy it is."""
        queues = self.services.queues
        return tuple(
            Watched(held.engine, queue)
            for held in self.engines()
            if isinstance(queue := queues.get(held.engine.name), EngineQueue)
        )

    def limit(self) -> None:
        """Let the queues that a reload kept follow the configuration; in their own loop."""
        for table in self.loaded.config.backends:
            queue = self.services.queues.get(table.name)
            if isinstance(queue, EngineQueue):
                queue.limit(_limits(table))

    async def close(self) -> None:
        """Backends first, so that nothing new can be answered while the log drains."""
        await self.hang_up()
        await asyncio.to_thread(self.live.close)
        await self.memory.close()
        await self.floors.close()
        self.pins.close()
        self.ratios.close()
        if self.services.ledger is not None:
            await self.services.ledger.close()
        await self.log.close()

    async def hang_up(self) -> None:
        """Close every connection to a backend."""
        for backend in self.services.backends.values():
            if isinstance(backend, HttpBackend):
                await backend.close()

    def changed(self, loaded: Loaded) -> "Gateway":
        """The same log, keys, memory and engine under another configuration. Raises SetupError.

        INVARIANT: what was known by its text stays known until a restart.
        """
        provenance, indexed = restricted_text(loaded.state_dir, self.keys)
        if gone := self.indexed - indexed:
            raise SetupError(
                "an index of restricted files is gone",
                where=", ".join(sorted(gone)),
                hint="run `halfdoor policy index` there, or restart halfdoor to go without",
            )
        backends = _backends(loaded, self.keys, self.admission)
        ping_s = loaded.config.server.ping_s
        services = replace(
            self.services,
            backends=backends,
            files=files(loaded),
            ping_s=ping_s,
            queues=queues(loaded, self.services.queues),
        )
        base = house(loaded, self.keys, self.engine, self.house.prints, provenance)
        base = replace(base, scales=self.house.scales)
        tightened = tightener(base, self.engine, provenance)
        return replace(
            self,
            house=base,
            services=services,
            loaded=loaded,
            tightened=tightened,
            indexed=indexed,
        )


def assemble(loaded: Loaded, state_dir: Path) -> Gateway:
    """All that `serve` needs. Raises SetupError, or LogError when the log cannot be opened."""
    keys = LogKeys.load_or_create(state_dir)
    clock = SystemClock()
    log = SqliteLog(state_dir, keys)
    memory = SharedMemory(state_dir, clock.now_ms, keys.prints_key)
    ping_s = loaded.config.server.ping_s
    admission = Admission(noting(log, clock), time.monotonic)
    backends = _backends(loaded, keys, admission)
    floors = SharedFloors(state_dir, clock.now_ms, int(loaded.config.server.remember_s * 1000))
    pins, ratios = SharedPins(state_dir), SharedRatios(state_dir, clock.now_ms)
    residency = Residency(time.monotonic)
    live = Live(state_dir, clock.now_ms)
    services = Services(
        log,
        backends,
        memory,
        clock,
        files(loaded),
        floors,
        ledger=ledger(loaded, state_dir, clock.now_ms),
        queues=queues(loaded, {}),
        health=Breakers(lambda: int(clock.ticks_ms()), clock.draw),
        ping_s=ping_s,
        widened=lambda: admission.widened,
        windows=residency.now,
        pins=pins,
        sights=live,
    )
    engine = kept_engine(state_dir, keys)
    provenance, indexed = restricted_text(state_dir, keys)
    base = replace(house(loaded, keys, engine, None, provenance), scales=Scales(ratios))
    more = tightener(base, engine, provenance)
    return Gateway(
        base,
        services,
        log,
        memory,
        floors,
        pins,
        ratios,
        keys,
        engine,
        loaded,
        more,
        admission,
        residency,
        indexed,
        Loads(residency, time.monotonic),
        live,
    )


def queues(loaded: Loaded, before: Mapping[str, Queue]) -> dict[str, Queue]:
    """Queues before what may be near, and before what has slots. before: they stay, with who waits.

    What they are limited to changes by `Gateway.limit`.
    """
    return {
        each.name: before.get(each.name, EngineQueue(each.name, _limits(each)))
        for each in loaded.config.backends
        if each.slots is not None or (_real(each) and Zone[each.zone.upper()] is not Zone.CLOUD)
    }


def _limits(table: BackendTable) -> Limits:
    return Limits(table.slots, table.queue, table.overflow_at, table.swap_after_s)


def _real(table: BackendTable) -> bool:
    return not table.url.startswith("scripted:")


def ledger(loaded: Loaded, state_dir: Path, now_ms: Callable[[], int]) -> SharedLedger | None:
    """The ledger of budgets and plans, None without any. It begins with what the log says.

    Raises LogError or SetupError.
    """
    budgets, plans = loaded.config.budgets, loaded.config.plans
    if not budgets and not plans:
        return None
    calendar = Calendar(budgets, now_ms, zone(loaded.config.server.time_zone))
    tokens = {each.name: (each.person, each.team) for each in loaded.config.tokens}
    taken = partial(opening, state_dir, tokens)
    return SharedLedger(state_dir, calendar, budgets, taken, plans, partial(used, state_dir))


def noting(log: Log, clock: Clock) -> Note:
    """What puts a `Noted` entry into the log, with the time of day. Raises LogError."""

    async def note(event: str, facts: dict[str, str]) -> None:
        now_ms = clock.now_ms()
        await log.append(Noted(clock.exchange_id(now_ms), timestamp(now_ms), event, facts))

    return note


def house(
    loaded: Loaded,
    keys: LogKeys | None = None,
    engine: Engine | None = None,
    prints: Prints | None = None,
    provenance: ProvenanceDetector | None = None,
) -> House:
    """The pure part. Without keys (`explain`), hashes are made under a key that is thrown away."""
    rules = rules_in_force(loaded)
    known = cards(loaded.config)
    prints = prints or Prints(keys.prints_key if keys else secrets.token_bytes(32))
    paths = path_detector(rules)
    return House(
        dialects=DIALECTS,
        cards=known,
        names=Names(known, aliases(loaded.config), _listed(loaded)),
        book=RuleBook(rules),
        strategy=loaded.config.routing.strategy,
        routes=loaded.config.routes,
        asks=ask_reader(loaded.config.routes),
        time_zone=zone(loaded.config.server.time_zone),
        surveyor=surveyor(paths, prints, engine or secret_engine(), provenance),
        paths=paths,
        prints=prints,
        mac=keys.mac if keys else lambda data: prints.block(data).hex(),
        policy_hash=_policy_hash(rules, known),
        budgets=loaded.config.budgets,
        plans=loaded.config.plans,
        hold_for=frozenset(loaded.config.server.hold_for),
    )


def _listed(loaded: Loaded) -> Callable[[str, str], Listed]:
    urls = {backend.name: backend.url for backend in loaded.config.backends}
    return lambda backend, model_id: listed(urls.get(backend, ""), model_id)


def tightener(
    base: House, engine: Engine, provenance: ProvenanceDetector | None = None
) -> Callable[[tuple[Rule, ...]], House]:
    """Houses with more rules, one for each set; the least used go first.

    INVARIANT: rules are added to the base's own, so a tightened house permits no more.
    """

    @lru_cache(maxsize=SETS_OF_RULES)
    def tightened(more: tuple[Rule, ...]) -> House:
        rules = (*base.book.rules, *more)
        paths = path_detector(rules)
        return replace(
            base,
            book=RuleBook(rules),
            surveyor=surveyor(paths, base.prints, engine, provenance),
            paths=paths,
            policy_hash=_policy_hash(rules, base.cards),
        )

    return tightened


def files(loaded: Loaded) -> Checkout:
    """Follows named paths, and knows the configured repositories."""
    return Checkout(loaded.config.repositories)


def path_detector(rules: tuple[Rule, ...]) -> PathDetector:
    """Finds the globs that the rules speak of."""
    labels = dict.fromkeys(rule.label for rule in rules)
    globs = tuple(label.removeprefix(_PATH) for label in labels if label.startswith(_PATH))
    return PathDetector(globs, places=any(label.startswith(_REPO) for label in labels))


def ask_reader(routes: tuple[Route, ...]) -> AskReader:
    """Reads what routes match; paths only where one speaks of them."""
    globs = tuple(dict.fromkeys(glob for route in routes for glob in route.match.paths))
    return AskReader(PathDetector(globs) if globs else None)


def surveyor(
    paths: PathDetector,
    prints: Prints,
    engine: Engine,
    provenance: ProvenanceDetector | None = None,
) -> Surveyor:
    """The detectors that the rules in force need."""
    known = (provenance,) if provenance else ()
    return Surveyor((SecretDetector(engine), paths, *known), prints)


def restricted_text(
    state_dir: Path, keys: LogKeys
) -> tuple[ProvenanceDetector | None, frozenset[str]]:
    """What knows the text of indexed files, and their projects' roots; None without an index.

    Raises SetupError for a broken one.
    """
    built = index.load(state_dir, keys.prints_key)
    detector = ProvenanceDetector(tuple(one.data for one in built)) if built else None
    return detector, frozenset(one.what.root for one in built)


def _backends(loaded: Loaded, keys: LogKeys, admission: Admission) -> dict[str, Backend]:
    tables = loaded.config.backends
    return {table.name: _backend(table, keys.seal_key, admission) for table in tables}


def _backend(table: BackendTable, seal_key: bytes, admission: Admission) -> Backend:
    dialect = DIALECTS[table.dialect]
    zone = Zone[table.zone.upper()]
    if not _real(table):
        return ScriptedBackend(table.name, dialect, zone, seal_key)
    try:
        tls = trusted(table.url, table.authorities)
    except OSError as error:  # it was read at the start, so it has changed since
        said = f"`ca_file` of backend `{table.name}` cannot be used: {error.strerror or error}"
        raise SetupError(said, hint="give certificates in PEM", where=table.ca_file) from None
    return HttpBackend(
        table.name,
        table.url,
        zone,
        Credentials(table.name, dialect.credential, table.key_env),
        seal_key,
        timeouts=table.timeouts,
        tls=tls,
        admission=admission,
    )


def _policy_hash(rules: tuple[Rule, ...], known: tuple[Card, ...]) -> str:
    """Changes when a rule, or where a model is and on what terms, changes; hex."""
    places = [(card.name, card.backend, int(card.zone), card.terms) for card in known]
    return sha256(msgspec.json.encode((rules, places))).hexdigest()
