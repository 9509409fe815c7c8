import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.reading.tokens import (
    PICTURE_TOKENS,
    Prompt,
    Scales,
    Size,
    cut_short,
    size,
    spared,
)

CODE = Size(42_000)


def measured(body):
    return size(len(body), [spared(body)])


def estimated(of):
    return Scales().expected("qwen", "", of)


def test_text_counts_by_its_bytes():
    assert estimated(measured(b"")) == 1
    assert estimated(measured(b"x = 1\n" * 350)) == 600


def test_a_picture_costs_the_same_whatever_its_bytes():
    picture = b'"type":"base64","data":"' + b"iVBORw0K" * 10_000 + b'"'
    assert estimated(measured(picture)) == PICTURE_TOKENS + 7
    assert measured(picture) == Size(25, 1)
    assert measured(b'"data:image/png;base64,' + b"iVBORw0K" * 10_000 + b'"').pictures == 1


def test_an_escaped_letter_counts_as_the_letter_it_stands_for():
    assert measured(rb'"\u4f60\u597d"').text == len('"你好"'.encode())


def test_a_body_is_the_sum_of_its_pieces():
    picture = b'{"type":"base64","data":"' + b"iVBORw0K" * 10_000 + b'"}'
    pieces = [rb'"\u4f60\u597d"', b'"base64"', picture]
    body = b"[" + b",".join(pieces) + b"]"
    assert size(len(body), map(spared, pieces)) == measured(body) == Size(47, 1)


def test_nothing_counted_yet_means_a_wide_margin():
    scales = Scales()
    assert scales.expected("qwen", "", CODE) == 12_000
    assert scales.least("qwen", "", CODE) == 7_000


def test_a_session_is_measured_by_its_own_earlier_turns():
    scales = Scales()
    scales.learn("qwen", "s1", CODE, 10_000)  # 4.2 bytes a token
    assert scales.expected("qwen", "s1", Size(84_000)) == 20_000
    assert scales.least("qwen", "s1", Size(84_000)) == int(84_000 / (4.2 * 1.15))


def test_another_session_may_hold_another_language_and_keeps_a_wider_margin():
    scales = Scales()
    scales.learn("qwen", "s1", CODE, 20_000)  # 2.1: no English
    assert scales.least("qwen", "s2", CODE) == 42_000 // 5
    assert scales.least("qwen", "s1", CODE) > 17_000


@pytest.mark.parametrize("counted", [0, -1, 500, 41_000])
def test_counts_that_no_tokenizer_makes_teach_nothing(counted):
    scales = Scales()
    scales.learn("qwen", "", CODE, counted)
    assert scales.expected("qwen", "", CODE) == 12_000


@pytest.mark.parametrize("lie", [0, -1, 1, 10**9, 10**400])
def test_a_backend_that_lies_about_its_counts_changes_no_estimate(lie):
    scales = Scales()
    scales.learn("qwen", "s", CODE, 10_000)
    before = [scales.least("qwen", "s", CODE), scales.most("qwen", "s", CODE)]
    scales.learn("qwen", "s", CODE, lie)
    assert [scales.least("qwen", "s", CODE), scales.most("qwen", "s", CODE)] == before


def test_what_money_is_held_for_is_more_than_the_best_guess_and_closer_once_learnt():
    scales = Scales()
    assert scales.most("qwen", "s", CODE) == 14_000  # 3 bytes a token
    scales.learn("qwen", "s", CODE, 10_000)
    assert scales.most("qwen", "s", CODE) == round(42_000 / (4.2 / 1.15))
    assert scales.most("qwen", "other", CODE) == 14_000


@given(st.floats(1.5, 8), st.integers(4096, 10**7))
def test_least_guess_and_most_are_in_this_order(ratio, text):
    scales = Scales()
    scales.learn("qwen", "s", Size(text), round(text / ratio))
    for model, session in (("qwen", "s"), ("qwen", "other"), ("strange", "s")):
        prompt = Prompt(scales, session, Size(text))
        assert prompt.least(model) <= prompt.expected(model) <= prompt.most(model)


def test_what_is_kept_elsewhere_is_believed_within_reason_and_told():
    kept = Elsewhere({"qwen": 4.2, "liar": 400.0})
    scales = Scales(kept)
    assert scales.expected("qwen", "", CODE) == 10_000
    assert scales.expected("liar", "", CODE) == 12_000
    scales.learn("new", "s", CODE, 14_000)
    assert kept.ratios["new"] == 3.0


class Elsewhere:
    def __init__(self, ratios):
        self.ratios = ratios

    def find(self, model):
        return self.ratios.get(model)

    def hold(self, model, ratio):
        self.ratios[model] = ratio


def test_short_bodies_and_pictures_teach_nothing():
    scales = Scales()
    scales.learn("qwen", "", Size(4000), 2000)
    scales.learn("qwen", "", Size(42_000, 1), 20_000)
    assert scales.expected("qwen", "", CODE) == 12_000


def test_what_is_remembered_of_sessions_is_bounded():
    scales = Scales()
    for i in range(2000):
        scales.learn("qwen", f"s{i}", CODE, 10_000)
    assert len(scales._ratios) <= 512
    assert scales.expected("qwen", "s1999", CODE) == 10_000
    assert scales.expected("qwen", "", CODE) == 10_000


@pytest.mark.parametrize(
    ("counted", "expected", "window", "short"),
    [
        (4096, 19_000, None, True),  # less than half of what was sent
        (11_000, 19_000, None, False),  # a tokenizer that takes more bytes at once
        (4096, 5000, 4096, True),  # the prompt fills the window: nothing could be answered
        (4000, 5000, 4096, False),  # it fits, as far as anybody knows
        (0, 19_000, 4096, False),  # the engine counted nothing
        (20, 300, None, False),  # too short to say
    ],
)
def test_an_engine_that_cut_its_prompt_is_told_by_its_count(counted, expected, window, short):
    assert cut_short(counted, expected, window) is short
