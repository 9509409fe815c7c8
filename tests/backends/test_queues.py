import asyncio

import pytest

from halfdoor.backends.queues import Queue
from halfdoor.canon.scene import Depth
from halfdoor.errors import BackendError


class Crowd:
    """Calls that hold their slot until they are let go, and the order in which they got it."""

    def __init__(self, queue):
        self.queue = queue
        self.served = []
        self.doors = {}
        self.tasks = {}

    async def comes(self, name, lane):
        self.doors[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._call(name, lane))
        await asyncio.sleep(0)

    async def _call(self, name, lane):
        async with self.queue.turn(lane):
            self.served.append(name)
            await self.doors[name].wait()

    async def goes(self, name):
        self.doors[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)

    async def leaves(self, name):
        self.tasks[name].cancel()
        await asyncio.gather(self.tasks[name], return_exceptions=True)
        await asyncio.sleep(0)


@pytest.fixture
def crowd():
    return Crowd(Queue("ollama", 1, 8, 2))


async def test_a_free_slot_is_taken_at_once(crowd):
    await crowd.comes("a", "x")
    assert crowd.queue.depth == Depth(1, 1, 0, 2)
    await crowd.goes("a")
    assert crowd.queue.depth == Depth(1, 0, 0, 2)


async def test_lanes_take_turns(crowd):
    for name, lane in [("x1", "x"), ("x2", "x"), ("x3", "x"), ("y1", "y"), ("z1", "z")]:
        await crowd.comes(name, lane)
    for name in ["x1", "x2", "y1", "z1", "x3"]:
        await crowd.goes(name)
    assert crowd.served == ["x1", "x2", "y1", "z1", "x3"]


async def test_who_comes_never_overtakes_who_waits(crowd):
    await crowd.comes("a", "x")
    await crowd.comes("b", "y")
    crowd.doors["a"].set()
    await crowd.comes("c", "z")
    await asyncio.sleep(0)
    assert crowd.served == ["a", "b"]


async def test_beyond_its_length_it_turns_away_and_says_when_to_come_back():
    crowd = Crowd(Queue("ollama", 1, 1))
    await crowd.comes("a", "x")
    await crowd.comes("b", "x")
    with pytest.raises(BackendError, match="1 requests waiting for 1 slots") as caught:
        async with crowd.queue.turn("y"):
            pass
    assert caught.value.kind == "busy"
    assert caught.value.retry_after_s >= 1


async def test_who_hangs_up_while_waiting_leaves_no_gap(crowd):
    for name in "abc":
        await crowd.comes(name, "x")
    await crowd.leaves("b")
    assert crowd.queue.depth.waiting == 1
    await crowd.goes("a")
    assert crowd.served == ["a", "c"]
    await crowd.goes("c")
    assert crowd.queue.depth == Depth(1, 0, 0, 2)


async def test_who_hangs_up_in_the_moment_of_its_turn_hands_it_on(crowd):
    for name in "abc":
        await crowd.comes(name, "x")
    crowd.doors["a"].set()
    await asyncio.sleep(0)
    crowd.tasks["b"].cancel()
    await asyncio.gather(crowd.tasks["b"], return_exceptions=True)
    await asyncio.sleep(0)
    assert "c" in crowd.served
    await crowd.goes("c")
    assert crowd.queue.depth == Depth(1, 0, 0, 2)


async def test_it_overflows_when_all_slots_are_taken_and_as_many_wait_as_said(crowd):
    for name in "abc":
        await crowd.comes(name, "x")
    assert crowd.queue.depth.overflows
    await crowd.leaves("c")
    assert not crowd.queue.depth.overflows
