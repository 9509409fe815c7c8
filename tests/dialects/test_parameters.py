"""A route's parameters as splices, in every dialect and every shape of body."""

import msgspec
import pytest

from halfdoor.canon.routes import Parameters
from halfdoor.dialects.base import EDITS
from halfdoor.dialects.parameters import KINDS, splices, wanted
from halfdoor.reading.splice import apply
from halfdoor.wiring import DIALECTS

ALL = Parameters(0.25, 0.5, 7, ("END",), "Be brief.")
SAID = [{"role": "user", "content": "hé"}]


def set_in(dialect, body, parameters=ALL, endpoint=0):
    near = DIALECTS[dialect]
    request = near.read(near.endpoints[endpoint], (), "", msgspec.json.encode(body))
    edits = splices(request, parameters, near.places)
    assert {edit.kind for edit in edits} <= EDITS
    after = apply(request.body, edits)
    near.read(near.endpoints[endpoint], (), "", after)
    return msgspec.json.decode(after), {edit.kind for edit in edits}


def test_the_kinds_are_named_in_order():
    assert wanted(ALL) == KINDS
    assert wanted(Parameters(temperature=0.0)) == ("temperature",)
    assert wanted(Parameters()) == ()


@pytest.mark.parametrize("there", [False, True])
def test_chat_takes_all_of_them(there):
    stated = {"temperature": 1, "stop": "x", "seed": None} if there else {}
    body, kinds = set_in("openai_chat", {"model": "m", "messages": SAID, **stated})
    assert kinds == set(KINDS)
    assert (body["temperature"], body["top_p"], body["seed"], body["stop"]) == (
        0.25,
        0.5,
        7,
        ["END"],
    )
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, *SAID]


def test_a_completion_has_no_place_for_system_text():
    body, kinds = set_in("openai_chat", {"model": "m", "prompt": "def f("}, endpoint=1)
    assert kinds == {"temperature", "top-p", "seed", "stop"}
    assert body["seed"] == 7


BILLING = {"type": "text", "text": "x-anthropic-billing-header: v=1;"}
OWN = {"type": "text", "text": "You are a tool."}
OURS = {"type": "text", "text": "Be brief."}


@pytest.mark.parametrize(
    ("system", "after"),
    [
        (None, "Be brief."),
        ("You are.", "Be brief.\n\nYou are."),
        ("", "Be brief.\n\n"),
        ([], [OURS]),
        ([OWN], [OURS, OWN]),
        ([BILLING, OWN], [BILLING, OURS, OWN]),
        ([BILLING], [BILLING, OURS]),
    ],
)
def test_messages_system_text_stands_before_its_own_and_behind_the_attribution(system, after):
    base = {"model": "m", "max_tokens": 9, "messages": SAID}
    stated = base if system is None else {**base, "system": system}
    body, kinds = set_in("anthropic_messages", stated)
    assert body["system"] == after
    assert kinds == set(KINDS) - {"seed"}
    assert (body["temperature"], body["stop_sequences"]) == (0.25, ["END"])


@pytest.mark.parametrize(
    ("kind", "told"), [("adaptive", False), ("enabled", False), ("disabled", True)]
)
def test_messages_takes_no_sampling_while_it_thinks(kind, told):
    base = {"model": "m", "max_tokens": 9, "messages": SAID, "thinking": {"type": kind}}
    _, kinds = set_in("anthropic_messages", base)
    assert ({"temperature", "top-p"} <= kinds) is told
    assert "stop" in kinds


@pytest.mark.parametrize("stated", [{}, {"instructions": None}, {"instructions": "You are."}])
def test_responses_has_instructions_and_neither_seed_nor_stop(stated):
    body, kinds = set_in("openai_responses", {"model": "m", "input": "hi", **stated})
    assert kinds == {"temperature", "top-p", "system"}
    own = stated.get("instructions")
    assert body["instructions"] == ("Be brief." if own is None else f"Be brief.\n\n{own}")


@pytest.mark.parametrize(
    "options", [None, {}, {"num_ctx": 9}, {"seed": 1, "stop": ["x"]}, "absent"]
)
def test_ollama_has_them_among_its_options(options):
    base = {"model": "m", "messages": SAID}
    stated = base if options == "absent" else {**base, "options": options}
    body, kinds = set_in("ollama", stated)
    assert kinds == set(KINDS)
    ours = {"temperature": 0.25, "top_p": 0.5, "seed": 7, "stop": ["END"]}
    own = options if isinstance(options, dict) else {}
    assert body["options"] == {**own, **ours}
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


def test_ollamas_generate_has_a_system_member():
    body, _ = set_in("ollama", {"model": "m", "prompt": "hi"}, endpoint=1)
    assert body["system"] == "Be brief."


def test_an_empty_array_of_messages_gets_one():
    body, _ = set_in("openai_chat", {"model": "m", "messages": []}, Parameters(system="x"))
    assert body["messages"] == [{"role": "system", "content": "x"}]
