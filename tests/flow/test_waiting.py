"""Waiting before an engine: a place is told, in time, and nothing is decided after the first word."""

import asyncio
import dataclasses

import anthropic
import msgspec
import openai
import pytest

from halfdoor.backends.queues import Limits, Queue
from halfdoor.canon.record import Outcome
from halfdoor.canon.request import Actor
from halfdoor.canon.scene import Place
from halfdoor.config.tables.server import Server
from halfdoor.flow.drive import drive
from halfdoor.flow.exchange import exchange
from halfdoor.flow.pinger import waiting
from halfdoor.reading.framing import SseReader
from halfdoor.wiring import DIALECTS
from tests.flow.test_drive import PING, START, STOP, WHOLE
from tests.helpers.house import CLOUD, LOCAL_MESSAGES, house, request
from tests.helpers.leaping import leaping
from tests.helpers.sink import MemorySink
from tests.helpers.world import Reel, StillClock, world

# Seconds of silence after which a client, or what stands before it, gives up and sends again. Of
# Claude Code it is known that it bears so many. Source: docs/reference/clients.md, the SDKs' own
# constants, Node's `fetch`, Codex's `stream_idle_timeout_ms`, nginx's `proxy_read_timeout`.
PATIENCE_S = {
    "Claude Code": 100,
    "Codex": 300,
    "OpenCode, Continue, Cline (fetch)": 300,
    "Aider, llm (OpenAI SDK)": openai.DEFAULT_TIMEOUT.read,
    "Anthropic SDK": anthropic.DEFAULT_TIMEOUT.read,
    "nginx": 60,
}
HOUR_S = 3600.0


class TimedSink(MemorySink):
    """Notes when each word came."""

    def __init__(self, **how):
        super().__init__(**how)
        self.words = [(0.0, b"")]
        self._begun_s = asyncio.get_running_loop().time()

    async def send(self, data):
        await super().send(data)
        self.words.append((asyncio.get_running_loop().time() - self._begun_s, data))


class LoopClock(StillClock):
    """Ticks as the loop's own time does."""

    def ticks_ms(self):
        return asyncio.get_running_loop().time() * 1000


def place_with(queue, **how):
    """A world with an engine before which there is a queue, and the default span of silence."""
    place = world(**{"llamacpp": Reel(chunks=(START, STOP)), **how})
    queues = {"llamacpp": queue}
    place.services = dataclasses.replace(
        place.services, queues=queues, ping_s=Server().ping_s, clock=LoopClock()
    )
    return place


async def ask(place, sink, asked, cards=(LOCAL_MESSAGES,)):
    await drive(exchange(asked, Actor(), house(cards)), place.services, sink)
    return sink


async def held(queue, seconds, lane="x"):
    async with queue.turn(lane, "m", "hd_before"):
        await asyncio.sleep(seconds)


async def waits(seconds, *, ahead=1, stream=True):
    """A request that comes when one runs and others wait; it gets its turn after `seconds`."""
    queue = Queue("llamacpp", Limits(1, 8))
    before = [asyncio.create_task(held(queue, seconds / ahead, f"x{i}")) for i in range(ahead)]
    await asyncio.sleep(0)
    place = place_with(queue) if stream else place_with(queue, llamacpp=Reel(chunks=(WHOLE,)))
    sink = await ask(place, TimedSink(), request(stream=stream))
    await asyncio.gather(*before)
    return place, sink


@pytest.mark.parametrize("client", PATIENCE_S)
def test_who_waits_in_a_queue_hears_something_before_its_client_sends_again(client):
    _, sink = leaping(waits(HOUR_S))
    gaps = [late - early for (early, _), (late, _) in zip(sink.words, sink.words[1:], strict=False)]
    assert sink.words[-1][0] >= HOUR_S
    assert max(gaps) < PATIENCE_S[client]
    assert sink.body.endswith(START + STOP)


def test_every_word_while_it_waits_tells_its_place():
    _, sink = leaping(waits(300.0, ahead=3))
    told = [(at, word) for at, word in sink.words[1:] if at < 300.0]
    at_first = {word for at, word in told if at < 100.0}
    at_last = {word for at, word in told if at > 200.0}
    assert at_first == {b": waiting, 3rd of 3\n\n" + PING}
    assert at_last == {b": waiting, 1st of 1\n\n" + PING}


def test_once_it_has_its_turn_a_ping_tells_no_place():
    place, sink = leaping(waits(0.0))
    assert b"waiting" not in sink.body
    assert place.log.entries[1].attempts[0].waited_ms == 0


def test_how_long_it_waited_is_recorded():
    place, _ = leaping(waits(42.0, stream=False))
    (attempt,) = ended(place).attempts
    assert (attempt.result, attempt.waited_ms, attempt.swap) == ("answered", 42_000, False)


def ended(place) -> Outcome:
    entry = place.log.entries[1]
    assert isinstance(entry, Outcome)
    return entry


async def turned_away():
    queue = Queue("llamacpp", Limits(1, 0))
    running = asyncio.create_task(held(queue, 50.0))
    await asyncio.sleep(7.0)
    place = place_with(queue, anthropic=Reel(chunks=(WHOLE,)))
    alone = await ask(place, TimedSink(), request(stream=True))
    together = await ask(place, TimedSink(), request(), (LOCAL_MESSAGES, CLOUD))
    running.cancel()
    return alone, together


def test_who_is_turned_away_is_so_before_any_ping_and_others_may_answer():
    alone, together = leaping(turned_away())
    assert (alone.status, alone.headers["retry-after"]) == (429, "7")
    assert alone.words[-1][0] == 0.0
    assert (together.status, together.headers["x-halfdoor-model"]) == (200, "sonnet")


async def given_up():
    queue = Queue("llamacpp", Limits(1, 8))
    running = asyncio.create_task(held(queue, HOUR_S))
    await asyncio.sleep(0)
    place = place_with(queue)
    await ask(place, MemorySink(leaves_after=1), request(stream=True))
    running.cancel()
    return place, queue.depth.waiting


def test_a_client_that_hangs_up_while_it_waits_leaves_the_queue_and_is_recorded():
    place, waiting_ = leaping(given_up())
    assert waiting_ == 0
    (attempt,) = ended(place).attempts
    assert (attempt.result, attempt.sent_bytes) == ("hung-up", 0)


async def counted_beside():
    queue = Queue("llamacpp", Limits(1, 0))
    running = asyncio.create_task(held(queue, HOUR_S))
    await asyncio.sleep(0)
    place = place_with(queue)
    near = DIALECTS["anthropic_messages"]
    body = msgspec.json.encode({"model": "llama", "messages": [{"role": "user", "content": "hi"}]})
    asked = near.read("/v1/messages/count_tokens", (), "", body)
    sink = await ask(place, TimedSink(), asked)
    running.cancel()
    return sink


def test_counting_tokens_waits_for_nobody():
    assert leaping(counted_beside()).status == 200


@pytest.mark.parametrize("dialect", [d for d in DIALECTS.values() if d.ping], ids=lambda d: d.name)
def test_a_place_is_a_comment_that_no_reader_of_the_stream_sees(dialect):
    told = waiting(dialect.ping, Place(3, 5))
    assert told.startswith(b": waiting, 3rd of 5\n\n")
    assert told.endswith(dialect.frame_end)
    assert SseReader().feed(told) == SseReader().feed(dialect.ping)


@pytest.mark.parametrize(
    ("position", "word"),
    [(1, "1st"), (2, "2nd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (21, "21st"),
     (103, "103rd"), (111, "111th")],
)  # fmt: skip
def test_places_are_counted_as_people_count(position, word):
    assert (
        waiting(b": keep-alive\n\n", Place(position, 200))
        == f": waiting, {word} of 200\n\n".encode()
    )
