import asyncio
import dataclasses
import gc
import json

import pytest

from halfdoor.canon.money import Usage
from halfdoor.canon.record import Decided, Outcome
from halfdoor.canon.request import Actor
from halfdoor.errors import ClientError
from halfdoor.flow.drive import drive
from halfdoor.flow.exchange import exchange
from halfdoor.store.memory import Recollection
from tests.helpers.house import AWS_KEY, CLOUD, LOCAL_MESSAGES, house, request
from tests.helpers.sink import MemorySink
from tests.helpers.world import Reel, Wait, world

START = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}\n\n'
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
OVERLOADED = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
WHOLE = json.dumps(
    {
        "id": "m", "type": "message", "role": "assistant", "model": "x", "stop_reason": "end_turn", "stop_sequence": None,
        "content": [{"type": "text", "text": "hi"}], "usage": {"input_tokens": 3, "output_tokens": 1},
    }
).encode()  # fmt: skip


async def run(asked, place, sink=None, cards=(CLOUD, LOCAL_MESSAGES)):
    sink = sink or MemorySink()
    await drive(exchange(asked, Actor(), house(cards)), place.services, sink, "client key")
    return sink


def ended(place) -> Outcome:
    entry = place.log.entries[1]
    assert isinstance(entry, Outcome)
    return entry


async def test_a_whole_answer_passes_and_both_entries_are_there():
    place = world(anthropic=Reel(chunks=(WHOLE[:9], WHOLE[9:])))
    sink = await run(request(), place)
    assert (sink.status, sink.body, sink.finished) == (200, WHOLE, True)
    assert sink.headers["content-length"] == str(len(WHOLE))
    assert sink.headers["x-halfdoor-model"] == "sonnet"
    assert [type(entry) for entry in place.log.entries] == [Decided, Outcome]
    assert ended(place).usage == Usage(input_tokens=3, output_tokens=1)


async def test_a_stream_passes_byte_for_byte():
    place = world(anthropic=Reel(chunks=(START[:30], START[30:], STOP)))
    sink = await run(request(stream=True), place)
    assert sink.body == START + STOP
    assert sink.headers["content-type"].startswith("text/event-stream")


async def test_the_second_target_answers_when_the_first_is_down():
    place = world(anthropic=Reel(refuses="connect"), llamacpp=Reel(chunks=(WHOLE,)))
    sink = await run(request(), place)
    assert sink.headers["x-halfdoor-model"] == "llama"
    assert [a.result for a in ended(place).attempts] == ["connect", "answered"]
    assert [a.sent_bytes > 0 for a in ended(place).attempts] == [False, True]


async def test_a_whole_answer_that_is_cut_moves_on_unseen():
    place = world(anthropic=Reel(chunks=(WHOLE[:9],), breaks="cut"), llamacpp=Reel(chunks=(WHOLE,)))
    sink = await run(request(), place)
    assert sink.body == WHOLE


@pytest.mark.parametrize("first", [OVERLOADED, START + OVERLOADED], ids=["alone", "with a start"])
async def test_an_error_in_place_of_a_streams_beginning_is_as_its_status_and_the_next_one_answers(
    first,
):
    place = world(anthropic=Reel(chunks=(first,)), llamacpp=Reel(chunks=(START, STOP)))
    sink = await run(request(stream=True), place)
    assert sink.body == START + STOP
    assert [(a.result, a.status) for a in ended(place).attempts] == [
        ("status", 529),
        ("answered", 200),
    ]


async def test_a_stream_whose_end_comes_first_is_no_answer():
    place = world(anthropic=Reel(chunks=(STOP, START)), llamacpp=Reel(chunks=(START, STOP)))
    sink = await run(request(stream=True), place)
    assert sink.body == START + STOP
    assert [a.result for a in ended(place).attempts] == ["protocol", "answered"]


async def test_an_error_behind_a_streams_beginning_moves_nothing():
    place = world(anthropic=Reel(chunks=(START, OVERLOADED)), llamacpp=Reel(chunks=(START, STOP)))
    sink = await run(request(stream=True), place)
    assert sink.body == START + OVERLOADED
    assert [a.result for a in ended(place).attempts] == ["failed-inside"]


async def test_of_one_model_the_error_that_begins_its_stream_is_told_with_its_status():
    place = world(anthropic=Reel(chunks=(OVERLOADED,)))
    sink = await run(request(stream=True), place, cards=(CLOUD,))
    assert (sink.status, json.loads(sink.body)["error"]["type"]) == (529, "overloaded_error")


async def test_a_200_that_holds_an_error_in_place_of_a_whole_answer_moves_on():
    error = OVERLOADED.partition(b"data: ")[2]
    place = world(anthropic=Reel(chunks=(error,)), llamacpp=Reel(chunks=(WHOLE,)))
    sink = await run(request(), place)
    assert sink.body == WHOLE


async def test_a_stream_that_is_cut_after_commit_ends_with_the_dialects_error_event():
    place = world(
        anthropic=Reel(chunks=(START,), breaks="cut"), llamacpp=Reel(chunks=(START, STOP))
    )
    sink = await run(request(stream=True), place)
    assert sink.body.startswith(START)
    assert b"event: error" in sink.body[len(START) :]
    assert sink.finished
    assert ended(place).result == "failed"


async def test_a_stream_that_stops_without_its_end_is_told_so():
    place = world(anthropic=Reel(chunks=(START,)))
    sink = await run(request(stream=True), place)
    assert b"event: error" in sink.body
    assert ended(place).result == "failed"


async def test_a_hang_up_cancels_the_backend_and_is_recorded():
    forever = asyncio.Event()
    reel = Reel(chunks=(START, forever, STOP))
    place = world(anthropic=reel)
    async with asyncio.timeout(1):
        await run(request(stream=True), place, MemorySink(leaves_after=1))
    assert reel.closed
    assert ended(place).result == "hung-up"
    assert ended(place).attempts[0].sent_bytes > 0


async def test_a_client_that_left_before_the_call_costs_no_call():
    reel = Reel(chunks=(WHOLE,))
    place = world(anthropic=reel)
    sink = MemorySink(leaves_after=0)
    line = exchange(request(), Actor(), house((CLOUD,)))
    task = asyncio.ensure_future(drive(line, place.services, sink))
    await task
    assert ended(place).result in {"hung-up", "answered"}


@pytest.mark.parametrize("committed", [True, False])
async def test_a_stop_of_halfdoor_is_told_and_recorded_and_tries_nobody_else(committed):
    chunks = (START, asyncio.Event()) if committed else (asyncio.Event(),)
    place = world(anthropic=Reel(chunks=chunks), llamacpp=Reel(chunks=(START, STOP)))
    sink = MemorySink()
    task = asyncio.ensure_future(run(request(stream=True), place, sink))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sink.finished
    assert b"halfdoor is stopping" in sink.body
    assert sink.status == (200 if committed else 503)
    assert [a.result for a in ended(place).attempts] == ["stopped"]


class Leaving(MemorySink):
    """Hangs up while it is told that halfdoor stops. stuck: and its bytes stay under way."""

    stuck = False

    async def send(self, data):
        if b"halfdoor is stopping" in data:
            await self.leave()
            if self.stuck:
                await asyncio.Event().wait()
        await super().send(data)

    async def leave(self):
        self.left.set()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "leaves", ["while it is told", "while it takes nothing", "while half an answer is kept"]
)
async def test_a_hang_up_during_a_stop_loses_neither_the_outcome_nor_half_an_answer(
    monkeypatch, leaves
):
    monkeypatch.setattr("halfdoor.flow.drive.LISTEN_AFTER_S", 0)
    kept: list[object] = []
    sink = Leaving()
    sink.stuck = leaves == "while it takes nothing"

    class Memory(BrokenMemory):
        async def remember(self, what, **_):
            if leaves == "while half an answer is kept":
                await sink.leave()
            kept.append(what)

    place = world(llamacpp=Reel(chunks=(START, asyncio.Event())))
    services = dataclasses.replace(place.services, memory=Memory())
    asked = request(text=f"the key is {AWS_KEY}", stream=True)
    line = exchange(asked, Actor(), house((LOCAL_MESSAGES,)))
    task = asyncio.ensure_future(drive(line, services, sink))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)
    assert ended(place).result == "hung-up"
    assert kept


async def test_a_full_log_means_503_and_no_call():
    reel = Reel(chunks=(WHOLE,))
    sink = await run(request(), world(room=0, anthropic=reel))
    assert sink.status == 503
    assert b"could not be recorded" in sink.body
    assert not reel.seen


async def test_an_error_body_passes_with_its_status_and_its_retry_after():
    words = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}'
    headers = (("retry-after", "7"), ("set-cookie", "no"))
    place = world(anthropic=Reel(status=429, chunks=(words,), headers=headers))
    sink = await run(request(), place, cards=(CLOUD,))
    assert (sink.status, sink.body, sink.headers["retry-after"]) == (429, words, "7")
    assert "set-cookie" not in sink.headers


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_a_backend_that_says_nothing_of_coming_back_is_not_asked_eleven_times(status):
    words = b'{"error":{"message":"no"}}'
    sink = await run(
        request(), world(anthropic=Reel(status=status, chunks=(words,))), cards=(CLOUD,)
    )
    assert (sink.status, sink.body) == (status, words)
    assert sink.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "word", [("retry-after", "7"), ("retry-after-ms", "700"), ("x-should-retry", "true")]
)
async def test_a_backends_own_word_on_coming_back_stands(word):
    name, value = word
    place = world(anthropic=Reel(status=429, chunks=(b"{}",), headers=(word,)))
    sink = await run(request(), place, cards=(CLOUD,))
    assert sink.headers[name] == value
    assert sink.headers.get("x-should-retry") != "false"


async def test_a_backend_that_refuses_halfdoors_key_cannot_ask_the_client_to_come_back():
    headers = (("x-should-retry", "true"), ("retry-after", "1"))
    place = world(anthropic=Reel(status=401, chunks=(b"{}",), headers=headers))
    sink = await run(request(), place, cards=(CLOUD,))
    assert (sink.status, sink.headers["x-should-retry"]) == (400, "false")
    assert "retry-after" not in sink.headers


async def test_a_malformed_request_is_raised_before_anything_is_recorded():
    place = world()
    with pytest.raises(ClientError):
        await run(request(model="nobody"), place)
    assert not place.log.entries


def patient(ping_s=0.02, **backends):
    place = world(**backends)
    place.services = dataclasses.replace(place.services, ping_s=ping_s)
    return place


async def test_a_slow_backend_is_bridged_by_pings_before_and_between_events():
    slow = Wait(0.1)
    place = patient(anthropic=Reel(chunks=(slow, START, slow, STOP)))
    sink = await run(request(stream=True), place)
    head, _, tail = sink.body.partition(START)
    assert (
        set(head.split(b"\n\n"))
        == set(tail.replace(STOP, b"").split(b"\n\n"))
        == {PING.strip(), b""}
    )
    assert sink.body.replace(PING, b"") == START + STOP


async def test_a_ping_commits_to_its_target_and_a_later_refusal_is_told_in_the_stream():
    first = Reel(status=500, chunks=(Wait(0.1), b"{}"))
    place = patient(anthropic=first, llamacpp=Reel(chunks=(START, STOP)))
    sink = await run(request(stream=True), place)
    assert sink.status == 200
    assert sink.headers["x-halfdoor-model"] == "sonnet"
    assert b"event: error" in sink.body
    assert [a.model for a in ended(place).attempts] == ["sonnet"]


async def test_behind_a_ping_an_error_event_passes_as_it_came():
    place = patient(
        anthropic=Reel(chunks=(Wait(0.1), OVERLOADED)), llamacpp=Reel(chunks=(START, STOP))
    )
    sink = await run(request(stream=True), place)
    assert sink.body.replace(PING, b"") == OVERLOADED
    assert [a.result for a in ended(place).attempts] == ["failed-inside"]


async def test_a_whole_answer_and_a_quick_one_are_never_pinged():
    place = patient(anthropic=Reel(chunks=(Wait(0.06), WHOLE)))
    assert (await run(request(), place)).body == WHOLE
    quick = patient(ping_s=5, anthropic=Reel(chunks=(START, STOP)))
    assert PING not in (await run(request(stream=True), quick)).body


async def test_a_client_that_leaves_during_the_silence_is_heard():
    reel = Reel(chunks=(asyncio.Event(),))
    place = patient(anthropic=reel)
    async with asyncio.timeout(1):
        await run(request(stream=True), place, MemorySink(leaves_after=len(PING)))
    assert reel.closed
    assert ended(place).result == "hung-up"


class BrokenMemory:
    """A memory whose code fails in a way that nobody promised."""

    async def recall(self, *_, **__):
        return Recollection()

    async def remember(self, *_, **__):
        raise KeyError("scripted")


@pytest.mark.parametrize("text", ["hello", f"the key is {AWS_KEY}"])
@pytest.mark.parametrize("stream", [False, True])
async def test_what_fails_inside_after_a_call_is_raised_and_its_outcome_recorded(text, stream):
    place = world(llamacpp=Reel(chunks=(START, STOP) if stream else (WHOLE,)))
    services = dataclasses.replace(place.services, memory=BrokenMemory())
    line = exchange(request(text=text, stream=stream), Actor(), house((LOCAL_MESSAGES,)))
    with pytest.raises(KeyError):
        await drive(line, services, MemorySink())
    assert [type(entry) for entry in place.log.entries] == [Decided, Outcome]
    assert ended(place).attempts[0].model == "llama"


class Noting(MemorySink):
    """Notes how much was remembered when the stream's end was told."""

    def __init__(self, kept: list[object]) -> None:
        super().__init__()
        self.kept_at_the_end = -1
        self._kept = kept

    async def send(self, data: bytes) -> None:
        if b"event: error" in data:
            self.kept_at_the_end = len(self._kept)
        await super().send(data)


async def test_half_an_answer_is_remembered_before_its_client_hears_that_it_broke_off():
    kept: list[object] = []

    class Memory(BrokenMemory):
        async def remember(self, what, **_):
            kept.append(what)

    place = world(llamacpp=Reel(chunks=(START,), breaks="cut"))
    services = dataclasses.replace(place.services, memory=Memory())
    sink = Noting(kept)
    asked = request(text=f"the key is {AWS_KEY}", stream=True)
    await drive(exchange(asked, Actor(), house((LOCAL_MESSAGES,))), services, sink)
    assert sink.kept_at_the_end == 1


@pytest.mark.parametrize(
    ("reels", "asked"),
    [
        ({"anthropic": Reel(chunks=(WHOLE,))}, request()),
        ({"anthropic": Reel(chunks=(START, STOP))}, request(stream=True)),
        ({"llamacpp": Reel(chunks=(START, STOP))}, request(text=AWS_KEY, stream=True)),
        ({"anthropic": Reel(refuses="connect"), "llamacpp": Reel(chunks=(WHOLE,))}, request()),
        ({"anthropic": Reel(chunks=(START,), breaks="cut")}, request(stream=True)),
    ],
)
async def test_what_a_request_held_is_free_when_it_is_over_and_waits_for_no_collection(
    reels, asked
):
    """In a circle, bodies of 400 KB stay until the collector has looked through everything."""
    services = dataclasses.replace(world(**reels).services, ping_s=60.0)
    place = house((CLOUD, LOCAL_MESSAGES))
    await drive(exchange(asked, Actor(), place), services, MemorySink())
    services.turns.clear()  # the second request is like the first, not its second try
    gc.collect()
    gc.disable()
    try:
        await drive(exchange(asked, Actor(), place), services, MemorySink())
        assert gc.collect() == 0
    finally:
        gc.enable()


class SlowStart(MemorySink):
    """Its client takes a while over the status line."""

    async def start(self, status, headers):
        await super().start(status, headers)
        await asyncio.sleep(0.08)

    async def send(self, data):
        assert not self.finished, "the response has ended"
        await super().send(data)


async def test_a_ping_that_is_under_way_when_the_answer_ends_says_nothing_behind_its_end(caplog):
    place = patient(anthropic=Reel(chunks=(Wait(0.05), START, STOP)))
    sink = SlowStart()
    await run(request(stream=True), place, sink=sink)
    await asyncio.sleep(0.1)
    assert sink.body == START + STOP
    assert not caplog.records
