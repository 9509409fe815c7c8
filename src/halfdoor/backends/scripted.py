"""The shipped fake: a backend in the process, without a network, that says what it is.

It answers in its dialect through the dialect's own writer, checks permits exactly as `http.py`
does, and, unless a test gives it `Turn`s, tells loudly that no model spoke.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from halfdoor.backends import guard
from halfdoor.canon.commands import FaultKind, Headers, Outbound
from halfdoor.canon.decision import Permit, Target
from halfdoor.canon.events import (
    Close,
    Delta,
    Event,
    Open,
    PartKind,
    Signed,
    Start,
    Stop,
    StopReason,
    Used,
)
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Usage
from halfdoor.canon.request import Request
from halfdoor.dialects.base import Dialect
from halfdoor.errors import BackendError

# Faults before the body is handed over; after the others it counts as sent.
_UNSENT: Final = frozenset(
    {
        FaultKind.CONNECT,
        FaultKind.TLS,
        FaultKind.ZONE,
        FaultKind.CREDENTIALS,
    }
)
_JSON: Final = "application/json"
_BYTES_A_TOKEN: Final = 4


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of a script; what is empty is left out.

    calls: (id, name, arguments as JSON text). raw: a recorded body, sent as it is.
    status, body: an error in the backend's own words; an empty body is worded by the dialect.
    fails: a fault before the status line. delay_s: before anything.
    chunk_bytes: size of the pieces, 0 for the natural ones. breaks_after: bytes after which the
    answer ends in `breaks`, or stands still until it is cancelled when that is None.
    """

    text: str = ""
    thinking: str = ""
    signature: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    stop: StopReason | None = None
    raw: bytes = b""
    status: int = 200
    body: bytes = b""
    headers: Headers = ()
    fails: FaultKind | None = None
    delay_s: float = 0.0
    chunk_bytes: int = 0
    chunk_delay_s: float = 0.0
    breaks_after: int | None = None
    breaks: FaultKind | None = FaultKind.CUT


class ScriptedBackend:
    """Implements `flow.ports.Backend`.

    turns: answered in order; afterwards, and without any, comes the loud default.
    calls: what was handed over, oldest first. cancelled: calls left before their answer ended.
    """

    def __init__(
        self,
        name: str,
        dialect: Dialect,
        zone: Zone,
        seal_key: bytes,
        turns: Iterable[Turn] = (),
    ) -> None:
        self.name = name
        self.zone = zone
        self.dialect = dialect
        self.calls: deque[Outbound] = deque(maxlen=1000)
        self.cancelled = 0
        self._seal_key = seal_key
        self._turns = deque(turns)
        self._answers = 0

    def call(
        self, target: Target, outbound: Outbound, permit: Permit, client_key: str
    ) -> "ScriptedCall":
        """See `flow.ports.Backend.call`; no key is ever looked at."""
        del client_key
        return ScriptedCall(self, target, outbound, permit)

    async def close(self) -> None:
        """Nothing is open."""

    def permitted(self, target: Target, permit: Permit) -> Zone:
        """Raises BackendError, kind `zone`."""
        return guard.permitted(permit, self._seal_key, target, self.zone)

    def next_turn(self, target: Target, request: Request) -> Turn:
        """The script's next answer."""
        self._answers += 1
        return self._turns.popleft() if self._turns else Turn(text=self._loud(target, request))

    def events(self, turn: Turn, target: Target, outbound: Outbound) -> Iterator[Event]:
        """A turn as canon."""
        yield Start(f"scripted-{self._answers}", target.model_id)
        index = 0
        if turn.thinking:
            yield from _part(index, PartKind.THINKING, turn.thinking, signature=turn.signature)
            index += 1
        if turn.text:
            yield from _part(index, PartKind.TEXT, turn.text)
            index += 1
        for call_id, name, arguments in turn.calls:
            yield from _part(index, PartKind.TOOL_CALL, arguments, call_id=call_id, name=name)
            index += 1
        said = len(turn.text) + len(turn.thinking) + sum(len(call[2]) for call in turn.calls)
        counted = (len(outbound.body), said)
        yield Used(Usage(*(-(-count // _BYTES_A_TOKEN) for count in counted)))
        yield Stop(turn.stop or (StopReason.TOOL_CALLS if turn.calls else StopReason.END))

    def _loud(self, target: Target, request: Request) -> str:
        messages = len(self.dialect.conversation(request).messages)
        return (
            f"[SCRIPTED: no model was asked] This text comes from halfdoor's own stand-in for "
            f"`{target.name}` (backend `{self.name}`, zone `{self.zone.name.lower()}`). It was "
            f"given {messages} message(s), {len(request.body)} bytes. Configure a real backend "
            f"with `halfdoor init`."
        )


class ScriptedCall:
    """One call; a context manager that is its own `flow.ports.Incoming`."""

    def __init__(
        self, backend: ScriptedBackend, target: Target, outbound: Outbound, permit: Permit
    ) -> None:
        self.status = 0
        self.headers: Headers = ()
        self.sent_bytes = 0
        self._backend = backend
        self._target = target
        self._outbound = outbound
        self._permit = permit
        self._turn = Turn()
        self._request: Request | None = None
        self._open = False

    async def __aenter__(self) -> Self:
        backend = self._backend
        # INVARIANT: the permit is checked before the body is looked at.
        backend.permitted(self._target, self._permit)
        dialect = backend.dialect
        self._request = dialect.read(
            dialect.endpoints[0], self._outbound.headers, "", self._outbound.body
        )
        self._turn = turn = backend.next_turn(self._target, self._request)
        if turn.fails in _UNSENT:
            raise self._fault(turn.fails)
        self.sent_bytes = len(self._outbound.body)
        backend.calls.append(self._outbound)
        self._open = True
        await self._wait(turn)
        self.status = turn.status
        self.headers = (("content-type", self._content_type()), *turn.headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The answer, in natural pieces or as the turn says."""
        turn = self._turn
        left = turn.breaks_after
        for piece in _pieces(self._written(), turn.chunk_bytes):
            await asyncio.sleep(turn.chunk_delay_s)
            if left is not None and len(piece) >= left:
                yield piece[:left]
                await self._break(turn)
            yield piece
            if left is not None:
                left -= len(piece)
        self._open = False

    async def _wait(self, turn: Turn) -> None:
        try:
            await asyncio.sleep(turn.delay_s)
        except asyncio.CancelledError:
            self._leave()
            raise
        if turn.fails is not None:
            self._open = False
            raise self._fault(turn.fails)

    async def _break(self, turn: Turn) -> None:
        if turn.breaks is None:
            await asyncio.Event().wait()
        self._open = False
        raise self._fault(turn.breaks or FaultKind.CUT)

    def _leave(self) -> None:
        if self._open:
            self._open = False
            self._backend.cancelled += 1

    def _written(self) -> Iterator[bytes]:
        turn, dialect = self._turn, self._backend.dialect
        if turn.raw:
            yield turn.raw
        elif turn.status >= 400:
            yield turn.body or dialect.error(turn.status, "scripted", "scripted: as the test said")
        elif self._outbound.stream:
            assert self._request is not None
            emitter = dialect.emitter(self._request)
            for event in self._events():
                yield emitter.emit([event])
        else:
            yield dialect.answer(self._events())

    def _events(self) -> Iterator[Event]:
        return self._backend.events(self._turn, self._target, self._outbound)

    def _content_type(self) -> str:
        streams = self._outbound.stream and self._turn.status < 400
        return self._backend.dialect.content_type_stream if streams else _JSON

    def _fault(self, kind: FaultKind) -> BackendError:
        name = self._backend.name
        return BackendError(f"backend `{name}` failed as its script says", kind=kind.value)


def _part(
    index: int,
    kind: PartKind,
    text: str,
    *,
    signature: str = "",
    call_id: str = "",
    name: str = "",
) -> Iterator[Event]:
    yield Open(index, kind, call_id, name)
    for piece in text.splitlines(keepends=True):
        yield Delta(index, piece)
    if signature:
        yield Signed(index, signature)
    yield Close(index)


def _pieces(written: Iterator[bytes], size: int) -> Iterator[bytes]:
    """As written, less empty ones; or cut to `size` across all of it."""
    if not size:
        yield from filter(None, written)
        return
    whole = b"".join(written)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
