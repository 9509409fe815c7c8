"""A turn that its models fail is not asked for ever, whatever its client does."""

import pytest

from halfdoor.canon.commands import Remember
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Actor
from halfdoor.canon.scene import Scene
from halfdoor.flow import tries
from halfdoor.flow.exchange import exchange
from halfdoor.flow.turns import KEPT_MS, Turns
from tests.helpers.house import CLOUD, LOCAL, OFFICE, house, request
from tests.helpers.playbook import (
    PERMIT,
    SCENE,
    answered,
    begin,
    call,
    decided,
    faulted,
    hung_up,
    outcome,
    playbook,
    remember,
)


def line(cards, asked=None):
    return playbook(exchange(asked or request(text="hello"), Actor(token="t"), house(cards)))


def after(*failed):
    return Scene(id=SCENE.id, now_ms=0, failed=failed)


def remembered(script) -> Remember:
    return next(c for c in reversed(script.asked) if isinstance(c, Remember))


def test_whoever_failed_this_turn_is_asked_behind_the_others():
    script = line([CLOUD, LOCAL])
    script << begin() >> after("sonnet") << decided(plan=["qwen"]) >> PERMIT << call("qwen")


def test_after_two_failures_nobody_is_asked_and_the_log_says_why():
    script = line([CLOUD])
    script << begin() >> after("sonnet", "sonnet") << decided(plan=[], refusal="given-up") >> PERMIT
    script << outcome(result="refused", status=400)
    reply = script.ends()
    assert reply.status == 400
    assert b"`sonnet` failed it twice a moment ago" in reply.body


def test_three_models_are_three_tries():
    script = line([CLOUD, OFFICE, LOCAL])
    script << begin() >> after("sonnet", "office") << decided(plan=["qwen"]) >> PERMIT


def test_the_last_failure_of_a_turn_is_a_400_at_which_every_tool_stops():
    script = line([CLOUD, LOCAL])
    script << begin() >> SCENE << decided() >> PERMIT << call("sonnet")
    script >> faulted("status", status=529) << call("qwen") >> faulted("cut")
    script << remember() << outcome(result="failed")
    reply = script.ends()
    assert (reply.status, dict(reply.headers)["x-should-retry"]) == (400, "false")
    assert b"nobody is asked again for this turn" in reply.body
    assert remembered(script).failed == ("sonnet", "qwen")


def test_a_first_failure_is_told_as_it_is_and_remembered():
    script = line([CLOUD])
    script << begin() >> SCENE << decided() >> PERMIT << call("sonnet")
    script >> faulted("status", status=529) << remember() << outcome(result="failed")
    assert script.ends().status == 529
    assert remembered(script).failed == ("sonnet",)


def test_an_answer_forgets_the_turn():
    script = line([CLOUD, LOCAL])
    script << begin() >> after("sonnet") << decided() >> PERMIT << call("qwen")
    script >> answered(stop="end") << remember() << outcome(result="answered")
    assert remembered(script).turn
    assert remembered(script).failed == ()


@pytest.mark.parametrize("kind", ["connect", "zone", "busy"])
def test_what_reached_no_model_is_no_try(kind):
    script = line([CLOUD])
    script << begin() >> SCENE << decided() >> PERMIT << call("sonnet")
    script >> faulted(kind, sent=0) << remember() << outcome(result="failed")
    script.ends()
    assert remembered(script).turn == b""


@pytest.mark.parametrize("over", [faulted("busy", sent=0), faulted("connect", sent=0), hung_up()])
def test_what_is_no_try_leaves_the_failures_before_it_known(over):
    script = line([CLOUD])
    script << begin() >> after("sonnet") << decided() >> PERMIT << call("sonnet")
    script >> over << remember() << outcome()
    assert remembered(script).turn == b""


def print_of(asked, token="t"):
    found = house().surveyor.survey(asked)
    return tries.turn(asked, Actor(token=token), found, house().prints)()


def test_a_turn_is_the_conversation_whatever_else_changes_when_it_is_asked_again():
    known = print_of(request(text="hi", stream=True))
    assert print_of(request(text="hi", stream=False)) == known
    assert print_of(request(text="ho")) != known
    assert print_of(request(text="hi", model="qwen")) != known
    assert print_of(request(text="hi"), token="other") != known


def test_turns_are_known_for_half_a_minute_or_as_long_as_a_backend_asks():
    turns = Turns(kept=2)
    turns.heard(b"a", ("sonnet",), 0, 0.0)
    turns.heard(b"b", ("sonnet",), 60_000, 0.0)
    assert turns.failed(b"a", KEPT_MS - 1) == ("sonnet",)
    assert turns.failed(b"a", KEPT_MS) == ()
    assert turns.failed(b"b", KEPT_MS + 59_999) == ("sonnet",)


def test_turns_are_bounded_and_an_answer_forgets_one():
    turns = Turns(kept=2)
    for turn in (b"a", b"b", b"c"):
        turns.heard(turn, ("sonnet",), 0, 0.0)
    assert not turns.failed(b"a", 1.0)
    turns.heard(b"b", (), 0, 1.0)
    assert not turns.failed(b"b", 2.0)
    assert turns.failed(b"c", 2.0)


@pytest.mark.parametrize("own", [True, False])
def test_credit_of_a_callers_own_account_is_no_try_and_halfdoors_is_one(own):
    target = Target("sonnet", "far", "s", Zone.CLOUD, "d", "v", client_credentials=own)
    assert tries.failing(target, faulted("quota", 400)) is not own
