"""The leak hunt with the real Claude Code: whatever it reads, by whichever tool, the cloud gets none."""

from dataclasses import dataclass

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.scenes import Say, Scene, Use
from tests.leakhunt import files
from tests.leakhunt.ground import RULES, Cloud
from tests.leakhunt.search import Finder

pytestmark = [pytest.mark.clients, pytest.mark.usefixtures("loopback")]

KEY = "AKIA" + "Q3XRLNPD" + "7WJ2ZKTE"
SAID = (
    "The settlement carries each open entry by a margin of seven and three, sorted by its tide, and "
    "the deployment signs in to the region eu with one credential that I do not repeat here."
)
DONE = Scene((Say(SAID),))
FINDER = Finder({"key": KEY.encode(), "what the device said": SAID[:80].encode(), **files.NEEDLES})
CHATTY = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": ""}


@dataclass
class Place:
    """cloud: preferred, every byte kept. device: may see all. url: of the gateway."""

    cloud: Cloud
    device: FakeModel
    url: str

    def judge(self, *, ruled):
        """Something harmless came to the cloud, the rest to the device, and nothing else anywhere."""
        came = self.cloud.take()
        assert b"POST /v1/messages" in came
        assert FINDER.find(came) == []
        assert self.device.saw(ruled)


@pytest.fixture(params=["anthropic_messages", "openai_chat"])
def place(claude, request):
    """A project with a key in one file and code under a rule in another."""
    (claude.project / "settings.env").write_text(f"region=eu\naccess={KEY}\n")
    (claude.project / files.RULED).mkdir()
    (claude.project / files.RULED / "ledger.py").write_text(files.code(files.RULED))
    with Cloud() as cloud, FakeModel(open_fields=True) as device:
        device.default = DONE
        far = [
            backend("far", cloud, "anthropic_messages", "cloud"),
            backend("near", device, request.param),
        ]
        with gateway(
            backends=far,
            models=[model("big", "far", "*"), model("small", "near", "small")],
            names=[{"match": "claude-*", "choose": ["big", "small"]}],
            rules=RULES,
        ) as door:
            yield Place(cloud, device, door.url)


CODE = b"blue_margin * 7 + 3"
TOOLS = {
    "cat of a key": (Use("Bash", {"command": "cat settings.env"}, "toolu_01a"), KEY.encode()),
    "grep for a key": (
        Use("Grep", {"pattern": "access", "output_mode": "content"}, "toolu_01a"), KEY.encode()),
    "sed of a key": (Use("Bash", {"command": "sed -n 1,9p settings.env"}, "toolu_01a"), KEY.encode()),
    "Read of a ruled file": (Use("Read", {"file_path": "payments/ledger.py"}, "toolu_01a"), CODE),
    "cat of a ruled file": (Use("Bash", {"command": "cat payments/ledger.py"}, "toolu_01a"), CODE),
    "cat below a ruled folder": (
        Use("Bash", {"command": "cd payments && cat ledger.py"}, "toolu_01a"), CODE),
    "grep that names no file": (
        Use("Grep", {"pattern": "margin", "output_mode": "content"}, "toolu_01a"), CODE),
    "grep -rn": (Use("Bash", {"command": "grep -rn margin ."}, "toolu_01a"), CODE),
}  # fmt: skip


def on_disk(use, project):
    """Read wants an absolute path."""
    if use.name != "Read":
        return use
    return Use(use.name, {"file_path": str(project / use.arguments["file_path"])}, use.id)


@pytest.mark.parametrize("how", TOOLS)
def test_what_a_tool_reads_never_reaches_the_cloud(claude, place, how):
    use, ruled = TOOLS[how]
    place.cloud.fake.default = Scene((on_disk(use, claude.project),))
    ran = claude("Look.", place.url, "--allowedTools", "Bash,Grep,Read", variables=CHATTY)
    assert (ran.code, ran.said.strip()) == (0, SAID)
    place.judge(ruled=ruled)


def test_what_a_sub_agent_reads_never_reaches_the_cloud_nor_does_its_report(claude, place):
    task = {"description": "look", "prompt": "Look at it.", "subagent_type": "general-purpose"}
    place.cloud.fake.play(Scene((Use("Agent", task, "toolu_01agent"),)))
    read = {"file_path": str(claude.project / "payments/ledger.py")}
    place.cloud.fake.default = Scene((Use("Read", read, "toolu_01read"),))
    ran = claude("Have a helper look at the ledger.", place.url)
    assert ran.code == 0
    place.judge(ruled=CODE)


def test_a_second_session_that_quotes_the_first_stays_on_the_device(claude, place):
    read = {"file_path": str(claude.project / "payments/ledger.py")}
    place.cloud.fake.default = Scene((Use("Read", read, "toolu_01read"),))
    assert claude("What does the ledger do?", place.url).said.strip() == SAID
    place.judge(ruled=CODE)
    before = len(place.device.seen)
    ran = claude(f"A colleague says: {SAID} Is that so?", place.url)
    assert ran.code == 0
    assert len(place.device.seen) > before
    assert FINDER.find(place.cloud.take()) == []
