"""Answers of Anthropic Messages: read from models, written for tools, judged by the official SDK."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import RawMessageStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from halfdoor.canon.events import (
    UNSIGNED,
    Close,
    Delta,
    Event,
    Failed,
    Open,
    PartKind,
    Signed,
    Start,
    Stop,
    StopReason,
    Used,
)
from halfdoor.canon.money import Usage
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.errors import BackendError
from halfdoor.reading.framing import SseReader
from tests.helpers.answers import answers

GOLDEN = Path(__file__).parent.parent / "golden" / "anthropic_messages"
STREAMS = {path.parent.name: path.read_bytes() for path in sorted(GOLDEN.glob("*/stream.sse"))}
WHOLE = {path.parent.name: path.read_bytes() for path in sorted(GOLDEN.glob("*/answer.json"))}
DIALECT = AnthropicMessages()
REQUEST = DIALECT.read("/v1/messages", (), "", b'{"model":"m","messages":[]}')
SDK_EVENT: TypeAdapter = TypeAdapter(RawMessageStreamEvent)
SDK_MESSAGE: TypeAdapter = TypeAdapter(anthropic.types.Message)

TEXT, TOOL, THINKING = PartKind.TEXT, PartKind.TOOL_CALL, PartKind.THINKING


def parsed(stream, *cuts):
    parser, at, events = DIALECT.parser(), 0, []
    for cut in (*sorted(cuts), len(stream)):
        events += parser.feed(stream[at:cut])
        at = cut
    return events + parser.end()


def emitted(*batches):
    emitter = DIALECT.emitter(REQUEST)
    return b"".join(emitter.emit(batch) for batch in batches)


def frames(stream):
    return [json.loads(frame.data) for frame in SseReader().feed(stream)]


def sse(*events):
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event).encode())
        for event in events
    )


def heard_by_the_sdk(body, kind):
    """The final message that the official SDK makes of a stream or a whole answer."""
    reply = httpx2.Response(200, headers={"content-type": kind}, content=body)
    client = anthropic.Anthropic(
        api_key="test",
        base_url="http://gateway.test",
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(lambda _request: reply)),
    )
    asked: dict[str, Any] = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "x"}],
    }
    with client:
        if kind == "application/json":
            return client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            return stream.get_final_message()


BEGIN = {"type": "message_start", "message": {"id": "i", "model": "m", "content": []}}


# --- parser ---


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_chunking_gives_the_same_events(data):
    stream = STREAMS[data.draw(st.sampled_from(sorted(STREAMS)))]
    ending = data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))

    assert parsed(stream.replace(b"\n", ending), *cuts) == parsed(stream)


@pytest.mark.parametrize("case", sorted(STREAMS))
def test_byte_by_byte_gives_the_same_events(case):
    stream = STREAMS[case]

    assert parsed(stream, *range(len(stream))) == parsed(stream)


def test_a_thinking_turn_with_a_tool_is_read_in_order():
    assert parsed(STREAMS["thinking_tool"]) == [
        Start("msg_02Think", "claude-test-1"),
        Used(Usage(90, 2)),
        Open(0, THINKING),
        Delta(0, "Read it first,"),
        Delta(0, " then edit."),
        Signed(0, "c2lnbmVkLWJ5LXZlbmRvcg=="),
        Close(0),
        Open(1, PartKind.REDACTED_THINKING, text="b3BhcXVlLWNpcGhlcnRleHQ="),
        Close(1),
        Open(2, TOOL, call_id="toolu_01Read", name="Read"),
        Delta(2, '{"file_path":"/src/'),
        Delta(2, 'main.py"}'),
        Close(2),
        Used(Usage(90, 64, reasoning_tokens=20)),
        Stop(StopReason.TOOL_CALLS),
    ]


def test_cached_tokens_are_inside_the_input_and_outlast_a_shorter_report():
    used = [event.usage for event in parsed(STREAMS["text"]) if isinstance(event, Used)]

    assert used == [Usage(442, 1, 400, 30), Usage(442, 17, 400, 30)]


def test_counts_that_a_later_report_leaves_at_zero_are_kept():
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 8, "output_tokens": 3}}}
    zero = {"type": "message_delta", "usage": {"input_tokens": 0, "output_tokens": 0}}

    assert parsed(sse(start, zero))[-2] == Used(Usage(8, 3))


def test_a_call_without_arguments_is_told_as_an_empty_object():
    assert Delta(2, "{}") in parsed(STREAMS["parallel_tools"])


def test_an_engine_that_sends_whole_input_at_the_start_is_understood():
    events = parsed(STREAMS["engine"])

    assert events[2:8] == [
        Open(0, THINKING),
        Delta(0, "Hm"),
        Delta(0, "m."),
        Close(0),
        Open(1, TOOL, call_id="a1", name="Write"),
        Delta(1, '{"path":"x"}'),
    ]
    assert events[-2:] == [Used(Usage(31, 9)), Stop(StopReason.TOOL_CALLS)]


def test_unknown_events_and_blocks_are_passed_over():
    events = parsed(STREAMS["stop_sequence"])

    assert events[2:5] == [Open(0, TEXT), Delta(0, "one two"), Close(0)]
    assert events[-1] == Stop(StopReason.STOP_SEQUENCE, "three")


def test_an_error_event_fails_with_the_vendors_type():
    assert parsed(STREAMS["error"])[-1] == Failed("Overloaded", "overloaded_error", 529)


def test_an_error_without_a_type_of_event_fails_too():
    stream = sse(BEGIN) + b'data: {"error":{"message":"context full","type":"exceed"}}\n\n'

    assert parsed(stream)[-1] == Failed("context full", "exceed", 502)


def test_a_cut_stream_fails_once_and_keeps_what_came():
    events = parsed(STREAMS["cut"])

    assert events[2:] == [Open(0, TEXT), Failed("the backend's answer broke off", "cut")]


def test_an_empty_stream_is_a_cut_one():
    assert [event.code for event in parsed(b"")] == ["cut"]


def test_a_stream_without_message_delta_still_stops():
    opened = {"type": "content_block_start", "index": 0}
    use = {"type": "tool_use", "id": "a", "name": "b", "input": {}}

    events = parsed(sse(BEGIN, {**opened, "content_block": use}, {"type": "message_stop"}))

    assert events[-2:] == [Close(0), Stop(StopReason.TOOL_CALLS)]


def test_nothing_after_the_end_is_heard():
    stream = STREAMS["text"]

    assert parsed(stream + b"data: [DONE]\n\n" + stream) == parsed(stream)


TEXT_BLOCK = {
    "type": "content_block_start",
    "index": 0,
    "content_block": {"type": "text", "text": ""},
}


@pytest.mark.parametrize(
    "events",
    [
        [TEXT_BLOCK],
        [BEGIN, BEGIN],
        [BEGIN, TEXT_BLOCK, TEXT_BLOCK],
        [BEGIN, {"type": "content_block_start"}],
        [BEGIN, {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}],
        [BEGIN, {"type": "content_block_start", "index": 0, "content_block": 7}],
        [BEGIN, {"type": "content_block_delta", "index": 4, "delta": {"type": "text_delta", "text": "x"}}],
        [BEGIN, TEXT_BLOCK, {"type": "content_block_delta", "index": 0}],
        [BEGIN, TEXT_BLOCK, {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}}],
        [BEGIN, TEXT_BLOCK, {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "x"}}],
        [BEGIN, TEXT_BLOCK, {"type": "content_block_delta", "index": "0", "delta": {}}],
        [BEGIN, {"type": "content_block_stop", "index": 0}],
        [BEGIN, {"type": "message_delta", "usage": {"output_tokens": -1}}],
        [BEGIN, {"type": "message_delta", "usage": {"output_tokens": 10**30}}],
        [{"type": "message_start", "message": "hello"}],
    ],
)  # fmt: skip
def test_a_broken_order_or_a_wrong_type_fails_and_never_raises(events):
    told = parsed(sse(*events))

    assert (told[-1].code, told[-1].status) == ("protocol", 502)
    assert not any(isinstance(event, Failed) for event in told[:-1])


@pytest.mark.parametrize("data", [b"{", b"[]", b"null", b"\xff", b'{"type":"error"', b"[" * 10**5])
def test_what_is_no_json_fails_and_never_raises(data):
    assert parsed(b"data: " + data + b"\n\n" + STREAMS["text"])[-1].code == "protocol"


pieces = st.lists(
    st.sampled_from([line + b"\n" for stream in STREAMS.values() for line in stream.split(b"\n")]),
    max_size=12,
).map(b"".join)


@settings(max_examples=200, deadline=None)
@given(st.one_of(pieces, st.binary(max_size=80)))
def test_no_stream_raises_and_each_ends_in_one_stop_or_failure(stream):
    events = parsed(stream)

    assert isinstance(events[-1], Stop | Failed)
    assert not any(isinstance(event, Stop | Failed) for event in events[:-1])


# --- emitter ---


@settings(max_examples=150, deadline=None)
@given(answers(), st.lists(st.integers(2, 30), max_size=4))
def test_what_is_emitted_is_parsed_back(events, cuts):
    ends = sorted({0, len(events), *(min(cut, len(events)) for cut in cuts)})
    batches = [events[a:b] for a, b in pairwise(ends)]

    assert parsed(emitted(*batches)) == events


@settings(max_examples=50, deadline=None)
@given(answers())
def test_the_official_sdk_accepts_every_event(events):
    for frame in frames(emitted(events)):
        SDK_EVENT.validate_python(frame)


@pytest.mark.parametrize("case", sorted(WHOLE))
def test_the_official_sdk_reads_the_same_from_a_stream_and_from_a_whole_answer(case):
    events = parsed(STREAMS[case])

    streamed = heard_by_the_sdk(emitted(events), "text/event-stream")
    whole = heard_by_the_sdk(DIALECT.answer(events), "application/json")

    ours = streamed.model_dump(exclude={"parsed_output"}, exclude_none=True)
    assert ours["content"] == whole.model_dump(exclude_none=True)["content"]
    assert ours["usage"] == whole.model_dump(exclude_none=True)["usage"]
    assert (streamed.stop_reason, streamed.id) == (whole.stop_reason, whole.id)


def test_unknown_counts_begin_at_one_and_end_true():
    told = frames(emitted([Start("i", "m")], [Used(Usage(70, 9, 20))], [Stop(StopReason.END)]))

    assert told[0]["message"]["usage"]["input_tokens"] == 1
    assert told[1]["usage"] == {
        "input_tokens": 50,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 20,
        "output_tokens": 9,
    }


def test_counts_may_come_on_either_side_of_the_stop():
    before = emitted([Start("i", "m")], [Used(Usage(7, 2)), Stop(StopReason.END)])
    after = emitted([Start("i", "m")], [Stop(StopReason.END), Used(Usage(7, 2))])

    assert before == after


def test_calls_that_interleave_are_written_one_after_the_other():
    opened = [
        Open(0, TEXT),
        Delta(0, "x"),
        Close(0),
        Open(1, TOOL, "a", "A"),
        Open(2, TOOL, "b", "B"),
    ]
    mixed = [
        Delta(2, '{"b"'),
        Delta(1, '{"a"'),
        Delta(2, ":2}"),
        Delta(1, ":1}"),
        Close(2),
        Close(1),
    ]

    stream = emitted([Start("i", "m")], opened, mixed, [Stop(StopReason.TOOL_CALLS)])

    parts = [event for event in parsed(stream) if isinstance(event, Open | Delta | Close)]
    assert parts[3:] == [
        Open(1, TOOL, "a", "A"),
        Delta(1, '{"a"'),
        Delta(1, ":1}"),
        Close(1),
        Open(2, TOOL, "b", "B"),
        Delta(2, '{"b"'),
        Delta(2, ":2}"),
        Close(2),
    ]


def test_the_first_of_two_interleaved_calls_is_not_held_back():
    emitter = DIALECT.emitter(REQUEST)
    emitter.emit([Start("i", "m"), Open(0, TOOL, "a", "A"), Open(1, TOOL, "b", "B")])

    assert b'"partial_json":"{"' in emitter.emit([Delta(0, "{")])
    assert emitter.emit([Delta(1, "{")]) == b""
    assert emitter.emit([Close(0)]).count(b"event: ") == 3


def test_parts_that_never_close_are_closed_at_the_stop():
    left_open = [Open(0, TEXT), Delta(0, "x"), Open(1, TOOL, "a", "A"), Delta(1, "{}")]

    told = [
        frame["type"]
        for frame in frames(emitted([Start("i", "m"), *left_open, Stop(StopReason.END)]))
    ]

    assert told.count("content_block_start") == told.count("content_block_stop") == 2
    assert told[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_unsigned_thinking_carries_our_own_seal_and_is_read_back_unsigned():
    events = [Start("i", "m"), Used(Usage(1, 1)), Open(0, THINKING), Delta(0, "t"), Close(0)]
    events += [Used(Usage(1, 1)), Stop(StopReason.END)]

    assert frames(emitted(events))[3]["delta"] == {"type": "signature_delta", "signature": UNSIGNED}
    assert parsed(emitted(events)) == events


def test_a_failure_is_the_last_that_is_heard():
    begun = [Start("i", "m"), Open(0, TEXT), Delta(0, "x")]

    stream = emitted(
        begun, [Failed("busy", "overloaded_error", 529), Delta(0, "y")], [Stop(StopReason.END)]
    )

    assert frames(stream)[-1] == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "busy"},
    }
    with pytest.raises(anthropic.APIStatusError, match="busy"):
        heard_by_the_sdk(stream, "text/event-stream")


def test_a_failure_before_the_start_is_an_error_event_alone():
    assert [frame["type"] for frame in frames(emitted([Start("i", "m"), Failed("no", "cut")]))] == [
        "error"
    ]


# --- whole answers ---


@pytest.mark.parametrize("case", sorted(WHOLE))
def test_a_whole_answer_says_what_its_stream_says(case):
    streamed, whole = parsed(STREAMS[case]), DIALECT.events(WHOLE[case])

    assert json.loads(DIALECT.answer(whole)) == json.loads(DIALECT.answer(streamed))
    assert whole[-2:] == streamed[-2:]


@settings(max_examples=150, deadline=None)
@given(answers())
def test_a_written_answer_is_read_back(events):
    body = DIALECT.answer(events)

    assert DIALECT.answer(DIALECT.events(body)) == body
    SDK_MESSAGE.validate_json(body)


def test_a_written_answer_joins_interleaved_calls():
    told: list[Event] = [
        Open(0, TOOL, "a", "A"),
        Open(1, TOOL, "b", "B"),
        Delta(1, "{}"),
        Delta(0, '{"x":1}'),
    ]

    body = json.loads(DIALECT.answer([Start("i", "m"), *told]))

    assert [block["input"] for block in body["content"]] == [{"x": 1}, {}]
    assert body["stop_reason"] == "tool_use"


def test_a_written_answer_has_no_blank_text_and_no_broken_input():
    told: list[Event] = [
        Open(0, TEXT),
        Close(0),
        Open(1, TOOL, "a", "A"),
        Delta(1, '{"x":'),
        Close(1),
    ]

    body = json.loads(DIALECT.answer([Start("i", "m"), *told]))

    assert [block["type"] for block in body["content"]] == ["tool_use"]
    assert body["content"][0]["input"] == {"malformed_arguments": '{"x":'}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"<html>",
        b'{"type":"error","error":{"type":"api_error","message":"x"}}',
        b'{"type":"message","content":"text"}',
        b'{"type":"message","content":[{"type":"text"}]}',
        b'{"type":"message","content":[{"type":"tool_use","id":"a","name":"b","input":"\xff"}]}',
        b'{"type":"message","content":[],"usage":{"input_tokens":"7"}}',
        b'{"type":"message","content":[' + b"[" * 10**5,
    ],
)
def test_a_body_that_is_no_answer_is_the_backends_fault(body):
    with pytest.raises(BackendError) as failed:
        DIALECT.events(body)

    assert failed.value.kind == "protocol"


def test_blank_text_before_a_call_never_reaches_a_tool_whose_vendor_would_refuse_it_back():
    opened: list[Event] = [Start("m", "x"), Open(0, TEXT), Delta(0, "\n"), Delta(0, "\n")]
    called: list[Event] = [Close(0), Open(1, TOOL, "c1", "Read"), Delta(1, "{}"), Close(1)]
    stream = emitted(opened, called, [Stop(StopReason.TOOL_CALLS)])
    assert b"text_delta" not in stream
    assert b'"content_block_start","index":0,"content_block":{"type":"tool_use"' in stream
    assert b"text" not in DIALECT.answer([*opened, *called]).replace(b"context", b"")


def test_blank_text_before_letters_goes_out_with_them():
    told = emitted([Start("m", "x"), Open(0, TEXT), Delta(0, "\n\n")], [Delta(0, "Hi")])
    assert told.index(b'"text":"\\n\\n"') < told.index(b'"text":"Hi"')
