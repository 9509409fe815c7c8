"""The gate judges what changed, tells only what the change brought, and knows when it could not."""

import json
import os
import subprocess
import sys

import pytest

from halfdoor.canon.checks import Ran, RanStatus
from tests.helpers.checkouts import commit, git, write
from tests.helpers.house import AWS_KEY

BROKEN = "import os\n\nprint(os.name, missing_name)\n"


def test_nothing_changed_is_a_pass(gate):
    assert gate.json()[:3] == (0, "passed", [])


def test_the_working_tree_is_judged_with_untracked_files(gate):
    write(gate.folder, {"a.py": BROKEN, "new/b.py": "import numpyy\n\nnumpyy.zeros(1)\n"})
    assert gate.json()[:3] == (3, "failed", ["F821", "no-such-package"])


def test_what_was_wrong_before_is_not_the_changes_doing(gate):
    write(gate.folder, {"a.py": BROKEN})
    commit(gate.folder, "broken")
    write(gate.folder, {"a.py": "# moved\n\n" + BROKEN})
    assert gate.json()[:3] == (0, "passed", [])


def test_the_index_is_judged_and_not_what_was_not_staged(gate):
    write(gate.folder, {"a.py": BROKEN})
    assert gate.json("--staged")[:2] == (0, "passed")
    git(gate.folder, "add", "a.py")
    write(gate.folder, {"a.py": "x = 1\n"})
    assert gate.json("--staged")[2] == ["F821"]


def test_a_range_of_commits_is_judged(gate):
    write(gate.folder, {"a.py": BROKEN})
    commit(gate.folder, "broken")
    assert gate.json("--diff", "HEAD~1..HEAD")[:3] == (3, "failed", ["F821"])
    assert gate.json("--diff", "HEAD~1..")[2] == ["F821"]
    said = gate("--diff", "nowhere..HEAD")
    assert (said.code, "no revision `nowhere`" in said.err) == (1, True)
    assert gate("--diff", "HEAD").code == 1


def test_an_edit_on_standard_input_is_judged_without_touching_a_file(gate):
    block = "a.py\n<<<<<<< SEARCH\nprint(os.name)\n=======\nprint(os.nam, x)\n>>>>>>> REPLACE\n"
    code, _, codes, checks = gate.json("--stdin", stdin=block)
    assert (code, codes, checks["applies"]) == (3, ["F821"], "passed")
    assert gate.json("--stdin", stdin=block.replace("SEARCH\nprint", "SEARCH\nprimt"))[2] == [
        "does-not-apply"
    ]
    assert git(gate.folder, "status", "--porcelain") == ""


def test_people_get_the_line_and_what_would_mend_it(gate):
    write(gate.folder, {"a.py": BROKEN.replace("missing_name", "sys")})
    said = gate()
    assert "a.py:3:16: Undefined name `sys` [lint F821]" in said.out
    assert "   3 | print(os.name, sys)" in said.out
    assert said.out.splitlines()[-1].startswith("failed: 1 finding in 1 changed file")


def test_a_key_is_found_and_never_repeated_in_any_form(gate):
    write(gate.folder, {"a.py": f"import os\n\nkey = '{AWS_KEY}' + undefined + os.name\n"})
    for form in ("", "--json", "--github", "--sarif=-"):
        said = gate(*filter(None, [form]))
        assert "aws-access-key-id" in said.out
        assert AWS_KEY not in said.out + said.err


@pytest.mark.parametrize("settings", ["", '[[gate.paths]]\nmatch = "*"\noff = ["secrets"]\n'])
def test_a_key_that_was_there_before_is_not_shown_with_another_checks_finding(gate, settings):
    """Only lines that `secrets` told of were hidden."""
    key = f"key = '{AWS_KEY}'"
    write(gate.folder, {"b.py": f"{key}\n", ".halfdoor.toml": settings})
    commit(gate.folder, "a key")
    write(gate.folder, {"b.py": f"{key} + nope\n"})
    for form in ("", "--json", "--github", "--sarif=-"):
        said = gate(*filter(None, [form]))
        assert (said.code, "F821" in said.out) == (3, True)
        assert AWS_KEY not in said.out + said.err


def test_annotations_are_as_github_reads_them(gate):
    write(gate.folder, {"a,b.py": "x = (\n"})
    first = gate("--github").out.splitlines()[0]
    assert first.startswith(
        "::error file=a%2Cb.py,line=1,title=syntax syntax::'(' was never closed"
    )
    assert "%0Afix: " in first


def test_several_forms_may_be_asked_for_at_once(gate, tmp_path):
    write(gate.folder, {"a.py": BROKEN})
    said = gate("--github", "--sarif", tmp_path / "out.sarif")
    assert said.out.startswith("::error")
    assert json.loads((tmp_path / "out.sarif").read_text())["version"] == "2.1.0"
    assert gate("--sarif", tmp_path / "no/such/out.sarif").code == 1


def test_two_things_to_judge_are_a_slip(gate):
    assert gate("--staged", "--diff", "a..b").code == 2


def test_a_tool_that_is_missing_is_a_skip_and_exit_4(gate, monkeypatch):
    monkeypatch.setattr("halfdoor.runner.programs.beside", lambda _name: "")
    write(gate.folder, {"a.py": "x = 1\n"})
    code, verdict, _, checks = gate.json()
    assert (code, verdict) == (4, "skipped")
    assert {checks[name] for name in ("lint", "security")} == {"skipped"}
    assert "could not judge: lint, security" in gate().out
    assert "::warning title=lint skipped" in gate("--github").out


def test_a_failure_outranks_a_skip(gate, monkeypatch):
    monkeypatch.setattr("halfdoor.runner.programs.beside", lambda _name: "")
    write(gate.folder, {"a.py": "import numpyy\n"})
    assert gate.json()[:2] == (3, "failed")


def test_the_projects_interpreter_is_asked_in_the_sandbox_and_a_refusal_is_a_skip(
    gate, monkeypatch
):
    refused = Ran(RanStatus.REFUSED, why="no sandbox works here")
    asked = []
    real = __import__("halfdoor.runner.sandbox", fromlist=["Sandbox"]).Sandbox.run

    def run(self, wanted, stop=None):
        asked.append((wanted.own, wanted.argv[0]))
        return real(self, wanted, stop) if wanted.own else refused

    monkeypatch.setattr("halfdoor.runner.sandbox.Sandbox.run", run)
    write(
        gate.folder,
        {"a.py": "import numpyy\n\nnumpyy.x()\n", ".venv/bin/python": "", ".gitignore": ".venv\n"},
    )
    code, _, _, checks = gate.json()
    assert (code, checks["imports"]) == (4, "skipped")
    assert (False, str(gate.folder / ".venv/bin/python")) in asked


def test_a_file_that_is_too_large_was_not_read_and_that_is_no_pass(gate, monkeypatch):
    monkeypatch.setattr("halfdoor.store.git.FILE_LIMIT_BYTES", 10)
    write(gate.folder, {"b.txt": "x" * 20})
    code, _, _, checks = gate.json()
    assert (code, checks["read"]) == (4, "skipped")


@pytest.mark.parametrize("where", ["user", "project"])
def test_settings_turn_checks_off_and_say_so(gate, home, where):
    text = '[gate]\noff = ["lint"]\n'
    if where == "user":
        write(home, {".config/halfdoor/config.toml": text})
    else:
        write(gate.folder, {".halfdoor.toml": text})
        commit(gate.folder, "settings")
    write(gate.folder, {"a.py": BROKEN})
    code, _, codes, checks = gate.json()
    assert (code, codes, checks["lint"]) == (0, [], "not applicable")
    assert "off in [gate]" in gate().out


def test_a_change_cannot_loosen_the_gate_that_judges_it(gate):
    write(gate.folder, {"a.py": BROKEN, ".halfdoor.toml": '[gate]\noff = ["lint"]\n'})
    said = gate()
    assert said.code == 3
    assert "note: .halfdoor.toml is judged by its base revision" in said.out
    commit(gate.folder, "both")
    assert gate("--diff", "HEAD~1..HEAD").code == 3


def test_findings_of_a_path_may_be_left_alone_and_are_counted(gate):
    text = '[[gate.paths]]\nmatch = "vendor/**"\noff = ["lint", "secrets"]\n'
    write(gate.folder, {".halfdoor.toml": text})
    commit(gate.folder, "settings")
    write(gate.folder, {"vendor/a.py": BROKEN})
    assert gate.json()[:3] == (0, "passed", [])
    assert "1 left alone by [[gate.paths]]" in gate().out
    write(gate.folder, {"b.py": BROKEN})
    assert gate.json()[2] == ["F821"]


def test_a_check_that_may_be_skipped_stops_nobody(gate, monkeypatch):
    write(gate.folder, {".halfdoor.toml": '[gate]\noptional = ["lint", "security"]\n'})
    commit(gate.folder, "settings")
    monkeypatch.setattr("halfdoor.runner.programs.beside", lambda _name: "")
    write(gate.folder, {"a.py": "x = 1\n"})
    assert gate.json()[0] == 0


def test_outside_a_checkout_it_says_where_to_go(halfdoor, home, processes):
    said = halfdoor("gate")
    assert (said.code, "hint: run the gate in a checkout" in said.err) == (1, True)


def test_a_check_that_does_not_exist_is_answered_with_those_that_do(gate):
    write(gate.folder, {".halfdoor.toml": '[gate]\noff = ["lin"]\n'})
    commit(gate.folder, "settings")
    said = gate()
    assert (said.code, "`off` is `lin`; hint: did you mean `lint`?" in said.err) == (1, True)


def test_a_language_that_nothing_reads_is_no_pass(gate):
    write(gate.folder, {".halfdoor.toml": '[gate]\nlanguages = ["Klingon"]\n'})
    commit(gate.folder, "settings")
    write(gate.folder, {"a.py": "x = 1\n"})
    code, _, _, checks = gate.json()
    assert (code, checks["syntax"]) == (4, "skipped")
    assert "asks for klingon; it reads c, c++" in gate().out


def test_what_had_nothing_to_judge_takes_one_line_and_none_when_nothing_changed(gate):
    assert gate().out.startswith("passed: no file changed (")
    write(gate.folder, {"a.md": "x\n"})
    said = gate().out
    assert "nothing to judge: applies, complete, syntax, lint" in said
    assert len(said.splitlines()) == 3


def test_a_skip_ends_with_what_to_do_about_it(gate, monkeypatch):
    monkeypatch.setattr("halfdoor.store.git.FILE_LIMIT_BYTES", 10)
    write(gate.folder, {"b.txt": "x" * 20})
    said = gate().out.splitlines()
    assert said[0].startswith("read  skipped  1 file not read: b.txt (above")
    assert said[-1].endswith("mend it, or name it in `optional` of [gate]")


@pytest.mark.parametrize("path", [".git/hooks/pre-commit", "sub/.GIT/config"])
def test_an_edit_of_gits_own_folder_does_not_apply(gate, path):
    """It passed: a hook is code that the next commit runs."""
    patch = f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"
    assert gate.json("--stdin", stdin=patch)[:3] == (3, "failed", ["does-not-apply"])


@pytest.mark.parametrize("form", ["", "--json", "--github", "--sarif=-"])
def test_a_file_whose_name_is_no_utf_8_is_told_in_every_form(gate, form):
    """Each but the plain form ended in a traceback."""
    (gate.folder / os.fsdecode(b"latin\xe4.py")).write_text("print(nope)\n")
    said = gate(*filter(None, [form]))
    assert (said.code, "halfdoor-run" in said.out) == (3, False)
    assert ("latin%E4.py" if "sarif" in form else "latin?.py") in said.out


def test_a_terminal_that_knows_ascii_alone_gets_the_findings(gate, processes):
    write(gate.folder, {"n\u00e4me.py": "print(n\u00e4me)\n"})
    plain = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    program = [sys.executable, "-m", "halfdoor", "gate"]
    done = subprocess.run(program, cwd=gate.folder, env=plain, capture_output=True, check=False)
    assert (done.returncode, b"n?me.py:1:7: Undefined name" in done.stdout) == (3, True)


def test_a_key_that_a_later_commit_took_out_fails_the_range(gate):
    """The history keeps it, and the range passed."""
    write(gate.folder, {"b.env": f"key = '{AWS_KEY}'\n"})
    commit(gate.folder, "a key")
    write(gate.folder, {"b.env": None, "c.txt": "x\n"})
    commit(gate.folder, "no key")
    said = gate("--diff", "HEAD~2..HEAD")
    assert (said.code, "aws-access-key-id" in said.out, AWS_KEY in said.out) == (3, True, False)
    assert gate("--diff", "HEAD~1..HEAD").code == 0


@pytest.mark.parametrize("form", ["", "--json", "--github", "--sarif=-"])
def test_what_was_not_looked_at_and_stops_nobody_is_named_in_every_form(gate, form):
    """A repository inside this one and a notebook passed without a word."""
    inner = gate.folder / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    write(gate.folder, {"n.ipynb": "{}\n"})
    said = gate(*filter(None, [form]))
    assert said.code == 0
    assert "inner/ was not looked at: a repository of its own" in said.out
    assert "n.ipynb: of a notebook only" in said.out


def test_a_link_out_of_the_repository_is_no_pass(gate):
    (gate.folder / "k.py").symlink_to("/etc/shadow")
    said = gate()
    assert said.code == 4
    assert "not read: k.py (a link out of the repository, to /etc/shadow)" in said.out


@pytest.mark.parametrize("words", [["--diff", "nowhere..HEAD"], ["--staged"]])
def test_a_gate_that_could_not_begin_says_so_in_sarif_too(gate, tmp_path, words):
    """The file of an earlier run stayed, as if it were this one's."""
    if words == ["--staged"]:
        write(gate.folder, {".halfdoor.toml": "[gate]\nasks = 1\n"})
        commit(gate.folder, "broken settings")
    file = tmp_path / "out.sarif"
    file.write_text("earlier")
    assert gate(*words, "--sarif", file).code == 1
    (run,) = json.loads(file.read_text())["runs"]
    assert (run["results"], run["invocations"][0]["executionSuccessful"]) == ([], False)


def test_the_help_names_every_exit_code_and_where_settings_stand(gate):
    """`[gate]` was eaten as markup, and 1 and 2 were not named."""
    said = " ".join(gate("--help").out.split())
    assert "Settings are the table `gate` of `.halfdoor.toml`" in said
    assert all(f"Exit {code}:" in said for code in range(5))


def test_python_that_is_not_called_so_is_judged_by_every_check_of_python(gate):
    """`import hallu_x; eval(input()); x = (` passed in a program without a suffix."""
    text = "import hallu_x\n\nprint(eval(input()), hallu_x, nope)\n"
    write(gate.folder, {"run": f"#!/usr/bin/env python3\n{text}", "A.PY": text, "b.pyw": text})
    said = json.loads(gate("--json").out)
    found = {(f["path"], f["code"]) for result in said["results"] for f in result["findings"]}
    codes = ("F821", "S307", "no-such-package")
    assert found >= {(path, code) for path in ("run", "A.PY", "b.pyw") for code in codes}


def test_what_else_lies_in_the_working_tree_unread_is_not_an_edits(gate, monkeypatch):
    """A patch could not be judged, for a large file that it did not touch."""
    for place in ("store.git", "cli.gate.edited"):
        monkeypatch.setattr(f"halfdoor.{place}.FILE_LIMIT_BYTES", 60)
    write(gate.folder, {"b.txt": "x" * 80, "c.txt": "x" * 20})
    patch = "--- a/c.txt\n+++ b/c.txt\n@@ -1 +1 @@\n-{}\n+y\n"
    assert gate("--stdin", stdin=patch.format("x" * 20)).code == 0
    said = gate("--stdin", stdin=patch.replace("c.txt", "b.txt").format("x" * 80))
    assert (said.code in {3, 4}, "b.txt" in said.out) == (True, True)


@pytest.mark.parametrize("staged", [(), ("--staged",), ("--diff", "HEAD~1..HEAD")])
def test_a_module_that_files_which_did_not_change_still_import_is_told(gate, staged):
    write(gate.folder, {"pkg/__init__.py": "", "pkg/core.py": "def f():\n    pass\n", "m.py": "from pkg.core import f\n\nf()\n"})  # fmt: skip
    commit(gate.folder, "all")
    (gate.folder / "pkg/core.py").unlink()
    git(gate.folder, "add", "-A")
    if "--diff" in staged:
        commit(gate.folder, "less")
    assert gate.json(*staged)[:3] == (3, "failed", ["gone"])
    assert "m.py:1:1: `pkg.core` is imported here, and the change took it away" in gate(*staged).out


def test_an_edit_that_takes_a_name_away_is_held_to_the_files_as_they_lie(gate):
    write(
        gate.folder, {"b.py": "from a import load\n\nload()\n", "a.py": "def load():\n    pass\n"}
    )
    block = "a.py\n<<<<<<< SEARCH\ndef load():\n=======\ndef lade():\n>>>>>>> REPLACE\n"
    assert gate.json("--stdin", stdin=block)[2] == ["gone"]


def test_a_name_that_a_file_which_did_not_change_lacks_is_told(gate):
    write(gate.folder, {"b.py": "from a import nope\n\nnope()\n"})
    assert gate.json()[2] == ["no-such-name"]
    assert "`a` is of this repository and has no `nope`" in gate().out
