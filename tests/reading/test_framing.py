import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.errors import BackendError
from halfdoor.reading import framing
from halfdoor.reading.framing import Frame, SseReader

STREAM = (
    b": hello\n\nevent: ping\ndata: {}\n\ndata: one\ndata: two\n\nid: 7\nretry: 5\ndata:three\n\n"
    b"event: only-a-name\n\ndata: [DONE]\n\n"
)
FRAMES = [Frame("ping", b"{}"), Frame("", b"one\ntwo"), Frame("", b"three"), Frame("", b"[DONE]")]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(1, 30), max_size=40))
def test_any_chunking_and_any_line_end_gives_the_same_frames(newline, sizes):
    stream, reader, frames = STREAM.replace(b"\n", newline), SseReader(), []
    for size in [*sizes, len(stream)]:
        frames += reader.feed(stream[:size])
        stream = stream[size:]
    frames += reader.feed(b"\n") if newline == b"\r" else []
    assert frames == FRAMES


def test_an_unfinished_frame_is_pending():
    reader = SseReader()
    assert reader.feed(b"data: ha") == []
    assert reader.pending == b"data: ha"


def test_an_endless_frame_is_refused(monkeypatch):
    monkeypatch.setattr(framing, "FRAME_LIMIT_BYTES", 10)
    with pytest.raises(BackendError, match="exceeds"):
        SseReader().feed(b"data: 0123456789")
