"""A real halfdoor on a free loopback port, from a real configuration file. All that starts one is here."""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Self
from unittest import mock

import tomlkit
import typer
from typer.testing import CliRunner

from halfdoor.backends.breakers import Breakers
from halfdoor.canon.decision import Permit
from halfdoor.canon.record import Entry, Outcome
from halfdoor.cli.why import why
from halfdoor.config.load import load
from halfdoor.config.objectives import objectives
from halfdoor.flow.ports import Log
from halfdoor.server.address import address
from halfdoor.server.admin import Admin
from halfdoor.server.app import App
from halfdoor.server.body import Limits
from halfdoor.server.listen import Server, bound
from halfdoor.server.metrics import Metrics
from halfdoor.server.office import Office
from halfdoor.server.status import Status
from halfdoor.server.tokens import access, secrets
from halfdoor.wiring import assemble
from tests.helpers.loop_thread import LoopThread
from tests.helpers.sdk import Wire, anthropic_sdk, ollama_sdk, openai_sdk

Table = dict[str, Any]


class Addressed(Protocol):
    """Something that answers at an address."""

    def base_url(self, dialect: str) -> str: ...


def backend(name: str, fake: Addressed, dialect: str, zone: str = "device", **more: Any) -> Table:
    """A `[[backends]]` table for a fake."""
    return {"name": name, "dialect": dialect, "url": fake.base_url(dialect), "zone": zone, **more}


def model(name: str, of: str, model_id: str, **more: Any) -> Table:
    """A `[[models]]` table. price: micro-USD for a million tokens, as invoices count."""
    if price := more.pop("price", None):
        whole = {"cache_write": price["input"], **price}  # what a cloud must state
        more["usd_per_million_tokens"] = {kind: rate / 10**6 for kind, rate in whole.items()}
    return {"name": name, "backend": of, "id": model_id, **more}


class SlowOutcomes:
    """A log on a slow disk: decisions are quick, outcomes come late."""

    def __init__(self, log: Log, s: float) -> None:
        self._log = log
        self._s = s

    async def append(self, entry: Entry) -> Permit:
        if isinstance(entry, Outcome):
            await asyncio.sleep(self._s)
        return await self._log.append(entry)


class Served:
    """The whole program in this process: configuration, log, core and server, as `serve` has them.

    Made outside any loop, because reading files and opening the log block.
    """

    def __init__(self, config: Path, slow_outcomes_s: float, *, looks: bool) -> None:
        self._looks = looks
        loaded = load(config, None, os.environ)
        self._inner = assemble(loaded, loaded.state_dir)
        self._listening = [bound(address(loaded.config.server.listen))]
        self._ready = asyncio.Event()
        house, services = self._inner.house, self._inner.services
        if slow_outcomes_s:
            services = replace(services, log=SlowOutcomes(services.log, slow_outcomes_s))
        held = self._inner.residency.of
        status = Status("test", os.getpid(), time.monotonic(), house.cards, held=held)
        tokens = secrets(loaded.config.tokens, os.environ)
        may_ask = access(loaded.config, tokens, None, loopback=True)
        held_to = objectives(loaded.config.backends)
        metrics = Metrics("test", loaded.state_dir, self._inner.live, self._inner.log, held_to)
        admin = Admin(self._inner.floors, services.log, services.clock)
        apart = loaded.config.server.admin_listen
        if apart:
            self._listening.append(bound(address(apart)))
        port = address(apart).port if apart else 0
        office = Office(house, services, may_ask, Limits(), admin, metrics, port)
        app = App(house, services, may_ask, Limits(), status, office=office)
        self._server = Server(app, self._ready.set)

    def waiting(self, backend: str) -> int:
        """How many wait for an engine with slots."""
        return self._inner.services.queues[backend].depth.waiting

    def well_again(self) -> None:
        """Forget which backends, and which turns, have just failed."""
        health = self._inner.services.health
        assert isinstance(health, Breakers)
        health._states.clear()
        self._inner.services.turns.clear()

    async def look(self) -> None:
        """Ask the engines, as `serve` does beside the requests, however lately they were asked."""
        if self._looks:
            self._inner.residency._tried_s.clear()
            self._inner.loads._tried_s.clear()
            await self._inner.residency.refresh(self._inner.engines())
            await self._inner.loads.refresh(self._inner.watched())

    async def start(self) -> str:
        """The root URL, once requests are taken."""
        await self.look()
        self._serving = asyncio.create_task(self._server.serve(self._listening))
        await self._ready.wait()
        return f"http://127.0.0.1:{self._listening[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop as Ctrl-C does."""
        self._server.should_exit = True
        await self._serving
        await self._inner.close()


class Gateway:
    """One running halfdoor. Use as a context manager, plain or async."""

    def __init__(
        self, tables: Table, environment: Mapping[str, str], slow: float, *, looks: bool
    ) -> None:
        self._looks = looks
        self._tables = tables
        self._slow_outcomes_s = slow
        self._environment = environment
        self.url = ""

    def openai(self, **how: Any) -> AbstractAsyncContextManager[tuple[Any, Wire]]:
        return openai_sdk(self.url, **how)

    def anthropic(self, **how: Any) -> AbstractAsyncContextManager[tuple[Any, Wire]]:
        return anthropic_sdk(self.url, **how)

    def ollama(self) -> AbstractAsyncContextManager[tuple[Any, Wire]]:
        return ollama_sdk(self.url)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="halfdoor-")))
            folder.chmod(0o700)
            self.config = folder / "config.toml"
            self.state = folder / "state"
            server = {"listen": "127.0.0.1:0", "state_dir": str(self.state)}
            server |= self._tables.get("server", {})
            self.config.write_text(tomlkit.dumps({**self._tables, "server": server}))
            self.config.chmod(0o600)
            stack.enter_context(mock.patch.dict(os.environ, self._environment))
            served = Served(self.config, self._slow_outcomes_s, looks=self._looks)
            loop = stack.enter_context(LoopThread("halfdoor"))
            stack.callback(lambda: loop.run(served.stop()))
            self.url = loop.run(served.start())
            self._served, self._loop = served, loop
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def well_again(self) -> None:
        """Every backend is asked again, whatever failed in the tests before."""
        self._served.well_again()

    async def look(self) -> None:
        """Ask the engines what they have loaded and how busy they are."""
        await asyncio.to_thread(self._loop.run, self._served.look())

    async def until_waiting(self, backend: str, count: int) -> None:
        """Return once so many wait for an engine with slots."""
        for _ in range(2_000):
            if self._served.waiting(backend) >= count:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"nobody waits for {backend}")

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)

    async def why(self, exchange: str) -> Any:
        """What `halfdoor why ID --json` prints, parsed, once it knows the outcome.

        The answer's last byte leaves before its outcome is recorded, so this asks a few times.
        """
        program = typer.Typer()
        program.command()(why)
        words = [exchange, "--json", "--config", str(self.config)]
        for _ in range(100):
            # Beside the loop: a command may block, a server may not.
            ran = await asyncio.to_thread(CliRunner().invoke, program, words)
            assert ran.exit_code == 0, ran.output
            told = json.loads(ran.stdout)
            if told["outcome"] is not None:
                return told
        raise AssertionError(f"no outcome was recorded for {exchange}")


def gateway(
    *,
    backends: Iterable[Table],
    models: Iterable[Table],
    names: Iterable[Table] = (),
    rules: Iterable[Table] = (),
    environment: Mapping[str, str] | None = None,
    slow_outcomes_s: float = 0,
    looks: bool = False,
    **more: Any,
) -> Gateway:
    """A halfdoor with these tables in its file; `more` are single tables, as `routing`.

    slow_outcomes_s: how late the log takes the outcome of an exchange. looks: engines are asked what
    they have loaded, once, before the first request.
    """
    tables: Table = {
        "backends": list(backends),
        "models": list(models),
        "names": list(names),
        "rules": list(rules),
        **more,
    }
    return Gateway(
        {k: v for k, v in tables.items() if v}, environment or {}, slow_outcomes_s, looks=looks
    )
