"""The real Aider through a real halfdoor: a file edited and committed, in every dialect it speaks."""

import pytest

from tests.clients.conftest import FARS, tapped
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, model
from tests.helpers.scenes import Cut, Refuse, Say, Scene

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]

# Glued, so that this file holds no whole one.
KEY = "AKIA" + "Q3XRLNPD" + "7WJ2ZKTE"
EDIT = Say("rate.py\n```\nRATE = 2\n```\n")
MESSAGE = Say("fix: double the rate")
PLAN = Scene((Say("Change RATE to 2 in rate.py."),))
AUTHOR = {
    "GIT_AUTHOR_NAME": "Tester",
    "GIT_AUTHOR_EMAIL": "t@example.com",
    "GIT_COMMITTER_NAME": "Tester",
    "GIT_COMMITTER_EMAIL": "t@example.com",
}
PREFIXES = {
    "openai_chat": "openai",
    "anthropic_messages": "anthropic",
    "ollama": "ollama_chat",
}


@pytest.fixture
def project(aider):
    """A repository with one file."""
    (aider.project / "rate.py").write_text("RATE = 1\n")
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        aider.git(*words)
    return aider.project


def variables(url):
    """Every vendor's address is this one."""
    addresses = {
        "OPENAI_API_BASE": f"{url}/v1",
        "ANTHROPIC_API_BASE": url,
        "OLLAMA_API_BASE": url,
    }
    return addresses | AUTHOR | {"OPENAI_API_KEY": "unused", "ANTHROPIC_API_KEY": "unused"}


@pytest.mark.parametrize("far", FARS)
@pytest.mark.parametrize("near", PREFIXES)
def test_a_file_is_edited_and_committed(line, aider, project, near, far):
    there = line(far)
    there.fake.play(Scene((EDIT,)), Scene((MESSAGE,)))
    asked = f"{PREFIXES[near]}/far"
    ran = aider("Double the rate.", "rate.py", model=asked, **variables(there.url))
    assert ran.code == 0, ran.said
    assert (project / "rate.py").read_text() == "RATE = 2\n"
    assert aider.git("log", "--format=%s").splitlines()[0] == "fix: double the rate"
    assert [sent.status for sent in there.posts] == [200, 200]
    assert {seen.complaint for seen in there.fake.seen} == {""}


def test_a_refusal_is_one_request_and_its_words_are_shown(line, aider, project):
    there = line("anthropic_messages")
    there.fake.default = Scene(trouble=Refuse(400, "no, because of X-17"))
    ran = aider("Double it.", "rate.py", model="openai/far", **variables(there.url))
    assert "X-17" in ran.said
    assert len(there.posts) == 1


LINES = 60
LONG = Say("rate.py\n```\n" + "".join(f"RATE_{n} = {n}\n" for n in range(LINES)) + "```\n")
# Wire events after which about half of the file is there.
HALF = 40


def test_half_a_file_never_reaches_it_where_its_streams_are_held(aider, project):
    server = {"server": {"hold_for": ["aider"]}}
    with FakeModel() as fake:
        far = backend("far", fake, "openai_chat")
        with tapped(backends=[far], models=[model("far", "far", "real-model")], **server) as tap:
            fake.play(Scene((LONG,), Cut(HALF)))
            fake.default = Scene((LONG,))
            at = variables(f"{tap.url}/via/aider-1f2e3d4c")
            ran = aider("Add rates.", "rate.py", model="openai/far", **at)
    assert ran.code == 0, ran.said
    statuses = [sent.status for sent in tap.posts("/via/aider-1f2e3d4c/v1/chat/completions")]
    assert statuses[:2] == [502, 200]
    assert (project / "rate.py").read_text().count("\n") == LINES


# --- an architect in the cloud, an editor on the device ---


@pytest.fixture
def pair(two, aider, project):
    """Runs the architect under a name, to a cloud and a device that both speak Chat."""
    there = two("openai_chat", "openai_chat", "planner")
    there.cloud.default = PLAN

    def run(architect, *files):
        return aider(
            "Double the rate.",
            *files,
            *("--architect", "--editor-model", "openai/device", "--weak-model", "openai/device"),
            model=f"openai/{architect}",
            **variables(there.url),
        )

    return there, run


@pytest.mark.parametrize("architect", ["cloud", "planner"])
def test_the_architect_plans_in_the_cloud_and_the_editor_edits_on_the_device(
    pair, project, architect
):
    there, run = pair
    there.device.play(Scene((EDIT,)), Scene((MESSAGE,)))
    ran = run(architect, "rate.py")
    assert (project / "rate.py").read_text() == "RATE = 2\n", ran.said
    assert [len(there.cloud.seen), len(there.device.seen)] == [1, 2]
    assert there.device.saw(b"Change RATE to 2 in rate.py.")


def test_an_architect_named_in_the_cloud_is_refused_a_file_with_a_key(pair, project):
    there, run = pair
    (project / "settings.py").write_text(f'ACCESS = "{KEY}"\n')
    ran = run("cloud", "rate.py", "settings.py")
    said = " ".join(ran.said.split())
    assert "held to zone `device`" in said
    assert "ask for `auto` or a model in zone `device`" in said
    assert (project / "rate.py").read_text() == "RATE = 1\n"
    assert [len(there.cloud.seen), len(there.device.seen)] == [0, 0]
    assert [sent.status for sent in there.tap.sent] == [400]


def test_an_architect_behind_a_name_plans_on_the_device_when_a_file_has_a_key(pair, project):
    there, run = pair
    (project / "settings.py").write_text(f'ACCESS = "{KEY}"\n')
    there.device.play(PLAN, Scene((EDIT,)), Scene((MESSAGE,)))
    ran = run("planner", "rate.py", "settings.py")
    assert (project / "rate.py").read_text() == "RATE = 2\n", ran.said
    assert there.cloud.seen == []
    assert there.device.seen[0].saw(KEY.encode())
