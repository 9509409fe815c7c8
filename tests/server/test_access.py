from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfdoor.errors import ClientError
from halfdoor.server.access import Access, passed_on

OPEN = Access()
GUARDED = Access(tokens=(("ci", "s3cret"), ("laptop", "t0ken")))


def headers(host=b"127.0.0.1:4114", **more):
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()]
    return [(b"host", host), *named]


def refusal(access, sent):
    with pytest.raises(ClientError) as caught:
        access.admit(sent)
    return caught.value


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:4114",
        "127.0.0.1",
        "127.9.9.9:1",
        "localhost:4114",
        "LOCALHOST",
        "[::1]:4114",
        "[::1]",
    ],
)
def test_this_devices_own_names_are_served(host):
    OPEN.admit(headers(host.encode()))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:4114", "localhost.evil.example", "127.0.0.1.evil.example",
        "192.168.1.5:4114", "[::2]:4114", "", "127.0.0.1@evil.example", "localhost:4114:1",
        "127.0.0.1:80@evil.example", "[::1].evil.example", "[::1", "localhost:x", "[localhost]",
        "127.1", "0.0.0.0", "2130706433", "evil.example,127.0.0.1", "localhost evil.example", "::1",
    ],
)  # fmt: skip
def test_a_foreign_host_is_refused_with_the_status_every_tool_shows(host):
    error = refusal(OPEN, headers(host.encode()))
    assert (error.status, error.code) == (400, "foreign_host")
    assert "allowed_hosts" in error.hint


def test_a_request_names_its_host_once():
    assert refusal(OPEN, []).code == "foreign_host"
    assert refusal(OPEN, [*headers(), (b"host", b"evil.example")]).code == "foreign_host"


def test_a_configured_name_is_served():
    named = Access(allowed_hosts=frozenset({"localhost", "host.docker.internal"}))
    named.admit(headers(b"host.docker.internal:4114"))


def test_beyond_loopback_any_address_is_served_but_no_foreign_name():
    wide = Access(tokens=(("ci", "s3cret"),), loopback=False)
    wide.admit(headers(b"192.168.1.5:4114", x_api_key="s3cret"))
    assert refusal(wide, headers(b"evil.example", x_api_key="s3cret")).code == "foreign_host"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:3000", "file://"]
)
def test_a_foreign_page_is_refused(origin):
    error = refusal(OPEN, headers(b"localhost:4114", origin=origin))
    assert (error.status, error.code) == (403, "foreign_origin")


def test_halfdoors_own_page_is_served():
    OPEN.admit(headers(b"localhost:4114", origin="http://localhost:4114"))


@pytest.mark.parametrize("sent", [{"authorization": "Bearer t0ken"}, {"x_api_key": "t0ken"}])
def test_a_token_is_shown_either_way(sent):
    actor, key = GUARDED.admit(headers(**sent))
    assert actor.token == "laptop"
    assert key == ""


@pytest.mark.parametrize(
    "sent",
    [{}, {"authorization": "Bearer nope"}, {"x_api_key": ""}, {"authorization": "Basic t0ken"}],
)
def test_without_a_token_nothing_is_answered(sent):
    error = refusal(GUARDED, headers(**sent))
    assert (error.status, error.code) == (401, "invalid_token")
    assert "t0ken" not in str(error)


def test_the_token_is_never_taken_for_the_callers_own_key():
    both = headers(authorization="Bearer t0ken", x_api_key="sk-vendor")
    assert GUARDED.admit(both)[1] == "sk-vendor"
    assert GUARDED.admit(list(reversed(both)))[1] == "sk-vendor"


def test_every_token_is_compared_whatever_matched_before(monkeypatch):
    compared = []

    def compare(mine, theirs):
        compared.append(mine)
        return mine == theirs

    monkeypatch.setattr("halfdoor.server.access.compare_digest", compare)
    GUARDED.admit(headers(x_api_key="s3cret"))
    assert len(compared) == len(GUARDED.tokens)


def test_on_an_open_loopback_the_callers_key_is_its_own():
    actor, key = OPEN.admit(headers(authorization="Bearer sk-vendor"))
    assert (actor.token, key) == ("", "sk-vendor")


def test_tokens_are_not_in_a_repr():
    assert "t0ken" not in repr(GUARDED)


@pytest.mark.parametrize(
    ("agent", "tool"),
    [
        ("claude-cli/2.1.197 (external, cli)", "claude"),
        ("codex_exec/0.169.0", "codex"),
        ("OpenAI/Python 3.52.0", "openai-sdk"),
        ("AsyncAnthropic/Python 2.11.0", "anthropic-sdk"),
        ("curl/8.5.0", "curl"),
        ("my own secret agent", "other"),
    ],
)
def test_the_tool_is_named_from_a_closed_table(agent, tool):
    assert OPEN.admit(headers(user_agent=agent))[0].tool == tool


def test_only_harmless_headers_go_further_in_their_order():
    sent = headers(
        authorization="Bearer k", x_api_key="k", api_key="k", x_goog_api_key="k", cookie="c",
        proxy_authorization="k", connection="close, X-Hop", x_hop="1", keep_alive="5", te="trailers",
        transfer_encoding="chunked", content_length="2", content_encoding="identity", expect="x",
        forwarded="for=1", x_forwarded_for="1", x_halfdoor_id="forged", upgrade="h2c",
        accept_encoding="gzip", anthropic_beta="a,b", content_type="application/json", x_new="kept",
    )  # fmt: skip
    assert passed_on(sent) == (
        ("anthropic-beta", "a,b"),
        ("content-type", "application/json"),
        ("x-new", "kept"),
    )


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_host_at_all_is_judged_without_an_accident(host):
    with suppress(ClientError):
        assert OPEN.admit([(b"host", host)])[0].token == ""


@settings(max_examples=200, deadline=None)
@given(
    st.text(min_size=1, max_size=40).filter(lambda shown: shown.strip() not in {"s3cret", "t0ken"})
)
def test_nothing_but_a_token_is_a_token(shown):
    sent = [(b"host", b"localhost"), (b"x-api-key", shown.encode("utf-8", "replace"))]
    assert refusal(GUARDED, sent).status == 401


def test_a_message_in_place_of_a_headers_name_goes_no_further():
    known, message = "anthropic-dangerous-direct-browser-access", "anthropic-" + "eyjhbgci" * 7
    sent = headers(**{known: "true", message: "1"})
    assert passed_on(sent) == ((known, "true"),)


def test_a_key_of_mixed_letters_in_place_of_a_headers_name_goes_no_further():
    """In lower case its form is not known again, so its length must tell."""
    key = b"openai-" + b"AI".lower() + b"za" + b"q3xr1npd7wj2zkte5mvb8sfh6ygc4tla0ue"
    assert passed_on([(key, b"1")]) == ()
