"""The official Anthropic SDK through a real gateway, to backends of both dialects, streamed and whole."""

import asyncio
import json
import time

import anthropic
import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import Gateway, backend, gateway, model
from tests.helpers.pictures import PNG, PNG_DATA
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
from tests.helpers.sdk import STREAMED, WHOLE, Called, messages
from tests.helpers.sources import messages_body, messages_tools, source, sources

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
PATHS = {"by-chat": "/v1/chat/completions", "by-messages": "/v1/messages"}
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": PNG_DATA},
}
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
            backend("engine", engine, "anthropic_messages"),
        ],
        models=[
            model("by-chat", "chat", "real-model"),
            model("by-messages", "messages", "real-model"),
            model("by-engine", "engine", "engine-model:30b", max_output_tokens=8192),
        ],
    ) as started:
        yield started


def result(call, content):
    return {"type": "tool_result", "tool_use_id": call.id, "content": content}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


@far
@how
async def test_text_arrives_with_usage_and_the_headers_that_say_who_answered(
    fake, door: Gateway, far, how
):
    fake.play(Scene((Say("The state is kept in `Parser._state`. ✓"),)))
    async with door.anthropic() as (client, wire):
        told = await messages(client, how, model=far, messages=HI)
    assert told.text == "The state is kept in `Parser._state`. ✓"
    assert (told.stop, told.tokens) == ("end_turn", (300, 1000, 34))
    assert fake.last.path == PATHS[far]
    assert fake.last.json()["model"] == "real-model"
    assert wire.headers["x-halfdoor-model"] == far
    assert wire.headers["x-halfdoor-zone"] == "device"
    assert wire.headers["x-halfdoor-rule"] == "none"
    assert wire.headers["x-halfdoor-id"].startswith("hd_")


@far
@how
async def test_cached_tokens_are_beside_the_input(fake, door, far, how):
    fake.play(Scene(counts=Counts(prompt=900, cached=600, answer=7)))
    async with door.anthropic() as (client, _):
        told = await messages(client, how, model=far, messages=HI)
    assert told.tokens == (300, 600, 7)


@far
@how
async def test_an_answer_cut_by_its_limit_says_max_tokens(fake, door, far, how):
    fake.play(Scene((Say("and then"),), cut_short=True))
    async with door.anthropic() as (client, _):
        told = await messages(client, how, model=far, messages=HI, max_tokens=5)
    assert told.stop == "max_tokens"
    assert fake.last.heard.max_tokens == 5


@far
@how
async def test_a_tool_call_makes_its_full_loop(fake, door, far, how):
    path, text = source(9000)
    call_id = f"toolu_{far}_{how}_1"
    fake.play(
        Scene((Say("I look."), Use("Read", {"file_path": path, "limit": 40}, call_id))),
        Scene((Report(),)),
    )
    more = {"model": far, "tools": messages_tools(), "system": "You are a coding agent."}
    async with door.anthropic() as (client, _):
        first = await messages(client, how, messages=HI, **more)
        (call,) = first.calls
        turns = [*HI, first.turn, user(result(call, [{"type": "text", "text": text}]))]
        second = await messages(client, how, messages=turns, **more)
    assert call == Called(call_id, "Read", {"file_path": path, "limit": 40})
    assert (first.text, first.stop) == ("I look.", "tool_use")
    heard = json.loads(second.text)
    assert heard["results"] == {call.id: digest(text)}
    assert heard["calls"] == {call.id: call.arguments}
    assert heard["system"] == digest("You are a coding agent.")
    assert len(heard["tools"]) == 24


@far
@how
async def test_parallel_tool_calls_are_kept_apart_and_both_results_return(fake, door, far, how):
    wanted = (
        Called(f"toolu_{far}_{how}_2", "Read", {"file_path": "/a/b.py"}),
        Called(f"toolu_{far}_{how}_3", "Grep", {"pattern": 'def "reset"\\(', "glob": "**/*.py"}),
        Called(f"toolu_{far}_{how}_4", "TodoRead", {}),
    )
    fake.play(
        Scene(tuple(Use(call.name, call.arguments, call.id) for call in wanted)), Scene((Report(),))
    )
    async with door.anthropic() as (client, _):
        first = await messages(client, how, model=far, messages=HI, tools=messages_tools())
        results = [result(call, f"result of {call.name}") for call in first.calls]
        turns = [*HI, first.turn, user(*results, {"type": "text", "text": "go on"})]
        second = await messages(client, how, model=far, messages=turns, tools=messages_tools())
    assert first.calls == wanted
    assert first.stop == "tool_use"
    heard = json.loads(second.text)
    assert heard["results"] == {call.id: digest(f"result of {call.name}") for call in wanted}
    assert heard["calls"] == {call.id: call.arguments for call in wanted}


@far
@how
async def test_an_image_arrives_whole(fake, door, far, how):
    fake.play(Scene((Report(),)))
    asked = user(IMAGE, {"type": "text", "text": "what is this?"})
    async with door.anthropic() as (client, _):
        told = await messages(client, how, model=far, messages=[asked])
    assert json.loads(told.text)["images"] == [["image/png", len(PNG)]]
    assert json.loads(told.text)["said"] == digest("what is this?")


@far
async def test_an_image_in_a_tool_result_arrives_whole(fake, door, far):
    fake.play(
        Scene((Use("Read", {"file_path": "/a.png"}, f"toolu_{far}_png"),)), Scene((Report(),))
    )
    more = {"model": far, "tools": messages_tools()}
    async with door.anthropic() as (client, _):
        first = await messages(client, WHOLE, messages=HI, **more)
        answer = result(first.calls[0], [{"type": "text", "text": "a picture"}, IMAGE])
        second = await messages(client, WHOLE, messages=[*HI, first.turn, user(answer)], **more)
    assert json.loads(second.text)["images"] == [["image/png", len(PNG)]]


@far
@how
async def test_thinking_returns_sealed_to_the_vendor_that_made_it(fake, door, far, how):
    thought = f"First the parser, {far} {how}."
    fake.play(
        Scene((Think(thought), Use("TodoRead", {}, f"toolu_{far}_{how}_5"))), Scene((Report(),))
    )
    more = {"model": far, "tools": messages_tools()}
    async with door.anthropic() as (client, _):
        first = await messages(client, how, messages=HI, **more)
        turns = [*HI, first.turn, user(result(first.calls[0], "nothing to do"))]
        second = await messages(client, how, messages=turns, **more)
    assert first.thought == thought
    # A Chat backend seals nothing, so there is nothing that it could take back.
    assert json.loads(second.text)["thinking"] == ([thought] if far == "by-messages" else [])


@pytest.mark.parametrize(
    ("first", "then"), [("by-chat", "by-messages"), ("by-messages", "by-chat")]
)
async def test_thinking_is_dropped_when_the_next_turn_goes_to_another_vendor(
    fake, door, first, then
):
    fake.play(Scene((Think("Hm, as for me."), Say("Yes."))), Scene((Report(),)))
    async with door.anthropic() as (client, _):
        told = await messages(client, STREAMED, model=first, messages=HI)
        turns = [*HI, told.turn, {"role": "user", "content": "and now?"}]
        after = await messages(client, STREAMED, model=then, messages=turns)
    assert told.thought == "Hm, as for me."
    heard = json.loads(after.text)
    assert heard["thinking"] == []
    assert heard["said"] == digest("hi\nYes.\nand now?")


@far
async def test_a_system_message_in_the_middle_is_heard(fake, door, far):
    fake.play(Scene((Report(),)))
    turns = [*HI, {"role": "system", "content": "Be brief."}, {"role": "user", "content": "so?"}]
    async with door.anthropic() as (client, _):
        told = await messages(client, WHOLE, model=far, messages=turns, system="Be exact.")
    assert json.loads(told.text)["system"] == digest("Be exact.\nBe brief.")


STATUSES = {
    400: anthropic.BadRequestError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    529: anthropic.InternalServerError,
}


@far
@how
@pytest.mark.parametrize("status", STATUSES)
async def test_a_backends_error_reaches_the_sdk_in_its_own_class(fake, door, far, how, status):
    fake.play(Scene(trouble=Refuse(status, "no, because of X-17", (("retry-after", "7"),))))
    async with door.anthropic() as (client, wire):
        with pytest.raises(STATUSES[status], match="because of X-17") as raised:
            await messages(client, how, model=far, messages=HI)
    assert raised.value.status_code == status
    assert raised.value.api_message == "no, because of X-17"
    assert wire.headers["retry-after"] == "7"
    assert wire.headers["x-halfdoor-model"] == far
    if far == "by-messages":
        assert raised.value.response.content == fake.last.sent
        assert raised.value.request_id == "req_fake0001"
    assert len(fake.seen) == 1


@far
async def test_a_key_of_halfdoors_own_that_is_refused_is_no_401_for_the_caller(fake, door, far):
    fake.play(Scene(trouble=Refuse(401, "bad key")))
    async with door.anthropic() as (client, _):
        with pytest.raises(anthropic.BadRequestError, match="refused halfdoor's key"):
            await messages(client, WHOLE, model=far, messages=HI)


@far
async def test_an_error_inside_a_stream_is_raised_with_its_wording(fake, door, far):
    fake.play(Scene((Say("word " * 20),), ErrorEvent("the engine is on fire", after=6)))
    async with door.anthropic() as (client, _):
        with pytest.raises(anthropic.APIStatusError, match="the engine is on fire"):
            await messages(client, STREAMED, model=far, messages=HI)


@far
@pytest.mark.parametrize("inside", [True, False], ids=["inside an event", "between events"])
async def test_a_stream_that_is_cut_is_an_error_and_not_an_end(fake, door, far, inside):
    fake.play(Scene((Say("word " * 20),), Cut(6, inside=inside)))
    async with door.anthropic() as (client, _):
        with pytest.raises(anthropic.APIStatusError, match="halfdoor"):
            await messages(client, STREAMED, model=far, messages=HI)


@far
async def test_a_whole_answer_that_is_cut_is_a_bad_gateway(fake, door, far):
    fake.play(Scene(trouble=Cut()))
    async with door.anthropic() as (client, _):
        with pytest.raises(anthropic.InternalServerError, match=far) as raised:
            await messages(client, WHOLE, model=far, messages=HI)
    assert raised.value.status_code == 502


async def test_a_stream_that_cannot_be_translated_is_an_error(fake, door):
    fake.play(Scene((Say("word " * 20),), Garble(after=6)))
    async with door.anthropic() as (client, _):
        with pytest.raises(anthropic.APIStatusError):
            await messages(client, STREAMED, model="by-chat", messages=HI)


@far
async def test_closing_a_stream_stops_the_model_within_a_second(fake, door, far):
    fake.play(Scene((Say("word " * 400),), Slow(0.02)))
    async with door.anthropic() as (client, _):
        async with client.messages.stream(model=far, messages=HI, max_tokens=99) as stream:
            await anext(aiter(stream))
        left = time.monotonic()
        assert await fake.gone() - left < 1


@far
@how
async def test_hanging_up_during_silence_stops_the_model_within_a_second(fake, door, far, how):
    fake.play(Scene(trouble=Stall(30)))
    async with door.anthropic() as (client, _):
        asking = asyncio.create_task(messages(client, how, model=far, messages=HI))
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
    async with door.anthropic() as (client, _):
        told = await messages(client, how, **messages_body(far, files))
    heard = json.loads(told.text)
    assert list(heard["results"].values()) == [digest(text) for _, text in files]
    assert [call["file_path"] for call in heard["calls"].values()] == [path for path, _ in files]


async def test_the_bytes_sent_on_differ_only_by_the_listed_splices(engine, door):
    engine.reset()
    body = messages_body("by-engine", sources(20_000)) | {
        "max_tokens": 64_000,
        "metadata": {"user_id": "someone"},
        "extra_body": {"x_unknown": {"kept": [1, 2.50, "é"]}},
    }
    beta = {"anthropic-beta": "some-feature-2026-01-01"}
    async with door.anthropic(headers=beta) as (client, wire):
        await client.messages.create(**body, timeout=20)
    expected = wire.body.replace(b'"model":"by-engine"', b'"model":"engine-model:30b"', 1)
    expected = expected.replace(b'"max_tokens":64000', b'"max_tokens":8192', 1)
    expected = expected.replace(b',"metadata":{"user_id":"someone"}', b"", 1)
    assert expected != wire.body
    assert engine.last.body == expected
    assert engine.last.fields["anthropic-beta"] == "some-feature-2026-01-01"


async def test_a_stream_of_the_same_dialect_reaches_the_tool_byte_for_byte(engine, door):
    engine.reset()
    engine.play(Scene((Think("hm"), Say("naïve ✓ " * 30), Use("Read", {"a": "ü"}, "toolu_bytes"))))
    async with door.anthropic() as (client, _):
        answer = client.messages.with_streaming_response.create(
            model="by-engine", messages=HI, max_tokens=99, stream=True
        )
        async with answer as opened:
            got = b"".join([piece async for piece in opened.iter_bytes()])
    assert got == engine.last.sent


async def test_a_whole_answer_of_the_same_dialect_reaches_the_tool_byte_for_byte(engine, door):
    engine.reset()
    async with door.anthropic() as (client, _):
        answer = client.messages.with_streaming_response.create(
            model="by-engine", messages=HI, max_tokens=99
        )
        async with answer as opened:
            assert await opened.read() == engine.last.sent


async def test_an_unknown_model_is_a_400_that_names_the_nearest(door):
    async with door.anthropic() as (client, _):
        with pytest.raises(anthropic.BadRequestError, match="did you mean `by-chat`"):
            await messages(client, WHOLE, model="by-chot", messages=HI)
