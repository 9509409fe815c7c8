"""A wire with a listener on it: what a client really sent, and what it was answered.

Bytes pass both ways unread and unchanged, so a cut stays a cut; a copy is parsed afterwards. What
no parser would take is kept too: `heard` has every byte of every connection.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any, Self

import httptools

from tests.helpers.loop_thread import LoopThread


@dataclass(slots=True)
class Sent:
    """One request of the client, and the answer's status (0 until it came).

    answer: the answer's body as far as it came, without the transfer coding.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    status: int = 0
    answered: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class _Requests:
    """httptools calls these as a connection's requests come."""

    def __init__(self, all_sent: list[Sent]) -> None:
        self.all_sent = all_sent
        self.mine: list[Sent] = []
        self.parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[str, str] = {}

    def on_message_begin(self) -> None:
        self._target, self._headers = b"", {}

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        method = self.parser.get_method().decode()
        self.mine.append(Sent(method, self._target.decode("latin-1"), self._headers))
        self.all_sent.append(self.mine[-1])

    def on_body(self, body: bytes) -> None:
        self.mine[-1].body += body


class _Answers:
    """httptools calls these as a connection's answers come, in the order of its requests."""

    def __init__(self, requests: _Requests) -> None:
        self._requests = requests
        self._at = 0
        self._headers: dict[str, str] = {}
        self.parser = httptools.HttpResponseParser(self)

    @property
    def _sent(self) -> Sent:
        return self._requests.mine[self._at]

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._sent.status = self.parser.get_status_code()
        self._sent.answered, self._headers = self._headers, {}

    def on_body(self, body: bytes) -> None:
        self._sent.answer += body

    def on_message_complete(self) -> None:
        self._at += 1


class Tap:
    """Listens on a free loopback port and passes everything to `url`. Use as a context manager.

    heard: what came in, by connection, from the first byte on, whatever became of it.
    """

    def __init__(self, url: str) -> None:
        self._port = int(url.rpartition(":")[2])
        self._loop = LoopThread("tap")
        self._passing: set[asyncio.Task[None]] = set()
        self.sent: list[Sent] = []
        self.heard: list[bytearray] = []
        self.url = ""

    def posts(self, path: str = "/v1/messages") -> list[Sent]:
        return [sent for sent in self.sent if sent.method == "POST" and sent.path == path]

    def __enter__(self) -> Self:
        self._loop.__enter__()
        self._loop.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._stop())
        self._loop.__exit__()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _stop(self) -> None:
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        requests = _Requests(self.sent)
        outs, ends = [writer], []
        try:
            far_reader, far_writer = await asyncio.open_connection(  # noqa: TID251  a test's own wire
                "127.0.0.1", self._port
            )
            outs.append(far_writer)
            heard = bytearray()
            self.heard.append(heard)
            ends.append(asyncio.create_task(_pump(reader, far_writer, requests.parser, heard)))
            answers = _Answers(requests)
            ends.append(asyncio.create_task(_pump(far_reader, writer, answers.parser)))
            # Whichever end closes first closes the other, as a wire does.
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Closed before anything is awaited: a stop may come while this one ends by itself.
            for out in outs:
                out.close()
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            for out in outs:
                with contextlib.suppress(ConnectionError):
                    await out.wait_closed()
            self._passing.discard(task)


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    parser: Any,
    heard: bytearray | None = None,
) -> None:
    while chunk := await reader.read(1 << 16):
        if heard is not None:
            heard += chunk
        parser.feed_data(chunk)
        writer.write(chunk)
        await writer.drain()
