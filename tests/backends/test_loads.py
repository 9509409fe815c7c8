"""How busy an engine is, told to its queue beside the requests."""

import asyncio

import pytest

from halfdoor.backends import loads
from halfdoor.backends.loads import Loads, Watched
from halfdoor.backends.queues import Limits, Queue
from halfdoor.backends.residency import Asked as Held
from halfdoor.backends.residency import Residency
from tests.backends.test_engines import PROPS, PS
from tests.backends.test_engines import VLLM as VLLM_MODELS
from tests.backends.test_pressure import LLAMACPP, SLOTS, VLLM
from tests.backends.test_residency import Engine

OVERFLOWS = Limits(overflow=1)


class World:
    """One engine, the queue before it, and a clock that is set."""

    def __init__(self, engine, limits=OVERFLOWS):
        self.now_s = asyncio.get_running_loop().time()
        self.engine, self.queue = engine, Queue("e", limits)
        self.residency = Residency(lambda: self.now_s)
        self.loads = Loads(self.residency, lambda: self.now_s)

    async def after(self, seconds):
        self.now_s += seconds
        await self.residency.refresh([Held(self.engine)])
        self.engine.asked.clear()
        await self.loads.refresh([Watched(self.engine, self.queue)])
        depth = self.queue.depth
        return depth.others, depth.behind


def vllm(**more):
    return Engine(__v1__models=VLLM_MODELS, __metrics=VLLM.encode(), **more)


async def test_a_busy_vllm_is_known_by_its_metrics():
    assert await World(vllm()).after(0) == (9, 2)


async def test_what_is_ours_is_not_counted_as_others():
    world = World(vllm())
    async with world.queue.turn("x", "q"), world.queue.turn("y", "q"):
        assert await world.after(0) == (7, 2)


async def test_llama_cpp_is_asked_for_its_slots_where_it_has_no_metrics():
    world = World(Engine(__props=PROPS, __slots=SLOTS.encode()))
    assert await world.after(0) == (1, 0)
    assert world.engine.asked == ["/metrics", "/slots"]
    await world.after(loads.IDLE_S)
    assert world.engine.asked == ["/slots"]
    world = World(Engine(__props=PROPS, __metrics=LLAMACPP.encode()))
    assert await world.after(0) == (11, 7)


async def test_an_engine_in_use_is_asked_more_often_than_an_idle_one():
    world = World(vllm())
    await world.after(0)
    await world.after(loads.FRESH_S)
    assert world.engine.asked == []
    async with world.queue.turn("x", "q"):
        await world.after(0)
    assert world.engine.asked == ["/metrics"]


async def test_who_sends_nobody_elsewhere_asks_no_engine_how_busy_it_is():
    world = World(vllm(), Limits())
    assert await world.after(0) == (0, 0)
    assert world.engine.asked == []


@pytest.mark.parametrize("trouble", ["down", "strange"])
async def test_the_last_word_of_an_engine_that_falls_silent_holds_for_a_while_only(trouble):
    world = World(vllm())
    await world.after(0)
    if trouble == "down":
        world.engine.down = True
    else:
        world.engine.pages["/metrics"] = b"vllm:num_requests_running NaN\n"
    assert await world.after(loads.IDLE_S) == (9, 2)
    assert await world.after(loads.KEPT_S - loads.IDLE_S + 1) == (0, 0)


async def test_slots_and_models_reach_the_queue_from_what_is_known_anyway():
    world = World(Engine(__props=PROPS), Limits())
    await world.after(0)
    assert (world.queue.depth.slots, world.queue.depth.loaded) == (4, None)
    world = World(Engine(__api__ps=PS), Limits())
    await world.after(0)
    assert world.queue.depth.slots is None
    assert world.queue.depth.loaded == frozenset({"qwen3", "qwen3:latest"})


async def test_an_engine_that_nobody_knows_or_that_left_limits_nothing():
    world = World(Engine(), Limits())
    await world.after(0)
    assert (world.queue.depth.slots, world.queue.depth.loaded) == (None, None)
    world = World(vllm())
    await world.after(0)
    await world.loads.refresh([])
    assert not world.loads._heard
