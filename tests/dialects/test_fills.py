"""Completions between protocols: OpenAI's, Ollama's, Mistral's and llama.cpp's `/infill`."""

import json

import pytest

from halfdoor.canon.cards import Fim
from halfdoor.canon.decision import Target
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
)
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Usage
from halfdoor.canon.request import Fill, Kind, Options
from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.hearing import heard
from halfdoor.dialects.ollama import Ollama
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.dialects.openai_chat.infill import InfillParser
from halfdoor.dialects.openai_responses import OpenAIResponses
from halfdoor.errors import BackendError, ClientError

CHAT, OLLAMA = OpenAIChat(), Ollama()
PRE, SUF = "def f(x):\n    ", "\n    return y\n"
FILL = Fill(PRE, SUF, options=Options(max_tokens=32, temperature=0.2, top_k=5, stop=("\n\n",)))


def target(dialect="openai_chat", fim=Fim.OWN, **more):
    return Target("coder", "b", "m1", Zone.DEVICE, dialect, "v", fim=fim, **more)


def completion(**fields):
    body = json.dumps({"model": "m", "prompt": PRE, **fields}).encode()
    return CHAT.read("/v1/completions", (), "", body)


def generate(**fields):
    body = json.dumps({"model": "m", "prompt": PRE, **fields}).encode()
    return OLLAMA.read("/api/generate", (), "", body)


def written(dialect, fill=FILL, **at):
    made = dialect.written(fill, target(dialect.name, **at))
    return made.path, json.loads(made.body), made.lost


# --- What is asked. ---


def test_openais_completion_is_read_with_all_that_others_can_hear():
    extra = [{"filename": "a.py", "text": "A = 1"}]
    asked = completion(
        suffix=SUF, max_tokens=32, temperature=0.2, top_k=5, stop="\n\n", input_extra=extra
    )
    assert CHAT.asked(asked) == Fill(PRE, SUF, (("a.py", "A = 1"),), FILL.options)


def test_ollamas_generate_with_a_suffix_is_a_completion_that_its_chat_models_may_do():
    options = {"num_predict": 32, "temperature": 0.2, "top_k": 5, "stop": ["\n\n"]}
    asked = generate(suffix=SUF, options=options, stream=False)
    assert (asked.kind, asked.of_chat) == (Kind.COMPLETION, True)
    assert OLLAMA.asked(asked) == FILL


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, Kind.CHAT),
        ({"suffix": ""}, Kind.CHAT),
        ({"suffix": None, "raw": False}, Kind.CHAT),
        ({"raw": True}, Kind.COMPLETION),
    ],
)
def test_a_question_to_generate_stays_a_conversation(fields, kind):
    assert generate(**fields).kind is kind


@pytest.mark.parametrize(
    "fields",
    [{"n": 2}, {"best_of": 3}, {"echo": True}, {"prompt": ["a", "b"]}, {"prompt": [1, 2]}],
)
def test_more_than_one_text_for_one_answer_is_refused_and_says_where(fields):
    with pytest.raises(ClientError, match="only one answer to one text") as refused:
        CHAT.asked(completion(**fields))
    assert refused.value.where in fields


@pytest.mark.parametrize("field", ["template", "context", "images"])
def test_what_only_ollamas_engine_understands_of_a_completion_is_refused(field):
    given = {"template": "{{.Prompt}}", "context": [1], "images": ["iVBOR"]}[field]
    with pytest.raises(ClientError, match="cannot be translated"):
        OLLAMA.asked(generate(suffix=SUF, **{field: given}))


def test_what_nobody_else_can_hear_is_named():
    asked = CHAT.asked(completion(logprobs=3, seed=1))
    assert asked == Fill(PRE, lost=("logprobs", "sampling"))
    asked = OLLAMA.asked(generate(raw=True, system="Code.", format="json", options={"seed": 1}))
    plain = Options()
    assert asked == Fill(
        PRE, options=plain, stream=True, lost=("instruction", "response-format", "sampling")
    )


# --- What is sent. ---


def test_each_backend_is_asked_in_its_own_way():
    path, body, lost = written(CHAT)
    assert (path, body["prompt"], body["suffix"], lost) == ("/completions", PRE, SUF, ("top-k",))
    path, body, lost = written(CHAT, fim=Fim.MISTRAL)
    assert (path, body["prompt"], body["suffix"]) == ("/fim/completions", PRE, SUF)
    path, body, lost = written(CHAT, fim=Fim.INFILL)
    assert (path, body["input_prefix"], body["input_suffix"]) == ("../infill", PRE, SUF)
    assert (body["n_predict"], body["top_k"], lost) == (32, 5, ())
    path, body, lost = written(OLLAMA, context_tokens=4096)
    assert (path, body["suffix"], lost) == ("/api/generate", SUF, ())
    assert (body["options"]["num_ctx"], body["truncate"]) == (4096, False)
    assert "raw" not in body


def test_without_a_gap_llama_cpp_is_asked_as_openai_is_and_ollama_without_its_template():
    plain = Fill(PRE)
    assert written(CHAT, plain, fim=Fim.INFILL)[0] == "/completions"
    assert written(OLLAMA, plain)[1]["raw"] is True


def test_other_files_reach_llama_cpp_and_are_named_as_lost_elsewhere():
    fill = Fill(PRE, SUF, (("a.py", "A = 1"),))
    body = written(CHAT, fill, fim=Fim.INFILL)[1]
    assert body["input_extra"] == [{"filename": "a.py", "text": "A = 1"}]
    for where in (written(CHAT, fill), written(CHAT, fill, fim=Fim.MISTRAL), written(OLLAMA, fill)):
        assert where[2] == ("extra-context",)


def test_mistral_is_not_asked_for_counts_which_it_always_gives():
    fill = Fill(PRE, SUF, stream=True)
    assert "stream_options" not in written(CHAT, fill, fim=Fim.MISTRAL)[1]
    assert written(CHAT, fill)[1]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("dialect", [AnthropicMessages(), OpenAIResponses()])
def test_a_protocol_that_only_converses_says_so(dialect):
    with pytest.raises(ClientError, match="has no way of filling in text"):
        dialect.written(FILL, target(dialect.name))


# --- What is answered. ---

PIECES = [
    {"index": 0, "content": "y = ", "stop": False},
    {"index": 0, "content": "x", "stop": False},
    {"index": 0, "content": "", "stop": True, "model": "m1", "stop_type": "limit",
     "tokens_evaluated": 12, "tokens_predicted": 3},
]  # fmt: skip
RAW = b"".join(b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in PIECES)


@pytest.mark.parametrize("size", [1, 7, len(RAW)])
def test_llama_cpps_stream_says_the_same_in_any_chunks(size):
    parser = InfillParser()
    events = [e for at in range(0, len(RAW), size) for e in parser.feed(RAW[at : at + size])]
    told = heard([*events, *parser.end()])
    assert told.text(PartKind.TEXT) == "y = x"
    assert told.usage == Usage(12, 3)
    assert told.stop == Stop(StopReason.LENGTH)


def test_llama_cpps_stream_that_breaks_off_was_cut():
    parser = InfillParser()
    parser.feed(RAW[:60])
    assert parser.end() == [Failed("the answer was cut short")]


def test_llama_cpps_error_inside_a_stream_is_told():
    parser = InfillParser()
    error = {"error": {"code": 500, "message": "out of slots", "type": "server_error"}}
    events = parser.feed(b"data: " + json.dumps(error).encode() + b"\n\n")
    assert events == [Failed("out of slots", "500", 500)]


@pytest.mark.parametrize("body", [b"{}", b"nothing", b'{"error":{"message":"no"}}'])
def test_an_answer_that_is_none_is_a_fault_of_the_backend(body):
    made = CHAT.written(FILL, target(fim=Fim.INFILL))
    with pytest.raises(BackendError):
        made.events(body)


ANSWER: list[Event] = [
    Start("id1", "m1"),
    Open(0, PartKind.THINKING), Delta(0, "hm"), Close(0),
    Open(1, PartKind.TEXT), Delta(1, "y = "), Delta(1, "x"), Close(1),
    Stop(StopReason.LENGTH),
]  # fmt: skip


def test_a_tool_that_asked_for_a_completion_hears_one():
    told = json.loads(CHAT.answer(ANSWER, completion(suffix=SUF)))
    assert (told["object"], told["choices"][0]["text"]) == ("text_completion", "y = x")
    assert told["choices"][0]["finish_reason"] == "length"
    assert json.loads(OLLAMA.answer(ANSWER, generate(suffix=SUF)))["response"] == "y = x"


def test_a_streamed_completion_ends_as_the_vendors_does():
    raw = CHAT.emitter(completion(stream=True)).emit(ANSWER).decode()
    frames = raw.removesuffix("\n\n").split("\n\n")
    assert frames[-1] == "data: [DONE]"
    told = [json.loads(frame.removeprefix("data: "))["choices"][0] for frame in frames[:-1]]
    assert [one["text"] for one in told] == ["y = ", "x", ""]
    assert [one["finish_reason"] for one in told] == [None, None, "length"]
