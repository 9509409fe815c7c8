import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from halfdoor.canon.decision import Target, Verdict
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import FREE, Budget, Draw, Price, Spending
from halfdoor.canon.request import Actor
from halfdoor.decide.budgets import (
    AMOUNT_LIMIT,
    ASSUMED_OUTPUT_TOKENS,
    UNPRICED,
    afford,
    longest,
    purses,
    told,
)
from halfdoor.decide.money import TOKENS_LIMIT
from tests.helpers.house import request

USD = 10**12
SONNET = Target(
    "sonnet",
    "anthropic",
    "claude-sonnet-5",
    Zone.CLOUD,
    "d",
    "v",
    price=Price(3_000_000, 15_000_000),
)
QWEN = Target("qwen", "ollama", "qwen3", Zone.DEVICE, "d", "v", price=FREE)
MYSTERY = Target("mystery", "cloud", "m", Zone.CLOUD, "d", "v")
BOTH = Verdict(Zone.CLOUD, (SONNET, QWEN))
ANN = Actor("ann-laptop", "codex", "shop", person="ann", team="web")
TEAM = Budget("team", 100 * USD, "month")
# 1,000 tokens in and the 100 that the request allows out.
MOST = 1_000 * 3_000_000 + 100 * 15_000_000


def afforded(verdict, *budgets, taken=None, actor=ANN):
    spending = Spending(taken or {}, {"month": "2026-12-01 00:00 CET", "day": "midnight"})
    return afford(verdict, request(), actor, budgets, spending, lambda _card: 1_000)


def names(found):
    return [target.name for target in found.verdict.permitted]


def test_a_purse_that_can_pay_leaves_the_plan_as_it_is():
    found = afforded(BOTH, TEAM)
    assert names(found) == ["sonnet", "qwen"]
    assert found.dues["sonnet"].most == MOST
    assert found.dues["sonnet"].draws == (Draw(("team", ""), 100 * USD),)


def test_an_empty_purse_leaves_what_costs_nothing():
    found = afforded(BOTH, TEAM, taken={("team", ""): 100 * USD - MOST + 1})
    assert names(found) == ["qwen"]
    (left_out,) = found.verdict.excluded
    assert (left_out.target, left_out.rule, left_out.label) == ("sonnet", "team", "budget")
    assert not found.verdict.refusal


def test_a_price_that_nobody_knows_is_asked_for_and_not_a_higher_limit():
    found = afforded(Verdict(Zone.CLOUD, (MYSTERY,)), TEAM)
    assert "no price of `mystery` is known" in found.verdict.refusal
    assert found.verdict.hint == UNPRICED


def test_what_just_fits_is_paid_for():
    assert names(afforded(BOTH, TEAM, taken={("team", ""): 100 * USD - MOST}))[0] == "sonnet"


def test_a_refusal_names_the_budget_what_is_left_and_until_when():
    found = afforded(Verdict(Zone.CLOUD, (SONNET,)), TEAM, taken={("team", ""): 100 * USD - 5})
    assert found.verdict.refusal == (
        "nothing was sent: budget `team` (100.00 USD a month) has 0.000000000005 USD left until "
        "2026-12-01 00:00 CET, and this request may cost 0.0045 USD at `sonnet`"
    )
    assert "[[budgets]]" in found.verdict.hint


def test_an_unknown_price_is_no_nothing_under_a_hard_budget():
    found = afforded(Verdict(Zone.CLOUD, (MYSTERY,)), TEAM)
    assert "no price of `mystery` is known" in found.verdict.refusal
    assert found.verdict.excluded[0].unmet == ("price",)


def test_a_budget_that_warns_leaves_nobody_out_and_says_how_much_is_used():
    warn = Budget("team", 100 * USD, "month", hard=False)
    found = afforded(BOTH, warn, taken={("team", ""): 104 * USD})
    assert names(found) == ["sonnet", "qwen"]

    def said(taken):
        return told(found.dues["sonnet"], (warn,), Spending({("team", ""): taken}))

    assert said(104 * USD) == "team 104% of 100.00 USD a month"
    assert said(79 * USD) == ""


def test_a_budget_that_warns_says_that_it_cannot_count_a_price_nobody_knows():
    warn = Budget("team", 100 * USD, "month", hard=False)
    found = afforded(Verdict(Zone.CLOUD, (MYSTERY, SONNET)), warn)
    said = told(found.dues["mystery"], (warn,), Spending())
    assert said == "team 0% + unknown of 100.00 USD a month"
    assert told(found.dues["sonnet"], (warn,), Spending()) == ""


def test_a_budget_counts_only_what_it_matches():
    others = Budget("data", 0, "day", match=(("team", "data"),))
    cloud = Budget("big", 0, "day", match=(("model", "claude-opus-*"), ("zone", "cloud")))
    assert names(afforded(BOTH, others, cloud)) == ["sonnet", "qwen"]
    mine = Budget("ann", 0, "day", match=(("person", "ann"), ("zone", "cloud")))
    assert names(afforded(BOTH, mine)) == ["qwen"]


def test_a_model_is_matched_by_its_name_in_the_price_list_where_names_are_sent_on():
    opus = Target(
        "claude", "a", "x", Zone.CLOUD, "d", "v", price=Price(1, 1), priced_as="claude-opus-5-5"
    )
    budget = Budget("big", 0, "day", match=(("model", "claude-opus-*"),))
    assert names(afforded(Verdict(Zone.CLOUD, (opus, SONNET)), budget)) == ["sonnet"]


def test_each_person_has_the_limit_to_himself():
    each = Budget("person", USD, "day", each="person")
    taken = {("person", "ann"): USD}
    assert names(afforded(BOTH, each, taken=taken)) == ["qwen"]
    ben = Actor("ben-laptop", person="ben")
    assert names(afforded(BOTH, each, taken=taken, actor=ben)) == ["sonnet", "qwen"]


@pytest.mark.parametrize("stated", [-(10**9), -1, 0])
def test_a_negative_limit_of_tokens_gives_no_purse_money_back(stated):
    asked = replace(request(), max_tokens=stated)
    assert longest(asked, SONNET) == ASSUMED_OUTPUT_TOKENS
    assert longest(asked, replace(SONNET, max_output_tokens=64)) == 64
    found = afford(BOTH, asked, ANN, (TEAM,), Spending(), lambda _card: 1_000)
    assert found.dues["sonnet"].most == 1_000 * 3_000_000 + ASSUMED_OUTPUT_TOKENS * 15_000_000


def test_a_huge_limit_of_tokens_overflows_no_sum():
    asked = replace(request(), max_tokens=2**70)
    assert longest(asked, SONNET) == TOKENS_LIMIT
    assert longest(asked, replace(SONNET, max_output_tokens=64)) == 64
    found = afford(BOTH, asked, ANN, (TEAM,), Spending(), lambda _card: 1_000)
    assert found.dues["sonnet"].most == AMOUNT_LIMIT


def test_only_the_purses_that_an_actor_may_draw_on_are_asked_for():
    budgets = (
        TEAM,
        Budget("p", 1, "day", each="person"),
        Budget("m", 1, "day", each="model"),
        Budget("other", 1, "day", match=(("team", "data"),)),
    )
    assert purses(budgets, ANN) == (("team", ""), ("p", "ann"), ("m", None))


targets = st.builds(
    lambda n, zone, price: Target(f"t{n}", "b", "i", zone, "d", "v", price=price),
    st.integers(0, 9),
    st.sampled_from(Zone),
    st.sampled_from([FREE, Price(), Price(3, 15), Price(10**9, 10**9)]),
)
budgets = st.builds(
    Budget,
    st.sampled_from(["a", "b"]),
    st.integers(0, 10**13),
    st.just("day"),
    st.booleans(),
    st.sampled_from([(), (("zone", "cloud"),), (("person", "ann"),), (("team", "x"),)]),
    st.sampled_from(["", "person", "model"]),
)


@given(
    st.lists(targets, unique_by=lambda t: t.name),
    st.lists(budgets, max_size=3),
    st.integers(0, 10**13),
)
def test_a_budget_never_adds_a_target(found, limits, taken):
    spending = {(b.name, key): taken for b in limits for key in ("", "ann", "t1")}
    verdict = Verdict(Zone.CLOUD, tuple(found))
    after = afforded(verdict, *limits, taken=spending).verdict
    assert set(after.permitted) <= set(found)
    free = {t for t in found if t.price == FREE}
    assert free <= set(after.permitted)
