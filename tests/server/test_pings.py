"""Both official SDKs wait through a silence that halfdoor bridges with pings."""

import asyncio
import http.client
import json
from urllib.parse import urlsplit

import pytest

from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Say, Scene, Slow, Stall
from tests.helpers.sdk import STREAMED, chat, messages

pytestmark = pytest.mark.usefixtures("loopback")

HI = [{"role": "user", "content": "hi"}]
FAR = ["by-chat", "by-messages"]


@pytest.fixture(scope="module")
def door(shared):
    with gateway(
        backends=[
            backend("chat", shared, "openai_chat"),
            backend("messages", shared, "anthropic_messages"),
        ],
        models=[model("by-chat", "chat", "m"), model("by-messages", "messages", "m")],
        server={"ping_s": 0.03},
    ) as started:
        yield started


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("trouble", [Stall(0.2), Slow(0.08)])
async def test_the_anthropic_sdk_waits_through_pings(shared, door, far, trouble):
    shared.reset()
    shared.play(Scene((Say("slow words"),), trouble))
    async with door.anthropic() as (client, _):
        told = await messages(client, STREAMED, model=far, messages=HI)
    assert told.text == "slow words"


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("trouble", [Stall(0.2), Slow(0.08)])
async def test_the_openai_sdk_waits_through_comments(shared, door, far, trouble):
    shared.reset()
    shared.play(Scene((Say("slow words"),), trouble))
    async with door.openai() as (client, _):
        told = await chat(client, STREAMED, model=far, messages=HI)
    assert told.text == "slow words"


def raw(url, path, body):
    client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    client.request("POST", path, json.dumps(body))
    with client.getresponse() as answer:
        told = answer.read()
    client.close()
    return told


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize(
    ("path", "ping"),
    [("/v1/messages", b"event: ping\n"), ("/v1/chat/completions", b": keep-alive\n\n")],
)
async def test_pings_stand_before_the_first_event_on_the_wire(shared, door, far, path, ping):
    shared.reset()
    shared.play(Scene((Say("slow words"),), Stall(0.2)))
    body = {"model": far, "messages": HI, "max_tokens": 9, "stream": True}
    told = await asyncio.to_thread(raw, door.url, path, body)
    assert told.startswith(ping)
    assert b"slow words" in told
