"""Every kind of rule for the choice, as docs/how-to/choose-who-answers.md words it, over a socket."""

import datetime as dt
import itertools
import tomllib
from typing import Any

import httpx2
import pytest

from halfdoor.config.presets import PRESETS
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import messages_body

pytestmark = pytest.mark.usefixtures("loopback")

SESSIONS = itertools.count()
CLASS, CHILD = "x-claude-code-request-class", "x-claude-code-agent-id"
TITLE = {"type": "json_schema", "schema": {"type": "object", "properties": {"title": {"type": "string"}}}}  # fmt: skip
SET = {
    "temperature": 0.25,
    "top_p": 0.5,
    "seed": 7,
    "stop": ["END"],
    "system": "Write pytest functions.",
}
ROUTES: list[dict[str, Any]] = [
    {"name": "side-work", "match": {"agent": ["auxiliary", "subagent"]}, "models": ["near"]},
    {"name": "scripts", "match": {"agent": ["workflow"]}, "models": ["flow"]},
    {"name": "shortening", "match": {"agent": ["compaction"]}, "models": ["short"]},
    {"name": "tool", "match": {"tool": ["aider*"]}, "models": ["tool"]},
    {"name": "asked", "match": {"model": ["claude-haiku-*"]}, "models": ["small"]},
    {"name": "long", "match": {"context_over": 5000}, "models": ["wide"]},
    {"name": "payments", "match": {"path": ["payments/**"]}, "models": ["careful"]},
    {"name": "steady-tests", "match": {"task": ["test"]}, "models": ["tests"], "set": SET},
    {"name": "across-languages", "match": {"language": ["several"]}, "models": ["b"]},
    {"name": "python", "match": {"language": ["python"]}, "models": ["a"]},
    {"name": "before-noon", "match": {"task": ["log"], "time": ["00:00-12:00"]}, "models": ["am"]},
    {"name": "after-noon", "match": {"task": ["log"], "time": ["12:00-00:00"]}, "models": ["pm"]},
]
NAMES = ["main", *dict.fromkeys(route["models"][0] for route in ROUTES)]

# What is asked, and the model that the route names.
CASES = [
    ({}, {}, "main"),
    ({}, {CLASS: "main"}, "main"),
    ({}, {CLASS: "subagent"}, "near"),
    ({}, {CHILD: "a1"}, "near"),
    ({}, {CLASS: "auxiliary"}, "near"),
    ({"output_config": {"format": TITLE}}, {}, "near"),
    ({}, {CLASS: "workflow"}, "flow"),
    ({}, {CLASS: "compaction"}, "short"),
    ({"text": "Your task is to create a detailed summary of our talk."}, {}, "short"),
    ({}, {"user-agent": "aider/0.86"}, "tool"),
    ({"model": "claude-haiku-4-5"}, {}, "small"),
    ({"text": "hello " * 4000}, {}, "wide"),
    ({"text": "Why does payments/core/tax.rs round twice?"}, {}, "careful"),
    ({"text": "Please write unit tests for the parser."}, {}, "tests"),
    ({"text": "Port main.go to app.py."}, {}, "b"),
    ({"text": "What does app.py do?"}, {}, "a"),
]


@pytest.fixture(scope="module")
def door(shared):
    with gateway(
        backends=[backend("engine", shared, "openai_chat")],
        models=[model(name, "engine", name) for name in NAMES],
        names=[{"match": "claude-*", "choose": NAMES}],
        routes=ROUTES,
    ) as started:
        yield started


async def ask(door, headers=(), **body):
    """The answer's headers."""
    told = {"content-type": "application/json", **dict(headers)}
    told["x-claude-code-session-id"] = f"s{next(SESSIONS)}"
    body.setdefault("model", "claude-x")
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
        url = f"{door.url}/v1/messages"
        answer = await client.post(url, content=messages_body(**body), headers=told)
    assert answer.status_code == 200, answer.text
    return answer.headers


@pytest.mark.parametrize(("body", "headers", "named"), CASES)
async def test_each_kind_of_rule_finds_its_requests(door, body, headers, named):
    told = await ask(door, headers, **body)
    assert told["x-halfdoor-model"] == named
    choice = (await door.why("last"))["decided"]["choice"]
    routes = {route["models"][0]: route["name"] for route in ROUTES}
    assert choice["route"] == routes.get(named, "")


async def test_a_tool_can_be_meant_by_the_name_that_why_shows(door):
    await ask(door, {"user-agent": "aider/0.86"})
    assert (await door.why("last"))["decided"]["tool"].startswith("aider")


async def test_the_hour_chooses(door):
    halves = [dt.datetime.now(dt.UTC).hour // 12]
    told = await ask(door, text="Go through the attached log and list the timeouts.")
    halves.append(dt.datetime.now(dt.UTC).hour // 12)
    assert told["x-halfdoor-model"] in {("am", "pm")[half] for half in halves}


async def test_a_routes_parameters_reach_the_model_and_are_named(door, shared):
    await ask(door, text="Please write unit tests for the parser.", temperature=1.0)
    sent = shared.last.json()
    assert {name: sent[name] for name in ("temperature", "top_p", "seed", "stop")} == {
        name: SET[name] for name in ("temperature", "top_p", "seed", "stop")
    }
    assert sent["messages"][0] == {"role": "system", "content": SET["system"]}
    (attempt,) = (await door.why("last"))["outcome"]["attempts"]
    assert {"temperature", "top-p", "seed", "stop", "system"} <= {*attempt["edits"]}


# --- Presets, each as `init --preset` writes it ---

EASY, HARD = "Write a commit message for this.", "Please fix the bug in a.go."
PRESET_CASES = [
    ("private", HARD, ["near"]),
    ("balanced", HARD, ["far", "near"]),
    ("balanced", EASY, ["near", "far"]),
    ("frugal", HARD, ["far", "near"]),
    ("frugal", "What is a monad?", ["near", "far"]),
    ("quality", EASY, ["far", "near"]),
    ("study", EASY, ["near"]),
]


@pytest.mark.parametrize(("preset", "text", "planned"), PRESET_CASES)
async def test_each_preset_does_what_its_sentence_says(shared, preset, text, planned):
    price = {"input": 3_000_000, "output": 15_000_000}
    tables = tomllib.loads(PRESETS[preset].tables)
    async with gateway(
        backends=[
            backend("cloud", shared, "openai_chat", "cloud"),
            backend("engine", shared, "openai_chat"),
        ],
        models=[model("far", "cloud", "f", price=price), model("near", "engine", "n")],
        names=[{"match": "claude-*", "choose": ["far", "near"]}],
        routing={"strategy": PRESETS[preset].strategy},
        **tables,
    ) as door:
        told = await ask(door, text=text)
        assert told["x-halfdoor-model"] == planned[0]
        plan = (await door.why("last"))["decided"]["plan"]
        assert [each["model"] for each in plan] == planned
