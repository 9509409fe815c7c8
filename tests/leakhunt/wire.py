"""A client that sends what it is told, byte for byte, on one kept connection."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Final, Self

import httptools

PATIENCE_S: Final = 20.0


@dataclass(slots=True)
class Answer:
    """What came back. status 0: nothing did. whole: its end came too."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False

    @property
    def zone(self) -> str:
        return self.headers.get("x-halfdoor-zone", "")

    @property
    def id(self) -> str:
        return self.headers.get("x-halfdoor-id", "")


class _Parsed:
    """httptools calls this as the answer comes."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.answer.status = self.parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.answer.body += body

    def on_message_complete(self) -> None:
        # An interim answer (100, 103) is none.
        self.answer.whole = self.answer.status >= 200


class Client:
    """One keep-alive connection to `url`, made anew when it is lost."""

    def __init__(self, url: str) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop()

    async def post(
        self,
        target: str,
        body: bytes,
        headers: dict[str, str] | None = None,
        *,
        leaves_after: int | None = None,
    ) -> Answer:
        """Ask, and read the answer, or leave after so many bytes of its body."""
        fields = {"host": f"{self._host}:{self._port}", "content-length": str(len(body))}
        lines = "".join(f"{k}: {v}\r\n" for k, v in {**fields, **(headers or {})}.items())
        return await self.send(
            f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body,
            leaves_after=leaves_after,
        )

    async def send(self, data: bytes, *, leaves_after: int | None = None) -> Answer:
        """Send these bytes as they are."""
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await self._connected()
            parsed = _Parsed()
            with contextlib.suppress(ConnectionError, httptools.HttpParserError):
                writer.write(data)
                await _read(reader, parsed, leaves_after)
        if not parsed.answer.whole or parsed.answer.headers.get("connection") == "close":
            self.drop()
        return parsed.answer

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._writer is None or self._writer.is_closing() or self._ended():
            self.drop()
            self._reader, self._writer = await asyncio.open_connection(  # noqa: TID251  a test's own wire
                self._host, self._port, limit=1 << 20
            )
        assert self._reader is not None
        return self._reader, self._writer

    def _ended(self) -> bool:
        return self._reader is not None and self._reader.at_eof()

    def drop(self) -> None:
        """Break the connection off."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


async def _read(reader: asyncio.StreamReader, parsed: _Parsed, leaves_after: int | None) -> None:
    answer = parsed.answer
    while not answer.whole:
        if leaves_after is not None and answer.status and len(answer.body) >= leaves_after:
            return
        chunk = await reader.read(1 << 16)
        if not chunk:
            return
        parsed.parser.feed_data(chunk)
