import pytest

from halfdoor.reading.tokens import (
    PICTURE_TOKENS,
    Scales,
    Size,
    cut_short,
    estimated,
    size,
    spared,
)

CODE = Size(42_000)


def measured(body):
    return size(len(body), [spared(body)])


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
