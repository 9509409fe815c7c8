"""The envelope of a Chat request: what is read, spliced, sent on, and how errors look."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import completion_create_params as completions_params
from openai.types.chat import completion_create_params as chat_params
from openai.types.embedding_create_params import EmbeddingCreateParams

from halfdoor.canon.request import Request
from halfdoor.dialects.base import EDITS, Dialect
from halfdoor.dialects.openai_chat import FIELDS, OpenAIChat
from halfdoor.errors import ClientError
from halfdoor.reading.splice import apply

CHAT = OpenAIChat()
ENDPOINT = "/v1/chat/completions"
LIMITS = ("max_tokens", "max_completion_tokens")
HI = [{"role": "user", "content": "hi"}]

scalars = st.none() | st.booleans() | st.integers(-9, 9**9) | st.text(max_size=12)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
others = st.dictionaries(
    st.text(max_size=8) | st.sampled_from(sorted(FIELDS)), values, max_size=5
).map(lambda found: {k: v for k, v in found.items() if k not in {"stream", *LIMITS}})


def read(body: bytes, *headers: tuple[str, str]) -> Request:
    return CHAT.read(ENDPOINT, headers, "", body)


def request(**fields: Any) -> Request:
    return read(json.dumps({"model": "m", "messages": HI, **fields}).encode())


def spliced(asked: Request, model_id: str = "m", limit: int | None = None) -> bytes:
    edits = CHAT.edits(
        asked, model_id=model_id, max_output_tokens=limit, drop_signatures=frozenset()
    )
    assert {edit.kind for edit in edits} <= EDITS
    return apply(asked.body, edits)


def test_it_keeps_the_contract():
    dialect: Dialect = CHAT
    assert (dialect.name, dialect.outbound_path(None)) == ("openai_chat", "/chat/completions")
    assert dialect.endpoints == (ENDPOINT, "/v1/completions", "/v1/embeddings")


def test_the_envelope_is_read():
    got = request(stream=True, max_tokens=7)
    assert (got.model, got.stream, got.max_tokens, got.dialect) == ("m", True, 7, "openai_chat")
    start, end = got.members["messages"]
    assert json.loads(got.body[start:end]) == HI


def test_the_younger_limit_holds_where_both_are_sent():
    assert request(max_tokens=7, max_completion_tokens=9).max_tokens == 9
    assert request(max_tokens=7, max_completion_tokens=None).max_tokens == 7
    assert request(stream=None).stream is False


def test_a_session_is_the_clients_own_id():
    body = request().body
    assert read(body, ("session-id", "b"), ("x-session-id", "a")).session == "a"
    assert read(body, ("session-id", "b")).session == "b"
    assert read(body, ("x-session-affinity", "c")).session == "c"
    assert not read(body).session


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        (b"{", "invalid_json", ""),
        (b"[]", "invalid_json", ""),
        (b'{"model":"a","model":"b","messages":[]}', "duplicate_key", ""),
        (b'{"messages":[]}', "invalid_shape", "model"),
        (b'{"model":7,"messages":[]}', "invalid_shape", "model"),
        (b'{"model":"a"}', "invalid_shape", "messages"),
        (b'{"model":"a","messages":"hi"}', "invalid_shape", "messages"),
        (b'{"model":"a","messages":[],"stream":"yes"}', "invalid_shape", "stream"),
        (b'{"model":"a","messages":[],"max_tokens":"9"}', "invalid_shape", "max_tokens"),
        (
            b'{"model":"a","messages":[],"stream":true,"stream_options":{"x":1,"x":2}}',
            "duplicate_key",
            "",
        ),
    ],
)
def test_a_body_that_cannot_be_read_says_where(body, code, where):
    with pytest.raises(ClientError) as caught:
        read(body)
    assert (caught.value.code, caught.value.where, caught.value.status) == (code, where, 400)


def test_blocks_are_named_by_structure_and_never_by_the_callers_words():
    got = request(tools=[{"type": "function"}], metadata={"k": "v"}, AKIA_SECRET=1)
    assert [block.place for block in got.blocks] == [
        "model", "messages[0]", "tools[0]", "metadata", "(unknown)",
    ]  # fmt: skip
    spans = [got.body[block.start : block.end] for block in got.blocks]
    assert spans[1] == json.dumps(HI[0]).encode()
    assert spans[4] == b'"AKIA_SECRET": 1'
    assert [block.member for block in got.blocks] == [True, False, False, True, True]


@settings(max_examples=150, deadline=None)
@given(others, st.lists(values, max_size=3), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_blocks_cover_every_byte_that_can_hold_text(more, messages, indent, ascii_only):
    body = {"model": "m"} | more | {"model": "m", "messages": messages}
    raw = json.dumps(body, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")
    got = read(raw)
    outside = bytearray(raw)
    for block in got.blocks:
        outside[block.start : block.end] = b" " * (block.end - block.start)
    left = outside.replace(b'"messages"', b"").replace(b'"tools"', b"")
    assert not left.strip(b" \t\n{}[],:"), bytes(left)


def test_tools_that_are_no_array_are_one_block():
    assert [block.place for block in request(tools="AKIA").blocks][-1] == "tools"


def test_every_field_of_the_sdk_is_named():
    known = [
        field
        for kind in (chat_params, completions_params)
        for half in (kind.CompletionCreateParamsStreaming, kind.CompletionCreateParamsBase)
        for field in half.__annotations__
    ]
    assert {*known, *EmbeddingCreateParams.__annotations__} == FIELDS


# --- splices ---


def test_a_request_that_fits_is_not_touched():
    asked = request(stream=True, stream_options={"include_usage": True}, max_tokens=5)
    assert spliced(asked, "m", 5) is asked.body


def test_only_limits_above_the_models_own_are_clamped():
    body = spliced(request(max_completion_tokens=64000, max_tokens=10), limit=8192)
    assert json.loads(body)["max_completion_tokens"] == 8192
    assert json.loads(body)["max_tokens"] == 10


def test_no_limit_is_added_where_none_was_sent():
    assert spliced(request(), limit=10) == request().body


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, {"include_usage": True}),
        ({"stream_options": None}, {"include_usage": True}),
        ({"stream_options": {}}, {"include_usage": True}),
        ({"stream_options": {"include_usage": False}}, {"include_usage": True}),
        ({"stream_options": {"include_usage": None}}, {"include_usage": True}),
        ({"stream_options": {"x": [1]}}, {"x": [1], "include_usage": True}),
        ({"stream_options": "odd"}, "odd"),
    ],
)
def test_counts_are_asked_for_in_a_stream(sent, expected):
    body = spliced(request(stream=True, **sent))
    assert json.loads(body)["stream_options"] == expected


def test_counts_are_not_asked_for_in_a_whole_answer():
    assert spliced(request()) == request().body


@settings(max_examples=150, deadline=None)
@given(
    others,
    st.text(max_size=8),
    st.none() | st.integers(0, 99),
    st.booleans(),
    st.sampled_from([None, 2]),
)
def test_splices_change_their_fields_and_nothing_else(more, model, limit, stream, indent):
    fields = {**more, "model": model, "messages": HI, "stream": stream, "max_tokens": 50}
    asked = read(json.dumps(fields, indent=indent).encode())
    body = spliced(asked, "target", limit)
    expected = {**fields, "model": "target"}
    if limit is not None:
        expected["max_tokens"] = min(50, limit)
    options = fields.get("stream_options")
    if stream and isinstance(options, dict | None):
        expected["stream_options"] = {**(options or {}), "include_usage": True}
    assert json.loads(body) == expected


# --- headers ---


def test_the_vendor_gets_its_sdks_own_headers_and_other_backends_the_plain_ones():
    sent = (
        ("content-type", "application/json"),
        ("user-agent", "OpenAI/Python"),
        ("openai-organization", "o"),
        ("x-stainless-lang", "python"),
        ("x-session-affinity", "s"),
        ("idempotency-key", "i"),
        ("accept", "*/*"),
    )
    rest = (("referer", "http://x"), ("x-forwarded-for", "10.0.0.1"), ("accept-encoding", "br"))
    request_ = read(request().body, *sent, *rest)
    assert CHAT.outbound_headers(request_, own=True) == sent
    assert [name for name, _ in CHAT.outbound_headers(request_)] == [
        "content-type", "user-agent", "x-session-affinity", "idempotency-key", "accept",
    ]  # fmt: skip


def test_a_body_always_has_a_type():
    json_type = (("content-type", "application/json"),)
    assert CHAT.outbound_headers(None) == json_type
    assert CHAT.outbound_headers(request()) == json_type


def test_a_key_is_shown_as_bearer():
    assert CHAT.credential("k") == (("authorization", "Bearer k"),)


# --- errors ---


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (413, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (429, "rate_limit_error"),
        (503, "server_error"),
    ],
)
def test_an_error_has_the_vendors_type_for_its_status(status, kind):
    body = CHAT.error(status, "no-keys", "a key may not leave")
    assert json.loads(body) == {
        "error": {"message": "a key may not leave", "type": kind, "param": None, "code": "no-keys"}
    }
    assert CHAT.error_text(body) == ("no-keys", "a key may not leave")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":"model not loaded"}', ("", "model not loaded")),
        (b'{"error":{"message":"m","type":"t","code":null}}', ("t", "m")),
        (b'{"object":"error","message":"m","type":"BadRequest","code":400}', ("400", "m")),
        (b'{"detail":"Not Found"}', ("", "Not Found")),
        (b'{"error":{"message":7}}', ("", "")),
        (b"<html>", ("", "")),
        (b"\xff", ("", "")),
        (b"[" * 9999, ("", "")),
        (b"{}", ("", "")),
    ],
)
def test_backends_errors_are_read_in_the_shapes_that_engines_use(body, expected):
    assert CHAT.error_text(body) == expected


def test_an_error_in_a_stream_ends_it_cleanly():
    frames = CHAT.stream_error("cut", "the backend closed").split(b"\n\n")
    assert json.loads(frames[0].removeprefix(b"data: "))["error"]["code"] == "cut"
    assert frames[1:] == [b"data: [DONE]", b""]
