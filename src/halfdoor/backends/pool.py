"""Connections that all end in one zone or nearer: those kept for the next call, and all others."""

import asyncio
import ssl
from typing import Final

from halfdoor.backends.connection import Connection
from halfdoor.backends.dialling import dial
from halfdoor.backends.faults import WireError
from halfdoor.backends.wire import Origin
from halfdoor.canon.commands import FaultKind

CALLS_PER_POOL: Final = 512
KEEP_ALIVE_S: Final = 15.0


class Pool:
    """The connections to one origin under permits for one zone; made in the running loop.

    Whoever was given a turn ends it; with `calls` under way, others wait for theirs. A connection
    is dialled only when none is kept, so there are no more of them than calls.
    """

    def __init__(
        self, origin: Origin, tls: ssl.SSLContext | None, calls: int = CALLS_PER_POOL
    ) -> None:
        self._origin = origin
        self._tls = tls
        self._turns = asyncio.Semaphore(calls)
        self._kept: list[Connection] = []
        self._open: set[Connection] = set()
        self._closed: asyncio.Future[None] | None = None

    async def turn(self, within_s: float) -> None:
        """Wait until a call may begin. Raises WireError, kind `connect`."""
        if not self._turns.locked():
            await self._turns.acquire()
            return
        try:
            async with asyncio.timeout(within_s):
                await self._turns.acquire()
        except TimeoutError:
            raise WireError(FaultKind.CONNECT, "too many calls under way") from None

    def kept(self) -> Connection | None:
        """The connection that rested last, if one is fit."""
        while self._kept:
            connection = self._kept.pop()
            if connection.fit:
                return connection
            connection.abort()
        return None

    async def made(self, within_s: float) -> Connection:
        """A new connection, under the leave that the caller holds. Raises as `dial` does."""
        connection = await dial(self._origin, self._tls, within_s, self._gone)
        if self._closed is not None:
            connection.abort()
        elif not connection.over:
            self._open.add(connection)
        return connection

    def end(self, connection: Connection | None) -> None:
        """End a turn. A connection whose answer is whole is kept; any other is aborted at once."""
        self._turns.release()
        if connection is None:
            return
        if connection.fit and self._closed is None:
            connection.rest(KEEP_ALIVE_S)
            self._kept.append(connection)
        else:
            connection.abort()

    async def close(self) -> None:
        """Abort every connection, and return when all are gone."""
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
        for connection in list(self._open):
            connection.abort()
        if self._open:
            await self._closed

    def _gone(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._kept:
            self._kept.remove(connection)
        if self._closed is not None and not self._open and not self._closed.done():
            self._closed.set_result(None)
