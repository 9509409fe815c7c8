import asyncio

import pytest

from halfdoor.flow.pinger import Pinger
from tests.helpers.leaping import leaping

# Less than a loop tells apart: both timers ring in one step, this one second.
SAME_STEP_S = 5e-10


async def said_until(stops_s, spoke_s=()):
    """When pings were said, one due after each second of silence."""
    loop, said = asyncio.get_running_loop(), []

    async def ping():
        said.append(loop.time() - begun_s)

    pinger, begun_s = Pinger(ping, 1.0), loop.time()
    pinger.start()
    loop.call_later(stops_s, pinger.stop)
    for at_s in spoke_s:
        loop.call_later(at_s, setattr, pinger, "spoke", True)
    await asyncio.sleep(10)
    return said


def test_silence_is_filled_and_a_word_puts_the_next_ping_off():
    assert leaping(said_until(3.5)) == [1, 2, 3]
    assert leaping(said_until(3.5, [0.5, 1.5])) == [3]


def test_a_ping_that_is_due_when_the_answer_ends_is_not_said_after_it():
    assert leaping(said_until(2.0 + SAME_STEP_S)) == [1]


@pytest.mark.parametrize("every_s", [0, 0.0])
def test_without_a_span_nothing_is_said(every_s):
    async def never():
        Pinger(pytest.fail, every_s).start()
        await asyncio.sleep(100)

    leaping(never())
