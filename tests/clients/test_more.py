"""OpenCode, Continue and Cline through a real halfdoor, in each dialect that they speak, to every kind
of backend; `llm` with its text."""

import pytest

from tests.clients.conftest import FARS, folders
from tests.clients.more import MORE, PATH, TEXT, Llm
from tests.helpers.scenes import Refuse, Say, Scene

pytestmark = [pytest.mark.more_clients, pytest.mark.usefixtures("loopback", "processes")]

NEARS = [(kind, near) for kind in MORE for near in kind.nears]
EVERY = pytest.mark.parametrize(
    ("kind", "near"), NEARS, ids=[f"{kind.name}-{near}" for kind, near in NEARS]
)
# Glued, so that this file holds no whole one.
KEY = "AKIA" + "Q3XRLNPD" + "7WJ2ZKTE"
DONE = Scene((Say("Written."),))


@pytest.fixture
def tool(kind, tmp_path):
    if not kind.program.exists():
        pytest.skip(f"{kind.name} is not installed; hint: make clients-all")
    return kind(*folders(tmp_path))


@pytest.mark.parametrize("far", FARS)
@EVERY
def test_a_turn_is_finished_and_its_file_is_written(line, tool, near, far):
    there = line(far)
    tool.point(there, near)
    use = tool.writes(near)
    there.fake.play(Scene((Say("I write it."), use)) if use else DONE)
    there.fake.default = DONE
    ran = tool("Write hello.txt.")
    assert (ran.code, "Written." in ran.said) == (0, True), ran.said
    assert [seen.complaint for seen in there.fake.seen] == [""] * len(there.posts)
    if use:
        # A patch tool leaves out the last end of line.
        assert (tool.project / PATH).read_text().strip() == TEXT.strip()
        assert use.id in there.fake.last.heard.results


@EVERY
def test_a_refusal_is_one_request_and_its_words_are_shown(line, tool, near):
    there = line("openai_chat")
    tool.point(there, near)
    there.fake.default = Scene(trouble=Refuse(400, "no, because of X-17"))
    ran = tool("Say hello.")
    assert "X-17" in ran.said
    assert len(there.posts) == 1


@pytest.mark.parametrize("kind", [kind for kind in MORE if kind is not Llm])
def test_a_key_in_a_file_that_it_reads_stays_on_the_device(two, tool):
    there = two("anthropic_messages", "openai_chat", "planner")
    tool.point(there, "openai_chat")
    (tool.project / "settings.txt").write_text(f"access={KEY}\n")
    there.cloud.play(Scene((tool.reads(tool.project / "settings.txt"),)))
    there.device.default = Scene((Say("It sets the access key."),))
    ran = tool("What does settings.txt set?")
    assert "It sets the access key." in ran.said
    assert [len(there.cloud.seen), len(there.device.seen)] == [1, 1]
    assert there.device.saw(KEY.encode())
    assert not there.cloud.saw(KEY.encode())


@pytest.mark.parametrize("kind", [Llm])
def test_llm_takes_an_answer_that_is_not_streamed(line, tool):
    there = line("anthropic_messages")
    tool.point(there, "openai_chat")
    there.fake.default = DONE
    assert tool("Say it.", "--no-stream").said == "Written.\n"
    assert b'"stream":true' not in there.posts[0].body
