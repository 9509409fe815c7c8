"""When a session leaves the model that has its prompt, told in whole numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from halfdoor.canon.decision import Target, Verdict
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import FREE, Price
from halfdoor.canon.scene import Depth, Pin, Scene, Unwell
from halfdoor.decide.route import Situation, plan
from halfdoor.decide.staying import WARM_MS, stayed
from halfdoor.decide.strategies import STRATEGIES
from halfdoor.decide.strategies.cheapest import expected

NEAR = Target("near", "engine", "n", Zone.DEVICE, "d", "v", price=FREE)
FAR = Target("far", "cloud", "f", Zone.CLOUD, "d", "v", price=Price(30, 100, cached_input=3))
OTHER = Target("other", "else", "o", Zone.CLOUD, "d", "v", price=Price(40, 90, cached_input=4))
STRANGE = Target("strange", "office", "s", Zone.NETWORK, "d", "v")
LATER = Scene(id="hd_1", now_ms=WARM_MS)


def at(pin, tokens=10_000, **scene):
    return Situation(replace(LATER, pin=pin, **scene), lambda _card: tokens, 1000)


def ask(targets, pin, route="", *, tokens=10_000, looping=False, **scene):
    return stayed(tuple(targets), at(pin, tokens, **scene), route, looping=looping)


def first(*args, **how):
    found = ask(*args, **how)
    return found.targets[0].name, found.leaving and found.leaving.why


AT_FAR = Pin("far", "", 1, 10_000)


# --- Where the strategy itself would rather have another ---


def test_who_is_dearer_this_turn_must_wait_while_the_cache_is_warm():
    assert first((OTHER, FAR), AT_FAR) == ("far", "stays")
    assert first((OTHER, FAR), replace(AT_FAR, at_ms=-1)) == ("other", None)


def test_who_is_cheaper_this_turn_gets_the_session_for_good():
    found = ask((NEAR, FAR), AT_FAR)
    assert (found.targets[0].name, found.leaving.why) == ("near", "pays")
    pin = found.pin("near", "", 7, 12_000)
    assert pin == Pin("near", "", 7, 12_000, moved=True)
    # What it had cost at either, and what the cache was worth: 10,000 tokens at 30 - 3.
    assert (found.leaving.stay, found.leaving.go) == (10_000 * 3 + 1000 * 100, 0)
    assert found.leaving.worth == 270_000


def test_a_session_that_fell_to_this_device_comes_back_once():
    fallen = Pin("near", "", 1, 10_000)
    assert first((FAR, NEAR), fallen) == ("far", "nothing-lost")
    assert first((FAR, NEAR), replace(fallen, moved=True)) == ("near", "stays")


def test_who_has_moved_once_moves_again_only_for_a_clear_gain():
    slightly = replace(FAR, name="slightly", price=Price(3, 97, cached_input=3))
    clearly = replace(FAR, name="clearly", price=Price(3, 60, cached_input=3))
    assert first((slightly, FAR), AT_FAR) == ("slightly", "pays")
    moved = replace(AT_FAR, moved=True)
    assert first((slightly, FAR), moved) == ("far", "stays")
    assert first((clearly, FAR), moved) == ("clearly", "pays")


# --- Where a route has it for this ask only ---


def test_a_visit_is_made_when_it_saves_the_way_back():
    assert first((NEAR, FAR), AT_FAR, "docs", tokens=100_000) == ("far", "stays")
    short = Pin("far", "", 1, 2000)
    found = ask((NEAR, FAR), short, "docs", tokens=2000)
    assert (found.targets[0].name, found.leaving.why) == ("near", "pays")
    pin = found.pin("near", "docs", 7, 2000)
    assert pin == Pin("near", "docs", 7, 2000, came="docs", home="far")
    assert first((FAR, NEAR), pin, "", tokens=2000) == ("far", "back")


def test_a_route_that_stays_behind_is_asked_again_next_time():
    found = ask((NEAR, FAR), AT_FAR, "docs", tokens=100_000)
    again = found.pin("far", "docs", 7, 100_000)
    assert again.came == ""
    assert first((NEAR, FAR), again, "docs", tokens=100_000) == ("far", "stays")


def test_a_session_that_began_near_goes_far_when_the_ask_does():
    assert first((FAR, NEAR), Pin("near", "docs", 1, 9000, "docs")) == ("far", "nothing-lost")


def test_an_unknown_price_holds_nobody_but_a_session_that_moved():
    assert first((STRANGE, FAR), AT_FAR) == ("strange", "unpriced")
    assert first((STRANGE, FAR), replace(AT_FAR, moved=True)) == ("far", "stays")
    assert first((STRANGE, FAR), replace(AT_FAR, moved=True), "docs") == ("strange", "unpriced")


# --- What it must ---

FULL = Depth(1, 1, 3, overflow=2)


@pytest.mark.parametrize(
    ("targets", "scene", "why"),
    [
        ((OTHER, FAR), {"unwell": {("cloud", "f"): Unwell("429", 9)}}, "unwell"),
        ((OTHER, FAR), {"queues": {"cloud": FULL}}, "busy"),
        ((OTHER,), {}, "left-out"),
    ],
)
def test_it_leaves_at_any_price_who_cannot_answer(targets, scene, why):
    found = ask(targets, AT_FAR, **scene)
    assert (found.targets[0].name, found.leaving.why) == ("other", why)
    assert not found.pin("other", "", 7, 0).moved


def test_it_stays_when_all_are_unwell():
    both = {("cloud", ""): Unwell("cut", 9), ("else", ""): Unwell("cut", 9)}
    assert first((OTHER, FAR), AT_FAR, unwell=both)[0] == "far"


# --- Where there is nothing to weigh ---


def test_a_shortened_conversation_is_another_prompt():
    assert first((OTHER, FAR), AT_FAR, tokens=4000) == ("other", None)


def test_inside_a_tool_loop_nothing_is_weighed():
    assert first((OTHER, FAR), AT_FAR, looping=True) == ("other", None)


def test_who_was_asked_in_vain_leaves_no_trace_of_a_move():
    found = ask((NEAR, FAR), AT_FAR)
    assert found.pin("far", "", 7, 9) == Pin("far", "", 7, 9)


def test_nobody_is_planned_for_nobody():
    assert stayed((), at(AT_FAR), "", looping=False).targets == ()


# --- Whatever happens ---

rate = st.integers(0, 50)
prices = st.one_of(
    st.just(FREE), st.builds(lambda i, o, c: Price(i, o, cached_input=min(i, c)), rate, rate, rate)
)
fleets = st.lists(st.tuples(prices, st.sampled_from(Zone)), min_size=2, max_size=4)


def fleet(drawn):
    return tuple(
        Target(f"m{n}", f"b{n}", "i", zone, "d", "v", price=price)
        for n, (price, zone) in enumerate(drawn)
    )


def cost(target, situation, warm):
    return expected(target, replace(situation, warm=warm))


def turn(targets, pin, strategy, now_ms, tokens, unwell=(), route=""):
    """One ask of a session, as the line weighs it; who answers, and what was weighed."""
    ill = {(name.replace("m", "b"), "i"): Unwell("429", 9) for name in unwell}
    scene = Scene(id="hd_1", now_ms=now_ms, pin=pin, unwell=ill)
    situation = Situation(scene, lambda _card: tokens, 1000)
    if strategy == "cheapest":
        situation = replace(situation, warm=pin.model if pin else "")
    planned = plan(Verdict(Zone.CLOUD, targets), situation, STRATEGIES[strategy])
    return stayed(planned, situation, route, looping=False)


@given(
    fleets,
    st.sampled_from(sorted(STRATEGIES)),
    st.integers(0, 10**5),
    st.lists(st.booleans(), min_size=1, max_size=12),
)
def test_under_constant_prices_a_session_moves_of_its_own_will_once_between_faults(
    drawn, strategy, tokens, faults
):
    """And without a clear gain once in all."""
    targets, pin, moves, gainless = fleet(drawn), None, 0, 0
    for now_ms, fault in enumerate(faults):
        found = turn(targets, pin, strategy, now_ms, tokens, (pin.model,) if pin and fault else ())
        assert {target.name for target in found.targets} == {target.name for target in targets}
        moves = 0 if fault else moves + found.moves
        gainless += found.moves and found.leaving.stay * 0.9 <= found.leaving.go
        assert moves <= 1
        assert gainless <= 1
        pin = found.pin(found.targets[0].name, "", now_ms, tokens)


@given(
    fleets,
    st.sampled_from(sorted(STRATEGIES)),
    st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(["", "a", "b"])), max_size=12),
)
def test_no_cache_is_left_for_less_than_what_leaving_costs(drawn, strategy, asks):
    targets, pin, tokens = fleet(drawn), None, 1000
    for now_ms, (more, route) in enumerate(asks):
        tokens += more
        ordered = targets[::-1] if route == "a" else targets  # another order for another route
        found = turn(ordered, pin, strategy, now_ms, tokens, route=route)
        leaving, first_one = found.leaving, found.targets[0].name
        if pin is not None and first_one != pin.model:
            assert leaving.stay is not None
            saved = leaving.stay - leaving.go
            visit = route != pin.came
            paid = saved >= (leaving.worth if visit else 1)
            assert paid or not leaving.worth or first_one == pin.home
        pin = found.pin(first_one, route, now_ms, tokens)


@given(fleets, st.integers(1000, 10**5), st.integers(0, 10**5))
def test_a_visit_and_the_way_back_cost_no_more_than_staying(drawn, tokens, more):
    """Text that is new costs its full rate wherever it is read first."""
    other, own, *_ = fleet(drawn)
    pin = Pin(own.name, "", 0, tokens)
    visit = turn((other, own), pin, "prefer", 1, tokens, route="visit")
    if visit.home != own.name:
        return
    pin = visit.pin(other.name, "visit", 1, tokens)
    back = turn((own, other), pin, "prefer", 2, tokens + more)
    assert back.targets[0] == own
    before, after = at(None, tokens), at(None, tokens + more)
    gone = cost(other, before, "") + cost(own, after, "")
    stayed_there = cost(own, before, own.name) + cost(own, after, own.name)
    assert gone <= stayed_there + more * (own.price.input - own.price.cached_input)
