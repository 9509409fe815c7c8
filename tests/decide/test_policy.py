from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Label, Zone
from halfdoor.canon.rules import Above, Rule
from halfdoor.decide.names import Candidates
from halfdoor.decide.policy import decide
from halfdoor.decide.rules import RuleBook

LABELS = ["secret", "path:payments/**", "not-scanned", "scan-failed", "unheard-of"]

zones = st.sampled_from(Zone)
targets = st.lists(zones, max_size=5).map(
    lambda found: tuple(Target(f"m{i}", "b", "id", zone, "d", "v") for i, zone in enumerate(found))
)
labels = st.lists(
    st.builds(
        Label, st.sampled_from([*LABELS, "derived:secret"]), st.just("messages[0]"), st.just("d")
    ),
    max_size=4,
)
rules = st.lists(
    st.builds(
        Rule, st.sampled_from("abc"), st.sampled_from(LABELS[:4]), zones, st.sampled_from(Above)
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
