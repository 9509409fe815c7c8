"""A resend that its client marks as a retry joins its call where that still runs.

A client that lost patience, or its connection, asks again; without this the model begins again,
too. A call is joined only by a request that

- says itself that it is sent again: `idempotency-key` as the running one has it, or an
  `x-stainless-retry-count` above the running one's;
- comes from the same caller, with the same credential, under the same rules;
- is the same in every byte of its body, its query and the headers that go further;

and only while exactly one running call fits and all that it has answered so far is still here. A
body alone never joins: two equal questions may want two answers. A call whose only client has hung
up is cancelled as ever, so what joins comes before that is heard.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from typing import Final, NamedTuple

from halfdoor.canon.commands import Headers
from halfdoor.canon.record import Noted
from halfdoor.canon.request import Actor, Request
from halfdoor.errors import LogError
from halfdoor.flow.ports import Services
from halfdoor.flow.writing import timestamp
from halfdoor.server.body import RawHeaders
from halfdoor.server.sink import AsgiSink

# Of an answer so much is kept for who may yet join; a longer one is joined by nobody.
KEPT_BYTES: Final = 1 << 20
# Who asked again has given up what it asked before: that connection gets so long to take a piece.
GIVEN_UP_S: Final = 1.0
JOINED: Final = ("x-halfdoor-joined", "true")

_KEY, _COUNT = b"idempotency-key", b"x-stainless-retry-count"
_LONGEST_KEY: Final = 256
# Headers that tell one try from another, and nothing about what is asked.
_OF_A_TRY: Final = frozenset(
    {"idempotency-key", "traceparent", "tracestate", "x-client-request-id"}
)
_OF_A_TRY_PREFIX: Final = "x-stainless-"
_ID: Final = "x-halfdoor-id"


class Mark(NamedTuple):
    """What a request says of being a try. key: b"" without one. again: how often; -1 unsaid."""

    key: bytes
    again: int

    def resends(self, earlier: "Mark") -> str:
        """By which word this is the same request sent again, "" if by none."""
        if self.key and self.key == earlier.key:
            return "idempotency-key"
        if self.key == earlier.key and self.again > max(earlier.again, 0):
            return "retry-count"
        return ""


def marked(headers: RawHeaders) -> Mark | None:
    """The mark of a request; None where its client never says that it sends something again."""
    key, again = b"", -1
    for name, value in headers:
        if name == _KEY and len(value) <= _LONGEST_KEY:
            key = value
        elif name == _COUNT and value.isdigit() and len(value) <= len("999"):
            again = int(value)
    return Mark(key, again) if key or again >= 0 else None


class Asked(NamedTuple):
    """All by which two requests are one. credential: the caller's own. policy: see `House`."""

    request: Request
    actor: Actor
    credential: str
    policy: str

    def same(self, other: "Asked") -> bool:
        """Is the same asked, apart from which try it is?"""
        one, two = self.request, other.request
        return (
            (self.actor, self.credential, self.policy)
            == (other.actor, other.credential, other.policy)
            and (one.endpoint, one.query, one.hold) == (two.endpoint, two.query, two.hold)
            and one.body == two.body
            and _of_all_tries(one.headers) == _of_all_tries(two.headers)
        )


def _of_all_tries(headers: Headers) -> Headers:
    return tuple(
        (name, value)
        for name, value in headers
        if name not in _OF_A_TRY and not name.startswith(_OF_A_TRY_PREFIX)
    )


class _BrokenOffError(Exception):
    """The call that was joined ended without an end; its own task says why."""


class _Started(NamedTuple):
    status: int
    headers: Headers


_Step = _Started | bytes


class Shared:
    """The client's side of a call that others may join; implements `flow.ports.Sink`.

    It costs a call that nobody joins a list of references. first: who asked.
    """

    def __init__(self, first: AsgiSink) -> None:
        self._first = first
        self._first_there = True
        self._told: list[_Step] = []
        self._dropped = 0  # steps that stood before the first of `_told`
        self._kept_bytes = 0
        self._followers: list[_Follower] = []
        self._news = asyncio.Event()
        self._heard = asyncio.Event()
        self.over = self.finished = False

    @property
    def open(self) -> bool:
        """May somebody still join?"""
        return not (self.over or self._dropped or (self._first_there and self._first.waits))

    # --- the call ---

    async def start(self, status: int, headers: Headers) -> None:
        """See `Sink`."""
        await self._tell(_Started(status, headers))

    async def send(self, data: bytes) -> None:
        """See `Sink`. Raises ConnectionError when everybody has gone."""
        await self._tell(data)

    async def finish(self) -> None:
        """See `Sink`."""
        self.over = self.finished = True
        self._news.set()
        if self._first_there:
            with contextlib.suppress(ConnectionError):
                await self._patiently(self._first.finish())

    async def gone(self) -> None:
        """Return when nobody is left; then nobody may join any more."""
        await self._first.gone()
        self._first_there = False
        while self._followers:
            self._heard.clear()
            await self._heard.wait()
        self.over = True

    def close(self) -> None:
        """The call is over, however it ended."""
        self.over = True
        self._news.set()

    async def _tell(self, step: _Step) -> None:
        if self._followers or not self._dropped:
            self._told.append(step)
            self._kept_bytes += len(step) if isinstance(step, bytes) else 0
            self._news.set()
        if self._first_there:
            try:
                await self._patiently(_say(self._first, step))
            except ConnectionError:
                self._first_there = False
        if not self._first_there and not self._followers:
            raise ConnectionResetError("the client has gone")
        if self._kept_bytes > KEPT_BYTES:
            await self._make_room()

    async def _patiently(self, saying: Coroutine[None, None, None]) -> None:
        if not self._followers:
            await saying
            return
        try:
            async with asyncio.timeout(GIVEN_UP_S):
                await saying
        except TimeoutError:
            raise ConnectionResetError("the client has asked again elsewhere") from None

    async def _make_room(self) -> None:
        """INVARIANT: what is kept is bounded; whoever lags behind it waits, or is left behind."""
        while self._followers and self._lag() > KEPT_BYTES:
            if self._first_there:
                self._last().leave()
                self._followers.remove(self._last())
                continue
            self._heard.clear()
            await self._heard.wait()
        if not (self._followers or self._first_there):
            raise ConnectionResetError("the client has gone")
        taken = min((each.at for each in self._followers), default=len(self._told) + self._dropped)
        gone, self._told = self._told[: taken - self._dropped], self._told[taken - self._dropped :]
        self._dropped = taken
        self._kept_bytes -= sum(len(step) for step in gone if isinstance(step, bytes))

    def _last(self) -> "_Follower":
        return min(self._followers, key=lambda each: each.at)

    def _lag(self) -> int:
        behind = self._told[self._last().at - self._dropped :]
        return sum(len(step) for step in behind if isinstance(step, bytes))

    # --- those who join ---

    async def follow(self, sink: AsgiSink, services: Services, by: str) -> bool:
        """Tell `sink` all that is and will be answered; False if it must ask for itself.

        by: the word that marks its request. Raises when the call broke off inside of halfdoor.
        """
        follower = _Follower(sink, self._news)
        self._followers.append(follower)
        try:
            while not follower.left:
                step = self._next(follower)
                if step is not None:
                    if isinstance(step, _Started):
                        if not await _noted(services, step, by):
                            return False
                        step = _Started(step.status, (*step.headers, JOINED))
                    await follower.hear(step)
                elif not self.over:
                    self._news.clear()
                    await self._news.wait()
                elif self.finished:
                    await sink.finish()
                    return True
                elif sink.started:
                    raise _BrokenOffError
                else:
                    return False
        except ConnectionError:
            pass  # it has gone, or was left behind
        finally:
            follower.leave()
            if follower in self._followers:
                self._followers.remove(follower)
            self._heard.set()
        return True

    def _next(self, follower: "_Follower") -> _Step | None:
        at = follower.at - self._dropped
        if at >= len(self._told):
            return None
        follower.at += 1
        self._heard.set()
        return self._told[at]


class _Follower:
    """at: number of the step it takes next. left: it hears no more."""

    def __init__(self, sink: AsgiSink, news: asyncio.Event) -> None:
        self.at = 0
        self.left = False
        self._sink = sink
        self._news = news
        self._saying: asyncio.Task[None] | None = None
        self._watch = asyncio.create_task(sink.gone())
        self._watch.add_done_callback(self._hung_up)

    async def hear(self, step: _Step) -> None:
        """Tell it a step. Raises ConnectionError when it has left before it took it."""
        self._saying = asyncio.create_task(_say(self._sink, step))
        try:
            await asyncio.wait({self._saying})
        finally:
            self._saying.cancel()
        if self._saying.cancelled():
            raise ConnectionResetError("the client has gone")
        self._saying.result()

    def leave(self) -> None:
        """Nothing more for it, not even what is under way."""
        self.left = True
        self._watch.cancel()
        if self._saying is not None:
            self._saying.cancel()
        self._news.set()

    def _hung_up(self, watch: "asyncio.Task[None]") -> None:
        if not watch.cancelled():
            self.leave()


async def _say(sink: AsgiSink, step: _Step) -> None:
    if isinstance(step, _Started):
        await sink.start(step.status, step.headers)
    else:
        await sink.send(step)


async def _noted(services: Services, step: _Started, by: str) -> bool:
    """INVARIANT: who joins is recorded before it hears anything; else it asks for itself."""
    now_ms = services.clock.now_ms()
    facts = {"exchange": dict(step.headers).get(_ID, ""), "by": by}
    try:
        await services.log.append(
            Noted(services.clock.exchange_id(now_ms), timestamp(now_ms), "joined", facts)
        )
    except LogError:
        return False
    return True


class Calls:
    """The calls under way that may be joined."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, int], list[tuple[Asked, Mark, Shared]]] = {}

    def find(self, wanted: Asked, mark: Mark) -> tuple[Shared, str] | None:
        """The one call that this is a resend of, and by which word it says so."""
        fits = [
            (shared, by)
            for running, earlier, shared in self._running.get(_place(wanted), ())
            if (by := mark.resends(earlier)) and shared.open and running.same(wanted)
        ]
        return fits[0] if len(fits) == 1 else None

    @contextlib.contextmanager
    def opened(self, wanted: Asked, mark: Mark, first: AsgiSink) -> Iterator[Shared]:
        """A call that may be joined as long as this lasts."""
        entry = (wanted, mark, Shared(first))
        there = self._running.setdefault(_place(wanted), [])
        there.append(entry)
        try:
            yield entry[2]
        finally:
            entry[2].close()
            there.remove(entry)
            if not there:
                self._running.pop(_place(wanted), None)


def _place(wanted: Asked) -> tuple[str, int]:
    """Where a call is looked up; bodies are compared only for those that stand there."""
    return wanted.request.endpoint, len(wanted.request.body)
