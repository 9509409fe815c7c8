"""Performs the line's commands with asyncio. It decides nothing."""

import asyncio
import contextlib
from collections.abc import Generator
from typing import assert_never

from halfdoor.canon.commands import (
    Answered,
    Append,
    Begin,
    Call,
    Command,
    Fault,
    Faulted,
    FaultKind,
    Hold,
    HungUp,
    Remember,
    Reply,
    Reserve,
    Settle,
    Short,
    Unrecorded,
    Waited,
)
from halfdoor.canon.decision import Permit
from halfdoor.canon.money import Spending
from halfdoor.canon.record import Decided
from halfdoor.canon.scene import Placed, Scene
from halfdoor.errors import BackendError, LogError
from halfdoor.flow.pinger import Pinger, waiting
from halfdoor.flow.ports import Calling, Incoming, Services, Sink, Turn
from halfdoor.flow.sights import Sight

# A backend's error body is read to be passed on, up to here.
ERROR_BODY_LIMIT_BYTES = 1024 * 1024
# A client's hanging up must be heard within a second (promise 8). Listening for it takes a task,
# which an answer that is whole before this never needs.
LISTEN_AFTER_S = 0.1
_NOWHERE = Placed()
_NOT_AT_ALL = Waited()


async def drive(
    line: Generator[Command, object, Reply | None],
    services: Services,
    sink: Sink,
    client_key: str = "",
) -> None:
    """Run one exchange to its end; its answer goes to the sink.

    client_key: the caller's own credential, for backends that pass it on to its vendor.
    Raises ClientError from the line's reading stage, before anything was sent; and what halfdoor's
    own code raised, once the outcome is recorded all the same.
    """
    performer = _Performer(services, sink, client_key)
    reply: object = None
    try:
        while True:
            reply = await performer.perform(line.send(reply))
    except StopIteration as stop:
        whole: Reply | None = stop.value
        if whole is not None and not performer.gone and performer.failed is None:
            await _send_whole(sink, whole)
    finally:
        performer.close()
    if performer.stopped:
        raise asyncio.CancelledError
    if performer.failed is not None:
        raise performer.failed


async def _send_whole(sink: Sink, reply: Reply) -> None:
    length = ("content-length", str(len(reply.body)))
    await sink.start(reply.status, (*reply.headers, length))
    await sink.send(reply.body)
    await sink.finish()


async def _remember(what: Remember, services: Services) -> None:
    if what.turn:
        # Before anything is waited for: its client may ask again at once.
        now_ms = services.clock.ticks_ms()
        services.turns.heard(what.turn, what.failed, what.wait_ms, now_ms)
    if what.floor is not None:
        await services.floors.hold(what.floor)
    if what.pin is not None:
        services.pins.hold(what.pins, what.pin)
    await services.memory.remember(what)


class _Performer:
    """The state of one exchange outside the pure line: its clock, its client, its bytes."""

    def __init__(self, services: Services, sink: Sink, client_key: str) -> None:
        self._services = services
        self._sink = sink
        self._client_key = client_key
        self._begun_ms = services.clock.ticks_ms()
        self._soon: asyncio.TimerHandle | None = None
        self._watch: asyncio.Task[None] | None = None
        self._caller: asyncio.Task[object] | None = None
        self._decided: Decided | None = None
        self.gone = False
        self.stopped = False
        self.failed: Exception | None = None

    async def perform(self, command: Command) -> object:
        match command:
            case Begin():
                return await self._begin(command)
            case Append():
                return await self._append(command)
            case Reserve():
                return await self._reserve(command)
            case Call():
                over = await self._call(command)
                if self._services.health is not None:
                    self._services.health.heard(command.target, over)
                return over
            case Settle():
                await self._settle(command)
                return None
            case Remember():
                await self._remember(command)
                return None
            case _:
                assert_never(command)

    def close(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
        if self._watch is not None:
            self._watch.cancel()

    async def _begin(self, command: Begin) -> Scene:
        clock = self._services.clock
        now_ms = clock.now_ms()
        recalled = await self._services.memory.recall(command.marks, command.texts)
        under = await self._services.floors.under(command.floors)
        placed = await self._placed(command)
        return Scene(
            id=clock.exchange_id(now_ms),
            now_ms=now_ms,
            draw=clock.draw(),
            remembered=(*recalled.labels, *under.labels),
            session=under.session,
            latched=recalled.latched,
            origins=recalled.origins,
            widened=self._services.widened(),
            windows=self._services.windows(),
            real=placed.real,
            repositories=placed.repositories,
            traced=placed.whole,
            spending=await self._spending(command),
            queues={name: queue.depth for name, queue in self._services.queues.items()},
            unwell=self._services.health.unwell() if self._services.health else {},
            pin=self._services.pins.find(command.pins),
            failed=self._failed(command),
        )

    def _failed(self, command: Begin) -> tuple[str, ...]:
        turns = self._services.turns
        if not turns:
            return ()
        return turns.failed(command.turn(), self._services.clock.ticks_ms())

    async def _placed(self, command: Begin) -> Placed:
        if not command.places or not (command.paths or command.actor.root):
            return _NOWHERE
        return await self._services.files.place(command.actor.root, command.paths)

    async def _remember(self, command: Remember) -> None:
        # INVARIANT: what fails after a call is told only when its outcome is recorded (promise 1).
        try:
            await _remember(command, self._services)
        except Exception as error:  # noqa: BLE001  raised again by `drive`
            self.failed = error

    async def _spending(self, command: Begin) -> Spending:
        ledger = self._services.ledger
        if ledger is None or not (command.purses or command.plans):
            return Spending()
        try:
            return await ledger.spending(command.purses, command.plans)
        except LogError:
            # It is asked again for the hold, and what it cannot hold is not sent.
            return Spending()

    async def _reserve(self, command: Reserve) -> Hold | Short | Unrecorded:
        assert self._services.ledger is not None
        try:
            return await self._services.ledger.reserve(command)
        except LogError as error:
            return Unrecorded(str(error))

    async def _settle(self, command: Settle) -> None:
        assert self._services.ledger is not None
        # INVARIANT: a hold that cannot be settled stays, so a purse has never more than it should.
        with contextlib.suppress(LogError):
            await self._services.ledger.settle(command)

    async def _append(self, command: Append) -> Permit | Unrecorded:
        if isinstance(command.entry, Decided):
            self._decided = command.entry
        try:
            return await self._services.log.append(command.entry)
        except LogError as error:
            return Unrecorded(str(error))

    async def _call(self, command: Call) -> Answered | Faulted | HungUp:
        if self._services.health is not None:
            self._services.health.asked(command.target)
        assert self._decided is not None
        sight = self._services.sights.called(self._decided, command.target)
        begun_ms = self._begun_ms
        passage = _Passage(command, self._services, self._sink, self._client_key, begun_ms, sight)
        self._listen_soon()
        self._caller = asyncio.current_task()
        try:
            return passage.hung_up() if self.gone else await passage.run()
        except ConnectionError:
            self.gone = True
            return passage.hung_up()
        except asyncio.CancelledError:
            # INVARIANT: a hang-up is a reply, so that its outcome is recorded (promise 8). So is a
            # stop of halfdoor itself; that cancellation goes on up once its outcome is written.
            if self._hung_up():
                return passage.hung_up()
            self.stopped = True
            return await self._stop(passage)
        except Exception as error:  # noqa: BLE001  raised again by `drive`, see `_remember`
            self.failed = error
            return passage.failed()
        finally:
            self._caller = None
            sight.over()

    async def _stop(self, passage: "_Passage") -> Faulted | HungUp:
        # INVARIANT: a hang-up ends what is told of a stop, never what is kept and recorded of it.
        self._caller = None
        await passage.keep_half()
        if self.gone:
            return passage.hung_up()
        self._caller = asyncio.current_task()
        try:
            return await passage.stopped()
        except asyncio.CancelledError:
            if self._hung_up():
                return passage.hung_up()
            raise

    def _hung_up(self) -> bool:
        """Was the cancellation ours? Then it is used up here."""
        if self.gone and self._caller is not None:
            self._caller.uncancel()
        return self.gone

    def _listen_soon(self) -> None:
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(LISTEN_AFTER_S, self._listen)

    def _listen(self) -> None:
        self._watch = asyncio.create_task(self._sink.gone())
        self._watch.add_done_callback(self._heard)

    def _heard(self, watch: "asyncio.Task[None]") -> None:
        if watch.cancelled():
            return
        self.gone = True
        if self._caller is not None:
            self._caller.cancel()


class _Passage:
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
            await self._pass(incoming)
            return Answered(
                incoming.status,
                call.pipe.learnt(),
                self._sent(),
                self._received,
                self._first_byte_ms,
                self._ms(),
                incoming.headers,
                waited=self._waits(),
                first_answer_ms=self._first_answer_ms,
            )

    async def _pass(self, incoming: Incoming) -> None:
        pipe = self._call.pipe
        headers = pipe.head(incoming.headers)
        async for chunk in incoming.chunks():
            self._received += len(chunk)
            out = pipe.feed(chunk)
            if out:
                if self._first_answer_ms < 0:
                    self._first_answer_ms = self._since(self._asked_ms)
                self._sight.passed(chunk)
                if pipe.finished:
                    await self._keep()
                if not self._committed:
                    await self._commit(incoming.status, headers)
                self._pinger.spoke = True
                await self._sink.send(out)
        self._pinger.stop()
        tail = pipe.end()
        await self._keep()
        if not self._committed:
            if not self._call.outbound.stream:
                headers = (*headers, ("content-length", str(len(tail))))
            await self._commit(incoming.status, headers)
        if tail:
            await self._sink.send(tail)
        await self._sink.finish()

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
        return HungUp(
            self._committed,
            self._call.pipe.learnt(),
            self._sent(),
            self._received,
            self._first_byte_ms,
            self._ms(),
            waited=self._waits(),
            first_answer_ms=self._first_answer_ms,
        )

    async def _refused(self, incoming: Incoming) -> Faulted:
        body = b""
        async for chunk in incoming.chunks():
            body += chunk
            if len(body) > ERROR_BODY_LIMIT_BYTES:
                body = b""
                break
        self._received = len(body)
        name = self._call.target.backend
        message = f"backend `{name}` answered {incoming.status}"
        status = incoming.status
        return await self._broken(Fault(FaultKind.STATUS, message, status, incoming.headers, body))

    def _faulted(self, fault: Fault) -> Faulted:
        return Faulted(
            fault,
            self._committed,
            self._call.pipe.learnt(),
            self._sent(),
            self._received,
            self._first_byte_ms,
            self._ms(),
            waited=self._waits(),
            first_answer_ms=self._first_answer_ms,
        )

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
                await _remember(self._call.keep(learnt), self._services)

    def _sent(self) -> int:
        return self._calling.sent_bytes if self._calling else 0

    def _ms(self) -> int:
        return self._since(self._begun_ms)

    def _since(self, then_ms: float) -> int:
        return int(self._services.clock.ticks_ms() - then_ms)
