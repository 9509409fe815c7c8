"""A stream that passes: the same bytes and the same lessons, however it was cut into chunks."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.commands import Fault, FaultKind
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.flow.pipe import through, translated
from tests.flow.test_passing_cost import (
    CHAT_BODY,
    CHAT_END,
    CHAT_PIECE,
    MESSAGES_BODY,
    MESSAGES_END,
    MESSAGES_PIECE,
    MESSAGES_START,
)

COUNTS = b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\n'
LINE_ENDS = (b"\n", b"\r\n", b"\r")
CHAT = (OpenAIChat(), "/v1/chat/completions", CHAT_BODY, CHAT_PIECE * 3 + CHAT_END)
MESSAGES = (
    AnthropicMessages(),
    "/v1/messages",
    MESSAGES_BODY,
    MESSAGES_START + MESSAGES_PIECE * 3 + MESSAGES_END,
)


def cut(stream, places):
    """Chunks; what stands between two frames is cut as often as what stands inside of one."""
    at = sorted({0, len(stream), *(place % len(stream) for place in places)})
    return [stream[start:end] for start, end in itertools.pairwise(at)]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([CHAT, MESSAGES]),
    st.sampled_from(LINE_ENDS),
    st.lists(st.integers(0, 2**20), max_size=12),
    st.booleans(),
)
def test_any_chunking_passes_the_same_bytes_and_teaches_the_same(case, line_end, places, texts):
    dialect, path, body, stream = case
    stream = stream.replace(b"\n", line_end)
    expected = stream.replace(COUNTS.replace(b"\n", line_end), b"") if case is CHAT else stream
    found = []
    for chunks in ([stream], cut(stream, places)):
        pipe = through(dialect.read(path, (), "", body), dialect, (), texts=texts)
        assert b"".join(map(pipe.feed, chunks)) + pipe.end() == expected
        found.append(pipe.learnt())
    assert found[0] == found[1]
    assert found[0].finished


def test_frames_that_tell_nothing_pass_without_a_copy():
    for dialect, path, body, stream in (CHAT, MESSAGES):
        pipe = through(dialect.read(path, (), "", body), dialect, (), texts=False)
        chunks = [frame + b"\n\n" for frame in stream.split(b"\n\n")[:-1]]
        passed = [pipe.feed(chunk) for chunk in chunks]
        assert all(out is chunk for out, chunk in zip(passed, chunks, strict=True) if out)


def test_a_call_id_that_not_every_vendor_takes_back_is_made_fit_on_its_way_to_the_tool():
    chat, messages = OpenAIChat(), AnthropicMessages()
    call = b'{"index":0,"id":"functions.Read:0","function":{"name":"Read","arguments":"{}"}}'
    frame = b'data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[%b]}}]}\n\n' % call
    asked = messages.read("/v1/messages", (), "", MESSAGES_BODY)
    pipe = translated(asked, messages, chat, (), texts=False)
    out = pipe.feed(frame)
    assert b"functions.Read:0" not in out
    assert pipe.learnt().calls[0].encode() in out


def test_what_breaks_behind_a_keep_alive_alone_is_told_in_the_stream():
    chat, messages = OpenAIChat(), AnthropicMessages()
    asked = messages.read("/v1/messages", (), "", MESSAGES_BODY)
    pipe = translated(asked, messages, chat, (), texts=False)
    told = pipe.broken(Fault(FaultKind.CUT, "the backend died"))
    assert told.startswith(b"event: error")
    assert b"halfdoor: the backend died" in told
    assert pipe.learnt().failure
