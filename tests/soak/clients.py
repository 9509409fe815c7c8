"""Clients that cost little: one connection each, kept while it lasts."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final, Self

from tests.soak.mix import Ask

PATIENCE_S: Final = 60.0
# A client that waits for nothing leaves after this.
MUTE_S: Final = 0.03


@dataclass(slots=True)
class Heard:
    """What came back. status 0 and id "": nothing did. left: the client went before the end."""

    status: int = 0
    id: str = ""
    zone: str = ""
    left: bool = False


class Client:
    """One keep-alive connection, made anew when it is lost."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._drop()

    async def ask(self, asked: Ask) -> Heard:
        """Send a request and read its answer, or leave as it says."""
        heard = Heard()
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await self._connected()
            head = f"POST {asked.path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\ncontent-type: application/json\r\ncontent-length: {len(asked.body)}\r\n\r\n"
            writer.write(head.encode() + asked.body)
            if asked.leaves_after == 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(MUTE_S):
                        await reader.readexactly(1)
                heard.left = True
            else:
                await _read(reader, heard, asked.leaves_after)
        if heard.left or heard.status == 0:
            self._drop()
        return heard

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if (
            self._writer is None
            or self._writer.is_closing()
            or (self._reader and self._reader.at_eof())
        ):
            self._drop()
            self._reader, self._writer = await asyncio.open_connection(  # noqa: TID251  a test's own client
                self._host, self._port, limit=1 << 20
            )
        assert self._reader is not None
        return self._reader, self._writer

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


async def _read(reader: asyncio.StreamReader, heard: Heard, leaves_after: int) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines if line)
    heard.status = int(first.split()[1])
    heard.id = fields.get("x-halfdoor-id", "")
    heard.zone = fields.get("x-halfdoor-zone", "")
    if "content-length" in fields:
        await reader.readexactly(int(fields["content-length"]))
        return
    read = 0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        read += size
        if 0 < leaves_after <= read:
            heard.left = True
            return
    await reader.readline()
