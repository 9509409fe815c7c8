from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Price
from halfdoor.canon.scene import Scene
from halfdoor.decide.route import Situation, preferring
from halfdoor.decide.strategies import STRATEGIES
from halfdoor.decide.strategies.cheapest import expected

SCENE = Scene(id="hd_x", now_ms=0)


def target(name, zone=Zone.CLOUD, **price):
    return Target(name, "b", name, zone, "d", "v", price=Price(**price))


def order(strategy, targets, **about):
    return [t.name for t in STRATEGIES[strategy](tuple(targets), at(**about))]


def at(input_tokens=0, output_tokens=0, warm=""):
    return Situation(SCENE, lambda _card: input_tokens, output_tokens, warm)


def test_cloud_first_orders_by_zone_and_keeps_the_files_order_within_one():
    found = [target("d", Zone.DEVICE), target("c1"), target("n", Zone.NETWORK), target("c2")]
    assert order("cloud_first", found) == ["c1", "c2", "n", "d"]


def test_cheapest_counts_the_answer_too():
    found = [target("short", input=1, output=90), target("long", input=2, output=10)]
    assert order("cheapest", found, input_tokens=1000, output_tokens=10) == ["short", "long"]
    assert order("cheapest", found, input_tokens=1000, output_tokens=1000) == ["long", "short"]


def test_an_unknown_price_is_never_free():
    found = [
        target("unknown"),
        target("dear", input=99, output=99),
        target("free", input=0, output=0),
    ]
    assert order("cheapest", found, input_tokens=9, output_tokens=9) == ["free", "dear", "unknown"]


def test_leaving_a_warm_cache_must_pay():
    rates = {
        "warm": {"input": 10, "cached_input": 1, "output": 10},
        "cold": {"input": 5, "output": 5},
    }
    found = [target(name, **price) for name, price in rates.items()]
    size = {"input_tokens": 10_000, "output_tokens": 10}
    assert order("cheapest", found, **size) == ["cold", "warm"]
    assert order("cheapest", found, **size, warm="warm") == ["warm", "cold"]
    assert order("cheapest", found, input_tokens=10, output_tokens=10_000, warm="warm")[0] == "cold"


def test_what_a_route_names_comes_first_in_its_order_and_the_rest_in_the_strategys():
    found = (target("a"), target("b"), target("c", Zone.DEVICE), target("d", Zone.DEVICE))
    strategy = preferring(("d", "b", "gone"), STRATEGIES["local_first"], None)
    assert [t.name for t in strategy(found, Situation(SCENE))] == ["d", "b", "c", "a"]
    within = preferring(("b", "d"), STRATEGIES["prefer"], STRATEGIES["local_first"])
    assert [t.name for t in within(found, Situation(SCENE))] == ["d", "b", "a", "c"]


rates = st.one_of(st.none(), st.integers(0, 10**9))
prices = st.builds(Price, input=rates, output=rates, cached_input=rates)
lists = st.lists(prices, min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(lists, st.integers(0, 10**6), st.integers(0, 10**5))
def test_the_cheapest_is_never_dearer_than_another_on_the_first_turn(found, tokens, answer):
    targets = tuple(
        Target(f"m{at}", "b", "i", Zone.CLOUD, "d", "v", price=price)
        for at, price in enumerate(found)
    )
    about = at(tokens, answer)
    first = expected(STRATEGIES["cheapest"](targets, about)[0], about)
    known = [cost for each in targets if (cost := expected(each, about)) is not None]
    assert first == min(known, default=None)
