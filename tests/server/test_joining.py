import asyncio
import dataclasses
import http.client
import json
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from halfdoor.canon.record import Decided, Noted, Outcome
from halfdoor.errors import LogError
from halfdoor.server import joining
from halfdoor.server.access import Access
from halfdoor.server.joining import Mark, marked
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import messages_body
from tests.helpers.scenes import Say, Scene, Slow
from tests.helpers.world import Reel, world
from tests.server.test_app import Client, app, ask, piece

FRAMES = [b'event: a\ndata: {"type":"a%d"}\n\n' % n for n in range(4)]
END = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
FIRST, AGAIN = {"x-stainless-retry-count": "0"}, {"x-stainless-retry-count": "1"}
KEYED = {"idempotency-key": "k-1"}
TWO = Access(tokens=(("ci", "s3cret"), ("dev", "0ther")))


class Caller(Client):
    """One that stops taking anything when it is told to."""

    stuck = False

    async def send(self, message):
        if self.stuck:
            await asyncio.Event().wait()
        await super().send(message)


class Room:
    """A gateway before one backend whose answer goes on when it is told to."""

    def __init__(self, *, frames=2, reels=3, **more):
        self.go = asyncio.Event()
        self.reels = [
            Reel(chunks=[*FRAMES[:frames], self.go, *FRAMES[frames:], END]) for _ in range(reels)
        ]
        self.calls = 0
        self.world = world(local=self, cloud=Reel())
        self.full = False
        services = dataclasses.replace(self.world.services, log=self)
        self.served = app(services, **more)
        self.asking = []
        self.name = "local"

    def call(self, *how):
        self.calls += 1
        return self.reels[self.calls - 1].call(*how)

    async def append(self, entry):
        if self.full and isinstance(entry, Noted):
            raise LogError("full")
        return await self.world.log.append(entry)

    async def ask(self, *headers, body=None, token=None, path="/v1/messages"):
        """Ask and wait until everything of the answer so far is there."""
        given = {name: value for more in headers for name, value in more.items()}
        if token:
            given["authorization"] = f"Bearer {token}"
        client = Caller(piece(messages_body(stream=True) if body is None else body))
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        self.asking.append(asyncio.create_task(ask(client, of=self.served, headers=raw, path=path)))
        for _ in range(200):
            await asyncio.sleep(0)
        return client

    @property
    def joins(self):
        told = [entry for entry in self.world.log.entries if isinstance(entry, Noted)]
        assert all(entry.event == "joined" for entry in told)
        return [entry.facts for entry in told]

    def log(self, kind):
        return [entry for entry in self.world.log.entries if isinstance(entry, kind)]


@asynccontextmanager
async def room(**more):
    made = Room(**more)
    try:
        async with asyncio.timeout(5):
            yield made
    finally:
        made.go.set()
        await asyncio.gather(*made.asking, return_exceptions=True)


async def ended(made, *clients):
    made.go.set()
    for client in clients:
        await client.done.wait()


WHOLE = b"".join(FRAMES) + END


@pytest.mark.parametrize(
    ("first", "again", "by"),
    [(FIRST, AGAIN, "retry-count"), (KEYED, KEYED, "idempotency-key"),
     (FIRST | KEYED, AGAIN | KEYED, "idempotency-key")],
)  # fmt: skip
async def test_a_marked_resend_joins_and_hears_the_same_bytes_from_the_beginning(first, again, by):
    async with room() as there:
        one = await there.ask(first)
        two = await there.ask(again)
        assert one.body == two.body == b"".join(FRAMES[:2])
        await ended(there, one, two)
        assert one.body == two.body == WHOLE
        assert there.calls == 1
        assert two.headers["x-halfdoor-id"] == one.headers["x-halfdoor-id"]
        assert (two.headers["x-halfdoor-joined"], "x-halfdoor-joined" in one.headers) == (
            "true",
            False,
        )
        assert there.joins == [{"exchange": one.headers["x-halfdoor-id"], "by": by}]
        await asyncio.gather(*there.asking)
        assert (len(there.log(Decided)), len(there.log(Outcome))) == (1, 1)


async def test_one_that_joins_before_the_first_byte_hears_all():
    async with room(frames=0) as there:
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        assert (one.told, two.told, there.joins) == ([], [], [])
        await ended(there, one, two)
        assert one.body == two.body == WHOLE
        assert len(there.joins) == 1


OTHERS: dict[str, tuple[dict[str, str], dict[str, str], dict[str, Any]]] = {
    "no mark at all": ({}, {}, {}),
    "the first not marked": ({}, AGAIN, {}),
    "the same count": (AGAIN, AGAIN, {}),
    "both first tries": (FIRST, FIRST, {}),
    "another key": (KEYED, {"idempotency-key": "k-2"}, {}),
    "a key only now": (FIRST, AGAIN | KEYED, {}),
    "a key too long to be one": (
        {"idempotency-key": "k" * 300},
        {"idempotency-key": "k" * 300},
        {},
    ),
    "a count that is none": (FIRST, {"x-stainless-retry-count": "-1"}, {}),
    "another body of that length": (FIRST, AGAIN, {"body": messages_body("hellp", stream=True)}),
    "another header": (FIRST, AGAIN | {"anthropic-beta": "b"}, {}),
    "another session": (FIRST, AGAIN | {"x-session-id": "s2"}, {}),
    "another path": (KEYED, KEYED, {"path": "/v1/messages/count_tokens"}),
}


@pytest.mark.parametrize("other", OTHERS)
async def test_what_is_not_a_marked_resend_of_the_same_asks_for_itself(other):
    first, again, more = OTHERS[other]
    async with room() as there:
        await there.ask(first)
        two = await there.ask(again, **more)
        assert "x-halfdoor-joined" not in two.headers
        assert (there.calls, there.joins) == (2, [])


async def test_another_token_does_not_join_even_with_the_same_key():
    async with room(access=TWO) as there:
        await there.ask(KEYED, token="s3cret")
        await there.ask(KEYED, token="0ther")
        assert there.calls == 2


async def test_another_credential_of_the_callers_own_does_not_join():
    async with room() as there:
        await there.ask(KEYED, token="sk-mine")
        await there.ask(KEYED, token="sk-yours")
        assert there.calls == 2


async def test_between_two_that_fit_nobody_is_chosen():
    async with room() as there:
        await there.ask(FIRST)
        await there.ask(FIRST)
        await there.ask(AGAIN)
        assert (there.calls, there.joins) == (3, [])


async def test_a_resend_under_other_rules_asks_for_itself():
    async with room() as there:
        await there.ask(FIRST)
        now = there.served.now
        house = dataclasses.replace(now.house, policy_hash="other")
        there.served.now = dataclasses.replace(now, house=house)
        await there.ask(AGAIN)
        assert there.calls == 2


async def test_the_first_may_hang_up_and_the_second_hears_the_rest():
    async with room() as there:
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        one.leaves.set()
        await asyncio.sleep(0.2)
        assert not there.reels[0].closed
        await ended(there, two)
        assert two.body == WHOLE
        await asyncio.gather(*there.asking)
        assert [outcome.result for outcome in there.log(Outcome)] == ["answered"]


async def test_the_second_may_hang_up_and_the_first_hears_the_rest():
    async with room() as there:
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        two.leaves.set()
        await asyncio.sleep(0.2)
        assert there.asking[1].done()
        await ended(there, one)
        assert one.body == WHOLE


async def test_when_both_have_hung_up_the_backend_is_cancelled():
    async with room() as there:
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        one.leaves.set()
        two.leaves.set()
        await asyncio.gather(*there.asking)
        assert there.reels[0].closed
        (outcome,) = there.log(Outcome)
        assert outcome.result == "hung-up"


async def test_after_a_hang_up_was_heard_nobody_joins():
    async with room() as there:
        one = await there.ask(FIRST)
        one.leaves.set()
        await asyncio.gather(*there.asking)
        await there.ask(AGAIN)
        assert (there.calls, there.joins) == (2, [])


async def test_an_answer_longer_than_what_is_kept_is_joined_by_nobody(monkeypatch):
    monkeypatch.setattr(joining, "KEPT_BYTES", 40)
    async with room() as there:
        await there.ask(FIRST)
        await there.ask(AGAIN)
        assert (there.calls, there.joins) == (2, [])


async def test_one_that_takes_nothing_is_left_behind_and_the_first_goes_on(monkeypatch):
    monkeypatch.setattr(joining, "KEPT_BYTES", len(b"".join(FRAMES[:3])))
    async with room() as there:
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        two.stuck = True
        await ended(there, one)
        assert one.body == WHOLE
        await there.asking[1]
        assert two.body == b"".join(FRAMES[:2])


async def test_when_the_first_has_gone_a_slow_second_is_waited_for(monkeypatch):
    monkeypatch.setattr(joining, "KEPT_BYTES", len(FRAMES[0]))
    async with room(frames=0) as there:
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        one.leaves.set()
        await asyncio.sleep(0.15)
        await ended(there, two)
        assert two.body == WHOLE


async def test_one_that_has_asked_again_and_takes_nothing_does_not_hold_up_the_other(monkeypatch):
    monkeypatch.setattr(joining, "GIVEN_UP_S", 0.02)
    async with room() as there:
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        one.stuck = True
        await ended(there, two)
        assert (two.body, one.body) == (WHOLE, b"".join(FRAMES[:2]))


async def test_a_call_whose_client_takes_nothing_is_not_joined():
    async with room(frames=0) as there:
        one = await there.ask(FIRST)
        one.stuck = True
        there.go.set()
        await asyncio.sleep(0.01)
        await there.ask(AGAIN)
        assert there.calls == 2
        one.leaves.set()


async def test_without_a_record_nobody_joins():
    async with room() as there:
        await there.ask(FIRST)
        there.full = True
        two = await there.ask(AGAIN)
        assert there.calls == 2
        assert "x-halfdoor-joined" not in two.headers


async def test_a_refusal_is_heard_by_both():
    async with room() as there:
        there.reels[0] = Reel(chunks=[there.go], breaks="cut")
        there.reels[0].chunks = there.reels[0].chunks_
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        await ended(there, one, two)
        assert (one.status, two.status) == (400, 400)
        assert one.body == two.body


def test_only_requests_that_say_how_often_they_were_sent_are_marked():
    assert marked([(b"host", b"x")]) is None
    assert marked([(b"x-stainless-retry-count", b"0")]) == Mark(b"", 0)
    assert marked([(b"idempotency-key", b"k")]) == Mark(b"k", -1)
    assert marked([(b"x-stainless-retry-count", b"12345")]) is None


async def test_who_joined_a_call_that_fails_inside_asks_for_itself_if_it_has_heard_nothing():
    async with room() as there:
        there.reels[0] = Reel(chunks=[there.go, 3])  # no bytes: halfdoor's own code fails
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        await ended(there, one, two)
        assert (one.status, two.status, two.body) == (500, 200, WHOLE)


async def test_who_joined_a_call_that_fails_inside_is_not_told_that_all_is_well():
    async with room() as there:
        there.reels[0] = Reel(chunks=[FRAMES[0], there.go, 3])
        one, two = await there.ask(FIRST), await there.ask(AGAIN)
        there.go.set()
        told = await asyncio.gather(*there.asking, return_exceptions=True)
        assert all(isinstance(error, Exception) for error in told)
        assert not one.done.is_set()
        assert not two.done.is_set()


# --- The same over real sockets. ---


def send(url, tries):
    body = {
        "model": "far",
        "stream": True,
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    }
    client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    client.request(
        "POST", "/v1/messages", json.dumps(body), {"x-stainless-retry-count": str(tries)}
    )
    return client


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("stays", [True, False], ids=["both stay", "the first hangs up"])
def test_two_connections_share_one_call_and_its_bytes(stays):
    scene = Scene((Say("word " * 30),), Slow(0.03))
    with FakeModel() as fake:
        fake.play(scene)
        far = backend("far", fake, "anthropic_messages")
        with gateway(backends=[far], models=[model("far", "far", "x")]) as door:
            one = send(door.url, 0)
            begun = one.getresponse()
            first = begun.read(20)
            two = send(door.url, 1)
            answer = two.getresponse()
            second = answer.read(20)
            if not stays:
                one.close()
                begun.close()
            second += answer.read()
            first += begun.read() if stays else b""
            one.close()
            two.close()
        assert len(fake.seen) == 1
        assert (answer.headers["x-halfdoor-joined"], second) == ("true", fake.last.sent)
        assert first == (second if stays else second[:20])
