"""What a passing stream costs, counted in frames that are read: no clock."""

import pytest

from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.anthropic_messages.answer import read_event
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.dialects.openai_chat.wire import chunk
from halfdoor.flow.pipe import through

CHAT_BODY = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'
CHAT_PIECE = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"a \\"usage\\""},"finish_reason":null}],"usage":null}\n\n'
CHAT_END = (
    b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\n'
    b"data: [DONE]\n\n"
)
MESSAGES_BODY = (
    b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}'
)
MESSAGES_START = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"x","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}\n\n'
MESSAGES_PIECE = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a \\"usage\\""}}\n\n'
MESSAGES_END = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class Counted:
    """A function, and how often it was called."""

    def __init__(self, real):
        self.real = real
        self.calls = 0

    def __call__(self, *args):
        self.calls += 1
        return self.real(*args)


def passed(dialect, path, body, chunks):
    request = dialect.read(path, (), "", body)
    pipe = through(request, dialect, (), texts=False)
    out = b"".join(pipe.feed(chunk) for chunk in chunks) + pipe.end()
    assert pipe.learnt().finished
    return out


@pytest.mark.parametrize("joined", [False, True], ids=["one by one", "all at once"])
def test_of_a_passing_chat_stream_only_marked_frames_are_read(monkeypatch, joined):
    read = []
    for count in (10, 1000):
        counted = Counted(chunk)
        with monkeypatch.context() as patch:
            patch.setattr("halfdoor.dialects.openai_chat.watch.chunk", counted)
            chunks = [CHAT_PIECE] * count + [CHAT_END]
            passed(
                OpenAIChat(),
                "/v1/chat/completions",
                CHAT_BODY,
                [b"".join(chunks)] if joined else chunks,
            )
        read.append(counted.calls)
    assert read[0] == read[1] <= 4


@pytest.mark.parametrize("joined", [False, True], ids=["one by one", "all at once"])
def test_of_a_passing_messages_stream_only_marked_frames_are_read(monkeypatch, joined):
    read = []
    for count in (10, 1000):
        counted = Counted(read_event)
        with monkeypatch.context() as patch:
            patch.setattr("halfdoor.dialects.anthropic_messages.watch.read_event", counted)
            chunks = [MESSAGES_START] + [MESSAGES_PIECE] * count + [MESSAGES_END]
            out = passed(
                AnthropicMessages(),
                "/v1/messages",
                MESSAGES_BODY,
                [b"".join(chunks)] if joined else chunks,
            )
        assert out == b"".join(chunks)
        read.append(counted.calls)
    assert read[0] == read[1] <= 2


def test_asking_whether_a_labelled_stream_is_finished_does_not_join_what_it_said(monkeypatch):
    """It was asked for every chunk, and joined all texts each time: the square of the answer."""
    watcher = OpenAIChat().watcher(stream=True, texts=True)
    monkeypatch.setattr(type(watcher), "learnt", None)
    for piece in [CHAT_PIECE] * 100:
        watcher.feed(piece)
        assert not watcher.finished
    watcher.feed(CHAT_END)
    assert watcher.finished
    monkeypatch.undo()
    assert watcher.learnt().texts == ('a "usage"' * 100,)
