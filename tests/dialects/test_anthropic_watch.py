"""Watching answers that pass through unread."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.commands import Learnt
from halfdoor.canon.events import (
    UNSIGNED,
    Close,
    Delta,
    Event,
    Open,
    PartKind,
    Start,
    Stop,
    StopReason,
)
from halfdoor.canon.money import Usage
from halfdoor.dialects import watching
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.anthropic_messages import watch as _anthropic_watch

GOLDEN = Path(__file__).parent.parent / "golden" / "anthropic_messages"
STREAMS = {path.parent.name: path.read_bytes() for path in sorted(GOLDEN.glob("*/stream.sse"))}
WHOLE = {path.parent.name: path.read_bytes() for path in sorted(GOLDEN.glob("*/answer.json"))}
DIALECT = AnthropicMessages()
BOTH = pytest.mark.parametrize("texts", [True, False])


def learnt(data, *cuts, stream=True, texts=False):
    watcher, at = DIALECT.watcher(stream=stream, texts=texts), 0
    for cut in (*sorted(cuts), len(data)):
        watcher.feed(data[at:cut])
        at = cut
    return watcher.learnt()


@BOTH
def test_counts_and_marks_are_learnt_from_a_stream(texts):
    assert learnt(STREAMS["thinking_tool"], texts=texts) == Learnt(
        usage=Usage(90, 64, reasoning_tokens=20),
        stop="tool_calls",
        finished=True,
        calls=("toolu_01Read",),
        signatures=("c2lnbmVkLWJ5LXZlbmRvcg==", "b3BhcXVlLWNpcGhlcnRleHQ="),
        texts=("Read it first, then edit.", '{"file_path":"/src/main.py"}') if texts else (),
    )


@BOTH
@pytest.mark.parametrize("case", sorted(WHOLE))
def test_a_stream_teaches_what_its_whole_answer_does(case, texts):
    assert learnt(STREAMS[case], texts=texts) == learnt(WHOLE[case], stream=False, texts=texts)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_chunking_teaches_the_same(data):
    stream = STREAMS[data.draw(st.sampled_from(sorted(STREAMS)))]
    texts = data.draw(st.booleans())
    ending = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))

    assert learnt(stream.replace(b"\n", ending), *cuts, texts=texts) == learnt(stream, texts=texts)


def test_a_cut_stream_is_not_finished():
    assert learnt(STREAMS["cut"]) == Learnt(usage=Usage(8, 1))


def test_an_error_in_the_stream_is_learnt():
    told = learnt(STREAMS["error"])

    assert (told.failure, told.finished) == ("Overloaded", False)


def test_our_own_seal_is_not_learnt():
    events: list[Event] = [Start("i", "m"), Open(0, PartKind.THINKING), Delta(0, "t"), Close(0)]
    request = DIALECT.read("/v1/messages", (), "", b'{"model":"m","messages":[]}')
    stream = DIALECT.emitter(request).emit([*events, Stop(StopReason.END)])

    assert UNSIGNED.encode() in stream
    assert learnt(stream).signatures == ()
    assert learnt(DIALECT.answer(events), stream=False).signatures == ()


def test_text_that_quotes_a_mark_is_not_read(monkeypatch):
    read: list[bytes] = []
    monkeypatch.setattr(_anthropic_watch, "read_event", read.append)

    learnt(STREAMS["text"])

    kinds = [data.split(b'"type":"', 1)[1].split(b'"', 1)[0] for data in read]
    assert kinds == [b"message_start", b"message_delta", b"message_stop"]


@pytest.mark.parametrize(
    "noise", [b'data: {"usage"\n\n', b'data: {"usage":7}\n\n', b"\xff" * 9, b'data: "tool_use"\n\n']
)
@BOTH
def test_noise_neither_raises_nor_hides_what_follows(noise, texts):
    told = learnt(noise + b"\n\n" + STREAMS["text"], texts=texts)

    assert (told.finished, told.usage) == (True, Usage(442, 17, 400, 30))


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", WHOLE["text"][:90]])
def test_a_body_that_is_no_answer_teaches_nothing(body):
    assert learnt(body, stream=False) == Learnt()


def test_a_whole_answer_may_come_in_chunks():
    assert learnt(WHOLE["text"], 5, 90, stream=False) == learnt(WHOLE["text"], stream=False)


def test_what_is_collected_is_bounded(monkeypatch):
    for module in (_anthropic_watch, watching):
        monkeypatch.setattr(module, "WATCHED_BYTES", 600)

    assert learnt(STREAMS["text"], 600, texts=True).texts == ()
    assert learnt(STREAMS["text"], 600, texts=True).finished
    assert learnt(WHOLE["text"] + b" " * 600, stream=False) == Learnt()
