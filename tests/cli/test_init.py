import json

import pytest

from halfdoor.canon.labels import Zone
from halfdoor.config.defaults import default_config
from halfdoor.config.found import PROVIDERS, Discovered, Engine, FoundModel
from halfdoor.config.load import load_user
from halfdoor.config.presets import PRESETS

OLLAMA = Engine("ollama", "http://127.0.0.1:11434", (FoundModel("qwen3:8b"),), "ollama")
FOUND = Discovered((OLLAMA,), PROVIDERS[:1])


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    def has(found):
        monkeypatch.setattr("halfdoor.cli.init.look_around", lambda: found)

    has(FOUND)
    return has


@pytest.fixture(autouse=True)
def path(tmp_path, monkeypatch):
    """A PATH of its own: no tool of the machine that runs the tests is on it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def has(*programs):
        for program in programs:
            (folder / program).write_text("#!/bin/sh\n")
            (folder / program).chmod(0o755)

    return has


def test_a_file_is_written_that_loads_and_nobody_else_reads(halfdoor, home):
    said = halfdoor("init")
    file = home / ".config/halfdoor/config.toml"
    assert said.code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    config = load_user(file)
    assert config.models == default_config(FOUND).models
    assert config.names == default_config(FOUND).names
    assert [p.name for p in file.parent.iterdir()] == ["config.toml"]


def test_it_says_what_was_found_and_what_to_do_next(halfdoor):
    said = halfdoor("init")
    assert said.out == ""
    for part in (
        "ollama at http://127.0.0.1:11434, 1 model",
        "ANTHROPIC_API_KEY",
        "halfdoor serve",
    ):
        assert part in said.err


def test_a_file_that_exists_is_kept(halfdoor, home):
    file = home / "mine.toml"
    file.write_text("# mine\n")
    said = halfdoor("init", "--config", file)
    assert said.code == 1
    assert "--force" in said.err
    assert file.read_text() == "# mine\n"


def test_force_replaces_it(halfdoor, home):
    file = home / "mine.toml"
    file.write_text("# mine\n")
    assert halfdoor("init", "--config", file, "--force").code == 0
    assert "[[backends]]" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_print_writes_no_file(halfdoor, home):
    said = halfdoor("init", "--print")
    assert said.code == 0
    assert "[[models]]" in said.out
    assert not (home / ".config").exists()


def test_nothing_found_is_said_loudly(halfdoor, machine):
    machine(Discovered())
    said = halfdoor("init")
    assert "No real model was found" in said.err


def test_a_folder_that_cannot_be_made_is_an_error(halfdoor, home):
    (home / "file").write_text("")
    said = halfdoor("init", "--config", home / "file" / "config.toml")
    assert said.code == 1
    assert "Traceback" not in said.err
    assert "cannot be" in said.err


def test_tools_that_are_installed_are_named_with_the_command_that_connects_them(halfdoor, path):
    path("claude", "cn", "llm")
    said = halfdoor("init").err
    assert "halfdoor connect claude    Claude Code" in said
    assert "halfdoor connect continue    Continue" in said
    assert "connect codex" not in said
    assert "connect llm" not in said


def test_the_commands_that_it_names_know_a_configuration_elsewhere(halfdoor, home, path):
    path("codex")
    file = home / "mine.toml"
    said = halfdoor("init", "--config", file).err
    assert f"halfdoor connect codex --config {file}" in said


def test_ollama_is_asked_in_its_own_protocol_and_the_window_is_spoken_of(halfdoor, home):
    said = halfdoor("init").err
    (backend, *_) = load_user(home / ".config/halfdoor/config.toml").backends
    assert (backend.dialect, backend.url) == ("ollama", "http://127.0.0.1:11434")
    assert "context_tokens" in said


def test_of_a_window_that_is_known_nothing_is_said(halfdoor, machine):
    machine(Discovered((Engine("vllm", "http://127.0.0.1:8000/v1", (FoundModel("q"),)),)))
    assert "context_tokens" not in halfdoor("init").err


def test_the_same_is_told_to_programs(halfdoor, home, path):
    path("aider")
    said = json.loads(halfdoor("init", "--json").out)
    engine = {"kind": "ollama", "url": "http://127.0.0.1:11434", "models": 1, "dialect": "ollama"}
    assert said["engines"] == [engine]
    assert said["keys"] == ["ANTHROPIC_API_KEY"]
    assert said["tools"] == ["aider"]
    assert said["config"] == (home / ".config/halfdoor/config.toml").read_text()


def test_programs_may_ask_for_the_text_alone(halfdoor, home):
    said = json.loads(halfdoor("init", "--json", "--print").out)
    assert said["written"] is None
    assert "[[models]]" in said["config"]
    assert not (home / ".config").exists()


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_preset_is_written_below_what_was_found(halfdoor, home, preset):
    file = home / "mine.toml"
    assert halfdoor("init", "--config", file, "--preset", preset.name).code == 0
    config = load_user(file)
    assert config.routing.strategy == preset.strategy
    assert preset.tables in file.read_text()
    assert [b.name for b in config.backends] == ["ollama", "anthropic"][: 1 + preset.keys]


def test_study_needs_no_key_and_lets_nothing_off_the_device(halfdoor, home):
    file = home / "mine.toml"
    halfdoor("init", "--config", file, "--preset", "study")
    config = load_user(file)
    assert not any(backend.key for backend in config.backends)
    assert [(rule.label, rule.ceiling) for rule in config.rules] == [("*", Zone.DEVICE)]


def test_a_preset_that_nobody_knows_is_named_with_the_nearest(halfdoor, home):
    said = halfdoor("init", "--preset", "frugel", "--print")
    assert said.code == 1
    assert "there is no preset `frugel`; hint: did you mean `frugal`?" in said.err
