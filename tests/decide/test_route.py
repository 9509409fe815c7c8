import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.decision import Target, Verdict
from halfdoor.canon.labels import Zone
from halfdoor.canon.scene import Depth, Scene, Unwell
from halfdoor.decide.route import Situation, plan
from halfdoor.decide.strategies import STRATEGIES

targets = st.lists(st.sampled_from(Zone), max_size=5).map(
    lambda zones: tuple(Target(f"m{i}", "b", "i", zone, "d", "v") for i, zone in enumerate(zones))
)
STRANGER = Target("stranger", "b", "i", Zone.CLOUD, "d", "v")


SCENE = Situation(Scene(id="hd_x", now_ms=0))


@settings(max_examples=100, deadline=None)
@given(targets, st.sampled_from(sorted(STRATEGIES)), st.sampled_from(["", "m0", "m3", "gone"]))
def test_a_plan_holds_exactly_the_permitted_targets(found, name, latched):
    planned = plan(Verdict(Zone.CLOUD, found), SCENE, STRATEGIES[name], latched=latched)
    assert sorted(t.name for t in planned) == sorted(t.name for t in found)


def test_what_a_strategy_invents_never_enters_a_plan():
    mine = (Target("m", "b", "i", Zone.DEVICE, "d", "v"),)
    assert plan(Verdict(Zone.CLOUD, mine), SCENE, lambda p, s: (STRANGER, *p)) == mine


def test_inside_a_tool_loop_the_model_that_called_comes_first():
    pair = tuple(Target(n, "b", "i", Zone.CLOUD, "d", "v") for n in ("first", "second"))
    assert (
        plan(Verdict(Zone.CLOUD, pair), SCENE, STRATEGIES["prefer"], latched="second")[0].name
        == "second"
    )


def test_local_first_orders_by_zone_and_keeps_the_files_order_within_one():
    names = [("c1", Zone.CLOUD), ("d1", Zone.DEVICE), ("c2", Zone.CLOUD), ("d2", Zone.DEVICE)]
    found = tuple(Target(n, "b", "i", z, "d", "v") for n, z in names)
    planned = plan(Verdict(Zone.CLOUD, found), SCENE, STRATEGIES["local_first"])
    assert [t.name for t in planned] == ["d1", "d2", "c1", "c2"]


LOCAL = Target("local", "ollama", "q", Zone.DEVICE, "d", "v")
CLOUD = Target("cloud", "far", "s", Zone.CLOUD, "d", "v")
BOTH = Verdict(Zone.CLOUD, (CLOUD, LOCAL))


@pytest.mark.parametrize("place", [("far", "s"), ("far", "")])
def test_what_has_just_failed_comes_last(place):
    scene = Scene(id="hd_x", now_ms=0, unwell={place: Unwell("429", 1000)})
    assert plan(BOTH, Situation(scene), STRATEGIES["prefer"]) == (LOCAL, CLOUD)
    assert plan(BOTH, Situation(scene), STRATEGIES["prefer"], latched="cloud") == (LOCAL, CLOUD)


def test_where_nobody_else_is_permitted_it_is_asked_all_the_same():
    scene = Scene(id="hd_x", now_ms=0, unwell={("far", "s"): Unwell("429", 1000)})
    alone = Verdict(Zone.CLOUD, (CLOUD,))
    assert plan(alone, Situation(scene), STRATEGIES["prefer"]) == (CLOUD,)


FULL = Scene(id="hd_x", now_ms=0, queues={"ollama": Depth(1, 1, 4, 4)})


def test_a_queue_that_is_too_long_sends_elsewhere_who_may_go_there():
    assert plan(BOTH, Situation(FULL), STRATEGIES["local_first"]) == (CLOUD, LOCAL)
    alone = Verdict(Zone.CLOUD, (LOCAL,))
    assert plan(alone, Situation(FULL), STRATEGIES["local_first"]) == (LOCAL,)


def test_a_tool_loop_waits_where_it_is():
    assert plan(BOTH, Situation(FULL), STRATEGIES["local_first"], latched="local") == (LOCAL, CLOUD)
