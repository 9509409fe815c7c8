"""The envelope, the splices, headers and errors; the rest is tested beside its own module."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.dialects.anthropic_messages import AnthropicMessages
from halfdoor.dialects.base import EDITS, Dialect
from halfdoor.errors import ClientError
from halfdoor.reading.splice import apply

GOLDEN = Path(__file__).parent.parent / "golden" / "anthropic_messages"
DIALECT: Dialect = AnthropicMessages()

scalars = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=6))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
bodies = st.fixed_dictionaries(
    {"model": st.text(max_size=5), "messages": st.lists(values, max_size=3)},
    optional={
        "system": values,
        "tools": values,
        "metadata": values,
        "vendor field": values,
        "stream": st.booleans(),
    },
)
layouts = st.sampled_from([{}, {"indent": 2}, {"ensure_ascii": False}, {"separators": (",", ":")}])


def read(body, headers=(), query=""):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.read("/v1/messages", headers, query, data)


def strings(value):
    """Every string of a JSON value, keys too."""
    match value:
        case str():
            return Counter([value])
        case list():
            return sum(map(strings, value), Counter())
        case dict():
            return sum(map(strings, value.values()), Counter(value.keys()))
        case _:
            return Counter()


def text_of(request, block):
    raw = request.body[block.start : block.end]
    return json.loads(b"{" + raw + b"}" if block.member else raw)


def edited(body, **wanted):
    asked = {"model_id": "m", "max_output_tokens": None, "drop_signatures": frozenset()} | wanted
    request = read(body)
    edits = DIALECT.edits(request, **asked)
    assert {edit.kind for edit in edits} <= EDITS
    return json.loads(apply(request.body, edits))


# --- read ---


def test_read_takes_the_envelope_from_a_coding_tools_body():
    body = (GOLDEN / "coding_turn" / "request.json").read_bytes()

    request = read(body, (("x-claude-code-session-id", "s-1"), ("accept", "*/*")), "beta=true")

    assert (request.dialect, request.endpoint) == ("anthropic_messages", "/v1/messages")
    assert (request.model, request.stream, request.max_tokens) == ("claude-test-1", True, 64000)
    assert (request.session, request.query, request.body) == ("s-1", "beta=true", body)
    start, end = request.members["model"]
    assert body[start:end] == b'"claude-test-1"'


def test_every_message_system_block_and_tool_is_a_block_of_its_own():
    request = read((GOLDEN / "coding_turn" / "request.json").read_bytes())

    places = [block.place for block in request.blocks]

    assert places[:8] == [
        "model",
        "max_tokens",
        "stream",
        "thinking",
        "output_config",
        "context_management",
        "metadata",
        "(unknown)",
    ]
    assert places[8:14] == [
        "system[0]",
        "system[1]",
        "system[2]",
        "tools[0]",
        "tools[1]",
        "tools[2]",
    ]
    assert places[14:] == ["tool_choice", *(f"messages[{i}]" for i in range(4))]


def test_a_system_string_is_one_block():
    request = read({"model": "m", "messages": [], "system": "be brief"})

    assert [text_of(request, block) for block in request.blocks if block.place == "system"] == [
        {"system": "be brief"}
    ]


@settings(max_examples=150, deadline=None)
@given(bodies, layouts)
def test_the_blocks_hold_every_string_of_the_body_once(body, layout):
    request = read(json.dumps(body, **layout).encode())

    found = Counter[str]()
    for block in request.blocks:
        found += strings(text_of(request, block))
    split = [key for key in ("messages", "system", "tools") if isinstance(body.get(key), list)]
    assert found + Counter(split) == strings(body)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"messages": []}, "model"),
        ({"model": 7, "messages": []}, "model"),
        ({"model": None, "messages": []}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": "hello"}, "messages"),
        ({"model": "m", "messages": None}, "messages"),
        ({"model": "m", "messages": [], "stream": "yes"}, "stream"),
        ({"model": "m", "messages": [], "max_tokens": "many"}, "max_tokens"),
    ],
)
def test_a_wrong_envelope_is_refused_at_its_place(body, where):
    with pytest.raises(ClientError) as refused:
        read(body)

    assert (refused.value.status, refused.value.where) == (400, where)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'{"model":"m","messages":[', "invalid_json"),
        (b'{"model":"m","messages":[],"model":"n"}', "duplicate_key"),
        (b'{"model":"m","messages":[],"mod\\u0065l":"n"}', "duplicate_key"),
    ],
)
def test_broken_json_and_doubled_keys_are_refused(body, code):
    with pytest.raises(ClientError) as refused:
        read(body)

    assert refused.value.code == code


def test_absent_null_and_false_all_mean_not_streamed():
    for stream in ({}, {"stream": None}, {"stream": False}):
        assert read({"model": "m", "messages": [], **stream}).stream is False


# --- edits ---


def test_a_body_that_fits_is_not_edited():
    request = read({"model": "m", "max_tokens": 10, "messages": []})

    assert (
        DIALECT.edits(request, model_id="m", max_output_tokens=10, drop_signatures=frozenset())
        == ()
    )


def test_the_model_is_replaced_where_its_value_stands():
    assert edited({"messages": [{"model": "x"}], "model": "x"}, model_id='q"1') == {
        "messages": [{"model": "x"}],
        "model": 'q"1',
    }


def test_max_tokens_is_only_ever_lowered():
    body = {"model": "m", "max_tokens": 64000, "messages": []}

    assert edited(body, max_output_tokens=8192)["max_tokens"] == 8192
    assert edited(body, max_output_tokens=128000)["max_tokens"] == 64000
    assert "max_tokens" not in edited({"model": "m", "messages": []}, max_output_tokens=5)


def thought(signature):
    return {"type": "thinking", "thinking": "…", "signature": signature}


def redacted(data):
    return {"type": "redacted_thinking", "data": data}


def turn(*blocks, role="assistant"):
    return {"role": role, "content": list(blocks)}


SAID = {"type": "text", "text": 'said "signature":"a"'}


def test_foreign_thinking_is_dropped_and_the_rest_stays():
    body = {"model": "m", "messages": [turn(thought("a"), redacted("b"), thought("c"), SAID)]}

    after = edited(body, drop_signatures=frozenset({"a", "b"}))

    assert after["messages"] == [turn(thought("c"), SAID)]


def test_a_turn_of_foreign_thinking_alone_says_that_it_was_removed():
    after = edited(
        {"model": "m", "messages": [turn(thought("a"), redacted("b"))]},
        drop_signatures=frozenset({"a", "b"}),
    )

    assert after["messages"] == [turn({"type": "text", "text": "(reasoning removed)"})]


def test_unsigned_thinking_is_dropped_by_the_empty_signature():
    unsigned = {"type": "thinking", "thinking": "…"}

    after = edited(
        {"model": "m", "messages": [turn(unsigned, thought(""), thought("a"), SAID)]},
        drop_signatures=frozenset({""}),
    )

    assert after["messages"] == [turn(thought("a"), SAID)]


def test_only_the_assistants_own_blocks_are_dropped():
    messages = [turn(thought("a"), role="user"), {"role": "assistant", "content": "a"}, 7, {}]

    after = edited({"model": "m", "messages": messages}, drop_signatures=frozenset("a"))

    assert after["messages"] == messages


def test_without_signatures_to_drop_no_message_is_read():
    request = read(b'{"model":"m","messages":[{"role":"assistant","role":"user"}]}')

    edits = DIALECT.edits(request, model_id="n", max_output_tokens=1, drop_signatures=frozenset())

    assert [edit.kind for edit in edits] == ["model"]
    with pytest.raises(ClientError, match="twice"):
        DIALECT.edits(request, model_id="n", max_output_tokens=1, drop_signatures=frozenset("a"))


seals = st.sampled_from(["a", "b", "c", "d"])
turns = st.lists(st.one_of(seals.map(thought), seals.map(redacted), st.just(SAID)), max_size=6)


@settings(max_examples=200, deadline=None)
@given(st.lists(turns, max_size=4), st.frozensets(seals), layouts, st.integers(1, 99))
def test_edits_change_their_fields_and_nothing_else(contents, foreign, layout, limit):
    body = {"messages": [turn(*blocks) for blocks in contents], "model": "x", "max_tokens": 50}
    request = read(json.dumps(body, **layout).encode())

    edits = DIALECT.edits(request, model_id="y", max_output_tokens=limit, drop_signatures=foreign)

    kept = [
        [block for block in blocks if block.get("signature", block.get("data")) not in foreign]
        for blocks in contents
    ]
    removed = [{"type": "text", "text": "(reasoning removed)"}]
    assert json.loads(apply(request.body, edits)) == {
        "messages": [
            turn(*(after or (removed if before else [])))
            for before, after in zip(contents, kept, strict=True)
        ],
        "model": "y",
        "max_tokens": min(50, limit),
    }


# --- headers ---


def test_the_vendor_gets_its_own_headers_and_other_backends_the_plain_ones():
    headers = (
        ("host", "127.0.0.1"),
        ("anthropic-version", "2024-10-22"),
        ("anthropic-beta", "a-1,b-2"),
        ("anthropic-header-of-tomorrow", "x"),
        ("x-claude-code-agent-id", "7"),
        ("x-app", "cli"),
        ("user-agent", "tool/1"),
        ("accept", "application/json"),
        ("content-type", "text/plain"),
        ("x-stainless-lang", "js"),
        ("cookie2", "no"),
    )

    request = read({"model": "m", "messages": []}, headers)

    json_type = ("content-type", "application/json")
    assert DIALECT.outbound_headers(request, own=True) == (json_type, *headers[1:8])
    plain = [name for name, _ in DIALECT.outbound_headers(request)]
    assert plain == ["content-type", "anthropic-version", "anthropic-beta", "user-agent", "accept"]


def test_a_request_of_another_dialect_lends_no_headers():
    own = (("content-type", "application/json"), ("anthropic-version", "2023-06-01"))

    assert DIALECT.outbound_headers(None) == own
    assert DIALECT.outbound_headers(read({"model": "m", "messages": []})) == own


def test_a_key_goes_into_x_api_key():
    assert DIALECT.credential("k") == (("x-api-key", "k"),)


# --- errors ---


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (529, "overloaded_error"),
    ],
)
def test_errors_have_the_vendors_type_for_their_status(status, kind):
    body = DIALECT.error(status, "rule", "no")

    assert json.loads(body) == {"type": "error", "error": {"type": kind, "message": "no"}}
    assert DIALECT.error_text(body) == (kind, "no")


def test_a_code_of_the_vendor_stays_the_type():
    assert DIALECT.error_text(DIALECT.error(503, "overloaded_error", "x"))[0] == "overloaded_error"


def test_a_stream_ends_in_an_error_event():
    name, data = DIALECT.stream_error("cut", 'broke "off"').decode().split("\n", 1)

    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"] == {
        "type": "api_error",
        "message": 'broke "off"',
    }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}',
         ("exceed_context_size_error", "too long")),
        (b'{"error":"model not found"}', ("", "model not found")),
        (b'{"error":{"type":null,"message":"m"}}', ("", "m")),
        (b'{"error":7}', ("", "")),
        (b"<html>502</html>", ("", "")),
        (b"\xff", ("", "")),
        (b"", ("", "")),
    ],
)  # fmt: skip
def test_error_bodies_of_other_engines_are_understood(body, words):
    assert DIALECT.error_text(body) == words


@pytest.mark.parametrize(
    ("limit", "thinking"),
    [
        (64000, {"type": "enabled", "budget_tokens": 31999}),
        (8192, {"type": "enabled", "budget_tokens": 4096}),
        (1500, {"type": "enabled", "budget_tokens": 1024}),
        (1000, {"type": "disabled"}),
    ],
)
def test_a_thinking_budget_stays_below_the_clamped_limit(limit, thinking):
    asked = {"type": "enabled", "budget_tokens": 31999}
    body = {"model": "m", "max_tokens": 64000, "thinking": asked, "messages": []}
    assert edited(body, max_output_tokens=limit)["thinking"] == thinking


@pytest.mark.parametrize(
    "thinking", [None, "x", {"type": "adaptive"}, {"budget_tokens": "9"}, {"budget_tokens": -5}]
)
def test_other_thinking_is_left_alone(thinking):
    body = {"model": "m", "max_tokens": 64000, "thinking": thinking, "messages": []}
    assert edited(body, max_output_tokens=5)["thinking"] == thinking


OWN = {"type": "thinking", "thinking": "hm", "signature": "own"}
FOREIGN = {**OWN, "signature": "foreign"}
BUDGET = {"type": "enabled", "budget_tokens": 2048}


def loop(*turns, **more):
    """A tool loop of these turns of models, each answered."""
    said: list[dict[str, Any]] = [{"role": "user", "content": "go"}]
    for at, thought in enumerate(turns):
        use = {"type": "tool_use", "id": f"toolu_{at}", "name": "Read", "input": {}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{at}", "content": "x"}
        said += [{"role": "assistant", "content": [*thought, use]}]
        said += [{"role": "user", "content": [result]}]
    return {"model": "m", "max_tokens": 9000, "thinking": BUDGET, "messages": said, **more}


@pytest.mark.parametrize(
    ("turns", "strict", "thinks"),
    [
        ([[FOREIGN]], True, False),
        ([[]], True, False),
        ([[FOREIGN]], False, True),
        ([[OWN]], True, True),
        ([[OWN], []], True, True),
        ([[], [OWN]], True, False),
    ],
)
def test_a_vendor_that_goes_on_with_anothers_tool_loop_is_not_asked_to_think(turns, strict, thinks):
    after = edited(loop(*turns), strict=strict, drop_signatures=frozenset({"foreign"}))
    assert (after["thinking"]["type"] == "enabled") == thinks


def test_what_may_only_stand_beside_thinking_goes_with_it():
    clears = {"edits": [{"type": "clear_thinking_20251015"}]}
    after = edited(loop([], context_management=clears), strict=True)
    assert (after["thinking"], after["context_management"]) == ({"type": "disabled"}, {"edits": []})


def test_a_new_ask_after_anothers_tool_loop_may_be_thought_about():
    body = loop([])
    body["messages"] += [
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "?"},
    ]
    assert edited(body, strict=True)["thinking"] == BUDGET


def test_an_engines_blank_text_leaves_with_its_thinking():
    body = loop([FOREIGN, {"type": "text", "text": "\n\n"}])
    after = edited(body, drop_signatures=frozenset({"foreign"}))
    assert [block["type"] for block in after["messages"][1]["content"]] == ["tool_use"]
