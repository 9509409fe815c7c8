"""Ollama's own protocol, both roles: requests, streams of lines, whole answers."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.canon.commands import Learnt
from halfdoor.canon.events import (
    Close,
    Delta,
    Event,
    Failed,
    Open,
    PartKind,
    Start,
    Stop,
    StopReason,
    Used,
)
from halfdoor.canon.money import Usage
from halfdoor.canon.request import (
    ChoiceMode,
    Conversation,
    Image,
    Message,
    Options,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from halfdoor.dialects.ollama import Ollama
from halfdoor.errors import BackendError, ClientError
from halfdoor.reading.splice import apply

DIALECT = Ollama()
FUNCTION = {"type": "function", "function": {"name": "shell", "parameters": {"type": "object"}}}
TOLD: list[Event] = [
    Start("x", "m"),
    Open(0, PartKind.THINKING),
    Delta(0, "let me see"),
    Close(0),
    Open(1, PartKind.TEXT),
    Delta(1, "I will "),
    Delta(1, "look. ✓"),
    Close(1),
    Open(2, PartKind.TOOL_CALL, "call_1", "shell"),
    Delta(2, '{"cmd":'),
    Delta(2, '"ls"}'),
    Close(2),
    Used(Usage(120, 30)),
    Stop(StopReason.TOOL_CALLS),
]


def request(**fields: object):
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    return DIALECT.read("/api/chat", (), "", json.dumps(body).encode())


def generate(**fields: object):
    return DIALECT.read("/api/generate", (), "", json.dumps({"model": "m", **fields}).encode())


def conversation(*turns: object, **fields: object) -> Conversation:
    return DIALECT.conversation(request(messages=list(turns), **fields))


def lines(raw: bytes) -> list[dict]:
    return [json.loads(line) for line in raw.splitlines()]


def parsed(raw: bytes, *cuts: int) -> list[Event]:
    parser, ends = DIALECT.parser(), sorted(cut % (len(raw) + 1) for cut in cuts)
    chunks = [raw[a:b] for a, b in zip([0, *ends], [*ends, len(raw)], strict=True)]
    return [e for chunk in chunks for e in parser.feed(chunk)] + parser.end()


# --- requests ---


def test_a_request_streams_unless_it_says_otherwise():
    assert request().stream
    assert request(stream=None).stream
    assert not request(stream=False).stream


@pytest.mark.parametrize(
    "body", [b"{}", b'{"model":"m"}', b'{"model":1,"messages":[]}', b'{"model":"m","messages":3}']
)
def test_a_body_of_another_shape_is_refused(body):
    with pytest.raises(ClientError):
        DIALECT.read("/api/chat", (), "", body)


def test_every_message_and_tool_is_a_block():
    asked = request(tools=[FUNCTION], odd=1, options={"num_predict": 7})
    assert asked.max_tokens == 7
    assert {block.place for block in asked.blocks} == {
        "model", "messages[0]", "tools[0]", "(unknown)", "options",
    }  # fmt: skip


def test_turns_are_read_and_results_find_their_calls():
    read = conversation(
        {"role": "system", "content": "You code."},
        {"role": "user", "content": "look", "images": ["iVBORw0="]},
        {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
            {"function": {"name": "shell", "arguments": {"cmd": "ls"}}},
            {"id": "c2", "function": {"name": "shell", "arguments": {}}},
        ]},
        {"role": "tool", "tool_name": "shell", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        tools=[FUNCTION],
    )  # fmt: skip
    calls = (ToolCall("call_2_0", "shell", '{"cmd":"ls"}'), ToolCall("c2", "shell", "{}"))
    assert read.messages == (
        Message(Role.SYSTEM, (Text("You code."),)),
        Message(Role.USER, (Text("look"), Image("image/png", "iVBORw0="))),
        Message(Role.ASSISTANT, (Thinking("hm"), *calls)),
        Message(
            Role.USER, (ToolResult("call_2_0", (Text("one"),)), ToolResult("c2", (Text("two"),)))
        ),
    )
    assert read.tools == (Tool("shell", "", b'{"type": "object"}'),)


def test_results_without_ids_find_the_calls_of_their_names_in_any_order():
    calls = [{"function": {"name": name}} for name in ("Read", "Stat", "Read")]
    given = [{"role": "tool", "tool_name": n, "content": n} for n in ("Stat", "Read", "Read")]
    _, results = conversation({"role": "assistant", "tool_calls": calls}, *given).messages
    assert [part.call_id for part in results.parts if isinstance(part, ToolResult)] == [
        "call_0_1",
        "call_0_0",
        "call_0_2",
    ]


def test_options_are_read():
    options = conversation(
        {"role": "user", "content": "x"},
        options={"num_predict": 9, "temperature": 0, "top_k": 3, "stop": ["a"]},
        format={"type": "object"}, think=False,
    ).options  # fmt: skip
    assert options == Options(
        max_tokens=9, temperature=0, top_k=3, stop=("a",), response_schema=b'{"type": "object"}',
        thinking_tokens=0,
    )  # fmt: skip


def test_a_prompt_is_a_conversation_of_one_turn():
    read = DIALECT.conversation(generate(prompt="hi", system="Be brief."))
    assert read.messages == (
        Message(Role.SYSTEM, (Text("Be brief."),)),
        Message(Role.USER, (Text("hi"),)),
    )


@pytest.mark.parametrize("own", [{"suffix": "x"}, {"raw": True}, {"template": "x"}])
def test_a_prompt_that_only_an_engine_understands_cannot_be_translated(own):
    with pytest.raises(ClientError):
        DIALECT.conversation(generate(prompt="hi", **own))


def test_a_body_states_its_window_and_forbids_to_cut_it():
    told = Conversation((Message(Role.USER, (Text("hi"),)),), options=Options(max_tokens=5))
    body, lost = DIALECT.render(told, "m", 32768)
    assert json.loads(body) == {
        "model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": False,
        "truncate": False, "options": {"num_ctx": 32768, "num_predict": 5},
    }  # fmt: skip
    assert lost == ()


def test_what_it_cannot_say_is_named():
    told = Conversation(
        (
            Message(Role.USER, (Text("x"), Image(url="https://a/b.png"))),
            Message(Role.ASSISTANT, (Thinking("t"), ToolCall("c", "shell", "{}"))),
            Message(Role.USER, (ToolResult("c", (Text("no"),), is_error=True),)),
        ),
        tools=(Tool("shell"),),
        tool_choice=ToolChoice(ChoiceMode.REQUIRED),
        options=Options(parallel_tool_calls=False, thinking_tokens=2000),
    )
    body, lost = DIALECT.render(told, "m")
    assert lost == (
        "image", "thinking", "tool-error", "tool-choice", "parallel-calls", "thinking-budget",
    )  # fmt: skip
    results = [turn for turn in json.loads(body)["messages"] if turn["role"] == "tool"]
    assert results == [{"role": "tool", "tool_name": "shell", "tool_call_id": "c", "content": "no"}]


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, {"num_ctx": 4096}),
        ({"options": None}, {"num_ctx": 4096}),
        ({"options": {}}, {"num_ctx": 4096}),
        ({"options": {"seed": 1}}, {"num_ctx": 4096, "seed": 1}),
        ({"options": {"num_ctx": 8}}, {"num_ctx": 8}),
    ],
)
def test_the_known_window_is_spliced_in_where_the_tool_states_none(options, sent):
    asked = request(**options)
    edits = DIALECT.edits(
        asked, model_id="m", max_output_tokens=None, drop_signatures=frozenset(),
        context_tokens=4096,
    )  # fmt: skip
    assert json.loads(apply(asked.body, edits))["options"] == sent


def test_model_and_limit_are_spliced():
    asked = request(options={"num_predict": 900})
    edits = DIALECT.edits(asked, model_id="n", max_output_tokens=100, drop_signatures=frozenset())
    sent = json.loads(apply(asked.body, edits))
    assert (sent["model"], sent["options"]) == ("n", {"num_predict": 100})


# --- answers ---


@pytest.mark.parametrize("asked", [request(), generate(prompt="hi")])
def test_a_stream_ends_with_a_line_that_says_done_and_counts(asked):
    told = lines(DIALECT.emitter(asked).emit(TOLD))
    assert [line["done"] for line in told] == [False] * (len(told) - 1) + [True]
    last = told[-1]
    assert (last["prompt_eval_count"], last["eval_count"], last["done_reason"]) == (120, 30, "stop")


def test_what_is_written_is_read_back_but_for_the_answers_id():
    raw = DIALECT.emitter(request()).emit(TOLD)
    whole = [Delta(2, '{"cmd":"ls"}') if e == TOLD[9] else e for e in TOLD if e != TOLD[10]]
    assert parsed(raw) == [Start("", "m"), *whole[1:]]
    assert DIALECT.events(DIALECT.answer(TOLD, request())) == [
        Start("", "m"), *whole[1:5], Delta(1, "I will look. ✓"), *whole[7:],
    ]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10**6), max_size=8))
def test_any_chunking_reads_the_same(cuts):
    raw = DIALECT.emitter(request()).emit(TOLD)
    assert parsed(raw, *cuts) == parsed(raw)


def test_a_call_without_an_id_gets_one_that_is_the_same_whenever_it_is_read():
    line = {
        "model": "m", "created_at": "2026-11-21T03:00:00.5Z", "done": True,
        "message": {"role": "assistant", "tool_calls": [
            {"function": {"name": "a", "arguments": {}}},
            {"function": {"name": "a", "arguments": {}}},
        ]},
    }  # fmt: skip
    raw = json.dumps(line).encode()
    ids = [event.call_id for event in parsed(raw + b"\n") if isinstance(event, Open)]
    assert len(set(ids)) == 2
    assert ids == [event.call_id for event in DIALECT.events(raw) if isinstance(event, Open)]


def test_generate_has_its_text_beside_and_not_in_a_message():
    told = json.loads(DIALECT.answer(TOLD, generate(prompt="hi")))
    assert (told["response"], told["thinking"]) == ("I will look. ✓", "let me see")
    assert "message" not in told


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"done":false}', b'{"error":"no"}'])
def test_a_whole_answer_that_is_none_is_a_fault_of_the_backend(raw):
    with pytest.raises(BackendError):
        DIALECT.events(raw)


@pytest.mark.parametrize(
    ("end", "failed"),
    [
        (b'{"model":"m","mess', Failed("the answer was cut short", "cut")),
        (b"", Failed("the answer was cut short", "cut")),
        (b"nonsense\n", Failed("the backend sent an unreadable line", "protocol")),
        (b'{"error":"out of memory"}\n', Failed("out of memory", "error", 500)),
    ],
)
def test_a_stream_that_breaks_says_how(end, failed):
    begun = b'{"model":"m","message":{"role":"assistant","content":"a"},"done":false}\n'
    assert parsed(begun + end)[-1] == failed


def watched(raw: bytes, *, texts: bool = False) -> Learnt:
    watcher = DIALECT.watcher(stream=True, texts=texts)
    for line in raw.splitlines(keepends=True):
        watcher.feed(line)
    return watcher.learnt()


def test_counts_and_calls_are_learnt_in_passing_and_texts_when_asked_for():
    raw = DIALECT.emitter(request()).emit(TOLD)
    learnt = watched(raw)
    assert (learnt.usage, learnt.finished, learnt.calls) == (Usage(120, 30), True, ("call_1",))
    assert learnt.texts == ()
    assert watched(raw, texts=True).texts == ("let me see", "I will look. ✓", '{"cmd":"ls"}')


def test_a_failure_in_passing_is_learnt():
    assert watched(DIALECT.stream_error("cut", "gone")).failure == "gone"


@pytest.mark.parametrize(
    "broken", ['{"a":+1}', '{}},"options":{"x":1}', '{"a":1', "{}{}", "[1]", "no"]
)
def test_a_calls_broken_arguments_stay_where_they_stand(broken):
    """A model's text that only began like an object was written into the body as it was."""
    call = ToolCall("call_1", "look", broken)
    told = Conversation((Message(Role.ASSISTANT, (call,)),))
    rendered, lost = Ollama().render(told, "m")
    body = json.loads(rendered)
    assert lost == ("tool-arguments",)
    assert set(body) == set(json.loads(Ollama().render(Conversation(()), "m")[0]))
    assert body["messages"][0]["tool_calls"][0]["function"]["arguments"] == {"input": broken}
