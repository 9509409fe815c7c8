"""What is read of real tools' own requests: whose they are, and what they ask for."""

import pytest

from halfdoor.canon.asks import Agent, Task
from halfdoor.detect.task import AskReader
from halfdoor.wiring import DIALECTS
from tests.helpers.scenes import Say, Scene, Use

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]

OF_PATH = {path: near for near in DIALECTS.values() for path in near.endpoints}
CHATTY = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ""}


def asks(there):
    """What is read of each request, in the order in which they came."""
    found = []
    for sent in there.posts:
        path = sent.path.partition("?")[0]
        headers = tuple((name.lower(), value) for name, value in sent.headers.items())
        request = OF_PATH[path].read(path, headers, "", sent.body)
        ask = AskReader().read(request)
        found.append((ask.agent, ask.task, ask.languages))
    return found


def test_claude_codes_turn_and_its_loop_are_the_persons_ask(line, claude):
    there = line("anthropic_messages")
    (claude.project / "rate.py").write_text("RATE = 1\n")
    read = Use("Read", {"file_path": str(claude.project / "rate.py")}, "toolu_01read")
    there.fake.play(Scene((read,)))
    there.fake.default = Scene((Say("Done."),))
    claude("Write unit tests for rate.py", there.url)
    assert asks(there) == [(Agent.MAIN, Task.TEST, ("python",))] * 2


def test_claude_codes_sub_agent_is_one(line, claude):
    there = line("anthropic_messages")
    task = {"description": "d", "prompt": "Review main.go.", "subagent_type": "general-purpose"}
    there.fake.play(Scene((Use("Agent", task, "toolu_01agent"),)), Scene((Say("Looks good."),)))
    there.fake.default = Scene((Say("Done."),))
    claude("Fix the login", there.url)
    main = (Agent.MAIN, Task.FIX, ())
    assert asks(there) == [main, (Agent.SUBAGENT, Task.REVIEW, ("go",)), main]


def test_claude_codes_title_is_side_work(line, claude):
    there = line("anthropic_messages")
    there.fake.default = Scene((Say('{"title": "A greeting"}'),))
    claude("Fix the login", there.url, variables=CHATTY)
    assert sorted(asks(there)) == [
        (Agent.AUXILIARY, Task.TITLE, ()),
        (Agent.MAIN, Task.FIX, ()),
    ]


def test_codexs_turn_is_the_persons_ask(line, codex):
    there = line("openai_responses")
    there.fake.default = Scene((Say("Done."),))
    codex("Explain what src/lib.rs does", there.url)
    assert asks(there) == [(Agent.MAIN, Task.EXPLAIN, ("rust",))]


def test_aiders_turn_and_its_commit_message_are_told_apart(line, aider):
    there = line("openai_chat")
    there.fake.play(Scene((Say("rate.py\n```\nRATE = 2\n```\n"),)), Scene((Say("fix: rate"),)))
    (aider.project / "rate.py").write_text("RATE = 1\n")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        aider.git(*words)
    aider(
        "Refactor it.",
        "rate.py",
        model="openai/far",
        OPENAI_API_BASE=f"{there.url}/v1",
        OPENAI_API_KEY="unused",
        GIT_AUTHOR_NAME="Tester",
        GIT_AUTHOR_EMAIL="t@example.com",
        GIT_COMMITTER_NAME="Tester",
        GIT_COMMITTER_EMAIL="t@example.com",
    )
    assert asks(there) == [
        (Agent.MAIN, Task.REFACTOR, ("python",)),
        (Agent.AUXILIARY, Task.COMMIT, ("python",)),
    ]
