"""An engine with one slot: who waits, who goes elsewhere, and who is told to come back."""

import asyncio

import pytest
from anthropic import RateLimitError

from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import AWS_KEY
from tests.helpers.scenes import Say, Scene, Slow
from tests.helpers.sdk import STREAMED, chat, messages, responses
from tests.server.test_pings import raw

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.fixture
def local(local):
    local.default = Scene((Say("some words, slowly told"),), Slow(0.3))
    return local


@pytest.fixture
def door(cloud, local):
    near = backend("near", local, "openai_chat", slots=1, queue=2, overflow_at=1)
    with gateway(
        backends=[near, backend("far", cloud, "anthropic_messages", "cloud")],
        models=[model("qwen", "near", "q"), model("sonnet", "far", "s")],
        names=[{"match": "any", "choose": ["qwen", "sonnet"]}],
        server={"ping_s": 0.05},
    ) as started:
        yield started


async def ask(door, text="hi"):
    async with door.anthropic() as (client, wire):
        said = [{"role": "user", "content": text}]
        await messages(client, STREAMED, model="any", messages=said)
        return wire.headers["x-halfdoor-model"]


async def test_what_may_leave_goes_to_the_cloud_when_enough_wait(door, cloud):
    first = [asyncio.create_task(ask(door)) for _ in range(2)]
    await door.until_waiting("near", 1)
    assert await ask(door) == "sonnet"
    assert await asyncio.gather(*first) == ["qwen", "qwen"]
    assert len(cloud.seen) == 1


async def test_what_must_stay_waits_and_is_told_when_to_come_back_beyond_the_queue(door, cloud):
    secret = f"key = {AWS_KEY}"
    waiting = [asyncio.create_task(ask(door, secret)) for _ in range(3)]
    await door.until_waiting("near", 2)
    with pytest.raises(RateLimitError) as caught:
        await ask(door, secret)
    assert int(caught.value.response.headers["retry-after"]) >= 1
    assert await asyncio.gather(*waiting) == ["qwen"] * 3
    assert not cloud.seen


HI = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(("call", "asked"), [(chat, {"messages": HI}), (responses, {"input": HI})])
async def test_openais_sdk_waits_through_the_comments_that_tell_its_place(door, call, asked):
    first = asyncio.create_task(ask(door))
    await door.until_waiting("near", 0)
    async with door.openai() as (client, _):
        told = await asyncio.gather(*(call(client, STREAMED, model="qwen", **asked) for _ in "ab"))
    assert [each.text for each in told] == ["some words, slowly told"] * 2
    assert await first == "qwen"


async def test_the_place_is_told_on_the_wire(door):
    waiting = [asyncio.create_task(ask(door, f"key = {AWS_KEY}")) for _ in range(2)]
    await door.until_waiting("near", 1)
    body = {"model": "qwen", "messages": HI, "max_tokens": 9, "stream": True}
    told = await asyncio.to_thread(raw, door.url, "/v1/chat/completions", body)
    assert told.startswith(b": waiting, ")
    await asyncio.gather(*waiting)
