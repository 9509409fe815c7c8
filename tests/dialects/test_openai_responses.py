"""Responses, both roles: judged by the official SDK's own types, which know the real vendor."""

import json
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent

from halfdoor.canon.commands import Learnt
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
from halfdoor.canon.request import (
    ChoiceMode,
    Image,
    Message,
    Role,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from halfdoor.dialects.openai_responses import OpenAIResponses
from halfdoor.errors import BackendError, ClientError
from halfdoor.reading.splice import apply

DIALECT = OpenAIResponses()
EVENTS = {
    get_args(kind.model_fields["type"].annotation)[0]: kind
    for kind in get_args(get_args(ResponseStreamEvent)[0])
}
USED = Usage(120, 30, cached_tokens=100, reasoning_tokens=8)
TOLD: list[Event] = [
    Start("resp_1", "m"),
    Open(0, PartKind.THINKING),
    Delta(0, "let me "),
    Delta(0, "see"),
    Signed(0, "rs_9:cipher"),
    Close(0),
    Open(1, PartKind.TEXT),
    Delta(1, "I will "),
    Delta(1, "look. ✓"),
    Close(1),
    Open(2, PartKind.TOOL_CALL, "call_1", "shell"),
    Delta(2, '{"cmd":'),
    Delta(2, '"ls"}'),
    Close(2),
    Used(USED),
    Stop(StopReason.TOOL_CALLS),
]
CUSTOM = {"type": "custom", "name": "apply_patch", "description": "Patches.", "format": {"a": 1}}
SPACE = {
    "type": "namespace",
    "name": "mcp__git__",
    "tools": [{"type": "function", "name": "log", "parameters": {"type": "object"}}],
}
FUNCTION = {"type": "function", "name": "shell", "parameters": {"type": "object"}}


def request(**fields: object):
    body = json.dumps({"model": "m", "input": "hi", **fields}).encode()
    return DIALECT.read("/v1/responses", (), "", body)


def conversation(*items: object, **fields: object):
    return DIALECT.conversation(request(input=list(items), **fields))


def frames(raw: bytes) -> list[dict]:
    return [json.loads(f.partition(b"data: ")[2]) for f in raw.split(b"\n\n") if f]


def emitted(events, **fields) -> bytes:
    return DIALECT.emitter(request(**fields)).emit(events)


def parsed(raw: bytes, *cuts: int):
    parser, ends = DIALECT.parser(), sorted(cut % (len(raw) + 1) for cut in cuts)
    chunks = [raw[a:b] for a, b in zip([0, *ends], [*ends, len(raw)], strict=True)]
    return [e for chunk in chunks for e in parser.feed(chunk)] + parser.end()


# --- requests ---


def test_the_envelope_is_read_and_every_item_is_a_block():
    asked = request(input=[{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
                    tools=[FUNCTION], stream=True, max_output_tokens=9, odd=1)  # fmt: skip
    assert (asked.model, asked.stream, asked.max_tokens) == ("m", True, 9)
    places = [block.place for block in asked.blocks]
    assert {"input[0]", "input[1]", "tools[0]", "(unknown)"} <= set(places)


@pytest.mark.parametrize("body", [b"{}", b'{"model":"m"}', b'{"model":1,"input":"x"}', b"[]", b"{"])
def test_a_body_of_another_shape_is_refused(body):
    with pytest.raises(ClientError):
        DIALECT.read("/v1/responses", (), "", body)


def test_a_session_is_told_by_a_header_or_by_the_key_of_the_prompts_cache():
    body = b'{"model":"m","input":"x","prompt_cache_key":"k-1"}'
    assert DIALECT.read("/v1/responses", (), "", body).session == "k-1"
    headers = (("session-id", "s-1"),)
    assert DIALECT.read("/v1/responses", headers, "", body).session == "s-1"


def test_items_become_turns():
    read = conversation(
        {"type": "message", "role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "look"},
                                     {"type": "input_image", "image_url": "data:image/png;base64,QQ=="}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}],
         "encrypted_content": "zz"},
        {"type": "function_call", "call_id": "c1", "name": "shell", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "log", "namespace": "mcp__git__",
         "arguments": '{"n":1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {"type": "function_call_output", "call_id": "c2",
         "output": [{"type": "input_text", "text": "two"}]},
        tools=[FUNCTION, SPACE], instructions="You code.",
    )  # fmt: skip
    assert read.messages == (
        Message(Role.SYSTEM, (Text("You code."),)),
        Message(Role.SYSTEM, (Text("Be brief."),)),
        Message(Role.USER, (Text("look"), Image("image/png", "QQ=="))),
        Message(Role.ASSISTANT, (
            Thinking("hm", "zz"), ToolCall("c1", "shell", "{}"),
            ToolCall("c2", "mcp__git__log", '{"n":1}'),
        )),
        Message(Role.USER, (ToolResult("c1", (Text("one"),)), ToolResult("c2", (Text("two"),)))),
    )  # fmt: skip


def test_custom_and_namespaced_tools_become_functions_and_calls_to_them_too():
    read = conversation(
        {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "done"},
        tools=[CUSTOM, SPACE, {"type": "web_search"}],
    )
    assert [t.name if isinstance(t, Tool) else t.kind for t in read.tools] == [
        "apply_patch", "mcp__git__log", "web_search",
    ]  # fmt: skip
    assert "follow this format" in read.tools[0].description
    assert isinstance(read.tools[2], ServerTool)
    assert read.messages[0].parts == (ToolCall("c", "apply_patch", '{"input":"*** Begin"}'),)


def test_tools_that_an_item_adds_count():
    read = conversation({"type": "additional_tools", "tools": [FUNCTION, CUSTOM]})
    assert [tool.name for tool in read.tools] == ["shell", "apply_patch"]


def test_two_tools_that_would_share_a_flat_name_stay_two():
    twin = {"type": "function", "name": "mcp__git__log"}
    read = conversation({"role": "user", "content": "x"}, tools=[SPACE, twin])
    names = [tool.name for tool in read.tools]
    assert len(set(names)) == 2
    assert all(len(name) <= 64 for name in names)


def test_a_choice_of_a_tool_is_read():
    item = {"role": "user", "content": "x"}
    named = conversation(item, tools=[FUNCTION], tool_choice={"type": "function", "name": "shell"})
    assert named.tool_choice == ToolChoice(ChoiceMode.NAMED, "shell")
    left = {"type": "allowed_tools", "mode": "required", "tools": [FUNCTION]}
    some = conversation(item, tools=[FUNCTION, CUSTOM], tool_choice=left)
    assert [tool.name for tool in some.tools] == ["shell"]
    assert some.tool_choice == ToolChoice(ChoiceMode.REQUIRED)


@pytest.mark.parametrize("field", ["previous_response_id", "conversation", "prompt"])
def test_what_only_the_vendor_has_stored_cannot_be_translated(field):
    with pytest.raises(ClientError) as refused:
        conversation({"role": "user", "content": "x"}, **{field: "r_1"})
    assert refused.value.where == field


def test_a_conversation_survives_being_written_and_read():
    read = conversation(
        {"role": "user", "content": "look"},
        {"type": "function_call", "call_id": "c1", "name": "shell", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
        tools=[FUNCTION], instructions="You code.", max_output_tokens=5, temperature=0.5,
        text={"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
    )  # fmt: skip
    body, lost = DIALECT.render(read, "m")
    assert lost == ()
    again = DIALECT.conversation(DIALECT.read("/v1/responses", (), "", body))
    assert (again.messages, again.options) == (read.messages, read.options)


def test_thinking_goes_back_only_with_the_id_and_the_seal_of_this_protocol():
    turn = (Thinking("a", "rs_1:zz"), Thinking("b", "another vendor's"), Text("so"))
    told = conversation({"role": "user", "content": "x"})
    told = told.__class__(messages=(*told.messages, Message(Role.ASSISTANT, turn)))
    body, lost = DIALECT.render(told, "m")
    kept = [item for item in json.loads(body)["input"] if item["type"] == "reasoning"]
    assert [(item["id"], item["encrypted_content"]) for item in kept] == [("rs_1", "zz")]
    assert lost == ("thinking",)


def test_the_bodys_own_bytes_stay_but_for_the_named_splices():
    asked = request(input=[
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "foreign"},
        {"role": "user", "content": "x"},
        {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "own"},
    ], max_output_tokens=900)  # fmt: skip
    edits = DIALECT.edits(
        asked, model_id="n", max_output_tokens=100, drop_signatures=frozenset({"foreign"})
    )
    sent = json.loads(apply(asked.body, edits))
    assert [edit.kind for edit in edits] == ["model", "drop-thinking", "max-tokens"]
    assert (sent["model"], sent["max_output_tokens"]) == ("n", 100)
    assert [item.get("id") for item in sent["input"]] == [None, "rs_2"]


# --- answers ---


def test_every_event_is_one_that_the_sdk_knows_with_one_response_id():
    told = frames(emitted(TOLD, tools=[FUNCTION]))
    for event in told:
        EVENTS[event["type"]].model_validate(event)
    assert {e["response"]["id"] for e in told if "response" in e} == {"resp_1"}
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert told[-1]["type"] == "response.completed"
    kinds = [item["type"] for item in told[-1]["response"]["output"]]
    assert kinds == ["reasoning", "message", "function_call"]


def test_what_is_written_is_read_back():
    told = parsed(emitted(TOLD, tools=[FUNCTION]))
    sealed = [
        Signed(e.index, "rs_0_resp_1:rs_9:cipher") if isinstance(e, Signed) else e for e in TOLD
    ]
    assert told == sealed


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10**6), max_size=8))
def test_any_chunking_reads_the_same(cuts):
    raw = emitted(TOLD, tools=[FUNCTION])
    assert parsed(raw, *cuts) == parsed(raw)


def test_whole_items_without_deltas_say_as_much():
    raw = emitted(TOLD, tools=[FUNCTION])
    done = [f for f in raw.split(b"\n\n") if b"output_item.done" in f or b".completed" in f]
    events = parsed(b"\n\n".join(done) + b"\n\n")
    texts = {e.index: e.text for e in events if isinstance(e, Delta)}
    assert list(texts.values()) == ["let me see", "I will look. ✓", '{"cmd":"ls"}']
    assert events[-1] == Stop(StopReason.TOOL_CALLS)


def test_a_custom_tools_call_comes_back_as_free_text_under_its_own_name():
    events: list[Event] = [
        Start("x", "m"), Open(0, PartKind.TOOL_CALL, "c", "apply_patch"),
        Delta(0, '{"input":"*** Be'), Delta(0, 'gin"}'), Close(0), Stop(StopReason.TOOL_CALLS),
    ]  # fmt: skip
    told = frames(emitted(events, tools=[CUSTOM]))
    for event in told:
        EVENTS[event["type"]].model_validate(event)
    (call,) = told[-1]["response"]["output"]
    assert (call["type"], call["name"], call["input"]) == (
        "custom_tool_call", "apply_patch", "*** Begin",
    )  # fmt: skip


def test_a_namespaced_tools_call_comes_back_in_its_namespace():
    events: list[Event] = [
        Start("x", "m"), Open(0, PartKind.TOOL_CALL, "c", "mcp__git__log"), Close(0),
        Stop(StopReason.TOOL_CALLS),
    ]  # fmt: skip
    whole = json.loads(DIALECT.answer(events, request(tools=[SPACE])))
    (call,) = whole["output"]
    assert (call["namespace"], call["name"], call["arguments"]) == ("mcp__git__", "log", "{}")


@pytest.mark.parametrize(
    ("reason", "status"),
    [(StopReason.END, "completed"), (StopReason.LENGTH, "incomplete"),
     (StopReason.REFUSAL, "incomplete")],
)  # fmt: skip
def test_a_whole_answer_is_one_that_the_sdk_knows(reason, status):
    raw = DIALECT.answer([*TOLD[:-1], Stop(reason)], request(tools=[FUNCTION]))
    assert Response.model_validate_json(raw).status == status
    assert DIALECT.events(raw)[-2:] == [
        Used(USED),
        Stop(StopReason.TOOL_CALLS if reason is StopReason.END else reason),
    ]


def test_a_failure_ends_the_stream_under_the_same_id():
    told = frames(emitted([Start("resp_1", "m"), Failed("gone", "cut")]))
    EVENTS[told[-1]["type"]].model_validate(told[-1])
    assert told[-1]["response"]["id"] == "resp_1"
    assert told[-1]["response"]["error"] == {"code": "server_error", "message": "gone"}


def test_an_error_in_a_passing_stream_is_one_that_the_sdk_knows():
    told = frames(DIALECT.stream_error("cut", "halfdoor: gone"))
    assert [event["type"] for event in told] == ["error", "response.failed"]
    for event in told:
        EVENTS[event["type"]].model_validate(event)
    assert parsed(DIALECT.stream_error("cut", "halfdoor: gone")) == [
        Failed("halfdoor: gone", "cut")
    ]


@pytest.mark.parametrize("raw", [b"", b"{", b"{}", b'{"output":3}', b'{"error":{"message":"no"}}'])
def test_a_whole_answer_that_is_none_is_a_fault_of_the_backend(raw):
    with pytest.raises(BackendError):
        DIALECT.events(raw)


def test_a_stream_that_stops_early_was_cut():
    raw = emitted(TOLD, tools=[FUNCTION])
    cut = raw[: raw.index(b"event: response.completed")]
    assert parsed(cut)[-1] == Failed("the answer was cut short", "cut")


# --- what passes through ---


def watched(raw: bytes, *, texts: bool = False, stream: bool = True) -> Learnt:
    watcher = DIALECT.watcher(stream=stream, texts=texts)
    for frame in raw.split(b"\n\n"):
        watcher.feed(frame + b"\n\n" if frame else b"")
    return watcher.learnt()


def test_counts_calls_and_seals_are_learnt_in_passing():
    learnt = watched(emitted(TOLD, tools=[FUNCTION]))
    assert (learnt.usage, learnt.stop, learnt.finished) == (USED, "tool_calls", True)
    assert (learnt.calls, learnt.signatures, learnt.texts) == (("call_1",), ("rs_9:cipher",), ())


def test_texts_are_learnt_when_asked_for_streamed_and_whole():
    texts = ("let me see", "I will look. ✓", '{"cmd":"ls"}')
    assert watched(emitted(TOLD, tools=[FUNCTION]), texts=True).texts == texts
    whole = DIALECT.watcher(stream=False, texts=True)
    whole.feed(DIALECT.answer(TOLD, request(tools=[FUNCTION])))
    assert (whole.finished, whole.learnt().texts) == (True, texts)


def test_a_model_that_writes_the_marks_itself_ends_nothing():
    said = [Start("x", "m"), Open(0, PartKind.TEXT), Delta(0, '"response.completed" event: error')]
    learnt = watched(emitted(said))
    assert (learnt.finished, learnt.failure) == (False, "")


def test_a_failure_in_passing_is_learnt():
    learnt = watched(emitted([*TOLD[:3], Failed("gone", "cut")], tools=[FUNCTION]))
    assert (learnt.finished, learnt.failure) == (False, "gone")


def test_the_end_counts_without_its_blank_line():
    watcher = DIALECT.watcher(stream=True, texts=False)
    watcher.feed(emitted(TOLD, tools=[FUNCTION])[:-2])
    assert not watcher.finished
    assert watcher.learnt().finished
