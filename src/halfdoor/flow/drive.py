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
    Faulted,
    Hold,
    HungUp,
    Remember,
    Reply,
    Reserve,
    Settle,
    Short,
    Unrecorded,
)
from halfdoor.canon.decision import Permit
from halfdoor.canon.money import Spending
from halfdoor.canon.record import Decided
from halfdoor.canon.scene import Placed, Scene
from halfdoor.errors import LogError
from halfdoor.flow.ports import Services, Sink
from halfdoor.flow.relay import Relay, remember

# A client's hanging up must be heard within a second (promise 8). Listening for it takes a task,
# which an answer that is whole before this never needs.
LISTEN_AFTER_S = 0.1
_NOWHERE = Placed()


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
            await remember(command, self._services)
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
        relay = Relay(command, self._services, self._sink, self._client_key, begun_ms, sight)
        self._listen_soon()
        self._caller = asyncio.current_task()
        try:
            return relay.hung_up() if self.gone else await relay.run()
        except ConnectionError:
            self.gone = True
            return relay.hung_up()
        except asyncio.CancelledError:
            # INVARIANT: a hang-up is a reply, so that its outcome is recorded (promise 8). So is a
            # stop of halfdoor itself; that cancellation goes on up once its outcome is written.
            if self._hung_up():
                return relay.hung_up()
            self.stopped = True
            return await self._stop(relay)
        except Exception as error:  # noqa: BLE001  raised again by `drive`, see `_remember`
            self.failed = error
            return relay.failed()
        finally:
            self._caller = None
            sight.over()

    async def _stop(self, relay: Relay) -> Faulted | HungUp:
        # INVARIANT: a hang-up ends what is told of a stop, never what is kept and recorded of it.
        self._caller = None
        await relay.keep_half()
        if self.gone:
            return relay.hung_up()
        self._caller = asyncio.current_task()
        try:
            return await relay.stopped()
        except asyncio.CancelledError:
            if self._hung_up():
                return relay.hung_up()
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
