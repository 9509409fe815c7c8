"""A request that is longer than a model's window, and an engine that read less than it was sent."""

import json

import pytest
from msgspec.structs import replace

from halfdoor.canon.cards import Card
from halfdoor.canon.commands import Call, Learnt
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Usage
from halfdoor.canon.request import Actor
from halfdoor.flow.exchange import exchange
from halfdoor.wiring import DIALECTS
from tests.helpers.house import AWS_KEY, CLOUD, LOCAL, house, request
from tests.helpers.playbook import (
    PERMIT,
    SCENE,
    answered,
    begin,
    call,
    decided,
    outcome,
    playbook,
)

LONG = "def f(x):\n    return x + 1\n" * 2500
NOW = replace(SCENE, windows={("ollama", "qwen3:30b"): 4096})


def line(asked, cards=(LOCAL, CLOUD), place=None):
    return playbook(exchange(asked, Actor(), place or house(cards)))


def test_a_request_that_does_not_fit_goes_to_a_permitted_model_that_takes_it():
    script = line(request(text=LONG))
    script << begin() >> NOW << decided(plan=["sonnet"], unfit=["qwen"], refusal="") >> PERMIT
    script << call("sonnet")
    assert ("x-halfdoor-fallback", "qwen: too long") in script.asked[-1].pipe.head(())
    script >> answered() << outcome(result="answered", model="sonnet")


def test_it_is_refused_where_a_rule_keeps_it_from_the_one_that_takes_it():
    script = line(request(text=f"key = {AWS_KEY}\n{LONG}"))
    script << begin() >> NOW << decided(plan=[], unfit=["qwen"], refusal="too-long") >> PERMIT
    script << outcome(result="refused", status=400, attempts=[])
    reply = script.ends()
    said = json.loads(reply.body)["error"]["message"]
    assert said.startswith("prompt is too long: 20748 tokens > 4096 maximum")
    assert "rule `secret` (label `secret`) keeps it from `sonnet`" in said


def test_a_model_asked_for_by_its_own_name_is_not_swapped_for_a_larger_one():
    script = line(request(text=LONG, model="qwen"))
    script << begin() >> NOW << decided(plan=[], explicit=True, refusal="too-long") >> PERMIT
    script << outcome(result="refused")
    assert script.ends().status == 400


@pytest.mark.parametrize(
    ("dialect", "path", "words", "code"),
    [
        ("anthropic_messages", "/v1/messages", "prompt is too long: ", None),
        ("openai_chat", "/v1/chat/completions", "maximum context length is 4096 tokens", "context_length_exceeded"),
        ("openai_responses", "/v1/responses", "maximum context length is 4096 tokens", "context_length_exceeded"),
        ("ollama", "/api/chat", "input length exceeds the context length", None),
    ],
)  # fmt: skip
def test_the_refusal_is_worded_as_each_tool_knows_it(dialect, path, words, code):
    text = {"role": "user", "content": LONG}
    key = "input" if dialect == "openai_responses" else "messages"
    body = {"model": "qwen", "max_tokens": 9, key: [text], "stream": False}
    asked = DIALECTS[dialect].read(path, (), "", json.dumps(body).encode())
    place = house((LOCAL,))
    object.__setattr__(place, "dialects", DIALECTS)
    script = line(asked, place=place)
    script << begin() >> NOW << decided(plan=[]) >> PERMIT << outcome(result="refused")
    reply = script.ends()
    assert (reply.status, dict(reply.headers)["x-should-retry"]) == (400, "false")
    error = json.loads(reply.body)["error"]
    said = error if isinstance(error, str) else error["message"]
    assert words in said
    assert "hint: shorten or compact the conversation" in said
    assert code is None or error["code"] == code


def test_a_clamped_limit_is_a_named_splice():
    near = Card("near", "llamacpp", "m", Zone.DEVICE, "anthropic_messages", "llamacpp", 8192)
    script = line(request(model="near", max_tokens=64_000), cards=[near])
    script << begin() >> SCENE << decided(edits=["model", "max-tokens"]) >> PERMIT << call("near")
    sent = script.asked[-1]
    assert isinstance(sent, Call)
    assert 8000 < json.loads(sent.outbound.body)["max_tokens"] < 8192


def counted(tokens, cards=(LOCAL,), asked=None):
    script = line(asked or request(text=LONG), cards)
    script << begin() >> SCENE << decided(expected_tokens=20_740) >> PERMIT
    script << call(cards[0].name) >> answered(usage=Usage(tokens, 10))
    return script


def test_an_engine_that_counts_less_than_half_has_cut_the_prompt_and_the_outcome_says_so():
    counted(4096) << outcome(result="answered", notices=["truncated"])
    counted(16_000) << outcome(result="answered", notices=[])


def test_a_vendor_may_leave_out_what_it_was_asked_to():
    """Claude Code asks Anthropic to clear old results: its count is less than what was sent."""
    counted(4096, cards=(CLOUD,)) << outcome(notices=[])


def test_an_engine_that_counts_nothing_is_not_accused():
    counted(0) << outcome(notices=[])


def test_the_answer_says_it_where_its_headers_are_not_out_yet():
    script = counted(4096)
    sent = script.asked[-1]
    assert isinstance(sent, Call)
    assert sent.notice is not None
    told = sent.notice(Learnt(usage=Usage(4096, 1)))
    assert told == (("x-halfdoor-truncated", "4096 of about 20740 tokens were read"),)
    assert sent.notice(Learnt()) == ()


def test_what_one_exchange_counted_is_known_to_the_next():
    place = house((LOCAL,))
    script = line(request(text=LONG), place=place)
    script << begin() >> SCENE << decided(expected_tokens=20_740) >> PERMIT
    script << call("qwen") >> answered(usage=Usage(16_000, 10)) << outcome()
    script.ends()
    line(request(text=LONG), place=place) << begin() >> SCENE << decided(expected_tokens=16_000)


def test_a_count_of_half_a_prompt_teaches_nothing():
    place = house((LOCAL,))
    script = line(request(text=LONG), place=place)
    script << begin() >> SCENE << decided() >> PERMIT
    script << call("qwen") >> answered(usage=Usage(9_000, 10)) << outcome(notices=["truncated"])
    script.ends()
    line(request(text=LONG), place=place) << begin() >> SCENE << decided(expected_tokens=20_740)
