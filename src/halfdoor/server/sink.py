"""The client's side of one exchange, as an ASGI server shows it."""

import asyncio
from collections.abc import Awaitable, Callable

from halfdoor.canon.commands import Headers
from halfdoor.server.body import Message, Receive

Send = Callable[[Message], Awaitable[None]]


class AsgiSink:
    """Implements `flow.ports.Sink`. Once the body has been read, `receive` belongs to it alone.

    stuck_s: a client that takes nothing for that long while bytes wait for it counts as gone.
    """

    def __init__(self, receive: Receive, send: Send, *, stuck_s: float = 60.0) -> None:
        self._receive = receive
        self._send = send
        self._stuck_s = stuck_s
        self._gone = False
        self._sending_since: float | None = None
        self._time = asyncio.get_running_loop().time
        self.started = False

    @property
    def waits(self) -> bool:
        """Are bytes under way that the client has not taken?"""
        return self._sending_since is not None

    async def start(self, status: int, headers: Headers) -> None:
        """Send the status line and headers."""
        self.started = True
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self._out({"type": "http.response.start", "status": status, "headers": raw})

    async def send(self, data: bytes) -> None:
        """Send body bytes. Raises ConnectionError when the client has gone."""
        await self._out({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self) -> None:
        """End the body. A client that left before its end was told has all the same heard all."""
        await self._out({"type": "http.response.body", "body": b"", "more_body": False})

    async def gone(self) -> None:
        """Return when the client has hung up, or takes nothing more.

        May be cancelled and called again: a hang-up once heard stays heard.
        """
        while not self._gone:
            try:
                async with asyncio.timeout(self._stuck_s):
                    message = await self._receive()
            except TimeoutError:
                self._gone = self._stuck()
            else:
                self._gone = message["type"] == "http.disconnect"

    def _stuck(self) -> bool:
        since = self._sending_since
        return since is not None and self._time() - since >= self._stuck_s

    async def _out(self, message: Message) -> None:
        if self._gone:
            raise ConnectionResetError("the client has gone")
        self._sending_since = self._time()
        try:
            await self._send(message)
        except OSError as error:
            self._gone = True
            raise ConnectionResetError("the client has gone") from error
        self._sending_since = None
