import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.cards import Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Above, Require, Rule
from halfdoor.reading.terms import covers, said, stated, unmet

days = st.none() | st.integers(0, 3)
terms = st.builds(
    Terms, st.sampled_from(["", "eu", "us", "de"]), st.sampled_from(["", "never"]), days
)
regions = st.sampled_from([(), ("eu",), ("eu", "us")])
requirements = st.none() | st.builds(Require, regions, st.sampled_from(["", "never"]), days)
rules = st.builds(
    Rule,
    st.just("r"),
    st.just("*"),
    st.sampled_from(Zone),
    st.sampled_from(Above),
    require=requirements,
)


def forbids(rule, zone, offered):
    return zone > rule.ceiling or bool(unmet(rule.require, zone, offered))


@settings(max_examples=500, deadline=None)
@given(rules, rules, st.lists(st.tuples(st.sampled_from(Zone), terms), max_size=30))
def test_a_rule_that_covers_another_forbids_all_that_it_forbids_and_as_sternly(one, other, places):
    if covers(one, other):
        assert one.above <= other.above
        assert all(forbids(one, *place) for place in places if forbids(other, *place))


@given(rules)
def test_a_rule_covers_itself(rule):
    assert covers(rule, rule)


@given(requirements, terms)
def test_on_the_device_everything_is_met(require, offered):
    assert unmet(require, Zone.DEVICE, offered) == ()


@given(requirements.filter(lambda require: require and said(require)))
def test_what_states_nothing_meets_nothing(require):
    assert unmet(require, Zone.CLOUD, Terms())


@pytest.mark.parametrize(
    ("require", "text"),
    [
        (
            Require(("eu", "de"), "never", 30),
            "region eu or de, training never, retention_days at most 30",
        ),
        (Require(retention_days=0), "retention_days at most 0"),
    ],
)
def test_a_requirement_in_words(require, text):
    assert said(require) == text
    assert stated(Terms("us")) == "region us, training unknown, retention_days unknown"
