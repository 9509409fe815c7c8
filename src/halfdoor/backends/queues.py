"""A fair queue before an engine that can only do so much at once.

Each session has a lane, and the lanes take turns: one tool that asks for twenty things does not
keep another waiting for all of them. What would wait behind too many is turned away at once, before
its client has heard a byte, so that somebody else may answer. A process has queues of its own.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from halfdoor.canon.scene import Depth
from halfdoor.errors import BackendError

# The share of a new answer in the running mean of how long answers take.
_LEARNS: Final = 0.2


class Queue:
    """One engine's. slots: answers at once. longest: how many may wait. overflow: see `Depth`."""

    def __init__(self, name: str, slots: int, longest: int, overflow: int | None = None) -> None:
        self.limits = (slots, longest, overflow)
        self._name = name
        self._slots = slots
        self._longest = longest
        self._overflow = overflow
        self._running = 0
        self._waiting = 0
        self._lanes: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._answer_s = 0.0

    @property
    def depth(self) -> Depth:
        """How it stands now."""
        return Depth(self._slots, self._running, self._waiting, self._overflow)

    @asynccontextmanager
    async def turn(self, lane: str) -> AsyncIterator[None]:
        """Wait for a slot, and hold it. Raises BackendError, `busy`, when too many wait already."""
        await self._acquire(lane)
        began = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._learn(asyncio.get_running_loop().time() - began)
            self._release()

    async def _acquire(self, lane: str) -> None:
        if self._running < self._slots and not self._waiting:
            self._running += 1
            return
        if self._waiting >= self._longest:
            raise BackendError(
                f"backend `{self._name}` has {self._waiting} requests waiting for {self._slots} "
                f"slots",
                hint="ask again in a moment, or raise its `queue` in the config",
                kind="busy",
                retry_after_s=self._soon_s(),
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lanes.setdefault(lane, deque()).append(turn)
        self._waiting += 1
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its slot came in the same moment
                self._release()
            raise
        finally:
            self._waiting -= 1

    def _release(self) -> None:
        """Hand the slot to the next lane's first, or set it free."""
        while self._lanes:
            lane, turns = self._lanes.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._lanes[lane] = turns  # behind the others
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._running -= 1

    def _learn(self, took_s: float) -> None:
        known = self._answer_s or took_s
        self._answer_s = known + _LEARNS * (took_s - known)

    def _soon_s(self) -> int:
        """When a place will be free, about; at least a second."""
        return max(1, round(self._answer_s / self._slots))
