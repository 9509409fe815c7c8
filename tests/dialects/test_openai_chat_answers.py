"""Chat answers ⇄ events, streamed and whole."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from halfdoor.canon.events import (
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
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.errors import BackendError

CHAT = OpenAIChat()
GOLDEN = Path(__file__).parent.parent / "golden" / "openai_chat"
STREAMS = sorted(path.parent.name for path in GOLDEN.glob("*/stream.sse"))
ANSWERS = sorted(path.parent.name for path in GOLDEN.glob("*/answer.json"))
COUNTED = '"stream":true,"stream_options":{"include_usage":true}'


def stream(case: str) -> bytes:
    return (GOLDEN / case / "stream.sse").read_bytes()


def expected(case: str) -> list[Event]:
    return msgspec.json.decode((GOLDEN / case / "events.json").read_bytes(), type=list[Event])


def parsed(*chunks: bytes) -> list[Event]:
    parser = CHAT.parser()
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return events + parser.end()


def cut_up(raw: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted(cut % (len(raw) + 1) for cut in cuts)
    return [raw[a:b] for a, b in zip([0, *ends], [*ends, len(raw)], strict=True)]


def frames(*datas: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(data).encode() + b"\n\n" for data in datas)


def piece(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "a", "model": "m", "choices": [choice]}


def emitted(*events: Event, counted: bool = True) -> bytes:
    wish = COUNTED if counted else '"stream":true'
    body = b'{"model":"m","messages":[],' + wish.encode() + b"}"
    return CHAT.emitter(CHAT.read("/v1/chat/completions", (), "", body)).emit(events)


def chunks_of(raw: bytes) -> list[dict[str, Any]]:
    """Every frame but [DONE], which must be the last."""
    *datas, last, nothing = raw.split(b"\n\n")
    assert (last, nothing) == (b"data: [DONE]", b"")
    found = [json.loads(data.removeprefix(b"data: ")) for data in datas]
    for one in found:
        if "error" not in one:
            ChatCompletionChunk.model_validate(one)
    return found


# --- streams of models ---


@pytest.mark.parametrize("case", STREAMS)
def test_a_recorded_stream_means_what_is_written_beside_it(case):
    assert parsed(stream(case)) == expected(case)


@pytest.mark.parametrize("case", STREAMS)
def test_a_recorded_stream_may_arrive_byte_by_byte(case):
    raw = stream(case)
    assert parsed(*(raw[i : i + 1] for i in range(len(raw)))) == expected(case)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 10**6), max_size=8))
def test_any_chunking_gives_the_same_events(case, cuts):
    assert parsed(*cut_up(stream(case), cuts)) == expected(case)


def test_a_finish_reason_without_done_is_an_end():
    assert parsed(frames(piece(content="x"), piece("length")))[-1] == Stop(StopReason.LENGTH)


def test_done_without_a_finish_reason_is_an_end():
    assert parsed(frames(piece(content="x")), b"data: [DONE]\n\n")[-1] == Stop(StopReason.END)


@pytest.mark.parametrize("raw", [b"", b": ping\n\n", frames(piece(content="x")), b"data: {\n\n"])
def test_neither_is_a_failure(raw):
    code = "protocol" if raw.startswith(b"data: {\n") else "cut"
    events = parsed(raw)
    assert isinstance(events[-1], Failed)
    assert events[-1].code == code


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("stop", StopReason.END),
        ("length", StopReason.LENGTH),
        ("tool_calls", StopReason.TOOL_CALLS),
        ("function_call", StopReason.TOOL_CALLS),
        ("content_filter", StopReason.REFUSAL),
        ("eos", StopReason.END),
    ],
)
def test_finish_reasons(finish, reason):
    assert parsed(frames(piece(finish)))[-1] == Stop(reason)


def test_counts_are_told_once_just_before_the_stop():
    used = {"prompt_tokens": 3, "completion_tokens": 1}
    more = {"prompt_tokens": 3, "completion_tokens": 2, "prompt_tokens_details": None}
    events = parsed(frames({**piece(content="x"), "usage": used}, {**piece("stop"), "usage": more}))
    assert events[-2:] == [Used(Usage(3, 2)), Stop(StopReason.END)]


def test_counts_from_outside_stay_within_reason():
    used = {"prompt_tokens": -5, "completion_tokens": 10**15, "total_tokens": None}
    assert Used(Usage(0, 2**40)) in parsed(frames({**piece("stop"), "usage": used}))


def test_what_was_counted_before_a_failure_is_still_told():
    used = {"prompt_tokens": 3, "completion_tokens": 1}
    events = parsed(frames({**piece(content="x"), "usage": used}))
    assert events[-2] == Used(Usage(3, 1))


def test_calls_without_index_and_id_are_told_apart():
    one = {"function": {"name": "ls", "arguments": "{}"}}
    events = parsed(frames(piece(tool_calls=[one, one]), piece("tool_calls")))
    assert [event.call_id for event in events if isinstance(event, Open)] == [
        "call_0_a",
        "call_1_a",
    ]


def test_made_ids_differ_between_answers_and_suit_every_vendor():
    call = {"index": 0, "function": {"name": "ls", "arguments": "{}"}}
    answer = {**piece(tool_calls=[call]), "id": "chatcmpl-ä:" + "7" * 60}
    opened = parsed(frames(answer, piece("stop")))[1]
    assert opened == Open(0, PartKind.TOOL_CALL, call_id="call_0_" + "7" * 24, name="ls")


def test_fragments_that_repeat_id_and_name_are_one_call():
    call = {"index": 0, "id": "x", "function": {"name": "ls", "arguments": "{"}}
    more = {"index": 0, "id": "x", "function": {"name": "ls", "arguments": "}"}}
    events = parsed(frames(piece(tool_calls=[call]), piece(tool_calls=[more]), piece("stop")))
    assert events[1:5] == [
        Open(0, PartKind.TOOL_CALL, "x", "ls"), Delta(0, "{"), Delta(0, "}"), Close(0),
    ]  # fmt: skip


def test_a_call_waits_for_its_name():
    first = {"index": 0, "id": "x", "function": {"arguments": "{"}}
    named = {"index": 0, "function": {"name": "ls", "arguments": "}"}}
    events = parsed(frames(piece(tool_calls=[first]), piece(tool_calls=[named]), piece("stop")))
    assert events[1:3] == [Open(0, PartKind.TOOL_CALL, "x", "ls"), Delta(0, "{}")]


def test_a_call_that_never_gets_a_name_is_a_breach_of_protocol():
    call = {"index": 0, "id": "x", "function": {"arguments": "{}"}}
    last = parsed(frames(piece(tool_calls=[call]), piece("tool_calls")))[-1]
    assert isinstance(last, Failed)
    assert last.code == "protocol"


def test_prose_after_calls_is_a_part_of_its_own():
    call = {"index": 0, "id": "x", "function": {"name": "ls", "arguments": "{}"}}
    events = parsed(frames(piece(tool_calls=[call]), piece(content="done"), piece("stop")))
    opened = [(event.index, event.kind) for event in events if isinstance(event, Open)]
    assert opened == [(0, PartKind.TOOL_CALL), (1, PartKind.TEXT)]


@pytest.mark.parametrize(
    ("frame", "failed"),
    [
        ({"error": "boom"}, Failed("boom", "server_error")),
        ({"error": {"message": "busy", "code": 429}}, Failed("busy", "429", 429)),
        ({"error": {"message": None}}, Failed("the backend reported an error", "server_error")),
        ({"error": {"message": "m", "type": "overloaded"}}, Failed("m", "overloaded")),
    ],
)
def test_an_error_in_a_frame_ends_the_answer(frame, failed):
    assert parsed(frames(piece(content="x"), frame, piece(content="y")))[-1] == failed


def test_a_frame_named_error_is_one_whatever_it_holds():
    assert parsed(b'event: error\ndata: {"message":"m"}\n\n') == [Failed("m", "server_error")]


def test_a_null_error_beside_an_answer_is_none():
    assert parsed(frames({**piece("stop", content="x"), "error": None}))[-1] == Stop(StopReason.END)


def test_other_choices_are_not_this_answer():
    other = {"index": 1, "delta": {"content": "B"}, "finish_reason": "stop"}
    chunk = piece(content="A")
    chunk["choices"].append(other)
    assert [e.text for e in parsed(frames(chunk)) if isinstance(e, Delta)] == ["A"]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.lists(st.integers(0, 99), max_size=3))
def test_no_bytes_from_upstream_ever_raise(noise, cuts):
    raw = b"data: " + noise + b"\n\n"
    events = parsed(*cut_up(raw, cuts))
    assert isinstance(events[-1], Failed | Stop)
    assert events == parsed(raw)


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(
                    ["choices", "delta", "content", "tool_calls", "index", "function", "usage"]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=10,
    )
)
def test_no_shape_from_upstream_ever_raises(value):
    assert isinstance(parsed(frames(value))[-1], Failed | Stop)


def test_a_frame_without_end_is_refused():
    parser = CHAT.parser()
    events = parser.feed(b"data: " + b"x" * (9 * 1024 * 1024))
    assert events == [Failed("a stream event exceeds 8 MiB", "protocol")]
    assert parser.end() == []


# --- streams for tools ---

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
usages = st.builds(Usage, *[st.integers(0, 10**6)] * 5)
reasons = st.sampled_from([StopReason.END, StopReason.LENGTH, StopReason.REFUSAL])


@st.composite
def streams(draw):
    """Events in Chat's normal form: prose parts that alternate, then calls that may interleave."""
    events: list[Event] = [Start(draw(names), draw(names))]
    kinds = draw(st.sampled_from([[], ["text"], ["thinking"], ["thinking", "text", "thinking"]]))
    for index, kind in enumerate(kinds):
        deltas = [Delta(index, text) for text in draw(st.lists(texts, min_size=1, max_size=3))]
        events += [Open(index, PartKind(kind)), *deltas, Close(index)]
    calls = range(len(kinds), len(kinds) + draw(st.integers(0, 3)))
    for index in calls:
        events += [Open(index, PartKind.TOOL_CALL, f"call_{index}", draw(names))]
        among = st.sampled_from(range(calls.start, index + 1))
        events += [Delta(index, draw(texts))]
        events += [Delta(draw(among), text) for text in draw(st.lists(texts, max_size=3))]
    events += [Close(index) for index in calls]
    if draw(st.booleans()):
        events.append(Used(draw(usages)))
    return [*events, Stop(StopReason.TOOL_CALLS if calls else draw(reasons))]


@settings(max_examples=200, deadline=None)
@given(streams())
def test_what_is_emitted_parses_the_same(events):
    raw = emitted(*events)
    assert parsed(raw) == events
    assert len({(chunk["id"], chunk["model"], chunk["created"]) for chunk in chunks_of(raw)}) == 1


@settings(max_examples=100, deadline=None)
@given(streams())
def test_events_may_be_emitted_one_by_one(events):
    emitter = CHAT.emitter(
        CHAT.read(
            "/v1/chat/completions", (), "", f'{{"model":"m","messages":[],{COUNTED}}}'.encode()
        )
    )
    assert b"".join(emitter.emit([event]) for event in events) == emitted(*events)


def test_the_role_comes_first_and_the_finish_reason_last():
    first, *_, last = chunks_of(
        emitted(Start("a", "m"), Open(0, PartKind.TEXT), Delta(0, "x"), Stop(StopReason.LENGTH))
    )
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "length"}]


def test_counts_are_sent_only_to_clients_that_asked():
    events = (Start("a", "m"), Used(Usage(5, 2, 3, 1, 1)), Stop(StopReason.END))
    assert chunks_of(emitted(*events))[-1]["choices"] == []
    assert chunks_of(emitted(*events))[-1]["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    assert all(chunk["choices"] for chunk in chunks_of(emitted(*events, counted=False)))


def test_counts_behind_the_stop_in_one_batch_are_sent_too():
    raw = emitted(Start("a", "m"), Stop(StopReason.END), Used(Usage(1, 1)))
    assert chunks_of(raw)[-1]["usage"]["total_tokens"] == 2


def test_calls_have_a_dense_index_of_their_own_and_never_empty_arguments():
    raw = emitted(
        Start("a", "m"),
        Open(0, PartKind.TEXT),
        Close(0),
        Open(1, PartKind.TOOL_CALL, "x", "ls"),
        Close(1),
        Open(2, PartKind.TOOL_CALL, "y", "cat"),
        Delta(2, "{1}"),
        Close(2),
        Stop(StopReason.TOOL_CALLS),
    )
    pieces = [
        call
        for chunk in chunks_of(raw)
        for call in chunk["choices"][0]["delta"].get("tool_calls", ())
    ]
    assert [(call["index"], call["function"]["arguments"]) for call in pieces] == [
        (0, ""), (0, "{}"), (1, ""), (1, "{1}"),
    ]  # fmt: skip
    assert [call["id"] for call in pieces if "id" in call] == ["x", "y"]


def test_seals_and_ciphertext_are_not_for_this_client():
    raw = emitted(
        Start("a", "m"),
        Open(0, PartKind.THINKING),
        Delta(0, "hm"),
        Signed(0, "seal"),
        Close(0),
        Open(1, PartKind.REDACTED_THINKING, text="cipher"),
        Delta(1, "cipher"),
        Close(1),
        Stop(StopReason.END),
    )
    assert b'"reasoning_content":"hm"' in raw
    assert b"seal" not in raw
    assert b"cipher" not in raw


def test_a_failure_becomes_an_error_frame_and_a_clean_end():
    raw = emitted(Start("a", "m"), Failed("gone", "timeout"), Stop(StopReason.END))
    assert chunks_of(raw)[-1]["error"] == {
        "message": "gone", "type": "server_error", "param": None, "code": "timeout",
    }  # fmt: skip


def test_nothing_follows_the_end():
    body = b'{"model":"m","messages":[]}'
    emitter = CHAT.emitter(CHAT.read("/v1/chat/completions", (), "", body))
    assert emitter.emit([Start("a", "m"), Stop(StopReason.END)]).endswith(b"data: [DONE]\n\n")
    assert emitter.emit([Used(Usage(1, 1)), Failed("late")]) == b""


@pytest.mark.parametrize("reason", StopReason)
def test_every_stop_reason_has_a_name_here(reason):
    chunks_of(emitted(Start("a", "m"), Stop(reason)))
    ChatCompletion.model_validate_json(CHAT.answer([Start("a", "m"), Stop(reason)]))


# --- whole answers ---


@pytest.mark.parametrize("case", ANSWERS)
def test_a_recorded_answer_means_what_is_written_beside_it(case):
    body = (GOLDEN / case / "answer.json").read_bytes()
    ChatCompletion.model_validate_json(body)
    assert CHAT.events(body) == expected(case)


def joined(events: list[Event]) -> list[Event]:
    """The same answer with one delta a part and one part a kind of prose, thinking first."""
    prose: dict[PartKind, str] = {PartKind.THINKING: "", PartKind.TEXT: ""}
    opened = {event.index: event for event in events if isinstance(event, Open)}
    texts = dict.fromkeys(opened, "")
    for event in events:
        if isinstance(event, Delta):
            texts[event.index] += event.text
    for index, part in opened.items():
        if part.kind in prose:
            prose[part.kind] += texts[index]
    spoken = [(Open(0, kind), text) for kind, text in prose.items() if text]
    calls = [(part, texts[i]) for i, part in opened.items() if part.kind is PartKind.TOOL_CALL]
    out: list[Event] = [events[0]]
    for at, (part, text) in enumerate(spoken):
        out += [Open(at, part.kind), Delta(at, text), Close(at)]
    for at, (part, text) in enumerate(calls, len(spoken)):
        out += [Open(at, part.kind, part.call_id, part.name), Delta(at, text)]
    out += [Close(at) for at in range(len(spoken), len(spoken) + len(calls))]
    return out + [event for event in events if isinstance(event, Used | Stop)]


@settings(max_examples=150, deadline=None)
@given(streams())
def test_a_whole_answer_reads_the_same(events):
    body = CHAT.answer(events)
    ChatCompletion.model_validate_json(body)
    assert CHAT.events(body) == joined(events)


def test_an_answer_of_calls_alone_has_null_content():
    start, call = Start("a", "m"), Open(0, PartKind.TOOL_CALL, "x", "ls")
    body = CHAT.answer([start, call, Close(0), Stop(StopReason.TOOL_CALLS)])
    message = json.loads(body)["choices"][0]["message"]
    assert message["content"] is None
    assert message["tool_calls"][0]["function"] == {"name": "ls", "arguments": "{}"}


def test_an_empty_answer_has_empty_content():
    message = json.loads(CHAT.answer([Start("a", "m"), Stop(StopReason.END)]))["choices"][0]
    assert message["message"]["content"] == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[" * 9999,
        b"{}",
        b'{"choices":[]}',
        b'{"choices":[{"message":null}]}',
        b'{"choices":[{"message":{"content":7}}]}',
        b'{"choices":[{"message":{"tool_calls":[{"id":"x"}]}}]}',
        b'{"error":{"message":"boom"},"choices":[]}',
    ],
)
def test_a_body_that_is_no_answer_is_the_backends_error(body):
    with pytest.raises(BackendError) as caught:
        CHAT.events(body)
    assert caught.value.kind == "protocol"
