"""`halfdoor serve`: the gateway, in the foreground."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Final

import typer
from msgspec.structs import replace

from halfdoor import __version__
from halfdoor.backends import guard
from halfdoor.backends.admission import Asked
from halfdoor.backends.loads import Watched
from halfdoor.backends.residency import Asked as Held
from halfdoor.backends.switch import Switch
from halfdoor.canon.cards import Card
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Noted
from halfdoor.canon.rules import EVERY, Above, Rule
from halfdoor.cli.options import ConfigOption, ProjectOption, console, load, project_dir
from halfdoor.cli.restricted import warnings
from halfdoor.config.check import produced
from halfdoor.config.handing import handed, received
from halfdoor.config.load import Loaded, cards, rules_in_force
from halfdoor.config.objectives import objectives
from halfdoor.config.offline import OPTION
from halfdoor.config.reload import obstacles
from halfdoor.config.rules import loosened
from halfdoor.decide.unpriced import unpriced
from halfdoor.errors import HalfdoorError, SetupError
from halfdoor.flow.writing import timestamp
from halfdoor.reading import terms
from halfdoor.server.access import Access
from halfdoor.server.address import Address, address
from halfdoor.server.admin import Admin
from halfdoor.server.app import App
from halfdoor.server.body import Limits
from halfdoor.server.crew import crew
from halfdoor.server.listen import bound, guarded, run, shared
from halfdoor.server.metrics import Metrics, noted
from halfdoor.server.office import Office
from halfdoor.server.sessions import Sessions
from halfdoor.server.status import Status
from halfdoor.server.tokens import access, asking, secrets
from halfdoor.store.keys import session_key
from halfdoor.store.live import Note
from halfdoor.wiring import Gateway, assemble

# Longer than an answer may be silent, by default twice over.
LEAVE_S: Final = 900.0
# A share that does not answer must not hold the end of the process up for ever.
_LAST_LOOK_S: Final = 2.0

ListenOption = Annotated[
    str | None,
    typer.Option("--listen", metavar="HOST:PORT", help="Listen here, whatever the file says."),
]

OfflineOption = Annotated[
    bool,
    typer.Option("--offline", help="Speak to this device only, until the gateway is stopped."),
]
WorkersOption = Annotated[
    int,
    typer.Option("--workers", min=1, max=64, help="Processes that share the port and the log."),
]
WorkerOption = Annotated[bool, typer.Option("--worker", hidden=True)]


def serve(
    config: ConfigOption = None,
    listen: ListenOption = None,
    project: ProjectOption = None,
    workers: WorkersOption = 1,
    offline: OfflineOption = False,
    worker: WorkerOption = False,
) -> None:
    """Start the gateway."""
    guard.install()

    def read() -> Loaded:
        return _settings(config, project, offline=offline)

    loaded = _told(offline=offline) if worker else read()
    server = loaded.config.server
    where = address(server.listen if listen is None else listen)
    apart = address(server.admin_listen) if server.admin_listen else None
    tokens = secrets(loaded.config.tokens, os.environ)
    guarded(where, tokens=asking(loaded.config.tokens))
    # It looks at every restricted file, and requests do not wait for that.
    look = partial(_look_over, loaded, project_dir(project))
    with nullcontext() if worker else beside(look):
        if workers > 1:
            switch = Switch(loaded.state_dir, loaded.offline)
            again, orders = _again(config, project), Standing(loaded, read)

            def ready(at: Address) -> None:
                _announce(loaded, at, workers)

            with shared(apart) if apart else nullcontext():
                crew(workers, where, again, ready, switch, orders)
            return
        _run(loaded, read, tokens, (where, apart), worker=worker)


def _run(
    loaded: Loaded,
    read: Callable[[], Loaded],
    tokens: tuple[tuple[str, str], ...],
    places: tuple[Address, Address | None],
    *,
    worker: bool,
) -> None:
    """One process. places: where tools ask, and where admins do if not there."""
    with ExitStack() as stack:
        listening = [
            stack.enter_context(bound(place, with_others=worker)) for place in places if place
        ]
        where = Address(places[0].host, listening[0].getsockname()[1])
        parent = os.getppid() if worker else 0
        service = Service(assemble(loaded, loaded.state_dir), tokens, where, parent, places[1])
        app = service.app()

        async def reload() -> None:
            await service.reload(app, read)

        def ready() -> None:
            if not worker:
                _announce(loaded, where, 1)

        run(app, listening, ready, reload, leash=0 if worker else None)


@contextmanager
def beside(work: Callable[[Callable[[], bool]], None]) -> Iterator[None]:
    """Run `work` in a thread meanwhile. It gets a function that says no once it must end."""
    # INVARIANT: it ends before the process does, which aborts if re2 runs in a thread by then.
    over = Event()
    thread = Thread(target=work, args=(lambda: not over.is_set(),), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_LAST_LOOK_S)


def _settings(config: Path | None, project: Path | None, *, offline: bool) -> Loaded:
    """What the files say, and the option; it holds before anything is looked for."""
    if offline:
        guard.go_offline()
    loaded = load(config, project)
    return replace(loaded, offline=OPTION) if offline else loaded


def _told(*, offline: bool) -> Loaded:
    """What a worker's parent holds. INVARIANT: the end of a worker loosens nothing."""
    if offline:
        guard.go_offline()
    loaded = received(sys.stdin.buffer)
    return replace(loaded, offline=OPTION) if offline else loaded


class Standing:
    """What the parent of workers hands to each of them: as at its start, or tightened since."""

    def __init__(self, loaded: Loaded, read: Callable[[], Loaded]) -> None:
        self._loaded = loaded
        self._read = read

    def handed(self) -> bytes:
        """See `config.handing`."""
        return handed(self._loaded)

    def renew(self) -> None:
        """Read the files again; broken or looser ones are refused, as the workers say aloud."""
        with suppress(HalfdoorError):
            loaded = self._read()
            if not obstacles(self._loaded, loaded):
                self._loaded = loaded


def _again(config: Path | None, project: Path | None) -> list[str]:
    """The options that make a worker read the same files."""
    options = ["--config", str(config)] if config else []
    return options + (["--project", str(project)] if project else [])


class Service:
    """What is served now: replaced as a whole when the configuration is read again.

    parent: see `server.status.Shown`. apart: where admins ask, None for where all do.
    """

    def __init__(
        self,
        gateway: Gateway,
        tokens: tuple[tuple[str, str], ...],
        where: Address,
        parent: int = 0,
        apart: Address | None = None,
    ) -> None:
        self._parent = parent
        self._apart = apart
        self.gateway = gateway
        gateway.live.opened(str(where))
        self._tokens = tokens
        self._where = where
        key = session_key(gateway.loaded.state_dir)
        self._sessions = Sessions(key, gateway.services.clock.now_ms)
        self._leaving: dict[asyncio.Task[None], Gateway] = {}
        loaded = gateway.loaded
        self._switch = Switch(loaded.state_dir, loaded.offline)

    def app(self) -> App:
        """The application for what is served now."""
        gateway, server = self.gateway, self.gateway.loaded.config.server
        return App(
            gateway.house,
            gateway.services,
            self._access(self._where),
            Limits(body_bytes=server.body_limit_bytes),
            Status(
                __version__,
                os.getpid(),
                time.monotonic(),
                gateway.house.cards,
                gateway.house.policy_hash,
                self._parent,
                gateway.residency.of,
            ),
            running=self.running,
            tightened=gateway.tightened,
            added=self._switch.rules,
            office=self._office(),
        )

    def _office(self) -> Office:
        gateway, loaded = self.gateway, self.gateway.loaded
        held_to = objectives(loaded.config.backends)
        return Office(
            gateway.house,
            gateway.services,
            self._access(self._apart or self._where),
            Limits(),
            Admin(gateway.floors, gateway.log, gateway.services.clock),
            Metrics(__version__, loaded.state_dir, gateway.live, gateway.log, held_to),
            self._apart.port if self._apart else 0,
        )

    def _access(self, where: Address) -> Access:
        config = self.gateway.loaded.config
        return access(config, self._tokens, self._sessions, loopback=where.loopback)

    async def reload(self, app: App, read: Callable[[], Loaded]) -> None:
        """Read the configuration again; a broken or looser one is refused, and the old stays."""
        screen = console(stderr=True)
        try:
            loaded = await asyncio.to_thread(read)
            if why := obstacles(self.gateway.loaded, loaded):
                raise SetupError("; ".join(why), hint="restart halfdoor to change that")
            tokens = secrets(loaded.config.tokens, os.environ)
            changed = await asyncio.to_thread(self.gateway.changed, loaded)
        except HalfdoorError as error:
            screen.print(f"!! not reloaded, the old configuration stays: {error}")
            await _note(self.gateway, "reload-refused", {})
            return
        before, self.gateway, self._tokens = self.gateway, changed, tokens
        if loaded.offline:
            self._switch = Switch(loaded.state_dir, loaded.offline)
        app.now = self.app().now
        changed.limit()
        await _note(changed, "reloaded", {"policy": changed.house.policy_hash})
        screen.print("reloaded: requests from now on follow the new configuration")
        leaving = asyncio.create_task(_leave(before))
        self._leaving[leaving] = before
        leaving.add_done_callback(self._leaving.pop)

    def _asked(self) -> tuple[Asked, ...]:
        return self.gateway.asked()

    def _engines(self) -> tuple[Held, ...]:
        return self.gateway.engines()

    def _watched(self) -> tuple[Watched, ...]:
        return self.gateway.watched()

    def _noted(self) -> Note:
        return noted(self.gateway.services, self.gateway.log)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """See `running`; gateways that a reload replaced are gone when this ends."""
        watching = asyncio.create_task(self._switch.watch())
        asking = asyncio.create_task(self.gateway.admission.keep(self._asked))
        looking = asyncio.create_task(self.gateway.residency.keep(self._engines))
        loads = asyncio.create_task(self.gateway.loads.keep(self._watched))
        beating = asyncio.create_task(self.gateway.live.keep(self._noted))
        try:
            async with running(self.gateway, lambda: self.gateway):
                yield
        finally:
            watching.cancel()
            asking.cancel()
            looking.cancel()
            loads.cancel()
            beating.cancel()
            for leaving, before in tuple(self._leaving.items()):
                leaving.cancel()
                await before.hang_up()


async def _leave(before: Gateway) -> None:
    """Old connections close when no exchange that began before can still need them."""
    await asyncio.sleep(LEAVE_S)
    await before.hang_up()


@asynccontextmanager
async def running(
    gateway: Gateway, now: Callable[[], Gateway] | None = None
) -> AsyncIterator[None]:
    """From the first entry to the last: a start, what was loosened, a stop, the log closed.

    now: the gateway that serves at the end, where a reload may have changed it.
    """
    try:
        facts = {"version": __version__, "policy": gateway.house.policy_hash}
        facts |= {"offline": "yes"} if gateway.loaded.offline else {}
        await _note(gateway, "started", facts)
        for default, own in loosened(gateway.loaded.config.rules):
            zones = {"from": default.ceiling.name.lower(), "to": own.ceiling.name.lower()}
            await _note(gateway, "loosened", {"label": default.label, **zones})
        yield
        await _note(gateway, "stopped", {})
    finally:
        await (now() if now else gateway).close()


async def _note(gateway: Gateway, event: str, facts: dict[str, str]) -> None:
    clock = gateway.services.clock
    now_ms = clock.now_ms()
    noted = Noted(clock.exchange_id(now_ms), timestamp(now_ms), event, facts)
    await gateway.services.log.append(noted)


def _look_over(loaded: Loaded, folder: Path, going: Callable[[], bool]) -> None:
    screen = console(stderr=True)
    try:
        for line in warnings(loaded, folder, going):
            screen.print(f"!! {line}")
    except (HalfdoorError, OSError) as error:
        screen.print(f"!! indexes of restricted files could not be looked over: {error}")


def _announce(loaded: Loaded, where: Address, workers: int) -> None:
    screen = console()
    for line in banner(loaded, cards(loaded.config), where, workers):
        screen.print(line)


def banner(
    loaded: Loaded, known: tuple[Card, ...], where: Address, workers: int = 1
) -> Iterator[str]:
    """What a person should know of a gateway that has just started, line by line."""
    root = f"http://{where}"
    crowd = f" with {workers} workers" if workers > 1 else ""
    yield f"halfdoor {__version__} listens on {root}{crowd}  (Ctrl-C stops it)"
    yield f"  config  {loaded.config.source or 'none: made of the engines and keys found here'}"
    yield f"  log     {loaded.state_dir}"
    if apart := loaded.config.server.admin_listen:
        yield f"  admin   http://{apart}  (metrics, and what admins do)"
    yield "models, and where they are"
    yield from (_model(card) for card in known)
    if not known:
        yield "!! NO MODEL: every request is refused. Add `[[models]]`, or try `halfdoor init`."
    if any(card.scripted for card in known):
        yield "!! SCRIPTED MODELS: they answer without any model. `halfdoor init` finds real ones."
    yield "rules in force"
    yield from (_rule(rule) for rule in rules_in_force(loaded))
    if loaded.offline:
        yield f"!! OFFLINE ({loaded.offline}): only this device is spoken to"
    config = loaded.config
    notes = (*loaded.notes, *unpriced(known, config.budgets, config.plans))
    yield from (f"!! {note}" for note in notes)
    token = "<your token>" if asking(loaded.config.tokens) else "unused"
    yield "point your tools here"
    yield f"  Claude Code  ANTHROPIC_BASE_URL={root} ANTHROPIC_AUTH_TOKEN={token} claude"
    yield f"  OpenAI SDK   OPENAI_BASE_URL={root}/v1 OPENAI_API_KEY={token}"


def _model(card: Card) -> str:
    scripted = "  SCRIPTED" if card.scripted else ""
    return f"  {card.name:<28} {card.zone.name.lower():<8} {card.backend}{scripted}"


def _rule(rule: Rule) -> str:
    return f"  {rule.name:<28} {rule.ceiling.name.lower():<8} {_beyond(rule)} ({rule.source})"


def _beyond(rule: Rule) -> str:
    if rule.label == EVERY and rule.ceiling < Zone.CLOUD:
        return "every request: beyond it nothing is asked"
    if not produced(rule.label):
        return "nothing looks for it yet"
    if rule.require:
        return f"beyond the device: {terms.said(rule.require)}"
    if rule.ceiling is Zone.CLOUD:
        return "named in `why`"
    refuses = rule.above is Above.REFUSE
    return "beyond it: refuse the request" if refuses else "beyond it: leave them out"
