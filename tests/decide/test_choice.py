"""Which route a request goes, as a table."""

import pytest

from halfdoor.canon.asks import Agent, Ask, Task
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.canon.routes import Match, Route
from halfdoor.decide.choice import Circumstances, matches, route_for

A, B = (Target(name, "b", name, Zone.CLOUD, "d", "v") for name in "AB")


def circumstances(**fields):
    ask = Ask(
        fields.pop("agent", Agent.MAIN),
        fields.pop("task", Task.FIX),
        fields.pop("languages", ()),
        fields.pop("globs", ()),
    )
    known = {"asked": "auto", "tool": "", "token": "", "project": ""}
    size, minute = fields.pop("tokens", 100), fields.pop("minute", 0)
    return Circumstances(ask=ask, tokens=lambda: size, minute=lambda: minute, **{**known, **fields})


PYTHON_TO_A = (
    Route("across", Match(languages=("several",)), models=("B",)),
    Route("python", Match(languages=("python",)), models=("A",)),
)


@pytest.mark.parametrize(
    ("languages", "route"),
    [
        (("python",), "python"),
        (("python", "rust"), "across"),
        (("javascript", "typescript"), ""),
        (("go",), ""),
        ((), ""),
    ],
)
def test_python_to_a_and_cross_language_to_b(languages, route):
    found = route_for(PYTHON_TO_A, circumstances(languages=languages), (A, B))
    assert (found.name if found else "") == route


@pytest.mark.parametrize(
    ("match", "fields", "held"),
    [
        (Match(), {}, True),
        (Match(agents=(Agent.SUBAGENT,)), {}, False),
        (Match(agents=(Agent.SUBAGENT, Agent.MAIN)), {}, True),
        (Match(tasks=(Task.TEST,)), {}, False),
        (Match(tasks=(Task.FIX,), agents=(Agent.AUXILIARY,)), {}, False),
        (Match(paths=("payments/**",)), {"globs": ("payments/**", "x")}, True),
        (Match(paths=("payments/**",)), {"globs": ("x",)}, False),
        (Match(tools=("claude*",)), {"tool": "claude"}, True),
        (Match(tools=("claude*",)), {"tool": ""}, False),
        (Match(models=("gpt-*", "claude-haiku-*")), {"asked": "claude-haiku-5"}, True),
        (Match(models=("gpt-*",)), {"asked": "auto"}, False),
        (Match(projects=("billing",)), {"project": "billing"}, True),
        (Match(projects=("billing",)), {"project": "Billing"}, False),
        (Match(tokens=("ci",)), {"token": "ci"}, True),
        (Match(context_over=100), {"tokens": 100}, False),
        (Match(context_over=100), {"tokens": 101}, True),
        (Match(context_under=100), {"tokens": 100}, False),
        (Match(context_under=100), {"tokens": 99}, True),
        (Match(hours=((60, 120),)), {"minute": 60}, True),
        (Match(hours=((60, 120),)), {"minute": 120}, False),
        (Match(hours=((1320, 360),)), {"minute": 1400}, True),
        (Match(hours=((1320, 360),)), {"minute": 0}, True),
        (Match(hours=((1320, 360),)), {"minute": 720}, False),
        (Match(hours=((60, 120), (700, 800))), {"minute": 720}, True),
    ],
)
def test_all_that_a_match_states_must_hold(match, fields, held):
    assert matches(match, circumstances(**fields)) is held


def test_the_first_route_that_matches_holds():
    routes = (Route("one", strategy="prefer"), Route("two", strategy="prefer"))
    assert route_for(routes, circumstances(), (A,)) == routes[0]


def test_a_route_to_models_that_the_name_does_not_allow_is_passed_over():
    routes = (Route("to-b", models=("B",)), Route("any", strategy="prefer"))
    assert route_for(routes, circumstances(), (A,)) == routes[1]
    assert route_for(routes, circumstances(), (A, B)) == routes[0]


def test_the_size_of_a_request_is_asked_for_only_where_a_route_needs_it():
    def never():
        raise AssertionError

    about = Circumstances(Ask(), "auto", "", "", "", never, never)
    routes = (Route("other", Match(tasks=(Task.FIX,), context_over=1), strategy="prefer"),)
    assert route_for(routes, about, (A,)) is None
