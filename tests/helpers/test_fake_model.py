"""The oracle is tried first: the official SDKs speak to it, and it refuses what the vendors refuse."""

import base64
import json
import time

import anthropic
import httpx2
import openai
import pytest

from tests.helpers.fake_model import FakeModel, Seen
from tests.helpers.scenes import (
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
from tests.helpers.sdk import STREAMED, WHOLE, Called, anthropic_sdk, chat, messages, openai_sdk
from tests.helpers.sources import chat_body, messages_body, sources

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
NEEDLE = b"needle-4f9c2b7e11d0a863"
THOUGHT, SAID = "First I look at the state.", "It is kept in two places."
CALLS = (
    Called("toolu_1", "Read", {"file_path": "/a.py"}),
    Called("toolu_2", "Grep", {"pattern": 'reset"'}),
)
EVERYTHING = Scene(
    (
        Think(THOUGHT),
        Say(SAID),
        *(Use(call.name, call.arguments, call.id) for call in CALLS),
    )
)
how = pytest.mark.parametrize("how", [WHOLE, STREAMED])


@pytest.fixture(scope="module")
def server():
    with FakeModel() as fake:
        yield fake


@pytest.fixture
def fake(server):
    server.reset()
    return server


def test_it_starts_within_50_ms():
    began = time.perf_counter()
    with FakeModel():
        assert time.perf_counter() - began < 0.05


@how
async def test_the_openai_sdk_reads_all_that_a_scene_holds(fake, how):
    fake.play(EVERYTHING)
    async with openai_sdk(fake.url) as (client, _):
        told = await chat(client, how, model="m", messages=HI)
    assert (told.text, told.thought) == (SAID, THOUGHT)
    assert told.calls == CALLS
    assert (told.stop, told.tokens) == ("tool_calls", (1300, 1000, 34))


@how
async def test_the_anthropic_sdk_reads_all_that_a_scene_holds(fake, how):
    fake.play(EVERYTHING)
    async with anthropic_sdk(fake.url) as (client, _):
        told = await messages(client, how, model="m", messages=HI)
    assert (told.text, told.thought) == (SAID, THOUGHT)
    assert told.calls == CALLS
    assert (told.stop, told.tokens) == ("tool_use", (300, 1000, 34))


async def test_real_files_are_heard_whole_in_both_shapes(fake):
    files = sources(50_000)
    fake.play(Scene((Report(),)), Scene((Report(),)))
    async with openai_sdk(fake.url) as (client, _):
        by_chat = await chat(client, WHOLE, **chat_body("m", files))
    async with anthropic_sdk(fake.url) as (client, _):
        by_messages = await messages(client, WHOLE, **messages_body("m", files))
    texts = [digest(text) for _, text in files]
    assert list(json.loads(by_chat.text)["results"].values()) == texts
    assert list(json.loads(by_messages.text)["results"].values()) == texts


async def test_a_refusal_has_the_vendors_shape(fake):
    told = Refuse(429, "slow down, please", (("retry-after", "7"),))
    fake.play(Scene(trouble=told), Scene(trouble=told))
    async with openai_sdk(fake.url) as (client, _):
        with pytest.raises(openai.RateLimitError, match="slow down") as by_chat:
            await chat(client, WHOLE, model="m", messages=HI)
    async with anthropic_sdk(fake.url) as (client, _):
        with pytest.raises(anthropic.RateLimitError, match="slow down") as by_messages:
            await messages(client, WHOLE, model="m", messages=HI)
    assert by_chat.value.code == "rate_limit_exceeded"
    assert by_chat.value.response.headers["retry-after"] == "7"
    assert by_messages.value.type == "rate_limit_error"
    assert by_messages.value.request_id


@pytest.mark.parametrize("trouble", [ErrorEvent("overloaded"), Cut(), Garble()], ids=repr)
async def test_a_stream_that_breaks_is_an_error_for_both_sdks(fake, trouble):
    fake.play(Scene(trouble=trouble), Scene(trouble=trouble))
    broken = (openai.APIError, anthropic.APIError, httpx2.HTTPError, ValueError)
    async with openai_sdk(fake.url) as (client, _):
        with pytest.raises(broken):
            await chat(client, STREAMED, model="m", messages=HI)
    async with anthropic_sdk(fake.url) as (client, _):
        with pytest.raises(broken):
            await messages(client, STREAMED, model="m", messages=HI)


async def test_a_whole_answer_can_be_cut(fake):
    fake.play(Scene(trouble=Cut()))
    async with openai_sdk(fake.url) as (client, _):
        with pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):
            await chat(client, WHOLE, model="m", messages=HI)


async def test_it_notices_a_caller_that_leaves_a_slow_stream(fake):
    fake.play(Scene((Say("word " * 200),), Slow(0.02)))
    async with openai_sdk(fake.url) as (client, _):
        async with await client.chat.completions.create(
            model="m", messages=HI, stream=True
        ) as stream:
            await anext(aiter(stream))
        left = time.monotonic()
    assert await fake.gone() - left < 0.5


async def test_it_notices_a_caller_that_leaves_during_silence(fake):
    fake.play(Scene(trouble=Stall(20)))
    async with openai_sdk(fake.url) as (client, _):
        with pytest.raises(openai.APITimeoutError):
            await client.with_options(timeout=0.1).chat.completions.create(model="m", messages=HI)
        left = time.monotonic()
    assert await fake.gone() - left < 0.5


CALL = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}}],
}
CHAT_CALL = {
    "role": "assistant",
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "Read", "arguments": "{}"}}
    ],
}
BAD_MESSAGES = {
    "an unanswered call": ({"messages": [*HI, CALL, *HI]}, "without `tool_result`"),
    "a call at the end": ({"messages": [*HI, CALL]}, "without `tool_result`"),
    "an assistant first": (
        {"messages": [{"role": "assistant", "content": "x"}]},
        "must use the user role",
    ),
    "an empty text": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
        "must be non-empty",
    ),
    "an empty message": (
        {"messages": [*HI, {"role": "assistant", "content": ""}]},
        "non-empty content",
    ),
    "a foreign seal": (
        {
            "messages": [
                *HI,
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": "x", "signature": "y"}],
                },
            ]
        },
        "Invalid `signature`",
    ),
    "no limit": ({"max_tokens": None, "messages": HI}, "max_tokens"),
    "a Chat field": ({"messages": HI, "extra_body": {"frequency_penalty": 1}}, "Extra inputs"),
    "a hot temperature": ({"messages": HI, "extra_body": {"temperature": 1.5}}, "range: 0..1"),
}


@pytest.mark.parametrize(("body", "why"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
async def test_messages_refuses_what_its_vendor_refuses(fake, body, why):
    async with anthropic_sdk(fake.url) as (client, _):
        with pytest.raises(anthropic.BadRequestError, match=why):
            await client.messages.create(model="m", **{"max_tokens": 64, **body})


BAD_CHAT = {
    "an unanswered call": ({"messages": [*HI, CHAT_CALL, *HI]}, "must be followed by tool"),
    "an orphan result": (
        {"messages": [*HI, {"role": "tool", "tool_call_id": "call_9", "content": "x"}]},
        "must be a response",
    ),
    "an image from a tool": (
        {
            "messages": [
                *HI,
                CHAT_CALL,
                {
                    "role": "tool",
                    "tool_call_id": "call_1",
                    "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}],
                },
            ]
        },
        "Supported values for tool",
    ),
    "a Messages field": ({"messages": HI, "extra_body": {"top_k": 4}}, "Unrecognized"),
    "a cache mark": (
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}
            ]
        },
        "Unknown parameter",
    ),
    "a choice without tools": ({"messages": HI, "tool_choice": "auto"}, "only allowed when"),
    "two limits": ({"messages": HI, "max_tokens": 5, "max_completion_tokens": 5}, "same time"),
    "usage for a whole answer": (
        {"messages": HI, "stream_options": {"include_usage": True}},
        "only allowed when",
    ),
}


@pytest.mark.parametrize(("body", "why"), BAD_CHAT.values(), ids=BAD_CHAT)
async def test_chat_refuses_what_its_vendor_refuses(fake, body, why):
    async with openai_sdk(fake.url) as (client, _):
        with pytest.raises(openai.BadRequestError, match=why):
            await client.chat.completions.create(model="m", **body)


async def test_it_accepts_the_thinking_it_sealed_itself(fake):
    fake.play(Scene((Think("so it is"), Say("yes"))), Scene((Report(),)))
    async with anthropic_sdk(fake.url) as (client, _):
        first = await messages(client, WHOLE, model="m", messages=HI)
        turns = [*HI, first.turn, *HI]
        second = await messages(client, WHOLE, model="m", messages=turns)
    assert json.loads(second.text)["thinking"] == ["so it is"]


async def test_key_model_and_limit_are_held_to_when_they_are_set():
    with FakeModel(frozenset({"m"}), key="k1", max_output_tokens=100) as fake:
        async with anthropic_sdk(fake.url, key="k2") as (client, _):
            with pytest.raises(anthropic.AuthenticationError):
                await messages(client, WHOLE, model="m", messages=HI)
        async with anthropic_sdk(fake.url, key="k1") as (client, _):
            with pytest.raises(anthropic.NotFoundError):
                await messages(client, WHOLE, model="other", messages=HI, max_tokens=9)
            with pytest.raises(anthropic.BadRequestError, match="max_tokens: 101 > 100"):
                await messages(client, WHOLE, model="m", messages=HI, max_tokens=101)


def seen(*, target="/v1/messages", body=b"{}", headers=()):
    return Seen(target, tuple(headers), body, 0.0)


HIDDEN = {
    "a header": seen(headers=[(b"X-Note", b"see " + NEEDLE)]),
    "the query": seen(target=f"/v1/messages?x={NEEDLE.decode()}"),
    "a percent-encoded query": seen(
        target="/v1/messages?x=" + "".join(f"%{c:02x}" for c in NEEDLE)
    ),
    "a value": seen(body=json.dumps({"a": [NEEDLE.decode()]}).encode()),
    "a key": seen(body=json.dumps({"a": {NEEDLE.decode(): 1}}).encode()),
    "escapes": seen(body=b'{"a":"' + b"".join(b"\\u%04x" % c for c in NEEDLE) + b'"}'),
    "JSON in a string": seen(
        body=json.dumps({"a": json.dumps({"b": f'"{NEEDLE.decode()}'})}).encode()
    ),
    "hex": seen(body=json.dumps({"a": NEEDLE.hex()}).encode()),
    **{
        f"base64 after {n} bytes": seen(
            body=json.dumps({"a": base64.b64encode(b"k" * n + NEEDLE + b"\n").decode()}).encode()
        )
        for n in range(4)
    },
    "wrapped base64": seen(
        body=json.dumps({"a": base64.encodebytes(b"k" * 50 + NEEDLE).decode()}).encode()
    ),
}


@pytest.mark.parametrize("where", HIDDEN)
def test_a_needle_is_found_in_every_disguise(where):
    assert HIDDEN[where].saw(NEEDLE)
    assert not HIDDEN[where].saw(b"another-" + NEEDLE[::-1])
