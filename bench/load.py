"""A load generator that costs little: connections that send one request after another."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Final

_LENGTH: Final = b"content-length: "
_LAST_CHUNK: Final = b"0\r\n\r\n"


@dataclass(slots=True)
class Sample:
    """What a run showed. first_s, total_s: by request, to the first body byte and to the last."""

    seconds: float = 0.0
    first_s: list[float] = field(default_factory=list)
    total_s: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def done(self) -> int:
        """Requests answered."""
        return len(self.total_s)

    @property
    def per_s(self) -> float:
        """Requests a second."""
        return self.done / self.seconds

    @property
    def first_ms(self) -> float:
        """Median to the first byte of the body."""
        return median(self.first_s) * 1000

    @property
    def total_ms(self) -> float:
        """Median to the last byte."""
        return median(self.total_s) * 1000


class Client(asyncio.Protocol):
    """One connection; `next_body` gives the next request's body, or None to stop."""

    def __init__(self, head: str, next_body: Callable[[], bytes | None], sample: Sample) -> None:
        self._head = head
        self._next = next_body
        self._sample = sample
        self._begun = 0.0
        self._first = 0.0
        self._answer = b""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask at once."""
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Take an answer's bytes; ask again after its last."""
        self._answer = self._answer + data if self._answer else data
        head, mark, body = self._answer.partition(b"\r\n\r\n")
        if not mark or not body:
            return
        self._first = self._first or time.perf_counter()
        if _complete(head.lower(), body):
            self._note(ok=head.startswith(b"HTTP/1.1 200"))
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        """A connection that the other end closed is a failure."""
        if not self.over.done():
            self._sample.failed += 1
            self.over.set_result(None)

    def _ask(self) -> None:
        body = self._next()
        if body is None:
            self.over.set_result(None)
            self._transport.close()
            return
        self._answer, self._first = b"", 0.0
        self._begun = time.perf_counter()
        self._transport.write(f"{self._head}content-length: {len(body)}\r\n\r\n".encode() + body)

    def _note(self, *, ok: bool) -> None:
        if not ok:
            self._sample.failed += 1
            return
        self._sample.first_s.append(self._first - self._begun)
        self._sample.total_s.append(time.perf_counter() - self._begun)


def _complete(head: bytes, body: bytes) -> bool:
    at = head.find(_LENGTH)
    if at < 0:
        return body.endswith(_LAST_CHUNK)
    length = head[at + len(_LENGTH) :].partition(b"\r\n")[0]
    return len(body) >= int(length)


async def ask(
    port: int, path: str, next_body: Callable[[], bytes | None], *, connections: int = 1
) -> Sample:
    """Send until `next_body` gives None to every connection."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        "authorization: Bearer bench\r\nanthropic-version: 2023-06-01\r\n"
    )
    sample = Sample()
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Client(head, next_body, sample), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.wait_for(asyncio.gather(*(client.over for _, client in made)), 120)
    sample.seconds = time.perf_counter() - begun
    return sample
