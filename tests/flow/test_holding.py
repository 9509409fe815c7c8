"""What is held reaches its client complete or not at all, and another model may still answer."""

import dataclasses

import msgspec
import pytest

from halfdoor.canon.record import Decided, Outcome
from halfdoor.canon.request import Actor
from halfdoor.errors import BackendError
from halfdoor.flow import holding
from halfdoor.flow.drive import drive
from halfdoor.flow.exchange import exchange
from halfdoor.flow.holding import Held
from halfdoor.flow.pipe import through
from tests.flow.test_drive import START, STOP
from tests.helpers.house import CLOUD, DIALECTS, LOCAL_MESSAGES, house, request
from tests.helpers.sink import MemorySink
from tests.helpers.world import Reel, Wait, world

HOUSE = dataclasses.replace(house((CLOUD, LOCAL_MESSAGES)), hold_for=frozenset({"aider"}))


async def run(place, *, tool="aider", hold=False):
    sink = MemorySink()
    asked = msgspec.structs.replace(request(stream=True), hold=hold)
    await drive(exchange(asked, Actor(tool=tool), HOUSE), place.services, sink)
    return sink


def entries(place):
    decided, outcome = place.log.entries
    assert isinstance(decided, Decided)
    assert isinstance(outcome, Outcome)
    return decided, outcome


@pytest.mark.parametrize(("tool", "hold"), [("aider", False), ("claude-code", True)])
async def test_a_stream_that_breaks_off_while_it_is_held_moves_on_unseen(tool, hold):
    place = world(
        anthropic=Reel(chunks=(START,), breaks="cut"), llamacpp=Reel(chunks=(START, STOP))
    )
    sink = await run(place, tool=tool, hold=hold)
    assert (sink.status, sink.body) == (200, START + STOP)
    assert sink.headers["x-halfdoor-model"] == "llama"
    decided, outcome = entries(place)
    assert [attempt.result for attempt in outcome.attempts] == ["cut", "answered"]
    assert all("held" in attempt.edits for attempt in outcome.attempts)
    assert "held" in decided.edits


async def test_a_stream_without_its_end_counts_as_broken_off():
    place = world(anthropic=Reel(chunks=(START,)), llamacpp=Reel(chunks=(START,)))
    sink = await run(place)
    assert sink.status == 400  # each was asked: what asks for this again is not heard
    assert b"broke off while it was held" in sink.body
    assert START not in sink.body


async def test_others_hear_their_stream_as_it_comes():
    place = world(
        anthropic=Reel(chunks=(START,), breaks="cut"), llamacpp=Reel(chunks=(START, STOP))
    )
    sink = await run(place, tool="claude-code")
    assert sink.body.startswith(START)
    assert "held" not in entries(place)[0].edits


async def test_a_held_answer_is_never_pinged_because_a_ping_commits():
    place = world(anthropic=Reel(chunks=(Wait(0.1), START, STOP)))
    place.services = dataclasses.replace(place.services, ping_s=0.02)
    assert (await run(place)).body == START + STOP


def test_more_than_may_be_held_is_a_fault_of_the_backend(monkeypatch):
    monkeypatch.setattr(holding, "ANSWER_LIMIT_BYTES", 10)
    near = DIALECTS["anthropic_messages"]
    pipe = Held(through(request(stream=True), near, (), texts=False))
    with pytest.raises(BackendError, match="exceeds"):
        pipe.feed(START)
