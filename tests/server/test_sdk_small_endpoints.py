"""Embeddings, completions and counts of tokens, as the official SDKs ask for them, through a real gateway."""

import asyncio

import openai
import pytest

from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Counts, Cut, Refuse, Say, Scene, Stall
from tests.helpers.vendor_embeddings import vector

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
FIM = {"prompt": "def f(x):\n", "suffix": "\n    return y\n"}


@pytest.fixture(scope="module")
def door(server):
    with gateway(
        backends=[
            backend("chat", server, "openai_chat"),
            backend("messages", server, "anthropic_messages"),
            backend("responses", server, "openai_responses"),
        ],
        models=[
            model("embedder", "chat", "real-model", kinds=["embedding"]),
            model("filler", "chat", "real-model", kinds=["completion"], max_output_tokens=64),
            model("by-messages", "messages", "real-model"),
            model("by-responses", "responses", "real-model"),
        ],
    ) as started:
        yield started


@pytest.mark.parametrize("form", [None, "float", "base64"])
async def test_texts_become_numbers(fake, door, form):
    more = {} if form is None else {"encoding_format": form}
    async with door.openai() as (client, wire):
        told = await client.embeddings.create(model="embedder", input=["one", "two"], **more)
    # Left out, the SDK asks for base64 and unpacks it itself.
    if form != "base64":
        assert [one.embedding for one in told.data] == [vector("one"), vector("two")]
    assert told.usage.prompt_tokens == 1300
    assert wire.headers["x-halfdoor-model"] == "embedder"


async def test_packed_numbers_reach_the_tool_byte_for_byte(fake, door):
    async with door.openai() as (client, wire):
        raw = await client.embeddings.with_raw_response.create(
            model="embedder", input=["one"], encoding_format="base64"
        )
    assert raw.content == fake.last.sent
    asked = wire.body.replace(b'"embedder"', b'"real-model"')
    assert fake.last.body == asked


async def test_embeddings_refuse_a_model_that_only_chats(fake, door):
    async with door.openai() as (client, _):
        with pytest.raises(openai.BadRequestError, match="embedding"):
            await client.embeddings.create(model="by-messages", input="one")
    assert fake.seen == []


async def test_the_middle_is_filled_in_whole(fake, door):
    fake.play(Scene((Say("    y = x + 1"),), counts=Counts(9, 0, 0, 7)))
    async with door.openai() as (client, _):
        told = await client.completions.create(model="filler", max_tokens=500, **FIM)
    assert (told.choices[0].text, told.choices[0].finish_reason) == ("    y = x + 1", "stop")
    assert told.usage.completion_tokens == 7
    asked = fake.last.json()
    assert (asked["suffix"], asked["max_tokens"]) == (FIM["suffix"], 64)


@pytest.mark.parametrize("counted", [True, False])
async def test_the_middle_is_filled_in_piece_by_piece(fake, door, counted):
    fake.play(Scene((Say("    y = x + 1 + 2 + 3 + 4"),), cut_short=True))
    more = {"stream_options": {"include_usage": True}} if counted else {}
    async with door.openai() as (client, _):
        stream = await client.completions.create(model="filler", stream=True, **FIM, **more)
        chunks = [chunk async for chunk in stream]
    said = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.text for choice in said) == "    y = x + 1 + 2 + 3 + 4"
    assert said[-1].finish_reason == "length"
    assert any(chunk.usage for chunk in chunks) == counted


async def test_a_completion_that_is_cut_is_told(fake, door):
    fake.play(Scene((Say("word " * 20),), Cut(3)))
    async with door.openai() as (client, _):
        stream = await client.completions.create(model="filler", stream=True, **FIM)
        with pytest.raises(openai.APIError, match="before its answer was complete"):
            _ = [chunk async for chunk in stream]


@pytest.mark.parametrize("what", ["embeddings", "completions"])
async def test_a_backends_error_reaches_the_sdk_in_its_own_class(fake, door, what):
    fake.play(Scene(trouble=Refuse(429, "slow down, because of X-17")))
    async with door.openai() as (client, _):
        with pytest.raises(openai.RateLimitError, match="X-17"):
            if what == "embeddings":
                await client.embeddings.create(model="embedder", input="x")
            else:
                await client.completions.create(model="filler", **FIM)


async def test_the_vendor_counts_a_request_that_may_go_to_it(fake, door):
    async with door.anthropic() as (client, wire):
        told = await client.messages.count_tokens(model="by-messages", messages=HI)
    assert (told.input_tokens, fake.last.path) == (1300, "/v1/messages/count_tokens")
    assert wire.headers["x-halfdoor-model"] == "by-messages"
    async with door.openai() as (client, _):
        told = await client.responses.input_tokens.count(model="by-responses", input=HI)
    assert (told.input_tokens, fake.last.path) == (1300, "/v1/responses/input_tokens")
    assert told.object == "response.input_tokens"


async def test_what_no_vendor_of_the_dialect_would_see_is_counted_here(fake, door):
    async with door.anthropic() as (client, wire):
        told = await client.messages.count_tokens(
            model="by-responses", messages=[{"role": "user", "content": "word " * 700}]
        )
    assert 900 < told.input_tokens < 1200
    assert (wire.headers["x-halfdoor-model"], fake.seen) == ("none", [])
    async with door.openai() as (client, _):
        told = await client.responses.input_tokens.count(model="by-messages", input="word " * 700)
    assert 900 < told.input_tokens < 1200
    assert fake.seen == []


@pytest.mark.parametrize("trouble", [Refuse(404, "no such page"), Cut(), Refuse(500, "no")])
async def test_what_the_vendor_does_not_count_is_counted_here(fake, door, trouble):
    fake.play(Scene(trouble=trouble))
    async with door.anthropic() as (client, _):
        told = await client.messages.count_tokens(model="by-messages", messages=HI)
    assert 1 <= told.input_tokens < 100


async def test_fifteen_counts_at_once_are_all_answered(fake, door):
    fake.play(*[Scene(trouble=Stall(0.05))] * 15)
    async with door.anthropic() as (client, _):
        count = client.messages.count_tokens
        told = await asyncio.gather(*(count(model="by-messages", messages=HI) for _ in range(15)))
    assert [one.input_tokens for one in told] == [1300] * 15


async def test_a_vendor_that_keeps_openais_paths_below_its_own_version_is_found(fake):
    url = fake.url + "/v1beta/openai/"
    below = backend("gemini", fake, "openai_chat") | {"url": url}
    models = [
        model("chatter", "gemini", "real-model"),
        model("measurer", "gemini", "real-model", kinds=["embedding"]),
    ]
    fake.play(Scene((Say("hello"),)))
    async with gateway(backends=[below], models=models) as started, started.openai() as (client, _):
        told = await client.chat.completions.create(model="chatter", messages=HI)
        measured = await client.embeddings.create(model="measurer", input="one")
    assert told.choices[0].message.content == "hello"
    assert measured.data[0].embedding == vector("one")
    paths = [seen.path for seen in fake.seen]
    assert paths == ["/v1beta/openai/chat/completions", "/v1beta/openai/embeddings"]
