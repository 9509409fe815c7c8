"""Several processes on one port: the kernel deals connections, the log and the memory are shared.

The parent serves nothing. It holds the port, starts the workers, passes signals on, and replaces a
worker that dies; one that cannot live stops them all, because a port that answers sometimes is
worse than one that does not.
"""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from halfdoor.backends import guard
from halfdoor.backends.switch import Switch
from halfdoor.config.offline import OPTION
from halfdoor.errors import SetupError
from halfdoor.server.address import Address, answers
from halfdoor.server.listen import GRACE_S, shared

# A worker that dies younger than this was not able to live.
INFANCY_S: Final = 5.0
_TICK_S: Final = 0.1
# A worker drains its answers, then its log.
_STOP_S: Final = GRACE_S + 20


class Orders(Protocol):
    """What every worker begins with, whenever it is started and whatever the files say by then."""

    def handed(self) -> bytes:
        """Written to its standard input."""

    def renew(self) -> None:
        """The files are to be read again, if that loosens nothing."""


def crew(
    workers: int,
    where: Address,
    arguments: list[str],
    ready: Callable[[Address], None],
    switch: Switch,
    orders: Orders,
) -> None:
    """Run `workers` processes of `halfdoor serve` until a signal stops them.

    arguments: of `serve`, for each worker. ready: called once one of them answers.
    switch: once it is offline, every worker that is started is, too.
    orders: see there; renewed on SIGHUP, which each worker judges for itself, too.
    Raises SetupError when the port is taken, or a worker cannot live.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise SetupError("this system cannot share a port", hint="leave `--workers` out")
    # Bound and not listening: nobody else gets the port, and no connection comes here.
    with shared(where) as held:
        where = Address(where.host, held.getsockname()[1])
        options = [*arguments, "--listen", str(where), "--worker"]
        _Crew(workers, options, where, switch, orders).run(ready)


class _Crew:
    def __init__(
        self, size: int, arguments: list[str], where: Address, switch: Switch, orders: Orders
    ) -> None:
        self._where = where
        self._orders = orders
        self._switch = switch
        self._command = [sys.executable, "-m", "halfdoor", "serve", *arguments]
        self._workers: dict[subprocess.Popen[bytes], float] = {}
        self._size = size
        self._stopping = False
        self._failed = False
        self._renewing = False

    def run(self, ready: Callable[[Address], None]) -> None:
        before = {each: signal.signal(each, self._stop) for each in (signal.SIGINT, signal.SIGTERM)}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._reload)
        try:
            for _ in range(self._size):
                self._start()
            said = False
            while self._workers:
                time.sleep(_TICK_S)
                self._tend()
                if not said and self._workers and asyncio.run(answers(self._where)):
                    said = True
                    ready(self._where)
        finally:
            self._end()
            for each, handler in before.items():
                signal.signal(each, handler)
        if self._failed:
            raise SetupError(
                "a worker cannot live; its own words are above", hint="mend that first"
            )

    def _start(self) -> None:
        # INVARIANT: the end of a worker is no restart: the next one is as narrow as this one was.
        more = [OPTION] if self._switch.offline else []
        with guard.start_permit("a worker of this gateway"):
            # A session of its own: Ctrl-C comes to the parent, which stops all in order.
            # Its standard input is its leash: it ends when the parent does, however that ends.
            worker = subprocess.Popen(  # noqa: S603  our own program
                [*self._command, *more], stdin=subprocess.PIPE, start_new_session=True
            )
        self._workers[worker] = time.monotonic()
        assert worker.stdin is not None
        with suppress(OSError):  # it is dead already, and `_tend` buries it
            worker.stdin.write(self._orders.handed())
            worker.stdin.flush()

    def _tend(self) -> None:
        """Bury the dead; replace those that lived."""
        self._switch.rules()
        if self._renewing:
            self._renewing = False
            self._orders.renew()
        for worker in [w for w in self._workers if w.poll() is not None]:
            lived_s = time.monotonic() - self._workers.pop(worker)
            if self._stopping:
                continue
            if lived_s < INFANCY_S:
                self._failed = True
                self._pass_on(signal.SIGTERM)
                self._stopping = True
            else:
                self._start()

    def _stop(self, *_: object) -> None:
        self._stopping = True
        self._pass_on(signal.SIGTERM)

    def _reload(self, *_: object) -> None:
        self._renewing = True
        self._pass_on(signal.SIGHUP)

    def _pass_on(self, what: signal.Signals) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.send_signal(what)

    def _end(self) -> None:
        """Nobody outlives the parent."""
        self._pass_on(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        for worker in self._workers:
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
