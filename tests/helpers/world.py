"""A world for the driver: backends that follow a script, a log in memory, a clock that stands still."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from halfdoor.errors import BackendError
from halfdoor.flow.ports import Services
from halfdoor.store.checkout import Checkout
from halfdoor.store.floors import Floors
from halfdoor.store.log import MemoryLog
from halfdoor.store.memory import Memory


class StillClock:
    def now_ms(self):
        return 1_700_000_000_000

    def ticks_ms(self):
        return 0.0

    def draw(self):
        return 0.5

    def exchange_id(self, now_ms):
        return "hd_00000000000000000000000001"


@dataclass
class Wait:
    """A silence in a Reel."""

    s: float


@dataclass
class Reel:
    """One backend's answer: a status, chunks, and how it goes wrong. Events and Waits are waited for."""

    status: int = 200
    chunks: Any = ()
    headers: tuple = (("content-type", "application/json"),)
    refuses: str = ""
    breaks: str = ""
    sent_bytes: int = 0
    closed: bool = False
    seen: list = field(default_factory=list)
    name: str = "reel"

    def call(self, target, outbound, permit, client_key):
        self.seen.append((target, outbound, permit, client_key))
        return self

    async def __aenter__(self):
        self.sent_bytes = len(self.seen[-1][1].body)
        if self.refuses:
            self.sent_bytes = 0
            raise BackendError("scripted", kind=self.refuses)
        return self

    async def __aexit__(self, *_):
        self.closed = True

    async def chunks_(self):
        for chunk in self._chunks:
            if isinstance(chunk, asyncio.Event):
                await chunk.wait()
            elif isinstance(chunk, Wait):
                await asyncio.sleep(chunk.s)
            else:
                yield chunk
        if self.breaks:
            raise BackendError("scripted", kind=self.breaks)

    def __post_init__(self):
        self._chunks, self.chunks = self.chunks, self.chunks_


@dataclass
class World:
    """Services, and the log behind them by its own type."""

    services: Services
    log: MemoryLog


def world(room=None, files=None, **backends) -> World:
    clock, log = StillClock(), MemoryLog(b"s" * 32, room=room)
    files = files or Checkout((), home="/home/u")
    return World(
        Services(log, backends, Memory(clock.now_ms), clock, files, Floors(clock.now_ms)), log
    )


def services(**more) -> Services:
    return world(**more).services
