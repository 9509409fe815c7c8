import json
import sys

import pytest

import halfdoor.cli.policy.pin  # noqa: F401  patched below
from halfdoor.canon.labels import Zone
from halfdoor.canon.scene import Repository
from halfdoor.config.found import Discovered, Engine, FoundModel
from halfdoor.config.load import load_user
from tests.helpers.ports import free_port
from tests.helpers.serving import Serving

FOUND = Discovered((Engine("ollama", "http://127.0.0.1:11434/v1", (FoundModel("qwen3:8b"),)),))
CONFIG = """\
# mine
[server]
listen = "127.0.0.1:1"   # nobody listens there

[[rules]]
label = "path:infra/**"
ceiling = "network"
"""


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    monkeypatch.setattr(sys.modules["halfdoor.cli.policy.pin"], "look_around", lambda: FOUND)


@pytest.fixture
def file(home):
    path = home / ".config/halfdoor/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


@pytest.fixture
def core(home):
    (home / "core/.git").mkdir(parents=True)
    (home / "core/billing/api").mkdir(parents=True)
    return home / "core"


def rules(file):
    return {rule.label: rule.ceiling for rule in load_user(file).rules}


def test_a_repository_is_pinned_with_its_diff_and_the_rest_stays(halfdoor, file, core):
    said = halfdoor("policy", "pin", core)
    assert said.code == 0
    assert file.read_text().startswith(CONFIG)
    assert rules(file) == {"path:infra/**": Zone.NETWORK, "repo:core": Zone.DEVICE}
    assert load_user(file).repositories == (Repository("core", str(core)),)
    assert '+label = "repo:core"' in said.out.splitlines()
    assert "-[" not in said.out
    assert "no gateway could be asked" in said.out
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_second_time_there_is_nothing_to_do(halfdoor, file, core):
    halfdoor("policy", "pin", core)
    before = file.read_text()
    said = halfdoor("policy", "pin", core)
    assert (said.code, file.read_text()) == (0, before)
    assert "`repo:core` is held already (config.toml:" in said.out


def test_the_working_directory_is_a_point(halfdoor, file, core, monkeypatch):
    monkeypatch.chdir(core)
    halfdoor("policy", "pin", ".", "--ceiling", "network")
    assert rules(file)["repo:core"] == Zone.NETWORK
    halfdoor("policy", "pin", ".")
    assert min(r.ceiling for r in load_user(file).rules if r.label == "repo:core") == Zone.DEVICE
    assert len(load_user(file).repositories) == 1


def test_what_is_declared_from_home_is_the_same_repository(halfdoor, file, core):
    file.write_text(CONFIG + '[[repositories]]\nname = "heart"\nroot = "~/core"\n')
    halfdoor("policy", "pin", core)
    assert set(rules(file)) == {"path:infra/**", "repo:heart"}


def test_a_branch_is_a_repository_of_its_own(halfdoor, file, core):
    halfdoor("policy", "pin", core)
    halfdoor("policy", "pin", core, "--branch", "draft/*")
    found = load_user(file).repositories
    assert [(each.name, each.branch) for each in found] == [("core", ""), ("core-2", "draft/*")]


def test_a_folder_in_a_repository_is_pinned_by_its_path(halfdoor, file, core):
    halfdoor("policy", "pin", core / "billing/api")
    assert rules(file)["path:billing/api/**"] == Zone.DEVICE
    assert load_user(file).repositories == ()


def test_a_folder_without_git_is_pinned_by_its_place(halfdoor, file, home):
    (home / "drafts of ü").mkdir()
    halfdoor("policy", "pin", home / "drafts of ü")
    assert load_user(file).repositories[0].root == str(home / "drafts of ü")
    assert load_user(file).repositories[0].name == "drafts-of"


def test_a_name_that_is_taken_is_an_error_with_a_hint(halfdoor, file, core, home):
    halfdoor("policy", "pin", core, "--name", "heart")
    (home / "other/.git").mkdir(parents=True)
    said = halfdoor("policy", "pin", home / "other", "--name", "heart")
    assert (said.code, "give another `--name`" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("not-there", (), "No such file"),
        ("core/billing", ("--branch", "x"), "belongs to a repository"),
        ("lone.txt", (), "pin its folder"),
    ],
)
def test_what_cannot_be_pinned_is_said(halfdoor, file, core, home, path, options, said):
    (home / "lone.txt").write_text("x")
    before = file.read_text()
    failed = halfdoor("policy", "pin", home / path, *options)
    assert (failed.code, said in failed.err, file.read_text()) == (1, True, before)


def test_dry_run_writes_nothing_and_json_has_the_diff(halfdoor, file, core):
    said = json.loads(halfdoor("policy", "pin", core, "--dry-run", "--json").out)
    assert (said["written"], said["label"], file.read_text()) == (False, "repo:core", CONFIG)
    assert '+name = "core"' in said["diff"]
    wrote = json.loads(halfdoor("policy", "pin", core, "--json").out)
    assert (wrote["written"], wrote["gateway"]) == (True, "none")


def test_without_a_file_one_is_made_that_keeps_what_is_found(halfdoor, home, core):
    said = halfdoor("policy", "pin", core)
    config = load_user(home / ".config/halfdoor/config.toml")
    assert "there is no configuration yet" in said.out
    assert config.models[0].id == "qwen3:8b"
    assert rules(home / ".config/halfdoor/config.toml") == {"repo:core": Zone.DEVICE}


def test_rules_written_in_one_line_are_left_for_a_person(halfdoor, file, core):
    text = 'rules = [{ label = "secret", ceiling = "device" }]\n'
    file.write_text(text)
    failed = halfdoor("policy", "pin", core)
    assert (failed.code, file.read_text()) == (1, text)
    assert "write `[[rules]]`" in failed.err


@pytest.mark.parametrize("workers", [1, 2])
def test_a_gateway_that_runs_takes_it_over(halfdoor, tmp_path, core, processes, loopback, workers):
    listen = f"127.0.0.1:{free_port()}"
    folder = tmp_path / "serving"
    tables = {
        "server": {"listen": listen, "state_dir": str(folder / "state")},
        "backends": [
            {"name": "far", "dialect": "openai_chat", "url": "scripted:", "zone": "cloud"}
        ],
        "models": [{"name": "m", "backend": "far", "id": "m"}],
    }
    serving = Serving(folder, tables, None, "--workers", str(workers))
    serving.start()
    try:
        said = halfdoor("policy", "pin", core, "--config", serving.config)
        assert "follows it from now on" in said.out
    finally:
        serving.end()
