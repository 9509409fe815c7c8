"""What each dialect says in its own way: the same meaning between every two, in both directions.

`tests/golden/truths/README.md` says how a case is written.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from halfdoor.wiring import DIALECTS

FOLDER = Path(__file__).parents[1] / "golden/truths"
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "anthropic_messages": "/v1/messages",
    "openai_responses": "/v1/responses",
    "ollama": "/api/chat",
}
HI = {"messages": [{"role": "user", "content": "hi"}]}
RESPONSES_HI = [
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
]
USUAL_LIMIT = 8192
# What every body has, and a case leaves out.
USUAL: dict[str, dict[str, Any]] = {
    "openai_chat": HI,
    "anthropic_messages": {"max_tokens": USUAL_LIMIT, **HI},
    "openai_responses": {"input": RESPONSES_HI, "store": False},
    "ollama": {**HI, "truncate": False, "stream": False},
}
READ = {"type": "object", "properties": {}}
FUNCTION = {"name": "Read", "description": "It reads.", "parameters": READ}
TOOLS: dict[str, list[Any]] = {
    "openai_chat": [{"type": "function", "function": FUNCTION}],
    "anthropic_messages": [{"name": "Read", "description": "It reads.", "input_schema": READ}],
    "openai_responses": [{"type": "function", **FUNCTION, "strict": False}],
    "ollama": [{"type": "function", "function": FUNCTION}],
}
REQUESTS = json.loads((FOLDER / "requests.json").read_text("utf-8"))


def body(case, dialect, says):
    """The whole body; a member that a case says is null is not there."""
    tools = {"tools": TOOLS[dialect]} if case.get("tools") else {}
    told = {"model": "m", **USUAL[dialect], **tools, **says}
    return {name: value for name, value in told.items() if value is not None}


def told(made):
    """Less what says nothing: the usual limit, which only Messages must have, and `strict: false`."""
    kept = {name: value for name, value in made.items() if value != USUAL_LIMIT}
    engine = {**kept.pop("options", {})}
    if engine.get("num_predict") == USUAL_LIMIT:
        del engine["num_predict"]
    for tool in kept.get("tools", []):
        holder = tool.get("function", tool)
        if holder.get("strict") is False:
            del holder["strict"]
    return {**kept, "options": engine}


def pairs() -> list[Any]:
    return list(_pairs())


def _pairs():
    for case in REQUESTS:
        forms = [*case["says"].items(), *((a["near"], a["says"]) for a in case.get("also", []))]
        for number, (near, says) in enumerate(forms):
            for far in DIALECTS:
                if far != near:
                    name = f"{case['line']}, {case['case']}: {near} {number} to {far}"
                    yield pytest.param(case, near, says, far, id=name)


@pytest.mark.parametrize(("case", "near", "says", "far"), pairs())
def test_a_request_means_the_same_in_another_dialect(case, near, says, far):
    sent = json.dumps(body(case, near, says), separators=(",", ":")).encode()
    read = DIALECTS[near].conversation(DIALECTS[near].read(PATHS[near], (), "", sent))
    made, lost = DIALECTS[far].render(read, "m")
    wanted = {**case["says"], **case.get("into", {})}[far]
    assert told(json.loads(made)) == told(body(case, far, wanted))
    assert sorted(lost) == sorted(case.get("lost", {}).get(far, []))


# --- Answers. ---

ANSWERS = json.loads((FOLDER / "answers.json").read_text("utf-8"))
# What a whole answer has, and a case leaves out.
WHOLE: dict[str, dict[str, Any]] = {
    "openai_chat": {"id": "a1", "object": "chat.completion", "created": 1, "model": "m"},
    "anthropic_messages": {
        "id": "a1",
        "model": "m",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
    "openai_responses": {"id": "a1", "created_at": 1, "model": "m", "error": None},
    "ollama": {"model": "m", "created_at": "2026-01-01T00:00:00Z"},
}


def answers() -> list[Any]:
    return [
        pytest.param(case, far, near, id=f"{case['line']}, {case['case']}: {far} to {near}")
        for case in ANSWERS
        for far in case["tells"]
        for near in DIALECTS
        if near != far
    ]


def differences(wanted, got, place=""):
    """Where the answer has not what the case says; more than that is no difference."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [
            d for key in wanted for d in differences(wanted[key], got.get(key), f"{place}.{key}")
        ]
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        return [
            d for n, one in enumerate(wanted) for d in differences(one, got[n], f"{place}[{n}]")
        ]
    return [] if wanted == got else [(place, wanted, got)]


@pytest.mark.parametrize(("case", "far", "near"), answers())
def test_an_answer_means_the_same_in_another_dialect(case, far, near):
    sent = json.dumps({**WHOLE[far], **case["tells"][far]}, separators=(",", ":")).encode()
    events = DIALECTS[far].events(sent)
    made = json.loads(DIALECTS[near].answer(events))
    wanted = {**case["tells"], **case.get("into", {})}[near]
    assert differences(wanted, made) == []


def test_every_line_of_the_contract_has_its_cases():
    lines = {case["line"] for case in [*REQUESTS, *ANSWERS]}
    page = (FOLDER / "README.md").read_text("utf-8")
    assert {row.split("|")[1].strip() for row in page.splitlines() if row.startswith("| ")} - {
        "line"
    } >= lines
