"""Chat answers that pass through: what is learnt from them, and what is taken out."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.commands import Learnt
from halfdoor.canon.money import Usage
from halfdoor.dialects.openai_chat import OpenAIChat

CHAT = OpenAIChat()
GOLDEN = Path(__file__).parent.parent / "golden" / "openai_chat"
STREAMS = sorted(path.parent.name for path in GOLDEN.glob("*/stream.sse"))
COUNTED = Usage(1207, 9, 1024)
CUTS = st.lists(st.integers(0, 10**6), max_size=8)


def stream(case: str) -> bytes:
    return (GOLDEN / case / "stream.sse").read_bytes()


def cut_up(raw: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted(cut % (len(raw) + 1) for cut in cuts)
    return [raw[a:b] for a, b in zip([0, *ends], [*ends, len(raw)], strict=True)]


def learnt(*chunks: bytes, whole: bool = False, texts: bool = False) -> Learnt:
    watcher = CHAT.watcher(stream=not whole, texts=texts)
    for chunk in chunks:
        watcher.feed(chunk)
    return watcher.learnt()


def passed(*chunks: bytes, sent: str = '"stream":true') -> bytes:
    body = b'{"model":"m","messages":[],' + sent.encode() + b"}"
    only = CHAT.filter(CHAT.read("/v1/chat/completions", (), "", body))
    assert only is not None
    return b"".join(only.feed(chunk) for chunk in chunks) + only.end()


# --- watching ---


def test_counts_marks_and_the_end_are_learnt_in_passing():
    assert learnt(stream("text")) == Learnt(usage=COUNTED, stop="end", finished=True)
    assert learnt(stream("parallel-interleaved")) == Learnt(
        usage=COUNTED, stop="tool_calls", finished=True, calls=("call_aa", "call_bb")
    )


def test_a_cut_stream_is_not_finished():
    assert learnt(stream("cut")) == Learnt()


def test_an_error_in_the_stream_is_a_failure():
    got = learnt(stream("error"))
    assert (got.finished, got.failure) == (False, "model runner has unexpectedly stopped")


@pytest.mark.parametrize("texts", [False, True])
def test_an_engine_that_closes_without_done_or_blank_line_has_finished(texts):
    got = learnt(stream("engine-quirks"), texts=texts)
    assert (got.finished, got.usage) == (True, Usage(7, 3))


def test_looking_in_the_middle_of_a_frame_changes_nothing():
    raw = stream("text")
    watcher = CHAT.watcher(stream=True, texts=False)
    for i in range(0, len(raw), 50):
        watcher.feed(raw[i : i + 50])
        watcher.learnt()
    assert watcher.learnt() == learnt(raw)


@pytest.mark.parametrize("texts", [False, True])
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(STREAMS), CUTS)
def test_any_chunking_teaches_the_same(texts, case, cuts):
    raw = stream(case)
    assert learnt(*cut_up(raw, cuts), texts=texts) == learnt(raw, texts=texts)


@pytest.mark.parametrize("case", ["text", "tool-call", "parallel-interleaved", "reasoning"])
def test_both_watchers_agree(case):
    quick, full = learnt(stream(case)), learnt(stream(case), texts=True)
    assert (quick.usage, quick.stop, quick.calls) == (full.usage, full.stop, full.calls)
    assert quick.texts == ()


def test_texts_are_complete_for_each_part():
    assert learnt(stream("parallel-interleaved"), texts=True).texts == (
        "Reading both.", '{"path":"a.py"}', '{"pattern":"def "}',
    )  # fmt: skip
    thinking, text = learnt(stream("reasoning"), texts=True).texts
    assert (thinking, text) == ("The user wants a swap.", "Use a tuple: `a, b = b, a`.")


def test_words_of_the_model_are_no_marks():
    said = 'usage":{"prompt_tokens":9} "finish_reason":"stop" [DONE] "error":"x"'
    chunk = {"id": "a", "choices": [{"index": 0, "delta": {"content": said}}]}
    assert learnt(b"data: " + json.dumps(chunk).encode() + b"\n\n") == Learnt()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=30) | st.sampled_from([b'"usage":{', b"data: ", b"\n\n"])))
def test_no_bytes_from_upstream_ever_raise(chunks):
    for texts in (False, True):
        learnt(*chunks, texts=texts)
        learnt(*chunks, whole=True, texts=texts)


def test_an_endless_frame_stops_the_learning_only():
    watcher = CHAT.watcher(stream=True, texts=False)
    for _ in range(3):
        watcher.feed(b'data: "usage":{' + b"x" * (5 * 1024 * 1024))
    assert watcher.learnt().failure == "a stream event exceeds 8 MiB"


def test_a_whole_answer_is_read_when_it_is_complete():
    body = (GOLDEN / "whole-tool-calls" / "answer.json").read_bytes()
    watcher = CHAT.watcher(stream=False, texts=True)
    watcher.feed(body[:100])
    assert watcher.learnt() == Learnt()
    watcher.feed(body[100:])
    assert watcher.learnt() == Learnt(
        usage=COUNTED,
        stop="tool_calls",
        finished=True,
        calls=("call_aa", "call_bb"),
        texts=("Reading both.", '{"path":"a.py"}'),
    )
    assert learnt(body, whole=True).texts == ()


def test_an_error_instead_of_a_whole_answer_is_a_failure():
    told = learnt(CHAT.error(429, "rate_limit_exceeded", "boom"), whole=True)
    assert told == Learnt(failure="boom", failure_code="rate_limit_exceeded", failure_status=429)


def test_an_endless_whole_answer_is_not_kept():
    watcher = CHAT.watcher(stream=False, texts=False)
    for _ in range(65):
        watcher.feed(b"x" * (1024 * 1024))
    assert watcher.learnt() == Learnt()


# --- the frame that the client did not ask for ---

FRAME = b'data: {"id":"a","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'
PIECES = [
    FRAME,
    FRAME.replace(b"\n", b"\r\n"),
    FRAME.replace(b"\n", b"\r"),
    FRAME.replace(b":[]", b": [ ]"),
    b'event: x\ndata: {"choices":[],\ndata: "usage":{}}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"\\"choices\\":[]"}}],"usage":null}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{}}\n\n',
    b'data: {"choices":[],"prompt_filter_results":[]}\n\n',
    b": usage\r\n\r\n",
    b"data: [DONE]\n\n",
    b'data: {"usage" broken\r\r',
]
DROPPED = (b'"choices":[],"usage":{', b'"choices": [ ],"usage":{', b'"choices":[],\ndata: "usage"')


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6), CUTS)
def test_exactly_the_frame_of_counts_is_dropped_in_any_chunking(body, cuts):
    kept = b"".join(one for one in body if not any(mark in one for mark in DROPPED))
    assert passed(*cut_up(b"".join(body), cuts)) == kept


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, b"\n", b"\r", b"x", FRAME[:-3]]), max_size=8), CUTS)
def test_odd_line_ends_are_told_apart_in_any_chunking(body, cuts):
    raw = b"".join(body)
    assert passed(*cut_up(raw, cuts)) == passed(raw)


def test_a_blank_line_before_that_frame_stays_wherever_the_chunks_end():
    chunks = b"data: [DONE]\n\n\n", FRAME
    assert passed(*chunks) == passed(b"".join(chunks)) == chunks[0]


@pytest.mark.parametrize("case", STREAMS)
def test_a_recorded_stream_passes_but_for_that_frame(case):
    raw = stream(case)
    frames = raw.split(b"\n\n")
    kept = b"\n\n".join(frame for frame in frames if b'"choices":[],"usage":{' not in frame)
    assert passed(*(raw[i : i + 7] for i in range(0, len(raw), 7))) == kept


def test_a_frame_too_long_for_counts_does_not_wait_for_its_end():
    body = b'{"model":"m","messages":[],"stream":true}'
    only = CHAT.filter(CHAT.read("/v1/chat/completions", (), "", body))
    assert only is not None
    start = b'data: {"choices":[],"usage":{"x":"' + b"a" * 70_000
    assert len(only.feed(start)) > 65_000
    assert only.feed(b'"}}\r\n\r') + only.feed(b"\n" + FRAME) == b'aaa"}}\r\n\r\n'
    assert only.end() == b""


def test_whole_frames_pass_without_a_copy():
    body = b'{"model":"m","messages":[],"stream":true}'
    only = CHAT.filter(CHAT.read("/v1/chat/completions", (), "", body))
    assert only is not None
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
    assert only.feed(chunk) is chunk


@pytest.mark.parametrize(
    "sent",
    [
        '"stream":false',
        '"stream":true,"stream_options":{"include_usage":true}',
        '"stream":true,"stream_options":[]',
    ],
)
def test_nothing_is_filtered_where_nothing_was_added(sent):
    body = b'{"model":"m","messages":[],' + sent.encode() + b"}"
    assert CHAT.filter(CHAT.read("/v1/chat/completions", (), "", body)) is None
