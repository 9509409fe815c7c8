import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from halfdoor.canon.cards import Terms
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Label, Zone
from halfdoor.canon.rules import EVERY, Above, Require, Rule
from halfdoor.decide.names import Candidates
from halfdoor.decide.policy import decide
from halfdoor.decide.rules import RuleBook
from halfdoor.reading.terms import unmet

LABELS = ["secret", "path:payments/**", "not-scanned", "scan-failed", "unheard-of"]

zones = st.sampled_from(Zone)
days = st.none() | st.integers(0, 3)
terms = st.builds(Terms, st.sampled_from(["", "eu", "us"]), st.sampled_from(["", "never"]), days)
requirements = st.none() | st.builds(
    Require, st.sampled_from([(), ("eu",), ("eu", "us")]), st.sampled_from(["", "never"]), days
)
targets = st.lists(st.tuples(zones, terms), max_size=5).map(
    lambda found: tuple(
        Target(f"m{i}", "b", "id", zone, "d", "v", terms=stated)
        for i, (zone, stated) in enumerate(found)
    )
)
labels = st.lists(
    st.builds(
        Label, st.sampled_from([*LABELS, "derived:secret"]), st.just("messages[0]"), st.just("d")
    ),
    max_size=4,
)
rules = st.lists(
    st.builds(
        Rule,
        st.sampled_from("abc"),
        st.sampled_from([*LABELS[:4], EVERY]),
        zones,
        st.sampled_from(Above),
        require=requirements,
    ),
    max_size=5,
)


def names(verdict):
    return {target.name for target in verdict.permitted}


def asked(found, *, explicit=False):
    return Candidates(tuple(found), "auto", explicit)


@settings(max_examples=300, deadline=None)
@given(targets, labels, labels, rules)
def test_more_labels_never_permit_more(found, some, more, book):
    fewer = decide(asked(found), some, RuleBook(book))
    assert names(decide(asked(found), some + more, RuleBook(book))) <= names(fewer)


@settings(max_examples=300, deadline=None)
@given(targets, labels, rules, rules)
def test_more_rules_never_permit_more_where_a_rule_stands(found, seen, book, more):
    ruled = {rule.label for rule in book}
    seen = [label for label in seen if label.name.removeprefix("derived:") in ruled]
    fewer = decide(asked(found), seen, RuleBook(book))
    assert names(decide(asked(found), seen, RuleBook(book + more))) <= names(fewer)


@settings(max_examples=200, deadline=None)
@given(targets, labels, rules, st.randoms(use_true_random=False))
def test_the_order_of_labels_and_rules_never_matters(found, seen, book, chance):
    mixed_labels, mixed_rules = list(seen), list(book)
    chance.shuffle(mixed_labels)
    chance.shuffle(mixed_rules)
    one = decide(asked(found), seen, RuleBook(book))
    two = decide(asked(found), mixed_labels, RuleBook(mixed_rules))
    assert (one.permitted, one.ceiling, one.rule) == (two.permitted, two.ceiling, two.rule)


@settings(max_examples=200, deadline=None)
@given(targets, labels, rules)
def test_a_permitted_target_is_never_wider_than_any_rule_in_force(found, seen, book):
    verdict = decide(asked(found), seen, RuleBook(book))
    assert all(target.zone <= verdict.ceiling for target in verdict.permitted)
    assert bool(verdict.refusal) == (not verdict.permitted)


def test_a_label_without_a_rule_stays_on_the_device():
    cloud, device = (
        Target(n, "b", "i", z, "d", "v") for n, z in (("c", Zone.CLOUD), ("d", Zone.DEVICE))
    )
    verdict = decide(asked([cloud, device]), [Label("new", "tools[0]", "plugin")], RuleBook([]))
    assert names(verdict) == {"d"}
    assert verdict.rule == "no-rule-for:new"


def test_a_refusing_rule_refuses_the_whole_request_when_a_wider_target_was_a_candidate():
    cloud, device = (
        Target(n, "b", "i", z, "d", "v") for n, z in (("c", Zone.CLOUD), ("d", Zone.DEVICE))
    )
    book = RuleBook([Rule("stop", "secret", Zone.DEVICE, Above.REFUSE, "config.toml:3")])
    secret = [Label("secret", "messages[2]", "secrets", "jwt")]
    refused = decide(asked([device, cloud]), secret, book)
    assert not refused.permitted
    assert "jwt" in refused.refusal
    assert "config.toml:3" in refused.refusal
    assert names(decide(asked([device]), secret, book)) == {"d"}


def test_a_refusal_names_label_place_rule_and_what_would_help():
    cloud = Target("sonnet", "b", "i", Zone.CLOUD, "d", "v")
    book = RuleBook([Rule("no-keys", "secret", Zone.DEVICE)])
    verdict = decide(
        asked([cloud], explicit=True), [Label("secret", "messages[2]", "s", "jwt")], book
    )
    for word in ("`secret`", "jwt", "messages[2]", "`no-keys`", "`sonnet`", "`device`"):
        assert word in verdict.refusal
    assert "ask for `auto`" in verdict.hint


@settings(max_examples=300, deadline=None)
@given(targets, labels, rules)
def test_what_is_permitted_met_every_requirement_in_force_and_an_exclusion_has_a_reason(
    found, seen, book
):
    verdict = decide(asked(found), seen, RuleBook(book))
    in_force = [bound.rule for bound in RuleBook(book).bounds(seen)]
    for target in verdict.permitted:
        assert not any(unmet(rule.require, target.zone, target.terms) for rule in in_force)
    for left in verdict.excluded:
        ceilings = [rule.ceiling for rule in in_force if rule.name == left.rule]
        assert left.unmet or left.zone > min(ceilings)


@settings(max_examples=200, deadline=None)
@given(targets, labels, rules)
def test_stating_less_never_permits_more(found, seen, book):
    silent = tuple(structs.replace(target, terms=Terms()) for target in found)
    stated = decide(asked(found), seen, RuleBook(book))
    assert names(decide(asked(silent), seen, RuleBook(book))) <= names(stated)


EU = Target("eu", "b", "i", Zone.CLOUD, "d", "v", terms=Terms("eu", "never", 0))
US = Target("us", "b2", "i", Zone.CLOUD, "d", "v", terms=Terms("us", "allowed"))
HERE = Target("here", "b3", "i", Zone.DEVICE, "d", "v")


def test_a_rule_for_every_request_needs_no_label():
    book = RuleBook([Rule("offline", EVERY, Zone.DEVICE, source="--offline")])
    verdict = decide(asked([EU, HERE]), [], book)
    assert names(verdict) == {"here"}
    assert (verdict.rule, verdict.label) == ("offline", EVERY)
    refusal = decide(asked([EU]), [], book)
    assert refusal.refusal.startswith(
        "nothing was sent: every request is held to zone `device` by rule `offline` (--offline)"
    )
    assert "take it out" not in refusal.hint


def test_a_label_nobody_has_a_rule_for_stays_on_the_device_beside_a_rule_for_every_request():
    book = RuleBook([Rule("eu", EVERY, Zone.CLOUD, require=Require(("eu",)))])
    assert names(decide(asked([EU, HERE]), [Label("new", "m", "p")], book)) == {"here"}


@pytest.mark.parametrize(
    ("require", "left"),
    [
        (Require(("eu",)), {"us": ("region",)}),
        (Require(training="never"), {"us": ("training",)}),
        (Require(retention_days=30), {"us": ("retention_days",)}),
        (Require(("eu", "us"), "never", 0), {"us": ("training", "retention_days")}),
        (Require(("de",)), {"us": ("region",), "eu": ("region",)}),
        (Require(("eu", "us")), {}),
    ],
)
def test_what_is_not_stated_or_not_enough_is_left_out_and_named(require, left):
    book = RuleBook([Rule("terms", EVERY, Zone.CLOUD, require=require)])
    verdict = decide(asked([US, EU, HERE]), [], book)
    assert {e.target: e.unmet for e in verdict.excluded} == left
    assert names(verdict) == {"us", "eu", "here"} - left.keys()


def test_a_refusal_on_terms_says_what_is_required_and_what_is_stated():
    rule = Rule("eu", "secret", Zone.CLOUD, source="c.toml:9", require=Require(("eu",), "never"))
    verdict = decide(asked([US]), [Label("secret", "messages[2]", "s")], RuleBook([rule]))
    assert verdict.refusal == (
        "nothing was sent: label `secret` in messages[2] goes beyond the device only on the terms "
        "region eu, training never, by rule `eu` (c.toml:9); backend `b2` of `us` states region "
        "us, training allowed, retention_days unknown"
    )
    assert "[[backends]]" in verdict.hint


def test_a_refusal_names_the_rule_that_held_not_a_looser_one_that_also_matched():
    book = RuleBook(
        [
            Rule("loose", "secret", Zone.NETWORK),
            Rule("z", EVERY, Zone.CLOUD, require=Require(("eu",))),
        ]
    )
    office = Target("office", "b", "i", Zone.NETWORK, "d", "v")
    verdict = decide(asked([office]), [Label("secret", "messages[0]", "s")], book)
    assert (verdict.rule, verdict.label) == ("z", EVERY)


def test_a_rule_that_refuses_on_terms_refuses_the_whole_request():
    book = RuleBook([Rule("eu", EVERY, Zone.CLOUD, Above.REFUSE, require=Require(("eu",)))])
    verdict = decide(asked([EU, US, HERE]), [], book)
    assert not verdict.permitted
    assert "refuses the whole request" in verdict.refusal
    assert names(decide(asked([EU, HERE]), [], book)) == {"eu", "here"}


@settings(max_examples=200, deadline=None)
@given(targets, labels, rules)
def test_offline_nothing_beyond_the_device_is_ever_permitted(found, seen, book):
    offline = Rule("offline", EVERY, Zone.DEVICE, source="--offline")
    verdict = decide(asked(found), seen, RuleBook([*book, offline]))
    assert all(target.zone is Zone.DEVICE for target in verdict.permitted)


def test_a_label_narrows_when_any_of_its_rules_keeps_it_from_somebody():
    eu = Rule("eu", "personal", Zone.CLOUD, require=Require(regions=("eu",)))
    book = RuleBook(
        (Rule("see", "not-scanned", Zone.CLOUD), Rule("key", "secret", Zone.DEVICE), eu)
    )
    assert not book.narrows("not-scanned")
    assert not book.narrows("derived:not-scanned")
    assert all(book.narrows(label) for label in ("secret", "derived:secret", "personal", "strange"))
