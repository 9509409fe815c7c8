"""Settings of every tool are those of one revision: the one whose `[gate]` judges."""

import pytest

from tests.helpers.checkouts import commit, git, write

UNUSED = "def f():\n    x = 1\n"


@pytest.fixture
def forked(gate):
    """A topic that was forked before main says more: `forked(files)` commits these on main."""
    write(gate.folder, {"ruff.toml": "lint.select = ['F']\nlint.ignore = ['F841']\n"})
    commit(gate.folder, "loose")
    git(gate.folder, "checkout", "-q", "-b", "topic")
    write(gate.folder, {"b.py": UNUSED})
    commit(gate.folder, "new")
    git(gate.folder, "checkout", "-q", "main")

    def make(files):
        write(gate.folder, files)
        commit(gate.folder, "more")
        git(gate.folder, "checkout", "-q", "topic")
        return gate

    return make


def test_rules_that_main_tightened_after_the_fork_hold(forked):
    """It passed: `[gate]` was read from the tip, and rules from where the branches parted."""
    gate = forked({"ruff.toml": "lint.select = ['F']\n"})
    assert gate.json("--diff", "main..topic")[:3] == (3, "failed", ["F841"])


def test_rules_that_main_names_and_brings_after_the_fork_judge_an_older_branch(forked):
    """Every open branch ended with 4: the file that `[gate]` named was not where they parted."""
    named = {".halfdoor.toml": "[gate]\nlint = 'rules/ruff.toml'\n"}
    gate = forked(named | {"rules/ruff.toml": "lint.select = ['F841']\n"})
    assert gate.json("--diff", "main..topic")[:3] == (3, "failed", ["F841"])


def test_what_settings_leave_out_is_told_to_people_too(gate):
    write(gate.folder, {"ruff.toml": "exclude = ['gen']\n"})
    commit(gate.folder, "rules")
    write(gate.folder, {"gen/b.py": "print(nope)\n"})
    said = gate()
    assert said.code == 0
    assert "lint (no Python file to look at; 1 left out by `exclude` of ruff's settings: gen/b.py)" in said.out  # fmt: skip


def test_rules_that_the_change_loosens_hold_as_they_were(gate):
    write(gate.folder, {"ruff.toml": "lint.select = ['F']\n"})
    commit(gate.folder, "rules")
    write(gate.folder, {"ruff.toml": "lint.ignore = ['ALL']\n", "b.py": UNUSED})
    assert gate.json()[2] == ["F841"]
    assert gate.json("--stdin", stdin="--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n import os\n \n-print(os.name)\n+print(os.nam, y)\n")[2] == ["F821"]  # fmt: skip
