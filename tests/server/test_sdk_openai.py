"""The official OpenAI SDK through a real gateway, to backends of both dialects, streamed and whole."""

import asyncio
import json
import time

import openai
import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import Gateway, backend, gateway, model
from tests.helpers.pictures import PNG, PNG_URL
from tests.helpers.scenes import (
    Counts,
    Cut,
    ErrorEvent,
    Garble,
    Refuse,
    Report,
    Say,
    Scene,
    Slow,
    Stall,
    Think,
    Use,
    digest,
)
from tests.helpers.sdk import STREAMED, WHOLE, Called, chat
from tests.helpers.sources import chat_body, chat_tools, source, sources

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
PATHS = {"by-chat": "/v1/chat/completions", "by-messages": "/v1/messages"}
far = pytest.mark.parametrize("far", PATHS)
how = pytest.mark.parametrize("how", [WHOLE, STREAMED])


@pytest.fixture(scope="module")
def engine():
    """A local engine: it ignores fields it does not know."""
    with FakeModel(open_fields=True) as fake:
        yield fake


@pytest.fixture(scope="module")
def door(server, engine):
    with gateway(
        backends=[
            backend("chat", server, "openai_chat"),
            backend("messages", server, "anthropic_messages"),
            backend("engine", engine, "openai_chat"),
        ],
        models=[
            model("by-chat", "chat", "real-model"),
            model("by-messages", "messages", "real-model"),
            model("by-engine", "engine", "engine-model:30b", max_output_tokens=8192),
        ],
    ) as started:
        yield started


@far
@how
async def test_text_arrives_with_usage_and_the_headers_that_say_who_answered(
    fake, door: Gateway, far, how
):
    fake.play(Scene((Say("The state is kept in `Parser._state`. ✓"),)))
    async with door.openai() as (client, wire):
        told = await chat(client, how, model=far, messages=HI)
    assert told.text == "The state is kept in `Parser._state`. ✓"
    assert (told.stop, told.tokens) == ("stop", (1300, 1000, 34))
    assert fake.last.path == PATHS[far]
    assert fake.last.json()["model"] == "real-model"
    assert wire.headers["x-halfdoor-model"] == far
    assert wire.headers["x-halfdoor-zone"] == "device"
    assert wire.headers["x-halfdoor-rule"] == "none"
    assert wire.headers["x-halfdoor-id"].startswith("hd_")


@far
@how
async def test_tokens_written_to_a_cache_are_inside_the_prompt(fake, door, far, how):
    fake.play(Scene(counts=Counts(prompt=900, cached=300, written=200, answer=7)))
    async with door.openai() as (client, _):
        told = await chat(client, how, model=far, messages=HI)
    assert told.tokens == (900, 300, 7)


@far
@how
async def test_an_answer_cut_by_its_limit_says_length(fake, door, far, how):
    fake.play(Scene((Say("and then"),), cut_short=True))
    async with door.openai() as (client, _):
        told = await chat(client, how, model=far, messages=HI, max_completion_tokens=5)
    assert told.stop == "length"
    assert fake.last.heard.max_tokens == 5


@far
@how
async def test_a_tool_call_makes_its_full_loop(fake, door, far, how):
    path, text = source(9000)
    fake.play(
        Scene(
            (Say("I look."), Use("Read", {"file_path": path, "limit": 40}, f"call_{far}_{how}_1"))
        ),
        Scene((Report(),)),
    )
    turns = [{"role": "system", "content": "You are a coding agent."}, *HI]
    async with door.openai() as (client, _):
        first = await chat(client, how, model=far, messages=turns, tools=chat_tools())
        (call,) = first.calls
        turns += [first.turn, {"role": "tool", "tool_call_id": call.id, "content": text}]
        second = await chat(client, how, model=far, messages=turns, tools=chat_tools())
    assert call == Called(f"call_{far}_{how}_1", "Read", {"file_path": path, "limit": 40})
    assert (first.text, first.stop) == ("I look.", "tool_calls")
    heard = json.loads(second.text)
    assert heard["results"] == {call.id: digest(text)}
    assert heard["calls"] == {call.id: call.arguments}
    assert heard["system"] == digest("You are a coding agent.")
    assert len(heard["tools"]) == 24


@far
@how
async def test_parallel_tool_calls_are_kept_apart_and_both_results_return(fake, door, far, how):
    wanted = (
        Called(f"call_{far}_{how}_2", "Read", {"file_path": "/a/b.py"}),
        Called(f"call_{far}_{how}_3", "Grep", {"pattern": 'def "reset"\\(', "glob": "**/*.py"}),
        Called(f"call_{far}_{how}_4", "TodoRead", {}),
    )
    fake.play(
        Scene(tuple(Use(call.name, call.arguments, call.id) for call in wanted)), Scene((Report(),))
    )
    async with door.openai() as (client, _):
        first = await chat(client, how, model=far, messages=HI, tools=chat_tools())
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": f"result of {call.name}"}
            for call in first.calls
        ]
        turns = [*HI, first.turn, *results]
        second = await chat(client, how, model=far, messages=turns, tools=chat_tools())
    assert first.calls == wanted
    assert first.stop == "tool_calls"
    assert json.loads(second.text)["results"] == {
        call.id: digest(f"result of {call.name}") for call in wanted
    }


@far
@how
async def test_an_image_arrives_whole(fake, door, far, how):
    fake.play(Scene((Report(),)))
    parts = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": PNG_URL}},
    ]
    async with door.openai() as (client, _):
        told = await chat(client, how, model=far, messages=[{"role": "user", "content": parts}])
    assert json.loads(told.text)["images"] == [["image/png", len(PNG)]]
    assert json.loads(told.text)["said"] == digest("what is this?")


@far
@how
async def test_thinking_is_heard_and_returns_only_where_it_can_be_judged(fake, door, far, how):
    fake.play(Scene((Think("First the parser."), Say("Done."))), Scene((Report(),)))
    async with door.openai() as (client, _):
        first = await chat(client, how, model=far, messages=HI)
        second = await chat(client, how, model=far, messages=[*HI, first.turn, *HI])
    assert (first.thought, first.text) == ("First the parser.", "Done.")
    # Chat has no place for a seal, and Messages refuses thinking without one.
    returned = ["First the parser."] if far == "by-chat" else []
    assert json.loads(second.text)["thinking"] == returned


STATUSES = {
    400: openai.BadRequestError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    529: openai.InternalServerError,
}


@far
@how
@pytest.mark.parametrize("status", STATUSES)
async def test_a_backends_error_reaches_the_sdk_in_its_own_class(fake, door, far, how, status):
    fake.play(Scene(trouble=Refuse(status, "no, because of X-17", (("retry-after", "7"),))))
    async with door.openai() as (client, wire):
        with pytest.raises(STATUSES[status], match="because of X-17") as raised:
            await chat(client, how, model=far, messages=HI)
    assert raised.value.status_code == status
    assert raised.value.response.json()["error"]["message"] == "no, because of X-17"
    assert wire.headers["retry-after"] == "7"
    assert wire.headers["x-halfdoor-model"] == far
    if far == "by-chat":
        assert raised.value.response.content == fake.last.sent
        assert wire.headers["x-request-id"] == "req_fake0001"
    assert len(fake.seen) == 1


@far
async def test_a_key_of_halfdoors_own_that_is_refused_is_no_401_for_the_caller(fake, door, far):
    fake.play(Scene(trouble=Refuse(401, "bad key")))
    async with door.openai() as (client, _):
        with pytest.raises(openai.BadRequestError, match="refused halfdoor's key"):
            await chat(client, WHOLE, model=far, messages=HI)


@far
async def test_an_error_inside_a_stream_is_raised_with_its_wording(fake, door, far):
    fake.play(Scene((Say("word " * 20),), ErrorEvent("the engine is on fire", after=6)))
    async with door.openai() as (client, _):
        with pytest.raises(openai.APIError, match="the engine is on fire"):
            await chat(client, STREAMED, model=far, messages=HI)


@far
@pytest.mark.parametrize("inside", [True, False], ids=["inside an event", "between events"])
async def test_a_stream_that_is_cut_is_an_error_and_not_an_end(fake, door, far, inside):
    fake.play(Scene((Say("word " * 20),), Cut(6, inside=inside)))
    async with door.openai() as (client, _):
        with pytest.raises(openai.APIError, match="halfdoor"):
            await chat(client, STREAMED, model=far, messages=HI)


@far
async def test_a_whole_answer_that_is_cut_is_a_bad_gateway(fake, door, far):
    fake.play(Scene(trouble=Cut()))
    async with door.openai() as (client, _):
        with pytest.raises(openai.InternalServerError, match=far) as raised:
            await chat(client, WHOLE, model=far, messages=HI)
    assert raised.value.status_code == 502


async def test_a_stream_that_cannot_be_translated_is_an_error(fake, door):
    fake.play(Scene((Say("word " * 20),), Garble(after=6)))
    async with door.openai() as (client, _):
        with pytest.raises(openai.APIError):
            await chat(client, STREAMED, model="by-messages", messages=HI)


@far
async def test_closing_a_stream_stops_the_model_within_a_second(fake, door, far):
    fake.play(Scene((Say("word " * 400),), Slow(0.02)))
    async with door.openai() as (client, _):
        stream = await client.chat.completions.create(model=far, messages=HI, stream=True)
        async with stream:
            await anext(aiter(stream))
        left = time.monotonic()
        assert await fake.gone() - left < 1


@far
@how
async def test_hanging_up_during_silence_stops_the_model_within_a_second(fake, door, far, how):
    fake.play(Scene(trouble=Stall(30)))
    async with door.openai() as (client, _):
        asking = asyncio.create_task(chat(client, how, model=far, messages=HI))
        await fake.reached()
        asking.cancel()
        left = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await fake.gone() - left < 1


@far
@how
@pytest.mark.parametrize("size", [1_000, 50_000, 400_000])
async def test_real_files_arrive_whole(fake, door, far, how, size):
    files = sources(size)
    fake.play(Scene((Report(),)))
    async with door.openai() as (client, _):
        told = await chat(client, how, **chat_body(far, files))
    heard = json.loads(told.text)
    assert list(heard["results"].values()) == [digest(text) for _, text in files]
    assert [call["file_path"] for call in heard["calls"].values()] == [path for path, _ in files]


async def test_the_bytes_sent_on_differ_only_by_the_listed_splices(engine, door):
    engine.reset()
    body = chat_body("by-engine", sources(20_000))
    body |= {"max_tokens": 64_000, "extra_body": {"x_unknown": {"kept": [1, 2.50, "é"]}}}
    async with door.openai() as (client, wire):
        await client.chat.completions.create(**body)
    expected = wire.body.replace(b'"model":"by-engine"', b'"model":"engine-model:30b"', 1)
    expected = expected.replace(b'"max_tokens":64000', b'"max_tokens":8192', 1)
    assert expected != wire.body
    assert engine.last.body == expected


async def test_usage_is_asked_for_where_the_tool_did_not_and_its_frame_is_taken_out(engine, door):
    engine.reset()
    async with door.openai() as (client, wire):
        stream = await client.chat.completions.create(model="by-engine", messages=HI, stream=True)
        async with stream:
            chunks = [chunk async for chunk in stream]
    sent = engine.last.body
    assert engine.last.json()["stream_options"] == {"include_usage": True}
    asked = b'"stream_options":{"include_usage":true}'
    without = sent.replace(b"," + asked, b"", 1).replace(asked + b",", b"", 1)
    assert without == wire.body.replace(b'"by-engine"', b'"engine-model:30b"', 1)
    assert all(chunk.choices for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("asked", [True, False], ids=["usage asked", "not asked"])
async def test_a_stream_of_the_same_dialect_reaches_the_tool_byte_for_byte(engine, door, asked):
    engine.reset()
    engine.play(Scene((Think("hm"), Say("naïve ✓ " * 30), Use("Read", {"a": "ü"}, "call_bytes"))))
    more = {"stream_options": {"include_usage": True}} if asked else {}
    async with door.openai() as (client, _):
        answer = client.chat.completions.with_streaming_response.create(
            model="by-engine", messages=HI, stream=True, **more
        )
        async with answer as opened:
            got = b"".join([piece async for piece in opened.iter_bytes()])
    frames = engine.last.sent.split(b"\n\n")
    kept = [frame for frame in frames if asked or b'"choices": []' not in frame]
    assert got == b"\n\n".join(kept)


async def test_a_whole_answer_of_the_same_dialect_reaches_the_tool_byte_for_byte(engine, door):
    engine.reset()
    async with door.openai() as (client, _):
        answer = client.chat.completions.with_streaming_response.create(
            model="by-engine", messages=HI
        )
        async with answer as opened:
            assert await opened.read() == engine.last.sent


async def test_an_unknown_model_is_a_400_that_names_the_nearest(door):
    async with door.openai() as (client, _):
        with pytest.raises(openai.BadRequestError, match="did you mean `by-chat`") as raised:
            await chat(client, WHOLE, model="by-chot", messages=HI)
    assert raised.value.code == "model_not_found"
