"""The official Ollama SDK, through a real gateway, to backends of all dialects; and the others to Ollama."""

import asyncio
import json
import time

import ollama as ollama_package
import pytest

from tests.helpers.gateway import Gateway, backend, gateway, model
from tests.helpers.pictures import PNG, PNG_DATA
from tests.helpers.scenes import (
    Counts,
    Cut,
    ErrorEvent,
    Refuse,
    Report,
    Say,
    Scene,
    Slow,
    Stall,
    Think,
    Trouble,
    Use,
    digest,
)
from tests.helpers.sdk import STREAMED, WHOLE, Called, ollama
from tests.helpers.tongues import (
    ANSWER,
    FORMS,
    SDKS,
    TOOLS,
    again,
    asked_schema,
    picture,
    results,
)

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
PATHS = {
    "by-ollama": "/api/chat",
    "by-responses": "/v1/responses",
    "by-chat": "/v1/chat/completions",
    "by-messages": "/v1/messages",
}
READ = TOOLS["ollama"]
far = pytest.mark.parametrize("far", PATHS)
how = pytest.mark.parametrize("how", [WHOLE, STREAMED])


@pytest.fixture(scope="module")
def door(server):
    dialects = {"ollama": "ollama", "responses": "openai_responses", "chat": "openai_chat"}
    dialects["messages"] = "anthropic_messages"
    with gateway(
        backends=[backend(name, server, dialect) for name, dialect in dialects.items()],
        models=[model(f"by-{name}", name, "real-model", context_tokens=32768) for name in dialects],
        names=[{"match": "either", "choose": ["by-chat", "by-ollama"]}],
    ) as started:
        yield started


# --- The SDK of Ollama, to every dialect. ---


@far
@how
async def test_text_arrives_with_usage_and_who_answered(fake, door: Gateway, far, how):
    fake.play(Scene((Say("The state is kept in `Parser._state`. ✓"),)))
    async with door.ollama() as (client, wire):
        told = await ollama(client, how, model=far, messages=HI)
    assert told.text == "The state is kept in `Parser._state`. ✓"
    assert (told.stop, told.tokens) == ("stop", (1300, 0, 34))
    assert fake.last.path == PATHS[far]
    assert wire.headers["x-halfdoor-model"] == far


@far
@how
async def test_an_answer_cut_by_its_limit_says_so(fake, door, far, how):
    fake.play(Scene((Say("and then"),), cut_short=True, counts=Counts(9, 0, 0, 5)))
    async with door.ollama() as (client, _):
        told = await ollama(client, how, model=far, messages=HI, options={"num_predict": 5})
    assert told.stop == "length"
    assert fake.last.heard.max_tokens == 5


@far
@how
async def test_a_tool_call_makes_its_full_loop(fake, door, far, how):
    call = Use("Read", {"file_path": "src/a.py"}, f"call_{far}_{how}_o1")
    fake.play(Scene((Say("I look."), call)), Scene((Report(),)))
    asked = [{"role": "system", "content": "You code."}, *HI]
    async with door.ollama() as (client, _):
        first = await ollama(client, how, model=far, messages=asked, tools=[READ])
        result = {"role": "tool", "tool_name": "Read", "content": "x = 1"}
        turns = [*asked, first.turn, result]
        second = await ollama(client, how, model=far, messages=turns, tools=[READ])
    assert first.calls == (Called("", "Read", {"file_path": "src/a.py"}),)
    heard = json.loads(second.text)
    assert list(heard["results"].values()) == [digest("x = 1")]
    assert list(heard["calls"].values()) == [call.arguments]
    assert (heard["system"], heard["tools"]) == (digest("You code."), ["Read"])


@far
@how
async def test_parallel_calls_and_their_results_are_kept_apart_by_name(fake, door, far, how):
    calls = [Use(n, {"file_path": n}, f"call_{far}_{how}_{n}") for n in ("Read", "Stat")]
    stat = {"type": "function", "function": {**READ["function"], "name": "Stat"}}
    tools = [READ, stat]
    fake.play(Scene(tuple(calls)), Scene((Report(),)))
    async with door.ollama() as (client, _):
        first = await ollama(client, how, model=far, messages=HI, tools=tools)
        results = [
            {"role": "tool", "tool_name": name, "content": f"of {name}"}
            for name in ("Stat", "Read")
        ]
        turns = [*HI, first.turn, *results]
        second = await ollama(client, how, model=far, messages=turns, tools=tools)
    assert first.calls == tuple(Called("", c.name, c.arguments) for c in calls)
    heard = json.loads(second.text)
    by_call = {call: arguments["file_path"] for call, arguments in heard["calls"].items()}
    assert {by_call.get(call, call): text for call, text in heard["results"].items()} == {
        name: digest(f"of {name}") for name in ("Read", "Stat")
    }


@far
@how
async def test_an_image_arrives_whole(fake, door, far, how):
    fake.play(Scene((Report(),)))
    asked = [{"role": "user", "content": "what is this?", "images": [PNG_DATA]}]
    async with door.ollama() as (client, _):
        told = await ollama(client, how, model=far, messages=asked)
    assert json.loads(told.text)["images"] == [["image/png", len(PNG)]]


@far
@how
async def test_thinking_is_told_apart_from_text(fake, door, far, how):
    fake.play(Scene((Think("First the parser."), Say("Done."))))
    async with door.ollama() as (client, _):
        told = await ollama(client, how, model=far, messages=HI)
    assert (told.thought, told.text) == ("First the parser.", "Done.")


@far
@how
async def test_a_schema_for_the_answer_arrives(fake, door, far, how):
    async with door.ollama() as (client, _):
        await ollama(client, how, model=far, messages=HI, format=ANSWER)
    assert asked_schema(fake.last.json()) == ANSWER


@far
@how
async def test_a_prompt_to_complete_is_answered(fake, door, far, how):
    fake.play(Scene((Say("x = 1"),)))
    async with door.ollama() as (client, _):
        asked = {"model": far, "system": "You code.", "prompt": "set x"}
        if how == WHOLE:
            text = (await client.generate(**asked)).response
        else:
            stream = await client.generate(stream=True, **asked)
            text = "".join([piece.response async for piece in stream])
    assert text == "x = 1"
    heard = fake.last.heard
    assert (heard.system, heard.said) == (["You code."], ["set x"])


async def test_what_is_before_and_behind_the_cursor_passes_to_an_engine_of_this_protocol(
    fake, door
):
    async with door.ollama() as (client, _):
        await client.generate(model="by-ollama", prompt="def f(", suffix="    return x")
    assert fake.last.path == "/api/generate"
    assert fake.last.json()["suffix"] == "    return x"


@pytest.mark.parametrize("far", [name for name in PATHS if name != "by-ollama"])
async def test_a_suffix_is_refused_and_not_dropped_where_models_only_chat(fake, door, far):
    async with door.ollama() as (client, _):
        with pytest.raises(ollama_package.ResponseError, match="for completions") as raised:
            await client.generate(model=far, prompt="def f(", suffix="    return x")
    assert (raised.value.status_code, fake.seen) == (400, [])


async def test_what_one_dialect_cannot_say_goes_to_the_next_model_that_can(fake, door):
    async with door.ollama() as (client, wire):
        await client.generate(model="either", prompt="def f(", suffix="    return x")
    assert [seen.path for seen in fake.seen] == ["/api/generate"]
    assert wire.headers["x-halfdoor-model"] == "by-ollama"


@far
@how
@pytest.mark.parametrize("status", [400, 429, 500])
async def test_a_backends_error_reaches_the_sdk_with_its_status(fake, door, far, how, status):
    fake.play(Scene(trouble=Refuse(status, "no, because of X-17", (("retry-after", "7"),))))
    async with door.ollama() as (client, wire):
        with pytest.raises(ollama_package.ResponseError, match="because of X-17") as raised:
            await ollama(client, how, model=far, messages=HI)
    assert raised.value.status_code == status
    assert wire.headers["retry-after"] == "7"
    assert len(fake.seen) == 1


TROUBLE: dict[str, Trouble] = {
    "engine on fire": ErrorEvent("engine on fire", 3),
    "before its answer was complete": Cut(3),
}


@far
@pytest.mark.parametrize("words", TROUBLE)
async def test_trouble_inside_a_stream_is_told_and_no_end(fake, door, far, words):
    fake.play(Scene((Say("word " * 20),), TROUBLE[words]))
    async with door.ollama() as (client, _):
        with pytest.raises(ollama_package.ResponseError, match=words):
            await ollama(client, STREAMED, model=far, messages=HI)


@far
async def test_a_whole_answer_that_breaks_off_is_told(fake, door, far):
    fake.play(Scene((Say("word " * 20),), Cut()))
    async with door.ollama() as (client, _):
        with pytest.raises(ollama_package.ResponseError) as raised:
            await ollama(client, WHOLE, model=far, messages=HI)
    assert raised.value.status_code == 502


@far
@how
async def test_hanging_up_during_silence_stops_the_model_within_a_second(fake, door, far, how):
    fake.play(Scene(trouble=Stall(30)))
    async with door.ollama() as (client, _):
        asking = asyncio.create_task(ollama(client, how, model=far, messages=HI))
        await fake.reached()
        asking.cancel()
        left = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await fake.gone() - left < 1


@far
async def test_closing_a_stream_stops_the_model_within_a_second(fake, door, far):
    fake.play(Scene((Say("word " * 400),), Slow(0.02)))
    async with door.ollama() as (client, _):
        stream = await client.chat(model=far, messages=HI, stream=True)
        await anext(stream)
        await stream.aclose()
        left = time.monotonic()
        assert await fake.gone() - left < 1


async def test_a_stream_of_the_same_dialect_reaches_the_tool_byte_for_byte(fake, door):
    fake.play(Scene((Think("hm"), Say("naïve ✓ " * 30), Use("Read", {"a": "ü"}, "call_bytes"))))
    async with door.ollama() as (client, _):
        asked = {"model": "by-ollama", "messages": HI, "tools": [READ]}
        async with client._client.stream("POST", "/api/chat", json=asked) as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert raw == fake.last.sent


# --- The other SDKs, to an engine that speaks Ollama's own protocol. ---


near = pytest.mark.parametrize("near", [name for name in SDKS if name != "ollama"])


async def ask(door, near, how, asked=HI, **more):
    """One of the SDKs asks the engine."""
    sdk, send, field = SDKS[near]
    async with getattr(door, sdk)() as (client, _):
        return await send(client, how, model="by-ollama", **{field: asked}, **more)


@near
@how
async def test_every_tool_is_answered_and_the_engine_is_told_its_window(fake, door, near, how):
    fake.play(Scene((Think("hm"), Say("Done."))))
    told = await ask(door, near, how)
    assert (told.text, told.thought, told.tokens[2]) == ("Done.", "hm", 34)
    body = fake.last.json()
    assert (body["options"]["num_ctx"], body["truncate"]) == (32768, False)
    assert (fake.last.path, body["stream"]) == ("/api/chat", how == STREAMED)


@near
@how
async def test_parallel_calls_make_their_loop_with_the_engine(fake, door, near, how):
    calls = [Use("Read", {"file_path": n}, f"call_{near}_{how}_{n}") for n in "ab"]
    fake.play(Scene(tuple(calls)), Scene((Report(),)))
    first = await ask(door, near, how, tools=[TOOLS[near]])
    assert first.calls == tuple(Called(c.id, c.name, c.arguments) for c in calls)
    turns = [*HI, *again(near, first), *results(near, first)]
    second = await ask(door, near, how, turns, tools=[TOOLS[near]])
    heard = json.loads(second.text)
    assert heard["calls"] == {c.id: c.arguments for c in calls}
    assert heard["results"] == {c.id: digest(f"of {c.id}") for c in calls}


@near
@how
async def test_an_image_arrives_at_the_engine_whole(fake, door, near, how):
    fake.play(Scene((Report(),)))
    told = await ask(door, near, how, picture(near))
    assert json.loads(told.text)["images"] == [["image/png", len(PNG)]]


@near
@how
async def test_a_schema_for_the_answer_arrives_at_the_engine(fake, door, near, how):
    fake.play(Scene((Say('{"ok": true}'),)))
    told = await ask(door, near, how, **FORMS[near])
    assert json.loads(told.text) == {"ok": True}
    assert fake.last.json()["format"] == ANSWER


@near
@how
async def test_the_engines_error_reaches_each_sdk_with_its_words(fake, door, near, how):
    fake.play(Scene(trouble=Refuse(400, "the input length exceeds the context length")))
    with pytest.raises(Exception, match="exceeds the context length") as raised:
        await ask(door, near, how)
    assert getattr(raised.value, "status_code", None) == 400


@near
async def test_a_stream_that_the_engine_breaks_off_is_told(fake, door, near):
    fake.play(Scene((Say("word " * 20),), Cut(3)))
    # The accumulator of Responses has words of its own for a stream that failed.
    words = r"before its answer was complete|Didn't receive a `response\.completed` event"
    with pytest.raises(Exception, match=words):
        await ask(door, near, STREAMED)


@near
@how
async def test_hanging_up_stops_the_engine_within_a_second(fake, door, near, how):
    fake.play(Scene(trouble=Stall(30)))
    asking = asyncio.create_task(ask(door, near, how))
    await fake.reached()
    asking.cancel()
    left = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await fake.gone() - left < 1
