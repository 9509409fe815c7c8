import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from halfdoor.canon.labels import Zone
from halfdoor.canon.rules import Above, Require, Rule
from halfdoor.errors import ClientError
from halfdoor.server.access import Access
from halfdoor.server.sessions import Session, Sessions, mint

KEY = b"k" * 32
RULE = Rule("pay", "path:payments/**", Zone.DEVICE, Above.REFUSE, ".halfdoor.toml:1")
SESSION = Session("claude", "shop", 2_000, (RULE,))
SESSIONS = Sessions(KEY, lambda: 1_000)


def visit(*credentials, **access):
    headers = [(b"host", b"127.0.0.1:4114"), (b"user-agent", b"curl/8"), *credentials]
    return Access(**{"sessions": SESSIONS, **access}).admit(headers)


def bearer(text):
    return (b"authorization", b"Bearer " + text.encode())


texts = st.text(max_size=20)
days = st.none() | st.integers(0, 36_500)
requirements = st.builds(Require, st.lists(texts, max_size=2).map(tuple), texts, days)
rules = st.builds(
    Rule,
    texts,
    texts,
    st.sampled_from(Zone),
    st.sampled_from(Above),
    texts,
    st.none() | requirements,
)


@settings(max_examples=100, deadline=None)
@given(
    st.builds(
        Session, texts, texts, st.integers(1_001, 2**40), st.lists(rules, max_size=3).map(tuple)
    )
)
def test_a_token_says_what_was_sealed_in_it(session):
    token = mint(KEY, session)
    assert SESSIONS.read(token) == session
    assert token.isascii()
    assert set("\r\n ").isdisjoint(token)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.characters(min_codepoint=33, max_codepoint=126))
def test_any_changed_character_is_refused(place, character):
    token = mint(KEY, SESSION)
    place %= len(token)
    forged = token[:place] + character + token[place + 1 :]
    if forged != token:
        with pytest.raises(ClientError) as caught:
            SESSIONS.read(forged)
        assert caught.value.status == 401


@pytest.mark.parametrize(
    "token",
    [
        "hd1.",
        "hd1..",
        "hd1.a.b",
        "hd1.a.é",
        "hd1.é.b",
        mint(b"other" * 8, SESSION),
        mint(KEY, Session("t", "p", 999)),
    ],
)
def test_a_token_that_is_not_good_is_refused_even_where_none_is_needed(token):
    with pytest.raises(ClientError, match="session token"):
        visit(bearer(token))


def test_the_token_carries_tool_project_and_the_projects_rules():
    actor, key = visit(bearer(mint(KEY, SESSION)))
    assert (actor.token, actor.tool, actor.project, actor.rules) == (
        "launch",
        "claude",
        "shop",
        (RULE,),
    )
    assert key == ""


def test_a_session_token_is_never_a_vendors_key():
    actor, key = visit(bearer(mint(KEY, SESSION)), (b"x-api-key", b"sk-ant-own"))
    assert (actor.project, key) == ("shop", "sk-ant-own")


def test_a_session_token_is_good_where_tokens_are_needed():
    actor, _ = visit(bearer(mint(KEY, SESSION)), tokens=(("ci", "s3cret"),))
    assert actor.token == "launch"


def test_two_session_tokens_add_their_rules_up():
    other = Session("aider", "lib", 2_000, (Rule("lib", "secret", Zone.NETWORK),))
    actor, _ = visit(bearer(mint(KEY, SESSION)), (b"x-api-key", mint(KEY, other).encode()))
    assert {rule.name for rule in actor.rules} == {"pay", "lib"}


def test_the_root_of_the_project_travels_in_the_token():
    rooted = Session(
        "claude", "shop", 2_000, (RULE,), "/home/u/shop", "/home/u/shop/.halfdoor.toml"
    )
    actor, _ = visit(bearer(mint(KEY, rooted)))
    assert (actor.root, SESSIONS.read(mint(KEY, rooted)).file) == (rooted.root, rooted.file)


class Older(Struct):
    tool: str = "claude"
    project: str = "shop"
    until_ms: int = 2_000
    rules: tuple[Rule, ...] = ()


def test_a_token_of_an_older_halfdoor_still_reads():
    older = mint(KEY, Older())  # type: ignore[arg-type]
    assert SESSIONS.read(older) == Session("claude", "shop", 2_000)
