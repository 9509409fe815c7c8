"""Promise 2 with rules for every request and with terms: whatever happens, they only take away."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from halfdoor.canon.cards import Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.request import Actor
from halfdoor.canon.rules import EVERY, Above, Require, Rule
from halfdoor.canon.scene import Scene
from halfdoor.flow.weighing import weigh
from halfdoor.reading.terms import unmet
from tests.helpers.house import CARDS, DEFAULTS, house, request
from tests.helpers.playbook import answered
from tests.properties.test_promises import Run, known, replies, requests, scenes, worlds

STATED = {
    "sonnet": Terms("us", "never", 30),
    "gpt": Terms("us", "allowed"),
    "office": Terms("eu", "never", 0),
}
STATING = tuple(structs.replace(card, terms=STATED.get(card.name, Terms())) for card in CARDS)
REQUIRED = (
    Rule("no training", EVERY, Zone.CLOUD, require=Require(training="never")),
    Rule("eu", EVERY, Zone.CLOUD, Above.REFUSE, require=Require(("eu", "de"))),
    Rule("keep nothing", "not-scanned", Zone.CLOUD, require=Require(retention_days=0)),
    Rule("near", EVERY, Zone.NETWORK),
    Rule("offline", EVERY, Zone.DEVICE, source="--offline"),
)
PLACES = [
    house(STATING, DEFAULTS + extra)
    for extra in (*((rule,) for rule in REQUIRED), REQUIRED[:3], REQUIRED)
]
script = st.lists(replies, min_size=6, max_size=6)


@worlds
@given(made=requests(), scene=scenes, script=script, place=st.sampled_from(PLACES))
def test_no_way_out_leads_where_a_rule_for_every_request_forbids(made, scene, script, place):
    asked, _ = made
    if not known(asked, place):
        return
    every = [rule for rule in place.book.rules if rule.label == EVERY]
    for call in Run(asked, scene, iter(script), place).calls:
        target = call.target
        assert all(target.zone <= rule.ceiling for rule in every)
        assert not any(unmet(rule.require, target.zone, target.terms) for rule in every)


@worlds
@given(made=requests(), scene=scenes, more=st.sets(st.sampled_from(REQUIRED)))
def test_a_rule_for_every_request_and_a_requirement_only_take_targets_away(made, scene, more):
    asked, _ = made
    loose, strict = house(STATING), house(STATING, DEFAULTS + tuple(more))
    found = loose.surveyor.survey(asked)
    before, after = (
        {target.name for target in weigh(asked, Actor(), found, scene, place).targets}
        for place in (loose, strict)
    )
    assert after <= before


def test_an_exclusion_on_terms_is_recorded_with_what_was_not_met():
    place = house(STATING, DEFAULTS + REQUIRED[:1])
    run = Run(request(), Scene(id="hd_1", now_ms=0), iter([answered()]), place)
    (left,) = run.entries[0].excluded
    assert (left.model, left.rule, left.label) == ("gpt", "no training", EVERY)
    assert left.unmet == ("training",)
