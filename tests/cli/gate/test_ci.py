"""The hook, the action and the template run the commands that stand in them, and stop a bad change."""

import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.helpers.checkouts import commit, git, write

ROOT = Path(__file__).parents[3]
BROKEN = {"a.py": "import os\n\nprint(os.name, missing_name)\n"}


def shell(gate, script, **environment):
    """A script as CI runs it: bash, stopping at the first error, with halfdoor on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=gate.folder,
        env=os.environ | environment | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def value(text, key):
    """The one-line value of a key of a YAML file."""
    (found,) = re.findall(rf"^\s*-?\s*{key}: (.+)$", text, re.MULTILINE)
    return found


def scripts(text, key):
    """The block of a `key: |`, or the items of a list, as one script each."""
    blocks = re.findall(rf"^( *){key}: \|\n((?:\1 +.*\n)+)", text, re.MULTILINE)
    lists = re.findall(rf"^( *){key}:\n((?:\1 +- .*\n)+)", text, re.MULTILINE)
    return [block for _, block in blocks] + [
        "\n".join(line.strip().removeprefix("- ") for line in items.splitlines())
        for _, items in lists
    ]


def test_the_hook_for_pre_commit_stops_a_bad_commit_and_lets_a_good_one_pass(gate):
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    entry = value(text, "entry")
    assert shlex.split(entry)[0] == "halfdoor"
    assert value(text, "pass_filenames") == "false"
    write(gate.folder, BROKEN)
    git(gate.folder, "add", "-A")
    assert shell(gate, entry).returncode == 3
    write(gate.folder, {"a.py": "x = 1\n"})
    git(gate.folder, "add", "-A")
    assert shell(gate, entry).returncode == 0


@pytest.fixture
def ranged(gate):
    """A branch with a bad commit, and its base."""
    base = git(gate.folder, "rev-parse", "HEAD")
    write(gate.folder, BROKEN)
    return gate, base, commit(gate.folder, "broken")


def test_the_action_for_github_annotates_and_writes_sarif(ranged, tmp_path):
    gate, base, head = ranged
    install, judge = scripts((ROOT / "action.yml").read_text(), "run")
    sarif = tmp_path / "out.sarif"
    done = shell(gate, judge, BASE=base, HEAD=head, SARIF=str(sarif))
    assert (done.returncode, done.stdout.startswith("::error file=a.py,line=3")) == (3, True)
    assert json.loads(sarif.read_text())["runs"][0]["results"]
    for named in re.findall(r"\$GITHUB_ACTION_PATH/([\w.]+)", install):
        assert (ROOT / named).exists()


def test_the_action_puts_no_input_into_a_script():
    for script in scripts((ROOT / "action.yml").read_text(), "run"):
        assert "${{" not in script


def test_the_job_for_gitlab_judges_against_its_target_branch(ranged, tmp_path):
    gate, base, head = ranged
    text = (ROOT / "templates/gate.yml").read_text()
    git(gate.folder, "update-ref", "refs/remotes/origin/main", base)
    named = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_COMMIT_SHA": head}
    (judge,), (after,) = scripts(text, "script"), scripts(text, "after_script")
    assert shell(gate, judge, **named).returncode == 3
    assert shell(gate, after, **named).returncode == 0
    for made in value(text, "paths").strip("[]").split(", "):
        assert (gate.folder / made).exists()


@pytest.mark.parametrize(
    ("verdict", "word"),
    [("passed", "passed"), ("failed", "failed"), ("skipped", "could not judge")],
)
def test_a_badge_says_what_the_report_says(halfdoor, tmp_path, verdict, word):
    report = tmp_path / "gate.json"
    report.write_text(json.dumps({"verdict": verdict, "more": 1}))
    drawn = ET.fromstring(halfdoor("gate", "badge", report).out)
    assert drawn.attrib["aria-label"] == f"halfdoor gate: {word}"


@pytest.mark.parametrize("text", ["{}", "no", '{"verdict": "fine"}'])
def test_what_is_no_report_gets_no_badge(halfdoor, tmp_path, text):
    report = tmp_path / "gate.json"
    report.write_text(text)
    assert halfdoor("gate", "badge", report).code == 1
    assert halfdoor("gate", "badge", tmp_path / "none.json").code == 1
