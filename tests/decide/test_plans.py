import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from halfdoor.canon.decision import Target, Verdict
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import FREE, Budget, Price, Spending
from halfdoor.canon.plans import Beyond, Fill, Plan, Standing, Told, Use, Window
from halfdoor.canon.request import Actor
from halfdoor.canon.scene import Scene
from halfdoor.decide.budgets import afford
from halfdoor.decide.plans import beyond, halted, under_plans, use
from halfdoor.decide.route import Situation
from halfdoor.decide.strategies.cheapest import cheapest
from tests.helpers.house import request

USD = 10**12
PRICE = Price(3_000_000, 15_000_000)
SONNET = Target("sonnet", "anthropic", "claude-5", Zone.CLOUD, "d", "v", price=PRICE)
QWEN = Target("qwen", "ollama", "qwen3", Zone.DEVICE, "d", "v", price=FREE)
BOTH = Verdict(Zone.CLOUD, (SONNET, QWEN))
NEED = {"sonnet": 1_100, "qwen": 1_100}
FIVE_HOURS = Window(18_000, requests=10, tokens=5_000)
MAX = Plan("max", 200 * USD, "month", backends=("anthropic",), windows=(FIVE_HOURS,))
UNLIMITED = replace(MAX, windows=())
FREE_AT = "2026-11-21 14:15 CET"
HARD = Budget("team", 0, "month")
ANN = Actor("ann-laptop", "codex", "shop", person="ann", team="web")


def thousand(_model):
    return 1_000


def used(requests=0, tokens=0, *told):
    return {"max": Standing((Fill(requests, tokens, FREE_AT),), told)}


def said(ppm):
    return {"max": Standing((), (Told(18_000, ppm, 9, FREE_AT),))}


def covered(plan, standings, verdict=BOTH):
    return under_plans(verdict, (plan,), standings, NEED)


def names(verdict):
    return [target.name for target in verdict.permitted]


def test_what_a_plan_has_room_for_costs_nothing_and_keeps_its_list_price():
    found = covered(MAX, used(9, 3_900))
    sonnet, qwen = found.verdict.permitted
    assert (sonnet.price, sonnet.plan, sonnet.listed) == (FREE, "max", PRICE)
    assert qwen == QWEN
    assert found.told == {"sonnet": "max, 90% of 5h"}
    assert use(sonnet, 1_100) == Use("max", 1, 1_100)


def test_under_cheapest_a_plan_with_room_is_not_dearer_than_the_device():
    verdict = covered(MAX, used()).verdict
    order = cheapest(verdict.permitted, Situation(Scene("hd_1", 0), thousand, 100))
    assert [target.name for target in order] == ["sonnet", "qwen"]


@pytest.mark.parametrize("standings", [used(10, 0), used(0, 3_901), said(1_000_000)])
def test_a_full_plan_leaves_its_models_out_and_the_next_one_answers(standings):
    found = covered(MAX, standings)
    assert names(found.verdict) == ["qwen"]
    (left,) = found.verdict.excluded
    assert (left.target, left.rule, left.label) == ("sonnet", "max", "plan")
    assert not found.verdict.refusal


def test_a_refusal_names_the_plan_what_was_used_and_when_some_is_free_again():
    found = covered(MAX, used(10), Verdict(Zone.CLOUD, (SONNET,)))
    assert found.verdict.refusal == (
        "nothing was sent: plan `max` (200.00 USD a month) of `sonnet` has used 10 of 10 requests "
        f"of 5h; some is free again {FREE_AT}"
    )


def test_a_plan_that_stops_lets_nobody_answer_in_its_place():
    found = covered(replace(MAX, beyond=Beyond.STOP), used(10))
    targets, verdict = halted(found.verdict.permitted, found, found.verdict)
    assert targets == verdict.permitted == ()
    assert "plan `max`" in verdict.refusal
    assert [each.target for each in verdict.excluded] == ["sonnet"]


def test_who_comes_before_a_plan_that_stops_still_answers():
    found = covered(replace(MAX, beyond=Beyond.STOP), used(10))
    targets, verdict = halted((QWEN, SONNET), found, found.verdict)
    assert targets == (QWEN,)
    assert not verdict.refusal


def test_a_budget_that_cannot_pay_list_price_does_not_lift_the_stop_of_a_plan():
    found = covered(replace(MAX, beyond=Beyond.STOP), used(10))
    budgets, stops = (HARD,), found.halting
    paid = afford(found.verdict, request(), ANN, budgets, Spending(), thousand, (), stops)
    assert names(paid.verdict) == ["sonnet", "qwen"]
    targets, verdict = halted(paid.verdict.permitted, found, paid.verdict)
    assert targets == ()
    assert "plan `max`" in verdict.refusal


@pytest.mark.parametrize("standings", [used(10), said(1_000_000)])
def test_beyond_a_plan_that_pays_the_list_price_is_due(standings):
    found = covered(replace(MAX, beyond=Beyond.PAY), standings)
    sonnet = found.verdict.permitted[0]
    assert (sonnet.price, sonnet.plan, sonnet.listed) == (PRICE, "max", None)
    assert found.told["sonnet"] == "max, used up: at list price"
    assert use(sonnet, 1_100) == Use("max", 0, 0)


@pytest.mark.parametrize("standings", [{}, {"max": Standing()}])
def test_a_paying_plan_whose_use_is_not_known_is_never_free_under_a_hard_budget(standings):
    found = covered(replace(UNLIMITED, beyond=Beyond.PAY), standings)
    assert found.told["sonnet"] == "max, use not known: at list price"
    afforded = afford(found.verdict, request(), ANN, (HARD,), Spending(), thousand)
    assert names(afforded.verdict) == ["qwen"]


def test_where_a_vendor_refuses_instead_of_billing_an_unknown_use_is_free_and_said():
    found = covered(UNLIMITED, {})
    assert found.verdict.permitted[0].price == FREE
    assert found.told["sonnet"] == "max, use not known"


def test_what_a_vendor_says_makes_the_use_of_a_paying_plan_known():
    found = covered(replace(UNLIMITED, beyond=Beyond.PAY), said(420_000))
    assert found.verdict.permitted[0].price == FREE
    assert found.told["sonnet"] == "max, 42% of 5h"


def test_the_vendors_word_counts_where_it_is_fuller_than_our_own_count():
    found = covered(MAX, used(1, 10, Told(18_000, 1_000_000, 9, FREE_AT)))
    assert names(found.verdict) == ["qwen"]


def test_a_race_that_is_lost_costs_the_list_price_where_the_plan_pays_and_else_nothing():
    for plan, pays in ((MAX, False), (replace(MAX, beyond=Beyond.PAY), True)):
        found = covered(plan, used())
        due = afford(found.verdict, request(), ANN, (HARD,), Spending(), thousand, (plan,))
        sonnet = due.dues["sonnet"]
        assert sonnet.most == 0
        assert sonnet.windows == (FIVE_HOURS,)
        assert (sonnet.beyond is not None) == pays
        if sonnet.beyond is not None:
            assert sonnet.beyond.most == 1_000 * 3_000_000 + 100 * 15_000_000
            assert sonnet.beyond.use == Use("max", 0, 0)


def test_a_plan_covers_what_its_backends_and_globs_both_name():
    only = replace(MAX, models=("claude-*",))
    assert covered(only, used()).verdict == BOTH
    listed = replace(SONNET, name="any", priced_as="claude-sonnet-5")
    found = under_plans(Verdict(Zone.CLOUD, (listed,)), (only,), used(), {"any": 1})
    assert found.verdict.permitted[0].plan == "max"


def test_a_target_beyond_its_plan_is_what_it_was():
    sonnet = covered(MAX, used()).verdict.permitted[0]
    assert beyond(sonnet) == replace(SONNET, plan="max")
    assert beyond(QWEN) == QWEN


@given(
    st.sampled_from(list(Beyond)),
    st.integers(0, 20),
    st.integers(0, 9_000),
    st.lists(st.integers(0, 2_000_000), max_size=2),
)
def test_whatever_is_used_no_plan_permits_anybody(how, requests, tokens, ppm):
    told = tuple(Told(18_000, each, 9, "") for each in ppm)
    found = covered(replace(MAX, beyond=how), used(requests, tokens, *told))
    assert set(names(found.verdict)) <= set(names(BOTH))
    targets, verdict = halted(found.verdict.permitted, found, found.verdict)
    assert [target.name for target in targets] == [
        name for name in names(found.verdict) if name in {target.name for target in targets}
    ]
    assert bool(targets) != bool(verdict.refusal)
