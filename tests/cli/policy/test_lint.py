"""Policies that load and yet cannot be meant, a row each."""

import pytest

from halfdoor.canon.cards import Alias, Card, Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import EVERY, Above, Require, Rule
from halfdoor.cli.policy.lint import Policy, look_over
from halfdoor.config.rules import in_force

DEVICE, NETWORK, CLOUD = Zone
NEVER = Require(training="never")


def rule(label, ceiling=DEVICE, name="", line=1, above=Above.EXCLUDE, require=None):
    return Rule(name or label, label, ceiling, above, f"config.toml:{line}", require)


def card(name, zone, **terms):
    return Card(name, f"at-{name}", name, zone, "openai_chat", "v", terms=Terms(**terms))


HERE, THERE = card("here", DEVICE), card("there", CLOUD, region="eu-west", training="never")


def found(user=(), *, cards=(HERE, THERE), names=(), project=(), **more):
    rules = in_force(tuple(user), tuple(project))
    places = tuple(
        (Alias(match, choose), f"config.toml:{40 + at}") for at, (match, choose) in enumerate(names)
    )
    policy = Policy(rules, tuple(user), tuple(project), cards, places, **more)
    return [(f.level, f.where, f.code) for f in look_over(policy)]


SHADOWED = {
    "the same rule twice": ([rule("secret"), rule("secret", line=2)], 2),
    "a looser one": ([rule("secret", NETWORK), rule("secret", DEVICE, line=2)], 1),
    "a folder in a folder": ([rule("path:a/**"), rule("path:a/b/**", line=2)], 2),
    "a looser folder in a folder": ([rule("path:a/b/**", NETWORK), rule("path:a/**", line=2)], 1),
    "a file of a kind": ([rule("path:k/x.pem"), rule("path:*.pem", line=2)], 1),
    "under a rule for all": ([rule("path:a/**"), rule(EVERY, line=2)], 1),
    "a weaker requirement": (
        [rule(EVERY, CLOUD, "a", 1, require=NEVER), rule("secret", CLOUD, "b", 2, require=NEVER)],
        2,
    ),
    "an exclusion beside a refusal": (
        [rule("path:a/*"), rule("path:a/**", line=2, above=Above.REFUSE)],
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "line"), SHADOWED.values(), ids=SHADOWED.keys())
def test_a_rule_that_is_never_the_strictest_is_told(rules, line):
    told = [finding for finding in found(rules) if finding[2] == "shadowed"]
    assert told == [("warning", f"config.toml:{line}", "shadowed")]


DISTINCT = {
    "two folders": [rule("path:a/**"), rule("path:b/**", line=2)],
    "a stricter file in a folder": [rule("path:a/**", NETWORK), rule("path:a/x", DEVICE, line=2)],
    "a refusal inside an exclusion": [
        rule("path:a/**"),
        rule("path:a/b/**", line=2, above=Above.REFUSE),
    ],
    "other terms": [
        rule(EVERY, CLOUD, "a", require=NEVER),
        rule(EVERY, CLOUD, "b", 2, require=Require(("eu-west",))),
    ],
    "a zone and terms": [rule("secret", NETWORK), rule("secret", CLOUD, "b", 2, require=NEVER)],
}


@pytest.mark.parametrize("rules", DISTINCT.values(), ids=DISTINCT.keys())
def test_rules_that_each_hold_something_are_left_alone(rules):
    assert "shadowed" not in {code for _, _, code in found(rules)}


def test_a_rule_of_a_project_is_not_measured_against_one_users_own():
    assert found([rule("path:a/**")], project=[rule("path:a/b/**", line=2)]) == []


def test_a_clean_policy_has_no_findings():
    assert found([rule("path:a/**")], names=[("claude-*", ("there", "here"))]) == []


def test_a_rule_that_holds_nothing_back_is_told():
    assert found([rule("path:a/**", CLOUD)]) == [("warning", "config.toml:1", "idle")]
    assert found([rule("path:a/**", CLOUD, require=NEVER)]) == []


@pytest.mark.parametrize("glob", ["app/[id]/**", "*.{pem,key}", "!a/**"])
def test_marks_that_mean_something_elsewhere_are_told(glob):
    assert found([rule(f"path:{glob}")]) == [("note", "config.toml:1", "literal")]


def test_a_loosened_default_is_told():
    assert found([rule("secret", CLOUD)]) == [("warning", "config.toml:1", "loosened")]


def test_a_ceiling_that_no_model_is_in_is_told_and_for_every_request_is_an_error():
    told = found([rule("path:a/**", line=3)], cards=(THERE,), names=[("x", ("there",))])
    assert ("warning", "config.toml:3", "deserted") in told
    assert ("warning", "default", "deserted") in told
    assert ("warning", "config.toml:40", "unanswered") in told
    told = found([rule(EVERY, line=3)], cards=(THERE,), names=[("x", ("there",))])
    assert ("error", "config.toml:3", "deserted") in told
    assert ("error", "config.toml:40", "unanswered") in told


def test_a_name_without_a_model_that_may_see_a_common_label_is_told():
    told = found([], names=[("x", ("there",)), ("y", ("there", "here"))])
    assert told == [("warning", "config.toml:40", "unanswered")]


@pytest.mark.parametrize(
    ("require", "told"),
    [
        (NEVER, []),
        (Require(("eu",)), [("warning", "unmet"), ("note", "never-asked")]),
        (Require(("eu-west",), "never"), []),
        (Require(retention_days=0), [("warning", "unmet"), ("note", "never-asked")]),
    ],
)
def test_terms_that_no_backend_states_are_told(require, told):
    rules = [rule(EVERY, CLOUD, "terms", require=require)]
    assert sorted((level, code) for level, _, code in found(rules)) == sorted(told)


def test_a_near_region_is_hinted_at():
    rules = (rule(EVERY, CLOUD, "terms", require=Require(("eu-wset",))),)
    (unmet,) = [f for f in look_over(Policy(rules, rules, cards=(THERE,))) if f.code == "unmet"]
    assert "did you mean `eu-west`?" in unmet.hint


def test_a_pattern_behind_a_wider_one_is_never_reached():
    names = [("claude-*", ("here",)), ("*", ("here",)), ("gpt-*", ("here",)), ("o[13]", ("here",))]
    assert found([], names=names) == [("warning", "config.toml:42", "unreached")]


def test_a_glob_that_matches_nothing_in_the_project_is_told():
    rules = (rule("path:a/**"), rule("path:c/*.py", line=2))
    assert found(rules, paths=("a", "a/b", "c", "c/x.rs"), sought=rules) == [
        ("warning", "config.toml:2", "unmatched")
    ]


def test_one_rule_among_many_is_found():
    rules = [rule(f"path:src/part{n}/**", line=n) for n in range(300)]
    assert found([*rules, rule("path:src/part7/deep/**", line=2000)]) == [
        ("warning", "config.toml:2000", "shadowed")
    ]


def test_a_question_that_is_too_long_is_left_open_and_told():
    hard = [rule("path:*a" + "?" * 60, line=1), rule("path:*a*" + "?" * 60, line=2)]
    assert found(hard) == [("note", "config.toml:1", "undecided")]
