"""Flat plans on the line: what they pay for, who comes too late, and what is sent then."""

import dataclasses

import pytest
from msgspec import structs

from halfdoor.canon.commands import Append, Settle, Short
from halfdoor.canon.money import FREE, Budget, Price, Spending, Usage
from halfdoor.canon.plans import Beyond, Fill, Plan, Standing, Told, Use, Window
from halfdoor.canon.record import Decided
from halfdoor.canon.request import Actor
from halfdoor.flow.exchange import exchange
from tests.helpers.house import CLOUD, LOCAL, house, request
from tests.helpers.playbook import (
    PERMIT,
    SCENE,
    answered,
    begin,
    call,
    decided,
    faulted,
    held,
    outcome,
    playbook,
    reserve,
    reserve_of,
    settle,
    unrecorded,
)

TEAM = Budget("team", 10**12, "month")
PRICED = structs.replace(CLOUD, price=Price(3_000_000, 15_000_000))
FREELY = structs.replace(LOCAL, price=FREE)
MAX = Plan("max", 200 * 10**12, "month", models=("sonnet",), windows=(Window(18_000, 9),))
PAYING = structs.replace(MAX, beyond=Beyond.PAY)
ROOM = structs.replace(SCENE, spending=Spending(plans={"max": Standing((Fill(1, 1),))}))
END_S = SCENE.now_ms // 1000 + 9
SAYS = (
    ("anthropic-ratelimit-unified-5h-utilization", "0.5"),
    ("anthropic-ratelimit-unified-5h-reset", f"{END_S}"),
)


def planned(plan, *cards, budget=TEAM):
    with_plan = dataclasses.replace(house(cards), budgets=(budget,), plans=(plan,))
    return playbook(exchange(request(text="hi"), Actor(tool="test"), with_plan))


def settled(script):
    """What was settled, of money and of a plan."""
    asked = script.asked[-1]
    assert isinstance(asked, Settle)
    return asked


def test_a_call_that_a_plan_pays_for_takes_of_it_and_of_no_budget():
    script = planned(MAX, PRICED)
    script << begin() >> ROOM << decided(plan=["sonnet"]) >> PERMIT
    script << reserve_of("max", 1) >> held(script) << call("sonnet")
    assert not script.asked[-2].draws
    assert ("x-halfdoor-plan", "max, 11% of 5h") in script.asked[-1].pipe.head(())
    script >> structs.replace(answered(usage=Usage(10, 2)), headers=SAYS) << settle(0)
    assert settled(script).use == Use("max", 1, 12)
    assert settled(script).told == (Told(18_000, 500_000, END_S * 1000),)
    script >> None << outcome(result="answered", cost=0)
    (attempt,) = script.asked[-1].entry.attempts
    assert (attempt.plan, attempt.worth) == ("max", 10 * 3_000_000 + 2 * 15_000_000)


def test_who_comes_too_late_for_a_plan_that_pays_is_sent_at_list_price():
    script = planned(PAYING, PRICED)
    script << begin() >> ROOM << decided(plan=["sonnet"]) >> PERMIT
    assert script.asked[-1].entry.plan[0].most > 0
    script << reserve_of("max", 1) >> Short(("", ""), 0, "max")
    script << reserve("team") >> held(script) << call("sonnet")
    script >> answered(usage=Usage(10, 2)) << settle(60_000_000)
    assert settled(script).use == Use("max", 0, 0)
    script >> None << outcome(cost=60_000_000)
    assert script.asked[-1].entry.attempts[0].plan == ""


def test_who_comes_too_late_for_a_plan_that_pays_but_has_no_price_is_not_sent():
    script = planned(PAYING, CLOUD)
    script << begin() >> ROOM << decided(plan=["sonnet"]) >> PERMIT
    script << reserve_of("max", 1) >> Short(("", ""), 0, "max") << outcome(result="failed")
    assert b"plan `max` has no room left" in script.ends().body


def test_who_comes_too_late_for_another_plan_is_answered_by_the_next():
    script = planned(MAX, PRICED, FREELY)
    script << begin() >> ROOM << decided(plan=["sonnet", "qwen"]) >> PERMIT
    script << reserve_of("max", 1) >> Short(("", ""), 0, "max") << call("qwen")


def test_a_call_that_a_vendor_refused_takes_nothing_of_a_plan_and_its_word_is_heard():
    script = planned(MAX, PRICED)
    fault = faulted("status", 429)
    fault = structs.replace(fault, fault=structs.replace(fault.fault, headers=SAYS))
    script << begin() >> ROOM << decided() >> PERMIT << reserve_of("max", 1) >> held(script)
    script << call("sonnet") >> fault << settle(0)
    assert settled(script).use == Use("max", 0, 0)
    assert settled(script).told


def test_a_call_that_nobody_told_of_keeps_what_was_held_of_a_plan():
    script = planned(MAX, PRICED)
    script << begin() >> ROOM << decided() >> PERMIT << reserve_of("max", 1) >> held(script)
    most = script.asked[-1].use
    script << call("sonnet") >> faulted("timeout") << settle(0)
    assert settled(script).use == most
    script >> None << outcome(result="failed")
    entries = [command.entry for command in script.asked if isinstance(command, Append)]
    (planning,) = next(entry.plan for entry in entries if isinstance(entry, Decided))
    assert (planning.plan, planning.tokens) == ("max", most.tokens)


def test_a_ledger_that_cannot_hold_a_use_sends_nothing():
    script = planned(MAX, PRICED)
    script << begin() >> ROOM << decided() >> PERMIT << reserve_of("max", 1) >> unrecorded("full")
    script << outcome(result="failed")
    assert script.ends().status == 400


@pytest.mark.parametrize("budget", [TEAM, structs.replace(TEAM, limit=0)])
def test_a_full_plan_that_stops_asks_nobody_after_it_however_empty_the_purse(budget):
    script = planned(structs.replace(MAX, beyond=Beyond.STOP), PRICED, FREELY, budget=budget)
    full = structs.replace(SCENE, spending=Spending(plans={"max": Standing((Fill(9, 1, "soon"),))}))
    script << begin() >> full << decided(plan=[], refusal="plan", excluded=["sonnet"])
    script >> PERMIT << outcome(result="refused", status=400)
    assert b"plan `max` (200.00 USD a month) of `sonnet`" in script.ends().body


def test_an_answer_says_whose_full_plan_kept_the_first_choice_from_it():
    script = planned(MAX, PRICED, FREELY)
    full = structs.replace(SCENE, spending=Spending(plans={"max": Standing((Fill(9, 1, "soon"),))}))
    script << begin() >> full << decided(plan=["qwen"], instead_of=["sonnet: plan max"])
    script >> PERMIT << call("qwen")
    assert ("x-halfdoor-fallback", "sonnet: plan max") in script.asked[-1].pipe.head(())


def test_a_full_plan_is_a_400_that_names_it():
    script = planned(MAX, PRICED)
    full = structs.replace(SCENE, spending=Spending(plans={"max": Standing((Fill(9, 1, "soon"),))}))
    script << begin() >> full << decided(plan=[], refusal="plan", excluded=["sonnet"])
    script >> PERMIT << outcome(result="refused", status=400)
    said = script.ends().body
    assert b"plan `max` (200.00 USD a month) of `sonnet` has used 9 of 9 requests of 5h" in said
    assert b"some is free again soon" in said
