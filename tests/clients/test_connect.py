"""Real tools, pointed here by `halfdoor connect` and by nothing else; what `doctor` then says of them."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.conftest import ASKED, folders
from tests.clients.more import NODE
from tests.clients.tools import AIDER, CLAUDE, CODEX, SANDBOX, Tool
from tests.helpers.fake_model import FakeModel
from tests.helpers.scenes import Say, Scene

pytestmark = pytest.mark.usefixtures("loopback", "processes")

MORE = pytest.mark.more_clients
HERE = Scene((Say("Here."),))


@dataclass(frozen=True)
class Case:
    """settings: below the home. held: what the person has there. says: words of the command for a turn."""

    name: str
    program: Path
    settings: str
    held: str
    says: tuple[str, ...]

    def turn(self, *words: str) -> tuple[str, ...]:
        return (str(self.program), *self.says, *words)


CLAUDE_CASE = Case(
    "claude",
    CLAUDE,
    ".claude/settings.json",
    '{\n  "permissions": {"deny": ["Read(./secrets/**)"]}\n}\n',
    ("-p", "Say it.", "--model", ASKED),
)
CODEX_CASE = Case(
    "codex",
    CODEX,
    ".codex/config.toml",
    'approval_policy = "never"  # mine\n',
    ("exec", "--skip-git-repo-check", "-s", SANDBOX, "Say it."),
)
AIDER_CASE = Case(
    "aider",
    AIDER,
    ".aider.conf.yml",
    "# mine\ndark-mode: true\n",
    ("--yes-always", "--no-git", "--no-show-model-warnings", "--message", "Say it."),
)
OPENCODE_CASE = Case(
    "opencode",
    NODE / "opencode",
    ".config/opencode/opencode.jsonc",
    # Without the first line OpenCode would add it.
    '{\n  "$schema": "https://opencode.ai/config.json",\n  // mine\n  "share": "disabled"\n}\n',
    ("run", "--title", "A turn", "Say it."),
)
CONTINUE_CASE = Case(
    "continue",
    NODE / "cn",
    ".continue/config.yaml",
    'name: "mine"\nversion: "1.0.0"\nschema: "v1"\nrules:\n  - "Be brief."\n',
    ("-p", "Say it.", "--auto"),
)
EVERY = pytest.mark.parametrize(
    "case",
    [
        *(
            pytest.param(c, marks=pytest.mark.clients)
            for c in (CLAUDE_CASE, CODEX_CASE, AIDER_CASE)
        ),
        *(pytest.param(c, marks=MORE) for c in (OPENCODE_CASE, CONTINUE_CASE)),
    ],
    ids=lambda case: case.name,
)
LOGGING = pytest.mark.parametrize(
    ("case", "elsewhere"),
    [
        (CLAUDE_CASE, ("--settings", '{{"env": {{"ANTHROPIC_BASE_URL": "{url}"}}}}')),
        (CODEX_CASE, ("-c", 'model_providers.halfdoor.base_url="{url}/v1"')),
    ],
    ids=["claude", "codex"],
)


@pytest.fixture
def tool(case, tmp_path):
    """Its home, with a settings file of the person's own."""
    if not case.program.exists():
        pytest.skip(f"{case.name} is not installed; hint: make clients-all")
    tool = Tool(*folders(tmp_path))
    file = tool.home / case.settings
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(case.held)
    return tool


def examined(tool, there, name):
    """What `doctor` finds about the tool: its state and its words."""
    ran = tool.run(*tool.own("doctor", "--json", config=there.config))
    findings = json.loads(ran.said)["findings"]
    (mine,) = [each for each in findings if each["about"] == f"tool {name}"]
    return mine["state"], mine["said"]


@EVERY
def test_its_turn_comes_here_and_doctor_says_so_and_disconnect_gives_every_byte_back(
    line, case, tool
):
    there = line("openai_chat")
    there.fake.default = HERE
    tool.connect(case.name, there.config)
    ran = tool.run(*case.turn())
    assert (ran.code, "Here." in ran.said) == (0, True), ran.said
    assert [sent.path.startswith(f"/via/{case.name}-") for sent in there.posts] == [True]
    state, said = examined(tool, there, case.name)
    assert (state, "none came" in said or "nothing came" in said) == ("ok", False), said
    tool.halfdoor("disconnect", case.name, config=there.config)
    assert (tool.home / case.settings).read_text() == case.held


@pytest.mark.clients
@LOGGING
def test_a_turn_that_goes_past_halfdoor_fails_in_doctor(line, case, tool, elsewhere):
    there = line("openai_chat")
    with FakeModel() as past:
        past.default = HERE
        tool.connect(case.name, there.config)
        ran = tool.run(*case.turn(*(word.format(url=past.url) for word in elsewhere)))
        assert "Here." in ran.said
        assert past.seen
    state, said = examined(tool, there, case.name)
    assert (state, "never came" in said) == ("fail", True), said
