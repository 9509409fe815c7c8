import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from halfdoor.canon.labels import Label
from halfdoor.canon.request import Block
from halfdoor.detect import survey
from halfdoor.detect.paths import PathDetector
from halfdoor.detect.secrets import SecretDetector
from halfdoor.detect.survey import Surveyor
from halfdoor.errors import ClientError
from halfdoor.reading.engine import Engine
from halfdoor.reading.formats.made import A62, URL64, made
from halfdoor.reading.prints import Prints
from halfdoor.reading.secret_formats import FORMATS
from halfdoor.reading.tokens import Size
from tests.detect.bodies import assistant, call, messages, request, result, text, user

ENGINE = Engine(FORMATS)
PRINTS = Prints(b"k" * 32)
KEY = "ghp_" + made(A62, 36)
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8).decode()
LONG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 16).decode().rstrip("=")


def surveyor(*globs, detectors=(), **options):
    real = (SecretDetector(ENGINE), PathDetector(globs))
    return Surveyor((*real, *detectors), PRINTS, **options)


def labels(body, *globs, **outside):
    found = surveyor(*globs).survey(request(body, **outside)).labels
    return {(label.name, label.place) for label in found}


class Broken:
    name = "broken"

    def find(self, passage):
        raise RuntimeError("no model loaded")


# --- a key, wherever it stands ---

HELLO = user(text("hello"))
ANTHROPIC = {
    "user": (messages(user(text(f"use {KEY}"))), "messages[0]"),
    "tool result": (messages(HELLO, assistant(call("Bash", command="env")), user(result(f"T={KEY}"))), "messages[2]"),
    "tool result parts": (messages(HELLO, user(result([text(KEY)]))), "messages[1]"),
    "call": (messages(HELLO, assistant(call("Bash", command=f"curl -H {KEY}"))), "messages[1]"),
    "thinking": (messages(assistant({"type": "thinking", "thinking": KEY, "signature": "s"})), "messages[0]"),
    "system": (messages(HELLO, system=f"the key is {KEY}"), "system"),
    "system block": (messages(HELLO, system=[text("hi"), text(KEY)]), "system[1]"),
    "mid system": (messages(HELLO, {"role": "system", "content": KEY}), "messages[1]"),
    "tool schema": (messages(HELLO, tools=[{"name": "t", "input_schema": {"properties": {"a": {"default": KEY}}}}]), "tools"),
    "tool schema key": (messages(HELLO, tools=[{"name": "t", "input_schema": {"properties": {KEY: {}}}}]), "tools"),
    "tool name": (messages(HELLO, tools=[{"name": KEY}]), "tools"),
    "metadata": (messages(HELLO, metadata={"user_id": json.dumps({"k": KEY})}), "metadata"),
    "unknown field": (messages(HELLO, x_new={"deep": [[{"er": KEY}]]}), "x_new"),
    "unknown key": (messages(HELLO, **{KEY: 1}), None),
    "unknown part": (messages(user({"type": "hologram", "wave": {"text": KEY}})), "messages[0]"),
    "stop sequence": (messages(HELLO, stop_sequences=[KEY]), "stop_sequences"),
    "base64": (messages(user(text("x " + base64.b64encode(f"token {KEY}".encode()).decode()))), "messages[0]"),
    "json in a string": (messages(user(result(json.dumps({"env": {"T": KEY}})))), "messages[0]"),
    "json in json": (messages(user(result(json.dumps({"a": json.dumps({"b": KEY})})))), "messages[0]"),
    "escaped": (json.dumps(messages(user(text(KEY)))).replace("ghp_", "\\u0067\\u0068p_").encode(), "messages[0]"),
    "image data": (messages(user({"type": "image", "source": {"type": "base64", "data": KEY}})), "messages[0]"),
    "document": (messages(user({"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": base64.b64encode(f"é {KEY}".encode()).decode()}})), "messages[0]"),
}  # fmt: skip
CHAT: dict[str, dict[str, object]] = {
    "content": {"messages": [{"role": "user", "content": f"use {KEY}"}]},
    "part": {"messages": [{"role": "user", "content": [{"type": "text", "text": KEY}]}]},
    "tool": {"messages": [{"role": "tool", "tool_call_id": "c", "content": KEY}]},
    "arguments": {"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": json.dumps({"t": f"a\n{KEY}"})}}]}]},
    "developer": {"messages": [{"role": "developer", "content": KEY}]},
    "function schema": {"messages": [], "tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {KEY: {}}}}}]},
    "user id": {"messages": [], "user": KEY},
    "input string": {"input": KEY},
    "input item": {"input": [{"type": "function_call_output", "call_id": "c", "output": KEY}]},
    "instructions": {"instructions": KEY, "input": []},
    "prompt": {"prompt": ["a", KEY]},
}  # fmt: skip


@pytest.mark.parametrize("where", ANTHROPIC)
def test_a_key_in_a_messages_body_is_found_where_it_stands(where):
    body, place = ANTHROPIC[where]
    found = [place for name, place in labels(body) if name == "secret"]
    assert found == [place] if place else found


@pytest.mark.parametrize("where", CHAT)
def test_a_key_in_an_openai_body_is_found(where):
    assert "secret" in {name for name, _ in labels({"model": "m", **CHAT[where]})}


def test_a_key_in_a_header_or_the_query_is_found():
    body = messages(HELLO)
    assert labels(body, headers=(("x-note", KEY),)) == {("secret", "headers")}
    capitals = "AKIA" + "Q3XRLNPD" + "7WJ2ZKTE"
    assert labels(body, headers=((f"x-{capitals.lower()}", "1"),)) == {("secret", "headers")}
    assert labels(body, query=f"beta=true&t={KEY}") == {("secret", "query")}
    assert labels(body, headers=(("x-app", "cli"),), query="beta=true") == set()


def test_an_address_that_a_headers_colon_cuts_in_two_is_found_whole():
    """`x-note-postgres://…` on the wire is a header of that name with a value that begins `//`."""
    value = f"//billing:{made(A62, 16)}@db.internal:5432/ledger"
    headers = (("x-stainless-postgres", value),)
    assert labels(messages(HELLO), headers=headers) == {("secret", "headers")}


def test_a_label_holds_no_content():
    (label,) = surveyor().survey(request(messages(user(text(KEY))))).labels
    assert label == Label(
        "secret", "messages[0]", "secrets", "github-personal-token", label.confidence
    )


# --- what a request is about ---


def test_paths_of_calls_and_results_meet_the_rules():
    body = messages(
        user(text("fix it")),
        assistant(call("Read", file_path="/home/u/p/payments/ledger.py")),
        user(result("src/Payments/tax.py:3:rate = 1")),
    )
    found = surveyor("payments/**").survey(request(body))
    places = {(label.name, label.place) for label in found.labels}
    assert places == {("path:payments/**", "messages[1]"), ("path:payments/**", "messages[2]")}
    assert found.paths == ("/home/u/p/payments/ledger.py", "src/Payments/tax.py")


class Asks:
    """A plugin's detector, which says nothing about what it reads."""

    name = "asks"

    def __init__(self):
        self.seen = []

    def find(self, passage):
        self.seen += passage.paths
        return ()


def test_paths_are_looked_for_where_a_detector_may_read_them_and_else_not():
    body = request(messages(assistant(call("Read", file_path="payments/ledger.py"))))
    asks = Asks()
    assert surveyor().survey(body).paths == ()
    assert surveyor(detectors=(asks,)).survey(body).paths == ("payments/ledger.py",)
    assert asks.seen == ["payments/ledger.py"]


ATTACHED = [
    {"type": "input_file", "filename": "payments/x.py", "file_data": "data:text/plain;base64,aGk="},
    {"type": "file", "file": {"filename": "payments/x.py", "file_data": "aGk="}},
    {"type": "document", "title": "payments/x.py", "source": {"type": "text", "data": "hi"}},
]


@pytest.mark.parametrize("part", ATTACHED, ids=lambda part: part["type"])
def test_an_attached_file_is_labelled_by_its_name(part):
    named = ("path:payments/**", "messages[0]")
    assert named in labels(messages(user(text("sum up"), part)), "payments/**")


def test_an_image_is_not_scanned_and_says_so():
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    (label,) = surveyor().survey(request(messages(user(image)))).labels
    assert label == Label("not-scanned", "messages[0]", "survey", "image")


def test_a_reference_only_a_vendor_can_resolve_is_not_scanned():
    body = {"model": "m", "input": "go on", "previous_response_id": "resp_1"}
    assert labels(body) == {("not-scanned", "previous_response_id")}


def test_marks_tell_calls_seals_and_earlier_answers_apart():
    said = "This is what I said before, long enough to be known when it comes back to us."
    thinking = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    body = messages(
        HELLO,
        assistant(thinking, text(said), call("Read", call_id="t1")),
        user(result("x", call_id="t1")),
    )
    found = surveyor().survey(request(body))
    mark = PRINTS.mark
    assert set(found.marks) == {mark("call", "t1"), mark("signature", "sig"), mark("text", said)}
    assert found.returning == (mark("call", "t1"),)
    assert found.signatures == ((mark("signature", "sig"), "sig"),)


def test_all_answers_since_the_model_last_spoke_are_returning():
    calls = [{"id": f"c{n}", "function": {"name": "f", "arguments": "{}"}} for n in (1, 2)]
    turns = [
        {"role": "tool", "tool_call_id": "c0", "content": "old"},
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "a"},
        {"role": "tool", "tool_call_id": "c2", "content": "b"},
        {"role": "system", "content": "note"},
    ]
    found = surveyor().survey(request({"messages": turns}))
    assert found.returning == (PRINTS.mark("call", "c1"), PRINTS.mark("call", "c2"))
    assert PRINTS.mark("call", "c0") in found.marks


def test_nothing_returns_once_the_model_has_spoken():
    body = messages(user(result("x")), assistant(text("done")), user(text("thanks")))
    assert surveyor().survey(request(body)).returning == ()


# --- failing closed ---


def test_a_detector_that_raises_leaves_scan_failed_in_every_block():
    found = surveyor(detectors=(Broken(),)).survey(request(messages(user(text(KEY)))))
    failed = [label for label in found.labels if label.name == "scan-failed"]
    assert {label.detail for label in failed} == {"broken"}
    assert {label.place for label in failed} == {"model", "max_tokens", "messages[0]"}
    assert any(label.name == "secret" for label in found.labels)


def test_a_failed_scan_is_tried_again_and_not_remembered():
    class Once:
        name = "once"
        calls = 0

        def find(self, passage):
            self.calls += 1
            if self.calls == 1:
                raise MemoryError
            return ()

    flaky = surveyor(detectors=(Once(),))
    body = request({"model": "m"})
    assert [label.name for label in flaky.survey(body).labels] == ["scan-failed"]
    assert flaky.survey(body).labels == ()


def test_a_reader_that_fails_leaves_scan_failed(monkeypatch):
    monkeypatch.setattr("halfdoor.reading.effects.normalise", lambda path: 1 / 0)
    found = surveyor("x/**").survey(request(messages(assistant(call("Read", file_path="a/b")))))
    assert ("scan-failed", "messages[0]", "reading") in {
        (x.name, x.place, x.detail) for x in found.labels
    }


def test_a_text_that_cannot_be_decoded_is_scan_failed():
    source = {"type": "base64", "media_type": "text/plain", "data": "not base64!"}
    assert labels(messages(user({"type": "document", "source": source}))) == {
        ("scan-failed", "messages[0]")
    }


TOKENS = [
    {"input": [[15496, 995], [1]]}, {"input": [15496, 995]}, {"input": "hello", "context": [15496]},
    {"prompt": [15496, 995]}, {"prompt": ["hello", [15496]]}, b'{"\\u0063ontext": [[15496]]}',
]  # fmt: skip


@pytest.mark.parametrize("body", TOKENS, ids=str)
def test_a_text_that_comes_as_the_numbers_of_its_tokens_is_scan_failed(body):
    found = surveyor().survey(request(body)).labels
    assert {(label.name, label.detail) for label in found} == {("scan-failed", "tokens")}


def test_numbers_in_a_call_or_a_context_in_words_are_no_tokens():
    numbers = assistant(call("plot", input=[1, 2], context=[[3]], prompt=[4.5]))
    assert labels(messages(user(text("hello")), numbers, context=["in words"])) == set()
    assert labels({"input": ["one", "two"], "context": [], "n": [1]}) == set()


@pytest.mark.parametrize("inner", ['{"text":"a","text":"b"}', '{"text":NaN}'])
def test_json_that_reads_two_ways_refuses_the_request(inner):
    with pytest.raises(ClientError):
        surveyor().survey(
            request(b'{"messages":[{"role":"user","content":[%s]}]}' % inner.encode())
        )


def test_lone_surrogates_hide_nothing():
    raw = b'{"role":"user","content":"\\ud800 %s \\udfff"}' % KEY.encode()
    body = structs.replace(request({}), body=raw, blocks=(Block("messages[0]", 0, len(raw)),))
    assert [label.name for label in surveyor().survey(body).labels] == ["secret"]


# --- the cache ---

TURNS = st.lists(
    st.sampled_from(
        [
            user(text("hello")), user(text(KEY)), user(result("a/b.py:1:x")), assistant(text("ok")),
            assistant(call("Read", file_path="payments/x.py")), user({"type": "image", "data": PNG}),
            user(text(made(URL64, 30))), user(result("fine", call_id="t9")),
        ]
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(TURNS, TURNS)
def test_a_warm_survey_finds_what_a_cold_one_finds(first, second):
    warm = surveyor("payments/**")
    warm.survey(request(messages(*first)))
    body = request(messages(*first, *second))
    assert warm.survey(body) == surveyor("payments/**").survey(body)


@settings(max_examples=100, deadline=None)
@given(TURNS, TURNS, st.text(max_size=60))
def test_adding_turns_or_text_never_removes_a_label(first, second, words):
    alone = surveyor("payments/**").survey(request(messages(*first))).labels
    longer = messages(*first, *second, user(text(words)), system=words, metadata={"x": words})
    assert set(alone) <= set(surveyor("payments/**").survey(request(longer)).labels)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_text_in_the_same_message_never_removes_a_label(before, after):
    body = messages(user(text(before), text(f"{before}\n{KEY}\n{after}"), text(after)))
    assert ("secret", "messages[0]") in labels(body)


def test_a_block_is_read_once_and_known_again_where_it_moves():
    class Counting:
        name = "counting"
        calls = 0

        def find(self, passage):
            self.calls += 1
            return ()

    counting = Counting()
    warm = surveyor(detectors=(counting,))
    warm.survey(request(messages(user(text(KEY)))))
    before = counting.calls
    found = warm.survey(request(messages(user(text("new")), user(text(KEY)))))
    assert counting.calls == before + 1
    assert [label.place for label in found.labels] == ["messages[1]"]


def test_the_cache_stays_within_its_bound_and_holds_no_text():
    small = surveyor("payments/**", cache_bytes=2000)
    for n in range(20):
        small.survey(request(messages(user(text(f"{n} {KEY}")))))
        assert small._known.size <= 2000
    assert len(small._known._blocks) == 5
    assert KEY not in repr(small._known._blocks)


def test_blocks_with_many_paths_or_long_seals_take_more_of_the_cache():
    small = surveyor("payments/**", cache_bytes=20_000)
    thinking = [
        {"type": "thinking", "thinking": "x", "signature": f"{n}" * 9000} for n in (1, 2, 3)
    ]
    names = "\n".join(f"src/part_{n}.py:1: x" for n in range(200))
    for part in (*thinking, text(names)):
        small.survey(request(messages(assistant(part))))
        assert small._known.size <= 20_000
    assert small._known.size == sum(map(survey._bytes, small._known._blocks.values()))


def test_a_block_larger_than_the_cache_is_found_all_the_same():
    none = surveyor(cache_bytes=0)
    body = request(messages(user(text(KEY))))
    assert none.survey(body) == none.survey(body) == surveyor().survey(body)


def test_text_and_json_with_the_same_bytes_are_not_taken_for_each_other():
    warm = surveyor()
    part = json.dumps({"type": "image"})
    assert warm.survey(request({"input": [json.loads(part)]})).labels != ()
    assert warm.survey(request({"model": "m"}, query=part)).labels == ()


def test_the_hash_tells_tables_and_globs_apart():
    assert surveyor("a/**").detectors_hash != surveyor("b/**").detectors_hash
    assert surveyor("a/**").detectors_hash == surveyor("a/**").detectors_hash
    assert len(surveyor().detectors_hash) == 64


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": LONG}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{LONG}"}},
        {"type": "text", "text": "what is this?", "images": [LONG]},
    ],
)
def test_a_picture_is_counted_as_one_and_its_bytes_cost_no_tokens(part):
    asked = request(messages(user(part)))
    size = surveyor().survey(asked).size
    assert size.pictures == 1
    assert size.text == len(asked.body) - len(LONG)


def test_a_text_in_base64_is_no_picture_and_costs_what_it_is_long():
    said = base64.b64encode(b"the same words over again " * 400).decode()
    asked = request(messages(user(result(said), text("in base64"))))
    assert surveyor().survey(asked).size == Size(len(asked.body))
