"""The client's side of an exchange, in memory."""

import asyncio


class MemorySink:
    """Keeps what the client would get. leaves_after: the client hangs up once it has that many bytes."""

    def __init__(self, *, leaves_after: int | None = None) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.finished = False
        self._leaves_after = leaves_after
        self.left = asyncio.Event()
        if leaves_after == 0:
            self.left.set()

    async def start(self, status, headers):
        assert not self.status, "a response starts once"
        self.status, self.headers = status, dict(headers)

    async def send(self, data):
        assert self.status
        if self.left.is_set():
            raise ConnectionResetError("the client has gone")
        self.body += data
        if self._leaves_after is not None and len(self.body) >= self._leaves_after:
            self.left.set()

    async def finish(self):
        assert not self.finished, "a response ends once"
        self.finished = True

    async def gone(self):
        await self.left.wait()
