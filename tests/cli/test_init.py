import pytest

from halfdoor.config.defaults import default_config
from halfdoor.config.found import PROVIDERS, Discovered, Engine, FoundModel
from halfdoor.config.load import load_user

OLLAMA = Engine("ollama", "http://127.0.0.1:11434/v1", (FoundModel("qwen3:8b", 8192),))
FOUND = Discovered((OLLAMA,), PROVIDERS[:1])


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    def has(found):
        monkeypatch.setattr("halfdoor.cli.init.look_around", lambda: found)

    has(FOUND)
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
        "ollama at http://127.0.0.1:11434/v1, 1 model",
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
