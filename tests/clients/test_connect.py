"""Real tools, pointed here by `connect` and by nothing else, and what `doctor` says of them."""

import pytest

from halfdoor.config.connect import steps
from halfdoor.config.connect.files import settings_file
from halfdoor.config.tools import tool_for
from halfdoor.config.tools.tool import Wish
from tests.clients.tools import AIDER, CLAUDE
from tests.config.connect.texts import place
from tests.helpers.scenes import Say, Scene

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]


def connected(name, there, home, state):
    """Point a tool's own file at a line; its path."""
    tool = tool_for(name)
    file = settings_file(place(tool), home, None)
    wish = Wish(there.url, model="far")
    now = "2026-11-21T04:00:00.000Z"
    steps.done(steps.connecting(tool, file, home, wish, state, nonce="1f2e3d4c", now=now), state)
    return file


def test_claude_code_asks_where_its_settings_say(line, claude, tmp_path):
    there = line("openai_chat")
    there.fake.default = Scene((Say("Here."),))
    connected("claude", there, claude.home, tmp_path / "state")
    ran = claude.run(str(CLAUDE), "-p", "Say it.", "--model", "claude-sonnet-4-5")
    assert (ran.code, ran.said) == (0, "Here.\n")
    assert [sent.status for sent in there.tap.posts("/via/claude-1f2e3d4c/v1/messages")] == [200]


def test_aider_asks_where_its_settings_say(line, aider, tmp_path):
    there = line("openai_chat")
    there.fake.default = Scene((Say("Here."),))
    connected("aider", there, aider.home, tmp_path / "state")
    quiet = ("--yes-always", "--no-git", "--no-show-model-warnings")
    ran = aider.run(str(AIDER), *quiet, "--message", "Say it.")
    assert "Here." in ran.said
    sent = there.tap.posts("/via/aider-1f2e3d4c/v1/chat/completions")
    assert [each.status for each in sent] == [200]
