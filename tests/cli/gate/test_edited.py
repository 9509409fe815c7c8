"""An edit on standard input: what does not apply fails, what was not judged never passes."""

import json

import pytest

from tests.helpers.checkouts import commit, git, write

ADDS = "@@ -0,0 +1,2 @@\n+import hallu_x\n+eval(input())\n"


def added(path):
    return f"--- /dev/null\n+++ b/{path}\n{ADDS}"


def taken_away(path):
    return f"--- a/{path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-theirs\n"


def call(name, **arguments):
    return json.dumps({"name": name, "input": arguments})


@pytest.fixture
def linked(gate, tmp_path):
    """The gate in a checkout whose `d` leads out, and with a check that lays out trees."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "k.py").write_text("theirs\n")
    (gate.folder / "d").symlink_to(outside)
    write(gate.folder, {".halfdoor.toml": '[gate]\nask = ["types"]\n'})
    commit(gate.folder, "a link")
    gate.outside = outside
    return gate


@pytest.mark.parametrize(
    "edit",
    [
        taken_away("d/k.py") + added("d/new.py"),
        call("Write", file_path="d/k.py", content="ours\n"),
        call("Edit", file_path="d/k.py", old_string="theirs", new_string="ours"),
        call("Write", file_path="d", content="ours\n"),
    ],
)
def test_an_edit_below_a_link_fails_and_touches_nothing_there(linked, edit):
    """It passed, and took a file away outside the repository and wrote another there."""
    code, verdict, codes, _ = linked.json("--stdin", stdin=edit)
    assert (code, verdict, set(codes)) == (3, "failed", {"does-not-apply"})
    assert [each.name for each in linked.outside.iterdir()] == ["k.py"]
    assert (linked.outside / "k.py").read_text() == "theirs\n"
    assert "a link" in linked("--stdin", stdin=edit).out


@pytest.mark.parametrize(
    "edit",
    [
        added("a.py"),
        "a.py\n<<<<<<< SEARCH\n=======\neval(input())\n>>>>>>> REPLACE\n",
        call("Edit", file_path="a.py", old_string="", new_string="eval(input())\n"),
        added("new.py") + "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-nowhere\n+eval(input())\n",
        added("made/a.py"),
        call("Write", file_path="sub", content="x = 1\n"),
        call("Write", file_path="a.py/x.py", content="x = 1\n"),
    ],
)
def test_an_edit_that_does_not_apply_fails(gate, edit):
    """It passed with nothing judged: the check took the file for one that is not there."""
    write(gate.folder, {"sub/b.py": "", ".gitignore": "made/\n", "made/a.py": "x = 1\n"})
    code, verdict, codes, _ = gate.json("--stdin", stdin=edit)
    assert (code, verdict, "does-not-apply" in codes) == (3, "failed", True)


def test_a_file_is_known_by_its_absolute_path_too(gate, monkeypatch, tmp_path):
    """Tools name files by their absolute paths; the gate said that these lead out."""
    (tmp_path / "link").symlink_to(gate.folder)
    for root in (gate.folder, tmp_path / "link"):
        monkeypatch.setenv("PWD", str(root))
        edit = call("Edit", file_path=f"{root}/a.py", old_string="os.name", new_string="nope")
        assert gate.json("--stdin", stdin=edit)[2] == ["F401", "F821"]
    edit = call("Write", file_path=f"{gate.folder}2/a.py", content="x = 1\n")
    assert gate.json("--stdin", stdin=edit)[2] == ["does-not-apply"]


def test_an_empty_standard_input_was_not_judged(gate):
    """What should have written an edit there may have failed."""
    code, verdict, _, checks = gate.json("--stdin", stdin="\n")
    assert (code, verdict, checks["applies"]) == (4, "skipped", "skipped")


def test_an_edit_is_judged_over_what_is_not_committed_yet(gate):
    """A folder became a file and another the other way round: the trees could not be laid out."""
    write(gate.folder, {"sub/b.py": "x: int = 1\n", ".halfdoor.toml": '[gate]\nask = ["types"]\n'})
    commit(gate.folder, "types")
    (gate.folder / "sub/b.py").unlink()
    (gate.folder / "sub").rmdir()
    write(gate.folder, {"sub": "s\n"})
    said = gate.json("--stdin", stdin=call("Write", file_path="n.py", content="x: int = ''\n"))
    assert (said[0], said[3]["types"]) == (3, "failed")
    assert git(gate.folder, "status", "--porcelain") != ""


def test_a_line_of_the_edit_is_not_told_as_one_of_the_file(gate):
    """The second part fits: the line of the file with the first one's number was shown beside it."""
    edit = "a.py\n<<<<<<< SEARCH\nnone\n=======\n>>>>>>> REPLACE\n"
    fits = "<<<<<<< SEARCH\nimport os\n=======\nimport os as os\n>>>>>>> REPLACE\n"
    said = gate("--stdin", stdin=edit + fits).out.splitlines()
    assert said[0].startswith("a.py: line 2 of the edit: what is looked for is not in `a.py`")
    assert said[1].startswith("    fix: read the file again")
