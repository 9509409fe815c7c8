"""Real tools, started by `halfdoor launch` with a gateway of their own, and no file of theirs changed."""

import json
import os

import pytest
import tomlkit

from tests.clients.conftest import ASKED, folders
from tests.clients.more import NODE, Llm
from tests.clients.terminal import Terminal
from tests.clients.tools import AIDER, CLAUDE, CODEX, SANDBOX, Tool
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, model
from tests.helpers.ports import free_port
from tests.helpers.scenes import Say, Scene

pytestmark = pytest.mark.usefixtures("loopback", "processes")

CORE, MORE = pytest.mark.clients, pytest.mark.more_clients
# Name, program, what its person types. OpenCode and `llm` ask for a name of their vendor's.
TURNS = [
    pytest.param("claude", CLAUDE, ("-p", "Say it.", "--model", ASKED), marks=CORE),
    pytest.param(
        "codex", CODEX, ("exec", "--skip-git-repo-check", "-s", SANDBOX, "Say it."), marks=CORE
    ),
    pytest.param(
        "aider",
        AIDER,
        ("--yes-always", "--no-git", "--model", "openai/auto", "--message", "Say it."),
        marks=CORE,
    ),
    pytest.param(
        "opencode", NODE / "opencode", ("run", "--title", "A turn", "Say it."), marks=MORE
    ),
    pytest.param("continue", NODE / "cn", ("-p", "Say it.", "--auto"), marks=MORE),
    pytest.param("llm", Llm.program, ("-m", "gpt-4o-mini", "Say it."), marks=MORE),
]


@pytest.fixture
def fake(loopback):
    with FakeModel() as fake:
        fake.default = Scene((Say("Here."),))
        yield fake


@pytest.fixture
def config(fake, tmp_path):
    """One model for every name that the tools know, at an address where nothing listens yet."""
    tables = {
        "server": {"listen": f"127.0.0.1:{free_port()}", "state_dir": str(tmp_path / "state")},
        "backends": [backend("far", fake, "openai_chat")],
        "models": [model("far", "far", "real-model")],
        "names": [{"match": match, "choose": ["far"]} for match in ("claude-*", "gpt-*")],
    }
    file = tmp_path / "config.toml"
    file.write_text(tomlkit.dumps(tables))
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    ("name", "program", "words"), TURNS, ids=[str(turn.values[0]) for turn in TURNS]
)
def test_a_launched_tool_has_its_turn_here(fake, config, tmp_path, name, program, words):
    if not program.exists():
        pytest.skip(f"{name} is not installed; hint: make clients-all")
    tool = Tool(*folders(tmp_path))
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    ran = tool.run(*tool.own("launch", name, config=config), "--", *words, PATH=path)
    assert (ran.code, "Here." in ran.said) == (0, True), ran.said
    assert {seen.status for seen in fake.seen} == {200}
    told = tool.halfdoor("ps", "--json", config=config)
    assert f'"{name}"' in told


@pytest.mark.clients
def test_claude_codes_status_line_tells_who_answered(fake, config, tmp_path):
    if not CLAUDE.exists():
        pytest.skip("claude is not installed; hint: make clients")
    tool = Tool(*folders(tmp_path))
    known = {str(tool.project.resolve()): {"hasTrustDialogAccepted": True}}
    told = {"hasCompletedOnboarding": True, "theme": "dark", "projects": known}
    (tool.home / ".claude.json").write_text(json.dumps(told))
    path = f"{CLAUDE.parent}{os.pathsep}{os.environ['PATH']}"
    words = tool.own("launch", "claude", config=config)
    seen = {"PATH": path, "TERM": "xterm-256color"}
    with Terminal((*words, "--", "--model", ASKED), tool.project, tool.environment(seen)) as screen:
        assert screen.shows("halfdoor: nothing yet"), screen.seen
        screen.types("Say it.")
        assert screen.shows("halfdoor: far device"), screen.seen
