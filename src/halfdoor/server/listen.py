"""The listener: binds before anything starts, serves, and stops with every outcome recorded."""

import asyncio
import errno
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from halfdoor.backends import guard
from halfdoor.errors import SetupError
from halfdoor.server.address import HINT, Address, answers
from halfdoor.server.app import App
from halfdoor.server.patience import PatientProtocol

BACKLOG: Final = 2048
# Longer than most clients keep an idle connection, so that they close it and not we.
KEEP_ALIVE_S: Final = 75
# How long a stop waits for answers under way before it cancels them.
GRACE_S: Final = 10
# Objects made, less those freed, before the young ones are looked at for cycles. A request that is
# answered leaves none (tests/flow/test_drive.py), so that it rarely comes to this.
COLLECT_AFTER_OBJECTS: Final = 2_000


Reload = Callable[[], Coroutine[Any, Any, None]]


def guarded(where: Address, *, tokens: int) -> None:
    """INVARIANT: nobody but this device asks without a token. Raises SetupError."""
    if not where.loopback and not tokens:
        raise SetupError(
            f"{where} can be reached from other machines, and no `[[tokens]]` are configured",
            hint='add `[[tokens]]` with `name` and `env`, or listen on "127.0.0.1:4114"',
        )


def bound(where: Address, *, with_others: bool = False) -> socket.socket:
    """A listening socket that holds the port. Raises SetupError, which says who holds it instead.

    with_others: other processes of ours listen there too (SO_REUSEPORT).
    """
    listening = shared(where) if with_others else _held(where)
    try:
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise _refused(where, error) from None
    listening.setblocking(False)
    return listening


def shared(where: Address) -> socket.socket:
    """A bound socket that others of ours may share; it does not listen yet. Raises SetupError."""
    return _held(where, socket.SO_REUSEPORT)


def _held(where: Address, *options: int) -> socket.socket:
    try:
        host = guard.numbered(where.host)
        found = socket.getaddrinfo(
            host, where.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except guard.GuardRefusal:
        hint = "listen on an address, as 127.0.0.1"
        raise SetupError(
            f"{where} is a name, and offline no name is looked up", hint=hint
        ) from None
    except socket.gaierror as error:
        raise SetupError(f"{where} cannot be found ({error.strerror})", hint=HINT) from None
    family, kind, protocol, _, place = found[0]
    listening = socket.socket(family, kind, protocol)
    try:
        for option in (socket.SO_REUSEADDR, *options):
            listening.setsockopt(socket.SOL_SOCKET, option, 1)
        listening.bind(place)
    except OSError as error:
        listening.close()
        raise _refused(where, error) from None
    return listening


def run(
    app: App,
    listening: Sequence[socket.socket],
    ready: Callable[[], None],
    reload: Reload | None = None,
    *,
    leash: int | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then stop: no new requests, a grace, the log closed.

    ready: called once requests are taken. reload: called on SIGHUP, where there is one. leash:
    a descriptor whose end stops the server, too. A second Ctrl-C stops at once.
    Raises what the application's start or stop raised.
    """
    try:
        with _settled():
            Server(app, ready, reload, leash=leash).run(sockets=list(listening))
    except SystemExit:
        raise app.failed or SetupError("the server could not start") from None
    finally:
        for each in listening:
            each.close()
    if app.failed is not None:
        raise app.failed


class Server(uvicorn.Server):
    """uvicorn's server, with a word when it is ready and a clean end after a signal.

    `await serve(sockets=[bound(...)])` inside a loop of one's own; `should_exit = True` stops it.
    """

    def __init__(
        self,
        app: App,
        ready: Callable[[], None],
        reload: Reload | None = None,
        *,
        leash: int | None = None,
    ) -> None:
        for name in ("uvicorn.error", "uvicorn.access"):
            # A caller's broken request is no news to an operator.
            logging.getLogger(name).setLevel(logging.CRITICAL)
        super().__init__(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._ready = ready
        self._reload = reload
        self._leash = leash
        self._reloading: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self._reload is not None and hasattr(signal, "SIGHUP"):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hung_up)
        if self._leash is not None:
            asyncio.get_running_loop().add_reader(self._leash, self._let_go, self._leash)
        self._ready()

    def _let_go(self, leash: int) -> None:
        asyncio.get_running_loop().remove_reader(leash)
        self.should_exit = True

    def _hung_up(self) -> None:
        """SIGHUP: one reload at a time; a second signal meanwhile adds nothing."""
        if self._reload is not None and (self._reloading is None or self._reloading.done()):
            self._reloading = asyncio.create_task(self._reload())

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """As below, but a signal that was obeyed is not raised again afterwards: exit 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {each: signal.signal(each, self.handle_exit) for each in signals}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


@contextmanager
def _settled() -> Generator[None, None, None]:
    """Spare the garbage collector what stays until the process ends: modules, tables, patterns.

    An exchange makes some hundred short-lived objects, so that as Python is set the collector ran
    for every few of them, over everything: at 64 connections more than a tenth of the CPU.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _refused(where: Address, error: OSError) -> SetupError:
    match error.errno:
        case errno.EADDRINUSE:
            who = "halfdoor" if asyncio.run(answers(where)) else "another program"
            hint = (
                "`halfdoor ps` shows it; stop it, or choose another port with `--listen`"
                if who == "halfdoor"
                else "choose another port with `--listen`, or stop that program"
            )
            return SetupError(f"{where} is already in use (by {who})", hint=hint)
        case errno.EACCES:
            hint = "choose a port above 1023"
            return SetupError(f"halfdoor may not listen on {where}", hint=hint)
        case errno.EADDRNOTAVAIL:
            hint = "choose an address of this machine, as 127.0.0.1"
            return SetupError(f"{where} is no address of this machine", hint=hint)
        case _:
            return SetupError(f"halfdoor cannot listen on {where} ({error.strerror})", hint=HINT)
