"""One call, performed: its bytes out, its answer's bytes to the client, and what they count."""

from halfdoor.canon.commands import (
    Answered,
    Call,
    Fault,
    Faulted,
    FaultKind,
    Headers,
    HungUp,
    Learnt,
    Remember,
    Waited,
)
from halfdoor.dialects.unpaid import unpaid
from halfdoor.errors import BackendError
from halfdoor.flow.pinger import Pinger, waiting
from halfdoor.flow.ports import Calling, Incoming, Services, Sink, Turn
from halfdoor.flow.sights import Sight

# A backend's error body is read to be passed on, up to here.
ERROR_BODY_LIMIT_BYTES = 1024 * 1024
_NOT_AT_ALL = Waited()


async def remember(what: Remember, services: Services) -> None:
    """Keep what an exchange leaves for later ones, wherever it is kept. Raises LogError."""
    if what.turn:
        # Before anything is waited for: its client may ask again at once.
        now_ms = services.clock.ticks_ms()
        services.turns.heard(what.turn, what.failed, what.wait_ms, now_ms)
    if what.floor is not None:
        await services.floors.hold(what.floor)
    if what.pin is not None:
        services.pins.hold(what.pins, what.pin)
    await services.memory.remember(what)


class Relay:
    """One call: its bytes out, its bytes in, and what they count."""

    def __init__(
        self,
        call: Call,
        services: Services,
        sink: Sink,
        client_key: str,
        begun_ms: float,
        sight: Sight,
    ) -> None:
        self._call = call
        self._services = services
        self._sink = sink
        self._client_key = client_key
        self._sight = sight
        self._exchange_begun_ms = begun_ms
        self._begun_ms = services.clock.ticks_ms()
        self._committed = False
        self._kept = False
        self._first_byte_ms = -1
        self._asked_ms = 0.0
        self._first_answer_ms = -1
        self._calling: Calling | None = None
        self._received = 0
        self._turn: Turn | None = None
        self._waited: Waited | None = None
        self._pinger = Pinger(self._ping, services.ping_s if call.pipe.ping else 0.0)

    async def run(self) -> Answered | Faulted:
        """Make the call. Raises ConnectionError when the client has gone."""
        self._pinger.start()
        try:
            return await self._run()
        except BackendError as error:
            wait_s = error.retry_after_s
            headers = (("retry-after", str(wait_s)),) if wait_s else ()
            return await self._broken(Fault(FaultKind(error.kind), str(error), headers=headers))
        finally:
            self._pinger.stop()

    async def _ping(self) -> None:
        # INVARIANT: a ping is a byte to the client: it commits to this target (promise 7).
        if not self._committed:
            await self._commit(200, self._call.pipe.head(()))
        if self._pinger.stopped:
            return
        ping = self._call.pipe.ping
        place = self._turn.place if self._turn else None
        await self._sink.send(ping if place is None else waiting(ping, place))

    async def _run(self) -> Answered | Faulted:
        target, lane = self._call.target, self._call.lane
        queue = self._services.queues.get(target.backend)
        if queue is None or lane is None:
            return await self._ask()
        # INVARIANT: who is turned away is so at once, before the first ping: a ping commits.
        self._turn = queue.turn(lane, target.model_id, self._call.permit.exchange)
        async with self._turn:
            self._waited = self._waits()
            return await self._ask()

    def _waits(self) -> Waited:
        """How long it has waited by now, or did."""
        if self._turn is None or self._waited is not None:
            return self._waited or _NOT_AT_ALL
        return Waited(self._ms(), self._turn.held)

    async def _ask(self) -> Answered | Faulted:
        call = self._call
        backend = self._services.backends[call.target.backend]
        self._asked_ms = self._services.clock.ticks_ms()
        self._sight.asked()
        self._calling = backend.call(call.target, call.outbound, call.permit, self._client_key)
        async with self._calling as incoming:
            if not 200 <= incoming.status < 300:
                return await self._refused(incoming)
            refusal = await self._pass(incoming)
            if refusal is not None:
                return await self._broken(refusal)
            return Answered(incoming.status, *self._counted(), headers=incoming.headers)

    async def _pass(self, incoming: Incoming) -> Fault | None:
        """None once it has passed, or what came in its place before the client had a byte."""
        pipe = self._call.pipe
        headers = pipe.head(incoming.headers)
        async for chunk in incoming.chunks():
            self._received += len(chunk)
            out = pipe.feed(chunk)
            if out:
                if self._first_answer_ms < 0:
                    if refusal := self._refusal(incoming, out):
                        return refusal
                    self._first_answer_ms = self._since(self._asked_ms)
                self._sight.passed(chunk)
                if pipe.finished:
                    await self._keep()
                if not self._committed:
                    await self._commit(incoming.status, headers)
                self._pinger.spoke = True
                await self._sink.send(out)
        return await self._end(incoming, headers)

    async def _end(self, incoming: Incoming, headers: Headers) -> Fault | None:
        self._pinger.stop()
        tail = self._call.pipe.end()
        if refusal := self._refusal(incoming, tail):
            return refusal
        await self._keep()
        if not self._committed:
            if not self._call.outbound.stream:
                headers = (*headers, ("content-length", str(len(tail))))
            await self._commit(incoming.status, headers)
        if tail:
            await self._sink.send(tail)
        await self._sink.finish()
        return None

    def _refusal(self, incoming: Incoming, out: bytes) -> Fault | None:
        """An error that came where an answer should begin: the fault that its status would be.

        INVARIANT: after commit it is the client's, as it came (promise 7).
        """
        if self._committed:
            return None
        learnt, worded = self._call.pipe.learnt(), self._call.error
        if not learnt.failure or not self._call.pipe.unsaid(out):
            return None
        status = learnt.failure_status
        if not status:
            return Fault(FaultKind.PROTOCOL, learnt.failure)
        body = worded(status, learnt.failure_code, learnt.failure) if worded else b""
        return self._answer(status, incoming.headers, body)

    async def _broken(self, fault: Fault) -> Faulted:
        """The backend failed; after commit the client is told inside the stream."""
        self._pinger.stop()
        await self.keep_half()
        if self._committed:
            await self._sink.send(self._call.pipe.broken(fault))
            await self._sink.finish()
        return self._faulted(fault)

    async def keep_half(self) -> None:
        """What its client has of an answer that broke off."""
        # INVARIANT: half an answer is remembered, too, before its client hears of the end.
        if self._committed:
            await self._keep(half=True)

    async def stopped(self) -> Faulted | HungUp:
        """Halfdoor ends: the client is told as it is told of any fault."""
        fault = Fault(FaultKind.STOPPED, "halfdoor is stopping; ask again in a moment")
        try:
            return await self._broken(fault)
        except ConnectionError:
            return self.hung_up()

    def failed(self) -> Faulted:
        """Halfdoor's own code failed; nothing more is said to the client here."""
        return self._faulted(Fault(FaultKind.INTERNAL, "halfdoor failed inside"))

    def hung_up(self) -> HungUp:
        """The client went away."""
        return HungUp(self._committed, *self._counted())

    async def _refused(self, incoming: Incoming) -> Faulted:
        body = b""
        async for chunk in incoming.chunks():
            body += chunk
            if len(body) > ERROR_BODY_LIMIT_BYTES:
                body = b""
                break
        self._received = len(body)
        return await self._broken(self._answer(incoming.status, incoming.headers, body))

    def _answer(self, status: int, headers: Headers, body: bytes) -> Fault:
        """What a backend said in place of an answer."""
        message = f"backend `{self._call.target.backend}` answered {status}"
        kind = FaultKind.QUOTA if unpaid(status, body) else FaultKind.STATUS
        return Fault(kind, message, status, headers, body)

    def _faulted(self, fault: Fault) -> Faulted:
        return Faulted(fault, self._committed, *self._counted())

    async def _commit(self, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        self._committed = True
        self._first_byte_ms = self._since(self._exchange_begun_ms)
        if self._call.notice is not None:
            headers = (*headers, *self._call.notice(self._call.pipe.learnt()))
        await self._sink.start(status, headers)

    async def _keep(self, *, half: bool = False) -> None:
        """Once the answer is complete, or broken off, remember it before its last bytes go out."""
        if self._call.keep is not None and not self._kept:
            learnt = self._call.pipe.learnt()
            if learnt.finished or half:
                self._kept = True
                await remember(self._call.keep(learnt), self._services)

    def _counted(self) -> tuple[Learnt, int, int, int, int, Waited, int]:
        """What every end of a call tells, see `Answered`."""
        sent = self._calling.sent_bytes if self._calling else 0
        came = (sent, self._received, self._first_byte_ms, self._ms())
        return self._call.pipe.learnt(), *came, self._waits(), self._first_answer_ms

    def _ms(self) -> int:
        return self._since(self._begun_ms)

    def _since(self, then_ms: float) -> int:
        return int(self._services.clock.ticks_ms() - then_ms)
