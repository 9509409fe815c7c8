"""Thirty tool calls of the real Claude Code, interrupted half-way and continued."""

import json
from dataclasses import dataclass

import pytest

from tests.clients.conftest import Two
from tests.clients.tools import Ran
from tests.helpers.fake_model import Seen
from tests.helpers.scenes import Say, Scene, Slow, Use

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]

KEY = "AKIA" + "Q3XRLNPD" + "7WJ2ZKTE"
READS_KEY, INTERRUPTED, CALLS = 8, 15, 30
ALLOWED = ("--allowedTools", "Bash,Grep,Read,Write")
EVERY_NEAR = pytest.mark.parametrize("near", ["anthropic_messages", "openai_chat", "ollama"])
OLLAMA = pytest.mark.parametrize("near", ["ollama"])
DONE = Scene((Say("All thirty are done."),))
# Half a minute of talk, if nobody stops it.
LONG = Scene((Say("I think about it at length. " * 200),), trouble=Slow(0.05))


def call(project, n):
    """The nth: files are written, read, searched and listed, and one holds a key."""
    if n == READS_KEY:
        return Use("Bash", {"command": "cat settings.env"}, f"toolu_{n:02}")
    kinds = (
        ("Write", {"file_path": str(project / f"note{n}.txt"), "content": f"Note {n}.\n"}),
        ("Bash", {"command": f"echo call {n}; ls | wc -l"}),
        ("Read", {"file_path": str(project / "plan.md")}),
        ("Grep", {"pattern": "plan", "output_mode": "content"}),
    )
    return Use(*kinds[n % len(kinds)], f"toolu_{n:02}")


def calls(project, first, last):
    return [Scene((Say(f"Step {n}."), call(project, n))) for n in range(first, last + 1)]


@dataclass(frozen=True)
class Session:
    """ran, resumed: how each half ended. cut: the request whose answer was interrupted."""

    there: Two
    ran: Ran
    cut: Seen
    resumed: Ran

    @property
    def posts(self):
        return self.there.tap.posts()


@pytest.fixture
def session(claude, two, near):
    """The first half, interrupted while the device's model talks; then the second."""
    there = two(near, "anthropic_messages", "claude-*")
    (claude.project / "plan.md").write_text("The plan: thirty steps.\n")
    (claude.project / "settings.env").write_text(f"access={KEY}\n")
    there.cloud.play(*calls(claude.project, 1, READS_KEY))
    there.cloud.default = DONE
    there.device.play(*calls(claude.project, READS_KEY + 1, INTERRUPTED), LONG)
    there.device.default = DONE

    def talks():
        return there.device.seen and b"at length" in there.device.last.sent

    ran = claude("Follow the plan.", there.url, *ALLOWED, when=talks)
    cut = there.device.last
    there.device.play(*calls(claude.project, INTERRUPTED + 1, CALLS))
    resumed = claude("Go on.", there.url, "--continue", *ALLOWED)
    return Session(there, ran, cut, resumed)


@EVERY_NEAR
def test_an_interrupted_session_of_thirty_calls_ends_whole(session):
    cloud, device = session.there.cloud, session.there.device
    assert (session.resumed.code, session.resumed.said) == (0, "All thirty are done.\n")
    assert device.last.heard
    assert set(device.last.heard.results) == {f"toolu_{n:02}" for n in range(1, CALLS + 1)}
    assert {seen.complaint for seen in (*cloud.seen, *device.seen)} == {""}
    # One request for each call, one that was interrupted, and one that ends the turn.
    assert [sent.status for sent in session.posts] == [200] * (CALLS + 2)


@OLLAMA
def test_its_label_holds_before_the_interruption_and_after(session):
    rules = [sent.answered["x-halfdoor-rule"] for sent in session.posts]
    assert rules == ["none"] * READS_KEY + ["secret"] * (CALLS + 2 - READS_KEY)
    assert len(session.there.cloud.seen) == READS_KEY
    assert not session.there.cloud.saw(KEY.encode())


@OLLAMA
def test_the_interrupted_call_is_cancelled_within_a_second_and_recorded(claude, session):
    assert session.cut.gone_at - session.ran.interrupted_at < 1
    cut = session.posts[INTERRUPTED].answered["x-halfdoor-id"]
    told = json.loads(claude.halfdoor("why", cut, "--json", config=session.there.config))
    assert told["outcome"]["result"] == "hung-up"
