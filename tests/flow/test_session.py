"""A session whose answered request carried a label keeps it; nobody else's does."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.commands import Append, Begin, Call, Remember
from halfdoor.canon.decision import Permit
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Decided
from halfdoor.canon.request import Actor
from halfdoor.canon.scene import Scene
from halfdoor.flow.exchange import exchange
from halfdoor.reading.prints import Prints
from halfdoor.store.floors import Floors
from tests.helpers.house import AWS_KEY, CLOUD, LOCAL_MESSAGES, house, request
from tests.helpers.playbook import answered, faulted, hung_up

HOUSE = house((CLOUD, LOCAL_MESSAGES))
NOW = [0]


class Desk:
    """A memory of floors, and exchanges over it. An answer is told before the outcome."""

    def __init__(self, lasts_ms: int = 1000) -> None:
        self.floors = Floors(lambda: NOW[0], lasts_ms)

    async def ask(self, asked, reply: Any = None, token: str = "", place=HOUSE) -> Decided:
        line, entry = exchange(asked, Actor(token=token, tool="t"), place), None
        answer: Any = None
        try:
            while True:
                command = line.send(answer)
                answer = None
                match command:
                    case Begin():
                        under = await self.floors.under(command.floors)
                        answer = Scene("hd_1", 0, remembered=under.labels, session=under.session)
                    case Append(entry=Decided() as decided):
                        entry = decided
                        plan = tuple((p.model, Zone[p.zone.upper()]) for p in decided.plan)
                        answer = Permit(decided.id, plan, 7, b"s")
                    case Call():
                        answer = reply or answered()
                    case Remember(floor=floor) if floor is not None:
                        await self.floors.hold(floor)
        except StopIteration:
            pass
        assert entry is not None
        return entry


def with_id(text: str, session: str = "one", **more):
    header = ("x-claude-code-session-id", session)
    return request(text=text, headers=(header,), **more)


def names(entry: Decided) -> set[str]:
    return {count.label for count in entry.labels}


SECRET = f"the key is {AWS_KEY}"


async def test_a_session_keeps_what_an_answered_request_carried():
    desk = Desk()
    assert names(await desk.ask(with_id("hello"))) == set()
    assert names(await desk.ask(with_id(SECRET))) == {"secret"}
    later = await desk.ask(with_id("hello"))
    assert [(c.label, c.places) for c in later.labels] == [("derived:secret", ("session",))]
    assert ([p.model for p in later.plan], later.rule) == (["llama"], "secret")
    assert len(later.session) == 12


async def test_another_session_or_another_tokens_session_of_the_same_id_is_free():
    desk = Desk()
    await desk.ask(with_id(SECRET), token="ann")
    assert names(await desk.ask(with_id("hello"), token="ann")) == {"derived:secret"}
    assert names(await desk.ask(with_id("hello"), token="bob")) == set()
    assert names(await desk.ask(with_id("hello", "two"), token="ann")) == set()


@pytest.mark.parametrize("reply", [faulted("connect"), faulted("status", 400), hung_up()])
async def test_a_request_that_nobody_answered_taints_nothing(reply):
    desk = Desk()
    await desk.ask(with_id(SECRET), reply)
    assert names(await desk.ask(with_id("hello"))) == set()


async def test_a_refused_request_taints_nothing():
    desk = Desk()
    refused = await desk.ask(with_id(SECRET, model="sonnet"))
    assert (refused.refusal, refused.plan) == ("explicit", ())
    assert names(await desk.ask(with_id("hello"))) == set()


@pytest.mark.parametrize("reply", [faulted("cut", committed=True), hung_up(committed=True)])
async def test_half_an_answer_is_one(reply):
    desk = Desk()
    await desk.ask(with_id(SECRET), reply)
    assert names(await desk.ask(with_id("hello"))) == {"derived:secret"}


async def test_a_floor_ends_some_time_after_its_last_answer():
    desk, NOW[0] = Desk(), 0
    await desk.ask(with_id(SECRET))
    for NOW[0] in (900, 1800, 2700):
        assert names(await desk.ask(with_id("hello"))) == {"derived:secret"}
    NOW[0] = 3701
    assert names(await desk.ask(with_id("hello"))) == set()
    NOW[0] = 0


async def test_what_is_lifted_while_a_request_is_under_way_does_not_come_back():
    desk = Desk()
    await desk.ask(with_id(SECRET))
    (floor,) = await desk.floors.standing()

    class Lifting(Desk):
        async def ask(self, asked, *more):
            line = exchange(asked, Actor(tool="t"), HOUSE)
            line.send(None)
            under = await self.floors.under((floor.mark,))
            line.send(Scene("hd_1", 0, remembered=under.labels, session=under.session))
            await self.floors.lift(floor.session)
            command = line.send(Permit("hd_1", (("llama", Zone.DEVICE),), 7, b"s"))
            while not isinstance(command, Remember):
                command = line.send(answered())
            assert command.floor is not None
            await self.floors.hold(command.floor)

    lifting = Lifting()
    lifting.floors = desk.floors
    await lifting.ask(with_id("hello"))
    assert names(await desk.ask(with_id("hello"))) == set()


# --- Without an id: the conversation is its own name. ---


def said(*turns, system="You are a helper."):
    return request(messages=list(turns), system=system)


USER = {"role": "user", "content": "fix the tests"}


def called(number):
    use = {"type": "tool_use", "id": f"toolu_{number}", "name": "Read", "input": {"a": "b"}}
    return {"role": "assistant", "content": [use]}


def result(number, text):
    part = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": text}
    return {"role": "user", "content": [part]}


SPOKEN = {"role": "assistant", "content": "Hello! How can I help?"}
READ = (USER, called(1), result(1, SECRET))


async def test_a_common_beginning_never_taints_a_stranger():
    desk = Desk()
    await desk.ask(said(USER))
    await desk.ask(said(*READ))
    for turns in ((USER,), (USER, called(2)), (USER, called(2), result(2, "x = 1"))):
        assert names(await desk.ask(said(*turns))) == set()
    assert names(await desk.ask(said(USER, SPOKEN, USER))) == set()


async def test_its_own_later_turns_stay_also_when_the_message_is_dropped():
    desk = Desk()
    await desk.ask(said(*READ))
    cleared = result(1, "[cleared]")
    for turns in ((cleared,), (cleared, SPOKEN, USER), (cleared, called(3), result(3, "x"))):
        entry = await desk.ask(said(*READ[:2], *turns))
        assert names(entry) == {"derived:secret"}, turns


async def test_plain_talk_is_known_from_the_labelled_message_on():
    desk = Desk()
    told = {"role": "user", "content": SECRET}
    await desk.ask(said(USER, SPOKEN, told))
    again = await desk.ask(said(USER, SPOKEN, told, SPOKEN, USER))
    assert names(again) == {"secret", "derived:secret"}
    assert names(await desk.ask(said(USER, SPOKEN, USER))) == set()


async def test_another_tokens_conversation_is_another():
    desk = Desk()
    await desk.ask(said(*READ), token="ann")
    cleared = said(*READ[:2], result(1, "[cleared]"))
    assert names(await desk.ask(cleared, token="bob")) == set()
    assert names(await desk.ask(cleared, token="ann")) == {"derived:secret"}


async def test_a_label_outside_the_messages_holds_the_conversation_too():
    desk = Desk()
    await desk.ask(said(*READ[:2], result(1, "x"), system=SECRET))
    assert names(await desk.ask(said(*READ[:2], result(1, "x")))) == {"derived:secret"}
    desk = Desk()
    await desk.ask(said(USER, system=SECRET))
    assert names(await desk.ask(said(USER, SPOKEN, USER))) == set()


texts = st.lists(st.sampled_from(["hello", SECRET, "why?"]), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(texts, st.booleans())
async def test_5_a_sessions_floor_only_grows(told, by_id):
    desk, before = Desk(10**9), set[str]()
    turns: list[Any] = [USER, called(0), result(0, "x")]
    for text in told:
        turns.append({"role": "user", "content": text})
        asked = with_id(text) if by_id else said(*turns[:3], turns[-1])
        entry = await desk.ask(asked)
        now = {name.removeprefix("derived:") for name in names(entry)}
        assert before <= now
        assert not before or {p.zone for p in entry.plan} <= {"device"}
        before = now


class CountingPrints(Prints):
    """Counts the links of chains that it makes."""

    links = 0

    def mark(self, kind: str, text: str) -> bytes:
        self.links += kind == "chain"
        return super().mark(kind, text)


async def test_the_chain_of_a_labelled_request_is_made_once():
    prints = CountingPrints(b"test key, 32 bytes long, no more")
    place = dataclasses.replace(HOUSE, prints=prints)
    await Desk().ask(request(text=AWS_KEY, tool_result="the file"), place=place)

    assert prints.links == 1 + 3  # its beginning, and one link a message
