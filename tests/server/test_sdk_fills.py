"""Completions and embeddings whose backend speaks another protocol, asked by the official SDKs."""

import asyncio
import json
import time

import ollama
import openai
import pytest

from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Counts, Cut, ErrorEvent, Refuse, Say, Scene, Stall
from tests.helpers.vendor_embeddings import base64_of, vector

pytestmark = pytest.mark.usefixtures("loopback")

FIM = {"prompt": "def f(x):\n", "suffix": "\n    return y\n"}
FILLERS = ["by-infill", "by-mistral", "by-ollama", "by-openai"]
PATHS = {
    "by-infill": "/infill",
    "by-mistral": "/v1/fim/completions",
    "by-ollama": "/api/generate",
    "by-openai": "/v1/completions",
}


@pytest.fixture(scope="module")
def door(server):
    fills, embeds = {"kinds": ["completion"], "max_output_tokens": 64}, {"kinds": ["embedding"]}
    with gateway(
        backends=[
            backend("infill", server, "openai_chat", fim="infill"),
            backend("mistral", server, "openai_chat", fim="mistral"),
            backend("openai", server, "openai_chat"),
            backend("ollama", server, "ollama"),
        ],
        models=[
            *(model(name, name.removeprefix("by-"), "real-model", **fills) for name in FILLERS),
            model("chatty", "ollama", "real-model"),
            model("measure-openai", "openai", "real-model", **embeds),
            model("measure-ollama", "ollama", "real-model", **embeds),
        ],
        names=[
            {"match": "first-*", "choose": ["by-infill", "by-ollama"]},
            {"match": "two-*", "choose": ["measure-openai", "measure-ollama"]},
        ],
    ) as started:
        yield started


@pytest.mark.parametrize("name", FILLERS)
async def test_openais_sdk_hears_a_completion_from_each_of_them(fake, door, name):
    fake.play(Scene((Say("    y = x + 1"),), counts=Counts(9, 0, 0, 7), cut_short=True))
    async with door.openai() as (client, wire):
        told = await client.completions.create(model=name, max_tokens=500, stop=["\n\n"], **FIM)
    assert (told.object, told.choices[0].text) == ("text_completion", "    y = x + 1")
    assert told.choices[0].finish_reason == "length"
    assert (told.usage.prompt_tokens, told.usage.completion_tokens) == (9, 7)
    assert fake.last.path == PATHS[name]
    assert fake.last.heard.said == [FIM["prompt"], FIM["suffix"]]
    assert fake.last.heard.max_tokens == 64
    assert wire.headers["x-halfdoor-model"] == name


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("name", FILLERS)
async def test_openais_sdk_hears_it_piece_by_piece(fake, door, name, counted):
    fake.play(Scene((Say("    y = x + 1 + 2 + 3 + 4"),)))
    more = {"stream_options": {"include_usage": True}} if counted else {}
    async with door.openai() as (client, _):
        stream = await client.completions.create(model=name, stream=True, **FIM, **more)
        chunks = [chunk async for chunk in stream]
    said = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.text for choice in said) == "    y = x + 1 + 2 + 3 + 4"
    assert (said[-1].finish_reason, len(said) > 2) == ("stop", True)
    assert any(chunk.usage for chunk in chunks) == counted


@pytest.mark.parametrize("name", FILLERS)
async def test_ollamas_sdk_hears_it_too(fake, door, name):
    fake.play(*[Scene((Say("    y = x + 1"),))] * 2)
    async with door.ollama() as (client, _):
        whole = await client.generate(model=name, **FIM)
        stream = await client.generate(model=name, stream=True, **FIM)
        pieces = [piece async for piece in stream]
    assert (whole.response, whole.done_reason) == ("    y = x + 1", "stop")
    assert "".join(piece.response for piece in pieces) == "    y = x + 1"
    assert pieces[-1].done
    assert {seen.path for seen in fake.seen} == {PATHS[name]}


async def test_a_model_that_chats_fills_in_for_ollamas_own_protocol_only(fake, door):
    fake.play(Scene((Say("y"),)))
    async with door.ollama() as (client, _):
        assert (await client.generate(model="chatty", **FIM)).response == "y"
    async with door.openai() as (client, _):
        with pytest.raises(openai.BadRequestError, match="configured for completions"):
            await client.completions.create(model="chatty", **FIM)
    assert len(fake.seen) == 1


async def test_other_files_reach_llama_cpp_and_are_told_as_lost_by_others(fake, door):
    extra = {"input_extra": [{"filename": "a.py", "text": "A = 1"}]}
    async with door.openai() as (client, wire):
        await client.completions.create(model="by-infill", extra_body=extra, **FIM)
        assert fake.last.heard.said[0] == "A = 1"
        assert "x-halfdoor-degraded" not in wire.headers
        await client.completions.create(model="by-mistral", extra_body=extra, **FIM)
    assert wire.headers["x-halfdoor-degraded"] == "extra-context"
    assert (await door.why(wire.headers["x-halfdoor-id"]))["outcome"]["attempts"][0]["edits"] == [
        "translated",
        "degraded:extra-context",
    ]


@pytest.mark.parametrize("base", ["", "/v1", "/v1/v1"])
async def test_every_path_convention_leads_there(fake, door, base):
    fake.play(Scene((Say("y"),)))
    async with door.openai() as (client, _):
        asked = client.with_options(base_url=door.url + base).completions
        told = await asked.create(model="by-infill", **FIM)
    assert told.choices[0].text == "y"


async def test_what_only_one_prompt_can_say_is_refused_in_the_callers_words(fake, door):
    async with door.openai() as (client, _):
        with pytest.raises(openai.BadRequestError, match="only one answer to one text"):
            await client.completions.create(model="by-infill", n=2, **FIM)
    async with door.ollama() as (client, _):
        with pytest.raises(ollama.ResponseError, match="template: this way of prompting"):
            await client.generate(model="by-openai", template="{{ .Prompt }}", **FIM)
    assert fake.seen == []


@pytest.mark.parametrize("name", FILLERS[:3])
async def test_a_refusal_a_cut_and_an_error_inside_are_told_as_such(fake, door, name):
    async with door.openai() as (client, _):
        fake.play(Scene(trouble=Refuse(429, "slow down, because of X-17")))
        with pytest.raises(openai.RateLimitError, match="X-17"):
            await client.completions.create(model=name, **FIM)
        for trouble in (Cut(2), ErrorEvent("out of slots", 2)):
            fake.play(Scene((Say("word " * 20),), trouble))
            stream = await client.completions.create(model=name, stream=True, **FIM)
            with pytest.raises(openai.APIError):
                _ = [chunk async for chunk in stream]


async def test_before_its_first_byte_the_next_model_is_tried(fake, door):
    fake.play(Scene(trouble=Refuse(503, "loading")), Scene((Say("y"),)))
    async with door.openai() as (client, wire):
        told = await client.completions.create(model="first-one", **FIM)
    assert (told.choices[0].text, wire.headers["x-halfdoor-model"]) == ("y", "by-ollama")


async def test_a_caller_that_leaves_stops_its_model(fake, door):
    fake.play(Scene(trouble=Stall(30)))
    async with door.openai() as (client, _):
        asking = asyncio.create_task(client.completions.create(model="by-infill", **FIM))
        await fake.reached()
        asking.cancel()
        left = time.monotonic()
        await asyncio.gather(asking, return_exceptions=True)
        assert await fake.gone() - left < 1


# --- Embeddings. ---


@pytest.mark.parametrize("form", [None, "float", "base64"])
async def test_openais_sdk_measures_texts_with_ollama(fake, door, form):
    more = {} if form is None else {"encoding_format": form}
    async with door.openai() as (client, wire):
        told = await client.embeddings.create(
            model="measure-ollama", input=["one", "two"], dimensions=4, **more
        )
    wanted = [vector("one")[:4], vector("two")[:4]]
    packed = [base64_of(one) for one in wanted]
    assert [one.embedding for one in told.data] == (packed if form == "base64" else wanted)
    assert told.usage.prompt_tokens == 1300
    assert fake.last.path == "/api/embed"
    assert fake.last.json()["truncate"] is False
    assert wire.headers["x-halfdoor-model"] == "measure-ollama"


@pytest.mark.parametrize("name", ["measure-openai", "measure-ollama"])
async def test_ollamas_sdk_measures_texts_in_both_forms(fake, door, name):
    async with door.ollama() as (client, _):
        new = await client.embed(model=name, input=["one", "two"])
        single = await client.embed(model=name, input="one")
        old = await client.embeddings(model=name, prompt="one")
    assert new.embeddings == [vector("one"), vector("two")]
    assert new.prompt_eval_count == 1300
    assert single.embeddings == [vector("one")]
    assert old.embedding == vector("one")


async def test_two_models_never_measure_under_one_name(fake, door):
    async with door.ollama() as (client, _):
        with pytest.raises(ollama.ResponseError, match="do not compare"):
            await client.embed(model="two-x", input="one")
    assert fake.seen == []


async def test_token_ids_are_refused_where_another_model_would_read_them(fake, door):
    async with door.openai() as (client, _):
        with pytest.raises(openai.BadRequestError, match="token ids"):
            await client.embeddings.create(model="measure-ollama", input=[[1, 2, 3]])
    assert fake.seen == []


async def test_what_a_measured_text_cost_is_in_the_log(fake, door):
    async with door.ollama() as (client, wire):
        await client.embed(model="measure-ollama", input="one")
    told = await door.why(wire.headers["x-halfdoor-id"])
    assert told["outcome"]["result"] == "answered"
    assert told["outcome"]["usage"]["input_tokens"] == 1300
    assert json.loads(fake.last.body)["input"] == "one"
