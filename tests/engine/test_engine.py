"""A real engine behind halfdoor: what scripted fakes cannot show, because they share our ideas."""

import asyncio

import anthropic
import openai
import pytest

from tests.engine.server import CONTEXT_TOKENS
from tests.engine.tiny import model as tiny
from tests.helpers.sdk import STREAMED, WHOLE
from tests.helpers.tongues import SDKS

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("loopback")]

HI = [{"role": "user", "content": "Write a function."}]
HOW = pytest.mark.parametrize("how", [WHOLE, STREAMED])
WRITE = {
    "type": "object",
    "properties": {"file_path": {"type": "string"}, "content": {"type": "string"}},
    "required": ["file_path", "content"],
}
# A token of the tiny model is a byte or more.
TOO_LONG = [{"role": "user", "content": "7 " * CONTEXT_TOKENS}]


def limit(near):
    """The longest answer, as each dialect says it."""
    if near == "ollama":
        return {"options": {"num_predict": 40}}
    return {"max_output_tokens" if near == "openai_responses" else "max_tokens": 40}


@HOW
@pytest.mark.parametrize("near", SDKS)
async def test_every_dialect_is_answered_by_a_real_model(door, near, how):
    sdk, call, said = SDKS[near]
    async with getattr(door, sdk)() as (client, wire):
        told = await call(client, how, model="tiny", **{said: HI}, **limit(near))
    assert told.text.startswith("def ")
    assert told.stop
    assert wire.headers["x-halfdoor-zone"] == "device"
    # This engine counts no tokens of a stream, whatever it is asked.
    assert (told.tokens[0] > 5) is (how == WHOLE)


async def test_what_the_model_thought_of_each_token_reaches_the_client(door):
    async with door.openai() as (client, _):
        answer = await client.chat.completions.create(
            model="tiny", messages=HI, max_tokens=12, logprobs=True, top_logprobs=2
        )
    tokens = answer.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == answer.choices[0].message.content
    assert len({token.logprob for token in tokens}) > 3
    assert all(token.logprob < 0 and len(token.top_logprobs) >= 2 for token in tokens)


async def test_a_stream_comes_token_by_token_with_its_probabilities(door):
    async with door.openai() as (client, _):
        stream = await client.chat.completions.create(
            model="tiny", messages=HI, max_tokens=12, logprobs=True, top_logprobs=2, stream=True
        )
        chunks = [chunk.choices[0] async for chunk in stream]
    sure = [token.logprob for chunk in chunks if chunk.logprobs for token in chunk.logprobs.content]
    assert len(chunks) > 8
    assert len(sure) > 8
    assert chunks[-1].finish_reason


@HOW
async def test_a_prompt_is_completed(door, how):
    async with door.openai() as (client, _):
        asked = {"model": "tiny", "prompt": "def read_", "max_tokens": 12}
        if how == WHOLE:
            text = (await client.completions.create(**asked)).choices[0].text
        else:
            stream = await client.completions.create(stream=True, **asked)
            text = "".join([chunk.choices[0].text async for chunk in stream])
    assert text.strip()


async def test_texts_are_embedded(door):
    async with door.openai() as (client, _):
        answer = await client.embeddings.create(
            model="tiny", input=["def read_line", "return None"], encoding_format="float"
        )
    one, other = (item.embedding for item in answer.data)
    assert len(one) == len(other) == 1024
    assert one != other


async def test_who_hangs_up_is_heard_by_the_engine(door, real):
    async with door.openai() as (client, _):
        stream = await client.chat.completions.create(
            model="tiny", messages=HI, max_tokens=12_000, stream=True,
            extra_body={"min_tokens": 12_000},
        )  # fmt: skip
        async for _ in stream:
            break
        assert "disconnected" not in real.said()
        await stream.close()
        await asyncio.to_thread(real.wait_until_it_says, "disconnected")
        after = await client.chat.completions.create(model="tiny", messages=HI, max_tokens=5)
    assert after.usage.completion_tokens == 5


async def test_input_beyond_the_engines_window_is_refused_in_the_callers_shape(door):
    async with door.openai() as (client, _):
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(model="tiny", messages=TOO_LONG)
    assert caught.value.code == "context_length_exceeded"
    async with door.anthropic() as (client, _):
        with pytest.raises(anthropic.BadRequestError, match=r"too long|context"):
            await client.messages.create(model="tiny", messages=TOO_LONG, max_tokens=10)


async def test_an_engine_that_breaks_off_over_its_input_is_no_empty_answer(door):
    """Asked for a stream, this one promises 200, finds the input too long and closes."""
    async with door.openai() as (client, _):
        with pytest.raises(openai.InternalServerError, match="ended before it began"):
            await SDKS["openai_chat"][1](client, STREAMED, model="tiny", messages=TOO_LONG)


@HOW
@pytest.mark.parametrize("near", ["anthropic_messages", "openai_responses", "ollama"])
async def test_a_call_that_this_engine_leaves_in_its_text_is_a_call(door, near, how):
    tool = {"name": tiny.TOOL, "description": "It writes a file."}
    tools = {
        "anthropic_messages": {**tool, "input_schema": WRITE},
        "openai_responses": {**tool, "type": "function", "parameters": WRITE, "strict": False},
        "ollama": {"type": "function", "function": {**tool, "parameters": WRITE}},
    }
    sdk, call, said = SDKS[near]
    async with getattr(door, sdk)() as (client, _):
        told = await call(client, how, model="tiny", **{said: HI}, tools=[tools[near]])
    assert [(c.name, c.arguments) for c in told.calls] == [(tiny.TOOL, tiny.ARGUMENTS)]
    assert told.text == ""


async def test_in_its_own_dialect_that_text_is_left_as_it_is(door):
    tool = {"name": tiny.TOOL, "parameters": WRITE}
    async with door.openai() as (client, _):
        answer = await client.chat.completions.create(
            model="tiny", messages=HI, tools=[{"type": "function", "function": tool}]
        )
    assert answer.choices[0].message.content == tiny.CALL


async def test_a_turn_after_a_tools_result_is_the_scripts_end(door):
    call = {"name": "Write", "arguments": "{}"}
    turns = [
        *HI,
        {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]
    async with door.openai() as (client, _):
        answer = await client.chat.completions.create(model="tiny", messages=turns)
    assert answer.choices[0].message.content == tiny.DONE
