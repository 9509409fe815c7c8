import json
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.decide.windows import ROOM_TOKENS, answer_tokens, fitted
from halfdoor.reading.tokens import Prompt, Scales, size, spared
from halfdoor.wiring import DIALECTS

SMALL = Target("small", "engine", "qwen3", Zone.DEVICE, "openai_chat", "engine")
LARGE = Target("large", "cloud", "gpt-6", Zone.CLOUD, "openai_chat", "cloud")
NATIVE = Target("native", "engine", "qwen3", Zone.DEVICE, "ollama", "engine")
LOADED = {("engine", "qwen3"): 4096}


def asked(chars, dialect="openai_chat", path="/v1/chat/completions", **more):
    said = [{"role": "user", "content": "word " * (chars // 5)}]
    body = {"model": "m", "messages": said, **more}
    return DIALECTS[dialect].read(path, (), "", json.dumps(body).encode())


@dataclass
class Result:
    """Names of what fits, what does not, and the targets that fit."""

    fit: list
    unfit: list
    targets: tuple


def measured(request):
    return size(len(request.body), [spared(request.body)])


def prompt(request, scales=None):
    return Prompt(scales or Scales(), request.session, measured(request))


def fits(request, targets=(SMALL, LARGE), windows=LOADED, scales=None):
    found = fitted(request, targets, windows, prompt(request, scales))
    return Result([t.name for t in found.targets], [u.target for u in found.unfit], found.targets)


def test_what_cannot_fit_leaves_the_plan_and_what_may_fit_stays():
    assert fits(asked(60_000)).fit == ["large"]
    assert fits(asked(60_000)).unfit == ["small"]
    assert fits(asked(8_000)).fit == ["small", "large"]


def test_a_request_between_best_guess_and_least_is_left_to_the_engine():
    """5,000 tokens by the usual ratio, 2,900 if every word were one: it may fit."""
    assert fits(asked(17_500)).unfit == []


def test_the_numbers_told_are_the_best_guess_and_the_window():
    request = asked(70_000)
    (unfit,) = fitted(request, (SMALL,), LOADED, prompt(request)).unfit
    assert (unfit.tokens, unfit.window, unfit.zone) == (20_017, 4096, Zone.DEVICE)


def test_a_window_that_nobody_knows_takes_everything():
    assert fits(asked(900_000), windows={}).fit == ["small", "large"]


def test_a_configured_window_stands_against_the_engines_word():
    stated = Target("small", "engine", "qwen3", Zone.DEVICE, "openai_chat", "e", None, 65_536)
    assert fits(asked(60_000), [stated]).targets[0].context_tokens == 65_536
    stated = Target("small", "engine", "qwen3", Zone.DEVICE, "openai_chat", "e", None, 2048)
    assert fits(asked(20_000), [stated]).unfit == ["small"]


def test_a_server_of_one_model_has_its_window_under_every_name():
    assert fits(asked(60_000), [SMALL], {("engine", "*"): 4096}).unfit == ["small"]
    assert fits(asked(60_000), [SMALL], {("other", "*"): 4096}).unfit == []


def test_the_window_that_a_request_asks_its_engine_for_is_the_one_it_gets():
    large = asked(60_000, "ollama", "/api/chat", options={"num_ctx": 65_536})
    assert fits(large, [NATIVE]).fit == ["native"]
    small = asked(60_000, "ollama", "/api/chat", options={"num_ctx": 2048})
    assert fits(small, [NATIVE], {}).unfit == ["native"]
    assert fits(small, [SMALL], {}).fit == ["small"]  # another protocol cannot ask for one


@pytest.mark.parametrize("odd", [0, -1, "8192", 1.5, None, 10**30])
def test_a_window_asked_for_that_is_none_is_the_engines_to_judge(odd):
    assert fits(asked(60_000, "ollama", "/api/chat", options={"num_ctx": odd}), [NATIVE]).unfit


@pytest.mark.parametrize("stated", [-1, -(10**12), 0, None])
def test_a_limit_that_is_not_positive_wants_as_much_room_as_none(stated):
    assert answer_tokens(replace(asked(10), max_tokens=stated), 256) == 256
    assert answer_tokens(replace(asked(10), max_tokens=9), 256) == 9


def test_what_was_counted_before_narrows_the_margin():
    scales = Scales()
    request = asked(17_500)
    scales.learn("small", "", measured(request), 5000)
    assert fits(request, scales=scales).unfit == []  # another session may speak another language
    scales.learn("small", "s", measured(request), 5000)
    of_session = DIALECTS["openai_chat"].read(
        "/v1/chat/completions", (("x-session-id", "s"),), "", request.body
    )
    assert fits(of_session, scales=scales).unfit == ["small"]


def test_an_answers_limit_is_clamped_to_what_a_near_window_leaves():
    near, far = fits(asked(7_000, max_tokens=64_000), windows=LOADED).targets
    assert near.max_output_tokens == 4096 - 2023
    assert far.max_output_tokens is None
    assert fits(asked(7_000), windows=LOADED).targets[0].max_output_tokens is None
    assert fits(asked(7_000, max_tokens=100)).targets[0].max_output_tokens is None


def test_an_answer_is_left_some_room_where_the_estimate_leaves_none():
    clamped = fits(asked(17_500, max_tokens=64_000)).targets[0]
    assert clamped.max_output_tokens == ROOM_TOKENS


def test_a_cards_own_limit_stands_where_it_is_stricter():
    card = Target("small", "engine", "qwen3", Zone.DEVICE, "openai_chat", "e", 500)
    assert fits(asked(7_000, max_tokens=64_000), [card]).targets[0].max_output_tokens == 500


def test_several_texts_to_embed_are_not_one_prompt():
    body = json.dumps({"model": "m", "input": ["word " * 2000] * 20}).encode()
    request = DIALECTS["openai_chat"].read("/v1/embeddings", (), "", body)
    assert fits(request).unfit == []
