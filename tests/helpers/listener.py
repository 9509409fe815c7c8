"""Where a fake takes connections: a port that can close at any moment and leaves nothing half made."""

import asyncio
from collections.abc import Callable

HOST = "127.0.0.1"


class Listener:
    """made: the protocol of a new connection. Opened and closed in one loop, as often as wanted."""

    def __init__(self, made: Callable[[], asyncio.BaseProtocol]) -> None:
        self._made = made
        self._server: asyncio.Server | None = None

    async def open(self, port: int = 0) -> int:
        """Listen there, or at a free port; which it is."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._made, HOST, port, reuse_address=True)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Take no connection any more; those that stand are their protocols' affair.

        A socket gets its transport one turn after its accept, and asyncio makes none at a closed
        server: the socket is left open. So nobody is accepted first, and the server closes after.
        """
        server, self._server = self._server, None
        if server is None:
            return
        for plug in server.sockets:
            asyncio.get_running_loop().remove_reader(plug.fileno())
        await asyncio.sleep(0)
        server.close()
