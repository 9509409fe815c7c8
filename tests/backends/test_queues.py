import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.backends import queues
from halfdoor.backends.pressure import Load
from halfdoor.backends.queues import Limits, Queue
from halfdoor.canon.scene import Depth, Place
from halfdoor.errors import BackendError


class Crowd:
    """Calls that hold their slot until they are let go, and the order in which they got it."""

    def __init__(self, queue):
        self.queue = queue
        self.served = []
        self.doors = {}
        self.tasks = {}

    async def comes(self, name, lane, model="m"):
        self.doors[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._call(name, lane, model))
        await asyncio.sleep(0)

    async def _call(self, name, lane, model):
        async with self.queue.turn(lane, model, name):
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
    return Crowd(Queue("ollama", Limits(1, 8, 2)))


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
    crowd = Crowd(Queue("ollama", Limits(1, 1)))
    await crowd.comes("a", "x")
    await crowd.comes("b", "x")
    with pytest.raises(BackendError, match="1 request waiting for 1 slot;") as caught:
        async with crowd.queue.turn("y", "m"):
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


async def test_who_waits_knows_its_place_and_who_left_stands_in_nobodys_way(crowd):
    for name, lane in [("a", "x"), ("b", "x"), ("c", "x"), ("d", "y")]:
        await crowd.comes(name, lane)
    assert crowd.queue.line() == (("b", Place(1, 3)), ("d", Place(2, 3)), ("c", Place(3, 3)))
    await crowd.leaves("b")
    assert crowd.queue.line() == (("c", Place(1, 2)), ("d", Place(2, 2)))


async def test_without_slots_all_begin_at_once_and_are_counted():
    crowd = Crowd(Queue("vllm", Limits()))
    for name in "abc":
        await crowd.comes(name, "x")
    assert crowd.queue.depth == Depth(None, 3, 0)


async def test_an_engine_says_how_many_it_answers_at_once_and_the_configuration_says_it_better():
    crowd = Crowd(Queue("llamacpp", Limits()))
    crowd.queue.tell(2, None, 0.0)
    for name in "abc":
        await crowd.comes(name, "x")
    assert crowd.queue.depth == Depth(2, 2, 1)
    crowd.queue.limit(Limits(slots=1))
    assert crowd.queue.depth == Depth(1, 2, 1)
    crowd.queue.limit(Limits(slots=3))
    await asyncio.sleep(0)
    assert crowd.served == ["a", "b", "c"]


async def test_a_reload_to_a_shorter_queue_turns_nobody_away_who_waits(crowd):
    for name in "abc":
        await crowd.comes(name, "x")
    crowd.queue.limit(Limits(1, 0))
    assert crowd.queue.depth.waiting == 2
    await crowd.goes("a")
    assert crowd.served == ["a", "b"]


async def test_requests_of_others_fill_the_slots_and_make_it_overflow(crowd):
    crowd.queue.limit(Limits(4, 8, 0))
    await crowd.comes("a", "x")
    assert not crowd.queue.depth.overflows
    crowd.queue.tell(None, None, 0.0, Load(others=3, behind=0))
    assert crowd.queue.depth.overflows


async def test_what_waits_inside_the_engine_counts_as_waiting_here():
    crowd = Crowd(Queue("vllm", Limits(None, 5, 3)))
    crowd.queue.tell(None, None, 0.0, Load(others=40, behind=2))
    assert not crowd.queue.depth.overflows
    crowd.queue.tell(None, None, 0.0, Load(others=40, behind=3))
    assert crowd.queue.depth.overflows
    await crowd.comes("a", "x")
    crowd.queue.tell(None, None, 0.0, Load(others=40, behind=5))
    with pytest.raises(BackendError, match="5 requests waiting"):
        async with crowd.queue.turn("x", "m"):
            pass


async def test_when_to_come_back_is_told_by_how_long_answers_take(clock):
    crowd = Crowd(Queue("ollama", Limits(2, 0)))
    for name in "ab":
        await crowd.comes(name, "x")
    clock.now_s += 9
    assert await turned_away(crowd) == 5  # nothing has ended: 9 s of the oldest, two at once
    clock.now_s += 21
    await crowd.goes("a")
    await crowd.comes("c", "x")
    assert await turned_away(crowd) == 15


async def turned_away(crowd):
    with pytest.raises(BackendError) as caught:
        async with crowd.queue.turn("y", "m"):
            pass
    return caught.value.retry_after_s


class Clock:
    now_s = 100.0


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(queues, "_now_s", lambda: clock.now_s)
    return clock


@pytest.fixture
def swapping(clock):
    """An engine without slots that has `big` loaded and would put it out for another."""
    crowd = Crowd(Queue("ollama", Limits(swap_after_s=30.0)))
    crowd.queue.tell(None, ["big"], clock.now_s - 1)
    return crowd


async def test_a_request_that_would_swap_the_model_waits_for_the_one_that_answers(swapping):
    await swapping.comes("a", "x", "big")
    assert swapping.queue.depth.swaps("small")
    await swapping.comes("b", "y", "small")
    await swapping.comes("c", "z", "big")  # needs no swap
    assert swapping.served == ["a", "c"]
    await swapping.goes("a")
    assert swapping.served == ["a", "c"]
    await swapping.goes("c")
    assert swapping.served == ["a", "c", "b"]
    assert swapping.queue.depth.loaded == frozenset({"small", "small:latest"})


async def test_an_idle_engine_swaps_at_once(swapping):
    await swapping.comes("a", "x", "small")
    assert swapping.served == ["a"]


async def test_after_a_while_nobody_passes_who_waits_for_a_swap(swapping, clock):
    await swapping.comes("a", "x", "big")
    await swapping.comes("b", "y", "small")
    clock.now_s += 31
    await swapping.comes("c", "z", "big")
    assert swapping.served == ["a"]
    await swapping.goes("a")
    assert swapping.served == ["a", "b"]
    await swapping.comes("d", "y", "small")
    assert swapping.served == ["a", "b", "d"]
    for name in "bd":
        await swapping.goes(name)
    assert swapping.served == ["a", "b", "d", "c"]


async def test_with_one_slot_the_loaded_model_answers_first_so_that_turns_are_no_swaps(clock):
    crowd = Crowd(Queue("ollama", Limits(1, 8)))
    crowd.queue.tell(None, ["big"], clock.now_s - 1)
    for name, model in [("a", "big"), ("b", "small"), ("c", "big"), ("d", "small"), ("e", "big")]:
        await crowd.comes(name, name, model)
    for name in "acebd":
        await crowd.goes(name)
    assert crowd.served == ["a", "c", "e", "b", "d"]


async def test_an_engine_that_turns_out_to_hold_both_makes_nobody_wait(swapping, clock):
    await swapping.comes("a", "x", "big")
    await swapping.comes("b", "y", "small")
    swapping.queue.tell(None, ["big", "small"], clock.now_s)
    await asyncio.sleep(0)
    assert swapping.served == ["a", "b"]


@pytest.mark.parametrize("said", [None, ["big"]])
async def test_an_engine_that_never_swaps_or_whose_swaps_nobody_minds_lets_all_begin(clock, said):
    crowd = Crowd(Queue("vllm", Limits(swap_after_s=0.0 if said else 30.0)))
    crowd.queue.tell(None, said, clock.now_s - 1)
    await crowd.comes("a", "x", "big")
    await crowd.comes("b", "y", "small")
    assert crowd.served == ["a", "b"]


async def test_a_turn_remembers_that_it_waited_for_a_swap(swapping):
    await swapping.comes("a", "x", "big")
    turn = swapping.queue.turn("y", "small", "hd_1")

    async def call():
        async with turn:
            pass

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    assert (turn.held, turn.place) == (True, Place(1, 1))
    await swapping.goes("a")
    await task
    assert (turn.held, turn.place) == (True, None)
    assert not swapping.queue.turn("x", "big").held


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(["m", "n"])), max_size=25),
       st.integers(1, 3), st.data())  # fmt: skip
def test_whoever_waits_is_served_and_no_more_at_once_than_slots(who, slots, data):
    """Whatever the order in which calls end or give up."""

    async def play():
        crowd = Crowd(Queue("e", Limits(slots, 100)))
        crowd.queue.tell(None, ["m"], -1.0)
        for number, (lane, model) in enumerate(who):
            await crowd.comes(number, lane, model)
        left = set(range(len(who)))
        while left:
            running = [each for each in crowd.served if each in left]
            assert 0 < len(running) <= slots
            models = {who[each][1] for each in running}
            assert len(models) == 1
            name = data.draw(st.sampled_from(sorted(left)))
            left.discard(name)
            await (crowd.goes(name) if name in running else crowd.leaves(name))
        assert crowd.queue.depth.running == crowd.queue.depth.waiting == 0

    asyncio.run(play())
