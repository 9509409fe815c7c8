"""Models that are none: HTTP servers on loopback, which do what a scene says and keep count."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Final

from halfdoor.backends.scripted import ScriptedBackend, Turn
from halfdoor.canon.commands import Outbound
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.dialects.base import Dialect

_PHRASES: Final = {200: "OK", 429: "Too Many Requests"}
_NOT_FOUND: Final = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
_TOLD: Final = "rate_limit_error", "pretended: too many requests, try again later"


class Pretended:
    """One server. heard: every body that reached it, oldest first.

    script: what it does next, one turn for each call.
    """

    def __init__(self, model: str, dialect: Dialect, zone: Zone) -> None:
        self.model = model
        self.zone = zone
        self.heard: list[bytes] = []
        self.script: deque[Turn] = deque()
        self._dialect = dialect
        # The shipped fake words the answers; it is never called, so it needs no seal.
        self._voice = ScriptedBackend(model, dialect, zone, b"")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until its caller leaves or a turn says to die."""
        try:
            while (asked := await _asked(reader)) is not None:
                line, body = asked
                if b" /api/show " in line:  # a gateway asks where the model runs; it runs here
                    writer.write(_NOT_FOUND)
                    continue
                self.heard.append(body)
                turn = self.script.popleft()
                if turn.fails is not None:
                    break
                for piece in self._answer(turn, body):
                    writer.write(piece)
                    await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass  # The caller left, or the loop ends: this task is nobody's but the loop's.
        finally:
            writer.close()

    def _answer(self, turn: Turn, body: bytes) -> Iterator[bytes]:
        """The bytes of an HTTP answer: whole, or one chunk for each event."""
        dialect = self._dialect
        if turn.status != 200:
            yield from _whole(turn, dialect.error(turn.status, *_TOLD))
            return
        request = dialect.read(dialect.endpoints[0], (), "", body)
        target = Target(self.model, self.model, request.model, self.zone, dialect.name, self.model)
        outbound = Outbound(dialect.outbound_path(None), (), body, request.stream)
        events = self._voice.events(turn, target, outbound)
        if not request.stream:
            yield from _whole(turn, dialect.answer(events))
            return
        emitter = dialect.emitter(request)
        yield _head(turn, dialect.content_type_stream, "transfer-encoding: chunked")
        yield from _chunks(emitter.emit([event]) for event in events)


def _chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if piece:
            yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _whole(turn: Turn, body: bytes) -> Iterator[bytes]:
    yield _head(turn, "application/json", f"content-length: {len(body)}") + body


def _head(turn: Turn, kind: str, length: str) -> bytes:
    more = [f"{name}: {value}" for name, value in turn.headers]
    first = f"HTTP/1.1 {turn.status} {_PHRASES[turn.status]}"
    return "\r\n".join([first, f"content-type: {kind}", length, *more, "", ""]).encode("ascii")


async def _asked(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """The next request's line and body; None when the caller has left."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        return head.partition(b"\r\n")[0], await reader.readexactly(_length(head))
    except asyncio.IncompleteReadError:
        return None


def _length(head: bytes) -> int:
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next(int(value) for name, _, value in fields if name == b"content-length")
