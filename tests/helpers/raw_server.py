"""An HTTP server on loopback that does exactly what a test says, byte by byte, and remembers what it got."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Got:
    """One request as it came."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name), None)


@dataclass
class RawServer:
    """Answers every request with `answer`; requests on one connection come one after another."""

    answer: Answer
    url: str = ""
    requests: list[Got] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (got := await _read(reader)) is not None:
                self.requests.append(got)
                self.arrived.set()
                await self.answer(reader, writer)
        except (ConnectionError, ssl.SSLError):
            self.hung_up.set()
        finally:
            writer.close()

    async def until_hung_up(self, reader: asyncio.StreamReader) -> None:
        """Part of an answer: nothing more comes until the caller leaves."""
        while await reader.read(65536):
            pass
        self.hung_up.set()


async def _read(reader: asyncio.StreamReader) -> Got | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    line, *rest = head.rstrip().split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (each.partition(":") for each in rest)]
    got = Got(line, headers, b"")
    got.body = await reader.readexactly(int(got.header("content-length") or 0))
    return got


def sends(data: bytes) -> Answer:
    """The same bytes to every request."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return answer


def closes_after(data: bytes) -> Answer:
    """These bytes, then the end of the connection."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return answer


@asynccontextmanager
async def raw_server(answer: Answer, *, tls: ssl.SSLContext | None = None):
    server = RawServer(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1"
    try:
        yield server
    finally:
        listening.close()
