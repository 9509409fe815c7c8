"""One connection to a model's server: a request's bytes out, its answer's bytes in.

Nothing here knows permits, zones or keys, and nothing here dials. There is no task and, in a row
of small answers, no new timer: one timer a connection is moved only when it would ring too late.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, cast

from halfdoor.backends.answer import AnswerReader
from halfdoor.backends.faults import WireError
from halfdoor.canon.commands import FaultKind

# Bodies are handed over in slices, so that what has been sent is known even of one that is stuck.
SLICE_BYTES: Final = 256 * 1024
# Answers are read ahead of a slow consumer as far as this, and one read more.
AHEAD_BYTES: Final = 256 * 1024
_NEVER: Final = float("inf")
# uvloop's clock has milliseconds.
_CLOCK_S: Final = 0.001


class Count(Protocol):
    """Who wants to know how much of a body has left."""

    sent_bytes: int


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, one request at a time.

    answer: what has come. over: nothing is left of it. lost: called once, when it is over.
    """

    def __init__(self, lost: Callable[["Connection"], None]) -> None:
        self.answer = AnswerReader()
        self.over = False
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._failure: WireError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._asked = self._held_back = self._choked = False
        self._unsent = memoryview(b"")
        self._count: Count | None = None
        self._first_byte_s = self._idle_s = _NEVER
        self._due = self._latest = _NEVER
        self._timer: asyncio.TimerHandle | None = None

    # --- for the call ---

    @property
    def fit(self) -> bool:
        """Can another request go out here? Not while anything of the last one is under way."""
        transport = self._transport
        return (
            transport is not None
            and not transport.is_closing()
            and self._failure is None
            and (not self._asked or self.answer.keeps)
            and not self._unsent
            and not self._held_back
            and transport.get_write_buffer_size() == 0
        )

    @property
    def late(self) -> bool:
        """Is the time for the whole answer over?"""
        return self._loop.time() >= self._latest - _CLOCK_S

    def ask(
        self,
        head: bytes,
        body: bytes,
        count: Count,
        *,
        first_byte_s: float,
        idle_s: float,
        answer_s: float = _NEVER,
    ) -> None:
        """Send a request. count: grows by what is handed to the socket, slice by slice.

        first_byte_s: from the last byte out to the status line. idle_s: silence either way.
        answer_s: from now to the answer's end, however steadily its bytes drip.
        """
        assert self._transport is not None
        if self._transport.is_closing():
            self._fail(WireError(FaultKind.CUT))  # it closed at once; `head` says so
            return
        self._asked = True
        self.answer.expect()
        self._count, self._first_byte_s, self._idle_s = count, first_byte_s, idle_s
        self._latest = self._loop.time() + answer_s
        if len(body) <= SLICE_BYTES:
            count.sent_bytes += len(body)
            self._wait_for(first_byte_s)
            self._transport.writelines((head, body))
        else:
            self._unsent = memoryview(body)
            self._transport.write(head)
            self._pump()

    async def head(self) -> None:
        """Return once the answer's status and headers are there. Raises WireError."""
        while not self.answer.status:
            await self._news()
        self._due = self._latest

    async def more(self) -> None:
        """Return once there is more of the body, or its end. Raises WireError."""
        answer = self.answer
        while not (answer.body or answer.whole):
            self._wait_for(self._idle_s)
            await self._news()
        self._due = self._latest

    def take(self) -> bytes:
        """What has come of the body; b"" if nothing has. A server that was held back goes on."""
        if self._held_back:
            self._held_back = False
            assert self._transport is not None
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return self.answer.take()

    def rest(self, seconds: float) -> None:
        """The answer has been taken; without another request this closes after `seconds`."""
        self._count = None
        self._latest = _NEVER
        self._wait_for(seconds)

    def abort(self) -> None:
        """Drop the connection now, with all that it has queued."""
        if self._transport is not None:
            self._transport.abort()

    # --- for the event loop ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read; wake whoever waits for what has now come."""
        answer = self.answer
        if not self._asked or (answer.whole and self._count is None):
            self.abort()  # nobody asked: it would be taken for the next request's answer
            return
        try:
            answer.feed(data)
        except WireError as error:
            self._fail(error)
            return
        if answer.held > AHEAD_BYTES and not self._held_back:
            self._held_back = True
            assert self._transport is not None
            self._transport.pause_reading()
        if self._waiter is not None and answer.status:
            self._wake()

    def eof_received(self) -> None:
        """The server will say no more, so there is no use in talking on."""
        try:
            self.answer.eof()
        except WireError as error:
            self._fail(error)
        else:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        """Whatever was under way is cut; what has come can still be read."""
        if not self.answer.whole and self._failure is None:
            self._failure = WireError(FaultKind.CUT)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._unsent = memoryview(b"")
        self.answer.release()
        self.over = True
        self._wake()
        self._lost(self)

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self._choked = True

    def resume_writing(self) -> None:
        """It does again."""
        self._choked = False
        if self._unsent:
            self._pump()

    # --- inside ---

    def _pump(self) -> None:
        """Hand over slices until the socket has enough; it asks for more by itself."""
        assert self._transport is not None
        assert self._count is not None
        while self._unsent and not self._choked and not self._transport.is_closing():
            part, self._unsent = self._unsent[:SLICE_BYTES], self._unsent[SLICE_BYTES:]
            self._count.sent_bytes += len(part)
            self._transport.write(part)
        if not self.answer.status:
            self._wait_for(self._idle_s if self._unsent else self._first_byte_s)

    async def _news(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: WireError) -> None:
        if self._failure is None:
            self._failure = error
        self.abort()
        self._wake()

    def _wait_for(self, seconds: float) -> None:
        """From now on, `seconds` of patience; the timer rings early rather than being moved."""
        if self.over:
            return  # a timer would hold what was asked until it rings, for minutes
        self._due = min(self._loop.time() + seconds, self._latest)
        if self._timer is not None:
            if self._timer.when() <= self._due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._ring) if self._due < _NEVER else None

    def _ring(self) -> None:
        self._timer = None
        left = self._due - self._loop.time()
        if left > _CLOCK_S:
            self._timer = self._loop.call_at(self._due, self._ring) if left < _NEVER else None
        elif self._count is None:
            self.abort()
        else:
            self._fail(WireError(FaultKind.TIMEOUT))
