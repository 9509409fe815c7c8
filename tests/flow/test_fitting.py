"""What one model refuses is not sent to it, and what was left out is told."""

import json

import pytest
from msgspec import structs

from halfdoor.canon.cards import Card
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Decided
from halfdoor.canon.request import Actor, Kind
from halfdoor.flow.drive import drive
from halfdoor.flow.exchange import exchange
from tests.helpers.house import DIALECTS, house, request
from tests.helpers.sink import MemorySink
from tests.helpers.world import Reel, world

CARD = Card("gpt", "openai", "gpt-6", Zone.CLOUD, "openai_chat", "openai")


async def sent(asked, **abilities):
    """The body that a model gets, and the edits as the log has them."""
    reel = Reel(chunks=(b"{}",))
    place = world(openai=reel)
    card = structs.replace(CARD, **abilities)
    await drive(exchange(asked, Actor(), house((card,))), place.services, MemorySink())
    entry = place.log.entries[0]
    assert isinstance(entry, Decided)
    return json.loads(reel.seen[0][1].body), entry.edits


MESSAGES = {"temperature": 0.2, "top_p": 0.9, "stop_sequences": ["x"]}


async def test_a_model_with_fixed_sampling_is_asked_without_and_under_the_younger_limit():
    body, edits = await sent(request(**MESSAGES), fixed_sampling=True)
    assert not {"temperature", "top_p", "stop", "max_tokens"} & set(body)
    assert body["max_completion_tokens"] == 100
    assert "degraded:sampling" in edits


async def test_nothing_is_said_to_be_lost_where_nothing_was_asked():
    _, edits = await sent(request(), fixed_sampling=True)
    assert edits == ("translated",)


async def test_other_models_keep_what_was_asked():
    body, edits = await sent(request(**MESSAGES))
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.2, 0.9, 100)
    assert "degraded:sampling" not in edits


EFFORTS = [
    ("low", "low", False),
    ("high", "high", False),
    ("max", "high", True),
    ("xhigh", "high", True),
    ("minimal", "low", True),
    ("unheard-of", None, True),
]


@pytest.mark.parametrize(("asked", "told", "lost"), EFFORTS)
async def test_an_effort_reaches_a_model_that_takes_one_as_the_nearest_it_knows(asked, told, lost):
    body, edits = await sent(request(output_config={"effort": asked}), effort=True)
    assert body.get("reasoning_effort") == told
    assert ("degraded:effort" in edits) == lost


async def test_an_effort_does_not_reach_a_model_that_takes_none():
    body, edits = await sent(request(output_config={"effort": "high"}))
    assert "reasoning_effort" not in body
    assert "degraded:effort" in edits


async def test_an_effort_of_chat_reaches_messages_in_its_own_words():
    asked = request(dialect="openai_chat", reasoning_effort="xhigh")
    body, _ = await sent(asked, effort=True, dialect="anthropic_messages")
    assert body["output_config"] == {"effort": "xhigh"}


OWN = {
    "temperature": 0,
    "top_p": 1,
    "stop": ["a", "}"],
    "logit_bias": {"1": 2},
    "presence_penalty": 1,
}


@pytest.mark.parametrize("first", [True, False])
async def test_in_one_dialect_they_are_taken_out_of_the_clients_own_bytes(first):
    kept = request(dialect="openai_chat", seed=7).body.decode()
    own = json.dumps(OWN)[1:-1]
    body = "{" + own + "," + kept[1:] if first else kept[:-1] + "," + own + "}"
    asked = request(body.encode(), dialect="openai_chat")
    told, edits = await sent(asked, fixed_sampling=True)
    assert told == json.loads(kept) | {"model": "gpt-6"}
    assert edits == ("model", "sampling") if not first else ("sampling", "model")


@pytest.mark.parametrize("stream", [True, False])
async def test_chats_older_limit_gets_its_younger_name_and_is_clamped(stream):
    asked = request(dialect="openai_chat", max_tokens=9000, temperature=1, stream=stream)
    told, edits = await sent(asked, fixed_sampling=True, max_output_tokens=500)
    assert told["max_completion_tokens"] == 500
    assert not {"max_tokens", "temperature"} & set(told)
    assert {"model", "max-tokens", "sampling"} <= set(edits)


async def test_a_completions_limit_has_one_name_only():
    body = b'{"model":"gpt","prompt":"def f(","max_tokens":9}'
    asked = DIALECTS["openai_chat"].read("/v1/completions", (), "", body)
    told, edits = await sent(asked, fixed_sampling=True, kinds=(Kind.COMPLETION,))
    assert told == {"model": "gpt-6", "prompt": "def f(", "max_tokens": 9}
    assert edits == ("model",)


async def test_without_that_ability_the_bytes_stay_the_clients_own():
    asked = request(dialect="openai_chat", max_tokens=9, **OWN)
    told, edits = await sent(asked)
    assert told == json.loads(asked.body) | {"model": "gpt-6"}
    assert edits == ("model",)
