"""Engines that others load, too: their own numbers decide who waits, goes elsewhere or comes back."""

import asyncio
import http.client
import json
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from anthropic import RateLimitError

from tests.backends.test_engines import PROPS, VLLM
from tests.backends.test_pressure import VLLM as VLLM_METRICS
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import AWS_KEY
from tests.helpers.scenes import Say, Scene, Slow
from tests.helpers.sdk import STREAMED, messages

pytestmark = pytest.mark.usefixtures("loopback")

SECRET = f"key = {AWS_KEY}"
QUIET = VLLM_METRICS.replace("} 2.0", "} 0.0")
FULL_SLOTS = json.dumps([{"id": each, "is_processing": True} for each in range(4)])
FREE_SLOTS = FULL_SLOTS.replace("true", "false")


def engine_of(**pages):
    return FakeModel(pages={f"/{name.replace('__', '/')}": text for name, text in pages.items()})


@asynccontextmanager
async def door_to(near, cloud, **limits):
    """Both servers, started beside the loop: what reads files may block, a loop may not."""
    await asyncio.to_thread(near.__enter__)
    try:
        async with gateway(
            backends=[
                backend("near", near, "openai_chat", **limits),
                backend("far", cloud, "anthropic_messages", "cloud"),
            ],
            models=[
                model("qwen", "near", "q"),
                model("small", "near", "s"),
                model("sonnet", "far", "s"),
            ],
            names=[
                {"match": "any", "choose": ["qwen", "sonnet"]},
                {"match": "quick", "choose": ["small", "sonnet"]},
            ],
            server={"ping_s": 0.05},
            looks=True,
        ) as door:
            yield door
    finally:
        await asyncio.to_thread(near.__exit__, None, None, None)


async def ask(door, text="hi", name="any"):
    async with door.anthropic() as (client, wire):
        said = [{"role": "user", "content": text}]
        await messages(client, STREAMED, model=name, messages=said)
        return wire.headers


async def answers(door, text="hi", name="any"):
    return (await ask(door, text, name))["x-halfdoor-model"]


async def test_what_may_leave_goes_to_the_cloud_while_a_vllm_has_requests_of_others_waiting(cloud):
    near = engine_of(v1__models=VLLM.decode(), metrics=VLLM_METRICS)
    async with door_to(near, cloud, overflow_at=2) as door:
        headers = await ask(door)
        assert (headers["x-halfdoor-model"], headers["x-halfdoor-fallback"]) == (
            "sonnet",
            "qwen: 2 waiting",
        )
        assert (await door.why(headers["x-halfdoor-id"]))["decided"]["busy"] == ["qwen: 2 waiting"]
        assert await answers(door, SECRET) == "qwen"
        near.pages["/metrics"] = QUIET
        await door.look()
        assert await answers(door) == "qwen"


async def test_what_must_stay_is_told_when_to_come_back_where_too_many_wait_in_a_vllm(cloud):
    near = engine_of(v1__models=VLLM.decode(), metrics=VLLM_METRICS)
    async with door_to(near, cloud, overflow_at=1, queue=2) as door:
        with pytest.raises(RateLimitError) as caught:
            await ask(door, SECRET)
        assert int(caught.value.response.headers["retry-after"]) >= 1
        assert not near.seen


async def test_a_llama_cpp_whose_slots_others_have_taken_sends_on_what_may_leave(cloud):
    near = engine_of(props=PROPS.decode(), slots=FULL_SLOTS)
    async with door_to(near, cloud, overflow_at=0) as door:
        assert await answers(door) == "sonnet"
        assert await answers(door, SECRET) == "qwen"
        near.pages["/slots"] = FREE_SLOTS
        await door.look()
        assert await answers(door) == "qwen"


@pytest.mark.parametrize("metrics", ["vllm:num_requests_waiting NaN\n", "#" * 2_000_000])
async def test_an_engine_that_says_strange_things_of_itself_is_not_believed(cloud, metrics):
    near = engine_of(v1__models=VLLM.decode(), metrics=metrics)
    async with door_to(near, cloud, overflow_at=0) as door:
        assert await answers(door) == "qwen"


async def test_llama_cpp_says_itself_how_many_it_answers_at_once_and_the_status_shows_who_waits(
    cloud,
):
    near = engine_of(props=PROPS.decode())
    near.default = Scene((Say("some words, slowly told"),), Slow(0.2))
    async with door_to(near, cloud) as door:
        asking = [asyncio.create_task(ask(door, SECRET)) for _ in range(6)]
        await door.until_waiting("near", 2)
        (queue,) = (await asyncio.to_thread(status, door))["queues"]
        ids = {headers["x-halfdoor-id"] for headers in await asyncio.gather(*asking)}
    assert (queue["backend"], queue["slots"], queue["running"], queue["waiting"]) == (
        "near",
        4,
        4,
        2,
    )
    assert [(each["position"], each["of"]) for each in queue["line"]] == [(1, 2), (2, 2)]
    assert {each["exchange"] for each in queue["line"]} < ids


def status(door):
    client = http.client.HTTPConnection(urlsplit(door.url).netloc, timeout=10)
    client.request("GET", "/halfdoor/status")
    with client.getresponse() as answer:
        told = json.load(answer)
    client.close()
    return told


def ollama(*loaded):
    models = [{"name": each, "model": each, "context_length": 8192} for each in loaded]
    near = engine_of(api__ps=json.dumps({"models": models}))
    near.default = Scene((Say("some words, slowly told"),), Slow(0.2))
    return near


async def test_a_request_that_would_swap_the_model_goes_elsewhere_or_waits_for_the_other(cloud):
    near = ollama("q:latest")
    async with door_to(near, cloud, overflow_at=8) as door:
        first = asyncio.create_task(answers(door))
        await near.reached()
        headers = await ask(door, name="quick")
        assert headers["x-halfdoor-fallback"] == "small: would swap"
        waited = await ask(door, SECRET, name="quick")
        assert (waited["x-halfdoor-model"], await first) == ("small", "qwen")
        told = await door.why(waited["x-halfdoor-id"])
        assert told["outcome"]["attempts"][0]["swap"] is True
    assert [seen.json()["model"] for seen in near.seen] == ["q", "s"]


async def test_an_engine_that_holds_both_models_answers_both_at_once(cloud):
    near = ollama("q:latest", "s:latest")
    async with door_to(near, cloud, overflow_at=8) as door:
        first = asyncio.create_task(answers(door))
        await near.reached()
        assert await answers(door, name="quick") == "small"
        assert await first == "qwen"
