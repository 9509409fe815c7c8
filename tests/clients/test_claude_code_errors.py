"""One failing turn of Claude Code: how many requests it becomes, and what its user reads."""

import time

import pytest

from tests.clients.conftest import ASKED, tapped
from tests.clients.rows import FIRST_BLOCK, PATIENT, ROWS, WORDS, Row, write
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, model
from tests.helpers.scenes import Cut, ErrorEvent, Refuse, Say, Scene

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]

KEY = b"AKIA" + b"Q3XRLNPD" + b"7WJ2ZKTE"
CLOSED_PORT = {"name": "far", "dialect": "anthropic_messages", "url": "http://127.0.0.1:9"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.happens)
def test_a_failing_turn_is_as_many_requests_as_the_page_says(line, claude, row: Row):
    there = line("anthropic_messages")
    there.fake.default = row.scene()
    ran = claude("Write hello.txt.", there.url, variables=row.variables)
    assert ran.code == 1
    assert row.shown in ran.said
    assert len(there.posts) == row.posts
    assert len(there.fake.seen) == (row.calls or row.posts)
    assert not (claude.project / "hello.txt").exists()


@pytest.mark.parametrize("dialect", ["anthropic_messages", "openai_chat"])
@pytest.mark.parametrize("code", [401, 429, 500])
def test_a_failing_turn_stays_one_request_when_the_backend_speaks_another_dialect(
    line, claude, dialect, code
):
    there = line(dialect)
    there.fake.default = Scene(trouble=Refuse(code, WORDS))
    ran = claude("Hello.", there.url)
    assert (ran.code, len(there.posts), len(there.fake.seen)) == (1, 1, 1), ran.said


@pytest.mark.parametrize("trouble", [Cut, ErrorEvent], ids=["cut", "error event"])
@pytest.mark.parametrize("dialect", ["anthropic_messages", "openai_chat"])
def test_a_stream_broken_in_its_first_block_is_asked_for_again_whole_and_the_file_is_written(
    line, claude, dialect, trouble
):
    there = line(dialect)
    # Chat's first event opens no block: its second already stands where Messages' fourth does.
    after = FIRST_BLOCK if dialect == "anthropic_messages" else 2
    broken = trouble(after) if trouble is Cut else trouble(WORDS, after)
    there.fake.play(Scene((Say("Writing the file."), write()), trouble=broken), Scene((write(),)))
    there.fake.default = Scene((Say("Written."),))
    ran = claude("Write hello.txt.", there.url)
    assert (ran.code, ran.said) == (0, "Written.\n")
    assert (claude.project / "hello.txt").read_text() == "Hello from a model.\n"
    assert [seen.json().get("stream", False) for seen in there.fake.seen] == [True, False, True]


def test_a_backend_that_is_not_there_is_one_request_and_names_itself(claude):
    far = {**CLOSED_PORT, "zone": "device"}
    names = [{"match": "claude-*", "choose": ["far"]}]
    with tapped(backends=[far], models=[model("far", "far", "x")], names=names) as tap:
        ran = claude("Hello.", tap.url)
    assert (ran.code, len(tap.posts())) == (1, 1)
    assert "backend `far`" in ran.said
    assert "halfdoor doctor" in ran.said


def test_what_a_rule_refuses_is_one_request_that_nobody_sees_and_the_reason_is_shown(claude):
    with FakeModel() as cloud:
        far = backend("cloud", cloud, "anthropic_messages", "cloud")
        with tapped(backends=[far], models=[model(ASKED, "cloud", ASKED)]) as tap:
            ran = claude(f"Sign in with {KEY.decode()}.", tap.url)
        assert cloud.seen == []
    assert (ran.code, len(tap.posts()), tap.posts()[0].status) == (1, 1, 400)
    for word in ("API Error: 400 halfdoor:", "secret", "messages["):
        assert word in ran.said


def test_a_prompt_beyond_the_window_is_one_request(line, claude):
    there = line("anthropic_messages")
    words = "prompt is too long: 210432 tokens > 200000 maximum"
    there.fake.default = Scene(trouble=Refuse(400, words))
    ran = claude("Hello.", there.url)
    assert (ran.code, len(there.posts)) == (1, 1)
    assert "Prompt is too long" in ran.said


def test_a_transient_limit_with_its_own_retry_after_is_waited_out_and_the_turn_succeeds(
    line, claude
):
    there = line("anthropic_messages")
    there.fake.play(Scene(trouble=Refuse(429, WORDS, (("retry-after", "1"),))))
    there.fake.default = Scene((Say("Here I am."),))
    begun = time.monotonic()
    ran = claude("Hello.", there.url, variables=PATIENT)
    assert (ran.said, len(there.posts)) == ("Here I am.\n", 2)
    assert time.monotonic() - begun > 1
