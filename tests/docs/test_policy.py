"""The pages about policy: their files load, and what they promise is what happens."""

import json
import sys
from pathlib import Path

import pytest

from halfdoor.cli import main
from halfdoor.cli.policy.cases import Case, Expect
from tests.docs.test_pages import blocks

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "docs/reference/policy-tests.md"
GUIDE = ROOT / "docs/how-to/write-a-policy.md"


@pytest.fixture
def halfdoor(tmp_path, monkeypatch, capsys):
    """The command line in an empty home."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["halfdoor", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0), capsys.readouterr().out

    return run


def test_every_key_of_a_policy_test_is_explained():
    page = TESTS.read_text()
    for key in (*Case.__struct_fields__, *Expect.__struct_fields__):
        assert f"| `{key}` |" in page, key


def test_the_cases_of_the_reference_pass_as_they_say(halfdoor, tmp_path):
    (tmp_path / ".halfdoor.toml").write_text(
        '[[rules]]\nname = "payments stay here"\nlabel = "path:payments/**"\nceiling = "device"\n'
    )
    (tmp_path / "cases.toml").write_text(blocks(TESTS, "toml")[0])
    code, told = halfdoor("policy", "test", "cases.toml", "--json")
    assert [one["failures"] for one in json.loads(told)] == [[], [], [], []]
    assert code == 0


@pytest.fixture
def written(tmp_path):
    """The guide's configuration and cases, where the guide says."""
    config = tmp_path / "config.toml"
    config.write_text(blocks(GUIDE, "toml")[0])
    config.chmod(0o600)
    (tmp_path / "policy-tests.toml").write_text(blocks(GUIDE, "toml cases")[0])
    return config


def test_the_guides_policy_is_clean(halfdoor, written):
    code, told = halfdoor("policy", "check", written)
    assert code == 0
    assert "warning" not in told.replace("0 warnings", "")
    assert "note: model `us-large` never answers: rule `nobody trains on us` requires" in told


def test_the_guides_cases_pass_and_fail_when_the_policy_is_looser(halfdoor, written):
    asked = ("policy", "test", "policy-tests.toml", "--config", "config.toml")
    code, told = halfdoor(*asked)
    assert (code, told.splitlines()[-1]) == (0, "4 passed, 0 failed")
    written.write_text(blocks(GUIDE, "toml")[0].replace('label = "*"', 'label = "path:x/**"'))
    code, told = halfdoor(*asked)
    assert (code, told.splitlines()[-1]) == (1, "2 passed, 2 failed")
