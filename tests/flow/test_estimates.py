"""What a model's own counts taught is used wherever tokens are estimated before a call."""

from dataclasses import replace

import msgspec

from halfdoor.canon.money import Budget, Price, Usage
from halfdoor.canon.request import Actor
from halfdoor.canon.routes import Match, Route
from halfdoor.canon.scene import Pin, Scene
from halfdoor.flow.weighing import weigh
from tests.helpers.house import CLOUD, LOCAL, house, request
from tests.helpers.playbook import SCENE, answered
from tests.properties.test_promises import Run

LONG = request(text="word " * 4000)
BYTES = len(LONG.body)
PRICED = msgspec.structs.replace(CLOUD, price=Price(1_000_000, 0))


def taught(place, tokens, card=CLOUD):
    """The house, once that model has counted so many tokens of LONG."""
    counted = answered(usage=Usage(tokens, 5))
    asked = msgspec.structs.replace(LONG, model=card.name)
    Run(asked, SCENE, iter([counted]), replace(place, budgets=()))
    return place


def weighed(place, scene=SCENE):
    return weigh(LONG, Actor(), place.surveyor.survey(LONG), scene, place)


def test_money_is_held_for_what_the_model_itself_counts_and_some_more():
    place = replace(house((PRICED,)), budgets=(Budget("team", 10**15, "month"),))
    assert weighed(place).dues["sonnet"].most == round(BYTES / 3) * 1_000_000
    fine = BYTES // 2  # two bytes a token: more than anybody would have guessed
    held = weighed(taught(place, fine)).dues["sonnet"].most
    assert fine * 1_000_000 < held < fine * 1_200_000


def test_a_turn_costs_what_each_model_would_count():
    cheap = msgspec.structs.replace(LOCAL, price=Price(900_000, 0))
    place = house((PRICED, cheap), strategy="cheapest")
    assert weighed(place).targets[0].name == "qwen"
    found = weighed(taught(place, BYTES // 2, LOCAL))
    assert [target.name for target in found.targets] == ["sonnet", "qwen"]


def test_a_route_by_size_counts_as_whoever_answered_last():
    big = Route("big", Match(context_over=BYTES // 3), models=("qwen",))
    place = taught(house((CLOUD, LOCAL), routes=(big,)), BYTES // 2)
    assert weighed(place).choice.route is None
    scene = Scene(id="hd_1", now_ms=9, pin=Pin("sonnet", "", 5))
    assert weighed(place, scene).choice.route.name == "big"


def test_counts_that_lie_hold_no_more_and_no_less_money():
    place = replace(house((PRICED,)), budgets=(Budget("team", 10**15, "month"),))
    before = weighed(place).dues["sonnet"].most
    for lie in (0, -5, 10**9, 2**63):
        assert weighed(taught(place, lie)).dues["sonnet"].most == before
