"""The official OpenAI SDK over Responses, through a real gateway, to backends of all dialects."""

import asyncio
import json
import re
import time

import openai
import pytest

from tests.helpers.gateway import Gateway, backend, gateway, model
from tests.helpers.pictures import PNG, PNG_URL
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
from tests.helpers.sdk import STREAMED, WHOLE, Called, chat, messages, responses

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
PATHS = {
    "by-responses": "/v1/responses",
    "by-chat": "/v1/chat/completions",
    "by-messages": "/v1/messages",
}
READ = {
    "type": "function",
    "name": "Read",
    "description": "Reads.",
    "parameters": {"type": "object", "properties": {"file_path": {"type": "string"}}},
    "strict": False,
}
PATCH = {"type": "custom", "name": "apply_patch", "description": "Patches files."}
far = pytest.mark.parametrize("far", PATHS)
how = pytest.mark.parametrize("how", [WHOLE, STREAMED])


@pytest.fixture(scope="module")
def door(server):
    dialects = {"responses": "openai_responses", "chat": "openai_chat"}
    dialects["messages"] = "anthropic_messages"
    with gateway(
        backends=[backend(name, server, dialect) for name, dialect in dialects.items()],
        models=[model(f"by-{name}", name, "real-model") for name in dialects],
    ) as started:
        yield started


@far
@how
async def test_text_arrives_with_usage_and_who_answered(fake, door: Gateway, far, how):
    fake.play(Scene((Say("The state is kept in `Parser._state`. ✓"),)))
    async with door.openai() as (client, wire):
        told = await responses(client, how, model=far, input=HI)
    assert told.text == "The state is kept in `Parser._state`. ✓"
    assert (told.stop, told.tokens) == ("completed", (1300, 1000, 34))
    assert fake.last.path == PATHS[far]
    assert wire.headers["x-halfdoor-model"] == far


@far
@how
async def test_an_answer_cut_by_its_limit_says_so(fake, door, far, how):
    fake.play(Scene((Say("and then"),), cut_short=True, counts=Counts(9, 0, 0, 5)))
    async with door.openai() as (client, _):
        asked = client.responses.create(
            model=far, input=HI, max_output_tokens=5, stream=how == STREAMED, store=False
        )
        answer = await asked
        if how == STREAMED:
            answer = [event async for event in answer][-1].response
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert fake.last.heard.max_tokens == 5


@far
@how
async def test_a_tool_call_makes_its_full_loop(fake, door, far, how):
    call = Use("Read", {"file_path": "src/a.py"}, f"call_{far}_{how}_r1")
    fake.play(Scene((Say("I look."), call)), Scene((Report(),)))
    async with door.openai() as (client, _):
        asked = {"model": far, "tools": [READ], "instructions": "You code."}
        first = await responses(client, how, input=HI, **asked)
        result = {"type": "function_call_output", "call_id": call.id, "output": "x = 1"}
        turns = [*HI, *first.turn["items"], result]
        second = await responses(client, how, input=turns, **asked)
    assert first.calls == (Called(call.id, "Read", {"file_path": "src/a.py"}),)
    heard = json.loads(second.text)
    assert heard["results"] == {call.id: digest("x = 1")}
    assert heard["calls"] == {call.id: call.arguments}
    assert (heard["system"], heard["tools"]) == (digest("You code."), ["Read"])


@far
@how
async def test_parallel_calls_are_kept_apart(fake, door, far, how):
    calls = tuple(Use("Read", {"file_path": f"{n}.py"}, f"call_{far}_{how}_{n}") for n in "abc")
    fake.play(Scene(calls))
    async with door.openai() as (client, _):
        told = await responses(client, how, model=far, input=HI, tools=[READ])
    assert told.calls == tuple(Called(c.id, c.name, c.arguments) for c in calls)


@far
@how
async def test_a_custom_tools_call_keeps_its_free_text(fake, door, far, how):
    patch = "*** Begin Patch\n*** Add File: a.py\n+x = 1\n*** End Patch"
    fake.play(Scene((Use("apply_patch", {"input": patch}, f"call_{far}_{how}_p"),)))
    async with door.openai() as (client, _):
        answer = await client.responses.create(
            model=far, input=HI, tools=[PATCH], stream=how == STREAMED, store=False
        )
        if how == STREAMED:
            answer = [event async for event in answer][-1].response
    (call,) = answer.output
    assert (call.type, call.name, call.input) == ("custom_tool_call", "apply_patch", patch)


@far
async def test_an_image_arrives_whole(fake, door, far):
    fake.play(Scene((Report(),)))
    parts = [
        {"type": "input_text", "text": "what is this?"},
        {"type": "input_image", "image_url": PNG_URL},
    ]
    async with door.openai() as (client, _):
        asked = [{"role": "user", "content": parts}]
        told = await responses(client, WHOLE, model=far, input=asked)
    assert json.loads(told.text)["images"] == [["image/png", len(PNG)]]


@how
async def test_thinking_returns_to_the_vendor_that_sealed_it(fake, door, how):
    fake.play(Scene((Think("First the parser."), Say("Done."))), Scene((Report(),)))
    async with door.openai() as (client, _):
        first = await responses(client, how, model="by-responses", input=HI)
        turns = [*HI, *first.turn["items"], *HI]
        second = await responses(client, how, model="by-responses", input=turns)
    assert (first.thought, first.text) == ("First the parser.", "Done.")
    assert json.loads(second.text)["thinking"] == ["First the parser."]


@how
async def test_sealed_thinking_of_one_vendor_does_not_reach_another(fake, door, how):
    fake.play(Scene((Think("First the parser."), Say("Done."))), Scene((Report(),)))
    async with door.openai() as (client, _):
        first = await responses(client, how, model="by-messages", input=HI)
        turns = [*HI, *first.turn["items"], *HI]
        second = await responses(client, how, model="by-responses", input=turns)
    assert json.loads(second.text)["thinking"] == []


@how
async def test_chat_and_messages_are_answered_by_a_responses_backend(fake, door, how):
    fake.play(Scene((Say("by chat"),)), Scene((Think("hm"), Say("by messages"))))
    async with door.openai() as (client, _):
        told = await chat(client, how, model="by-responses", messages=HI)
    assert (told.text, told.stop, fake.last.path) == ("by chat", "stop", "/v1/responses")
    async with door.anthropic() as (client, _):
        told = await messages(client, how, model="by-responses", messages=HI)
    assert (told.text, told.thought, told.stop) == ("by messages", "hm", "end_turn")


STATUSES = {
    400: openai.BadRequestError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
}


@far
@how
@pytest.mark.parametrize("status", STATUSES)
async def test_a_backends_error_reaches_the_sdk_in_its_own_class(fake, door, far, how, status):
    fake.play(Scene(trouble=Refuse(status, "no, because of X-17", (("retry-after", "7"),))))
    async with door.openai() as (client, wire):
        with pytest.raises(STATUSES[status], match="because of X-17"):
            await responses(client, how, model=far, input=HI)
    assert wire.headers["retry-after"] == "7"
    assert len(fake.seen) == 1


async def last_words(client, far: str) -> str:
    """How a stream ended, if it did not end well: raised by the SDK, or told by its last event."""
    try:
        stream = await client.responses.create(model=far, input=HI, stream=True, store=False)
        last = [event async for event in stream][-1]
    except openai.APIError as error:
        return str(error)
    return str(last.message if last.type == "error" else last.response.error.message)


TROUBLE: dict[str, Trouble] = {
    "engine on fire": ErrorEvent("engine on fire", 6),
    "before its answer was complete": Cut(6),
}


@far
@pytest.mark.parametrize("words", TROUBLE)
async def test_trouble_inside_a_stream_is_told_and_no_end(fake, door, far, words):
    fake.play(Scene((Say("word " * 20),), TROUBLE[words]))
    async with door.openai() as (client, _):
        said = await last_words(client, far)
    assert re.search(words, said), said


@far
@how
async def test_hanging_up_during_silence_stops_the_model_within_a_second(fake, door, far, how):
    fake.play(Scene(trouble=Stall(30)))
    async with door.openai() as (client, _):
        asking = asyncio.create_task(responses(client, how, model=far, input=HI))
        await fake.reached()
        asking.cancel()
        left = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await fake.gone() - left < 1


@far
async def test_closing_a_stream_stops_the_model_within_a_second(fake, door, far):
    fake.play(Scene((Say("word " * 400),), Slow(0.02)))
    async with door.openai() as (client, _):
        stream = await client.responses.create(model=far, input=HI, stream=True, store=False)
        async with stream:
            await anext(aiter(stream))
        left = time.monotonic()
        assert await fake.gone() - left < 1


async def test_a_stream_of_the_same_dialect_reaches_the_tool_byte_for_byte(fake, door):
    fake.play(Scene((Think("hm"), Say("naïve ✓ " * 30), Use("Read", {"a": "ü"}, "call_bytes"))))
    async with door.openai() as (client, _):
        answer = client.responses.with_streaming_response.create(
            model="by-responses", input=HI, stream=True, store=False, tools=[READ]
        )
        async with answer as stream:
            raw = b"".join([chunk async for chunk in stream.iter_bytes()])
    assert raw == fake.last.sent
