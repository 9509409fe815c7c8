"""The real Aider through a real halfdoor: a file edited and committed, in both dialects."""

import pytest

from tests.clients.conftest import tapped
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, model
from tests.helpers.scenes import Cut, Say, Scene

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]

EDIT = Say("rate.py\n```\nRATE = 2\n```\n")
MESSAGE = Say("fix: double the rate")


@pytest.mark.parametrize("far", ["openai_chat", "anthropic_messages"])
@pytest.mark.parametrize("near", ["openai_chat", "anthropic_messages"])
def test_a_file_is_edited_and_committed(line, aider, near, far):
    there = line(far)
    there.fake.play(Scene((EDIT,)), Scene((MESSAGE,)))
    (aider.project / "rate.py").write_text("RATE = 1\n")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        aider.git(*words)
    ran = aider(
        "Double the rate.",
        "rate.py",
        model="openai/far" if near == "openai_chat" else "anthropic/far",
        OPENAI_API_BASE=f"{there.url}/v1",
        OPENAI_API_KEY="unused",
        ANTHROPIC_API_BASE=there.url,
        ANTHROPIC_API_KEY="unused",
        GIT_AUTHOR_NAME="Tester",
        GIT_AUTHOR_EMAIL="t@example.com",
        GIT_COMMITTER_NAME="Tester",
        GIT_COMMITTER_EMAIL="t@example.com",
    )
    assert ran.code == 0, ran.said
    assert (aider.project / "rate.py").read_text() == "RATE = 2\n"
    assert aider.git("log", "--format=%s").splitlines()[0] == "fix: double the rate"
    assert [sent.status for sent in there.posts] == [200, 200]


LINES = 60
LONG = Say("rate.py\n```\n" + "".join(f"RATE_{n} = {n}\n" for n in range(LINES)) + "```\n")
# Wire events after which about half of the file is there.
HALF = 40


def test_half_a_file_never_reaches_it_where_its_streams_are_held(aider):
    (aider.project / "rate.py").write_text("RATE = 1\n")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        aider.git(*words)
    server = {"server": {"hold_for": ["aider"]}}
    with FakeModel() as fake:
        far = backend("far", fake, "openai_chat")
        with tapped(backends=[far], models=[model("far", "far", "real-model")], **server) as tap:
            fake.play(Scene((LONG,), Cut(HALF)))
            fake.default = Scene((LONG,))
            ran = aider(
                "Add rates.",
                "rate.py",
                model="openai/far",
                OPENAI_API_BASE=f"{tap.url}/via/aider-1f2e3d4c/v1",
                OPENAI_API_KEY="unused",
            )
    assert ran.code == 0, ran.said
    statuses = [sent.status for sent in tap.posts("/via/aider-1f2e3d4c/v1/chat/completions")]
    assert statuses[:2] == [502, 200]
    assert (aider.project / "rate.py").read_text().count("\n") == LINES
