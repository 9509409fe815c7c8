"""Edits as models write them: what applies gives the file that is meant, the rest says why not."""

import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halfdoor.canon.checks import Barred, Change, Edit, Status
from halfdoor.verify.applies import FORMS, Applies, applied, form_of
from halfdoor.verify.edits.trying import named
from tests.helpers.checks import codes, judge, subject

FILE = "def a():\n    return 1\n\n\ndef b():\n    return 2\n"
FILES = {"a.py": FILE.encode(), "w.py": FILE.replace("\n", "\r\n").encode(), "e.py": b""}

SEARCH = (
    "a.py\n```python\n<<<<<<< SEARCH\n    return 1\n=======\n    return 10\n>>>>>>> REPLACE\n```\n"
)
DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n def a():\n-    return 1\n+    return 10\n \n"
PATCH = (
    "*** Begin Patch\n*** Update File: a.py\n@@ def a():\n-    return 1\n+    return 10\n"
    "*** End Patch\n"
)
CALL = json.dumps(
    {
        "name": "Edit",
        "arguments": {"file_path": "a.py", "old_string": "return 1", "new_string": "return 10"},
    }
)
EDITS = {"search-replace": SEARCH, "unified-diff": DIFF, "apply-patch": PATCH, "tool-call": CALL}


def made(text, files=FILES, form=""):
    """(after by path, messages) of one edit."""
    edit = Edit(form or form_of(text), text)
    changes, troubles = applied((edit,), files.get)
    after = {each.path: each.after.decode() if each.after is not None else None for each in changes}
    return after, [each.message for each in troubles]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_known_by_its_text_and_applies(form):
    assert form_of(EDITS[form]) == form
    assert made(EDITS[form]) == ({"a.py": FILE.replace("return 1", "return 10")}, [])


@pytest.mark.parametrize("form", FORMS)
def test_each_form_keeps_the_line_ends_of_its_file(form):
    if form == "tool-call":
        return  # it speaks of text inside a line
    after, _ = made(EDITS[form].replace("a.py", "w.py"))
    assert after["w.py"] == FILE.replace("return 1", "return 10").replace("\n", "\r\n")


@pytest.mark.parametrize("form", FORMS)
def test_text_that_is_not_in_the_file_does_not_apply(form):
    after, said = made(
        EDITS[form]
        .replace("return 1\\n", "return 7\\n")
        .replace("    return 1\n", "    return 7\n")
        .replace('"return 1"', '"return 7"')
    )
    assert after == {}
    assert "not in `a.py`" in said[0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", ["../a.py", "/etc/passwd", "x/../../a.py"])
def test_a_path_out_of_the_repository_is_refused(form, path):
    after, said = made(EDITS[form].replace("a.py", path), {path: FILE.encode()})
    assert (after, len(said)) == ({}, 1)
    assert "repository" in said[0]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_is_not_there_is_told(form):
    after, said = made(EDITS[form].replace("a.py", "gone.py"))
    assert after == {}
    assert "`gone.py` does not exist" in said[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.py\n<<<<<<< SEARCH\nx\n=======\n", "the block has no end"),
        ("<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n", "names no file"),
        ("a.py\n<<<<<<< SEARCH\n=======\ny\n>>>>>>> REPLACE\n", "nothing is looked for"),
        ("--- a/a.py\n+++ b/a.py\n@@ -1,9 +1,3 @@\n def a():\n", "another number of lines"),
        ("*** Begin Patch\n*** Update File: a.py\n-    return 1\n", "the patch has no end"),
        ("*** Begin Patch\n*** Update File: a.py\n@@ def c():\n+x\n*** End Patch", "`def c():`"),
        ("*** Begin Patch\n*** Update File: a.py\n?\n*** End Patch", "must begin with"),
        ("*** Begin Patch\n*** End Patch", "no file in the patch"),
        ("*** Begin Patch\n*** Update File: a.py\n*** End Patch", "changes nothing"),
        ("*** Begin Patch\n*** Updat File: a.py\n+x\n*** End Patch", "belongs to no file"),
        ('{"name": "Edit", "arguments": {"path": "a.py", "old_str": "return", "new_str": "x"}}', "2 times"),
        ('{"name": "Edit", "arguments": {"path": "a.py"', "no JSON"),
        ("nothing at all", "no unified diff"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_says_why(text, said):
    after, told = made(text)
    assert after == {}
    assert said in told[0]


def test_files_are_added_deleted_and_moved():
    patch = (
        "*** Begin Patch\n*** Add File: n.py\n+x = 1\n*** Delete File: e.py\n"
        "*** Update File: a.py\n*** Move to: m.py\n@@\n-    return 2\n+    return 3\n*** End Patch"
    )
    after, said = made(patch)
    assert (sorted(after), after["n.py"], after["e.py"], said) == (
        ["e.py", "m.py", "n.py"],
        "x = 1\n",
        None,
        [],
    )
    git = "diff --git a/a.py b/m.py\nsimilarity index 100%\nrename from a.py\nrename to m.py\n"
    ((change,), _) = applied((Edit("unified-diff", git),), FILES.get)
    assert (change.path, change.was, change.before == change.after) == ("m.py", "a.py", True)


def test_several_edits_of_one_file_are_one_change():
    second = SEARCH.replace("return 10", "return 11").replace("return 1\n", "return 10\n")
    edits = (Edit("search-replace", SEARCH), Edit("search-replace", second))
    ((change,), troubles) = applied(edits, FILES.get)
    assert (change.before, b"return 11" in (change.after or b""), troubles) == (
        FILES["a.py"],
        True,
        (),
    )


@pytest.mark.parametrize(
    "call",
    [
        {"function": {"name": "x", "arguments": '{"filePath": "a.py", "oldString": "1", "newString": "3"}'}},
        {"name": "MultiEdit", "input": {"file_path": "a.py", "edits": [{"old_string": "1", "new_string": "3"}]}},
        {"path": "a.py", "old_text": "1", "new_text": "3"},
        {"name": "replace_in_file", "arguments": {"path": "a.py", "diff": "------- SEARCH\n    return 1\n=======\n    return 3\n+++++++ REPLACE\n"}},
        {"name": "apply_patch", "arguments": {"patchText": PATCH.replace("10", "3")}},
        {"name": "Write", "arguments": {"file_path": "a.py", "content": FILE.replace("1", "3")}},
        {"name": "Edit", "arguments": {"file_path": "a.py", "old_string": "1", "new_string": "3", "replace_all": True}},
    ],
    ids=lambda call: str(list(call))[:30],
)  # fmt: skip
def test_tools_spell_their_calls_in_many_ways(call):
    assert made(json.dumps(call), form="tool-call") == ({"a.py": FILE.replace("1", "3")}, [])


def test_the_check_fails_with_the_line_of_the_edit():
    edit = Edit("search-replace", SEARCH.replace("return 1\n", "return 9\n"))
    (finding,) = judge(Applies(), subject(edits=(edit,), stands=FILES)).findings
    assert (finding.path, finding.line, finding.code) == ("a.py", 0, "does-not-apply")
    assert finding.message == "line 3 of the edit: what is looked for is not in `a.py`"
    assert codes(judge(Applies(), subject(edits=(Edit("unified-diff", DIFF),), stands=FILES))) == []
    assert judge(Applies(), subject()).status is Status.NOT_APPLICABLE


def test_a_form_that_nobody_knows_skips_the_check():
    assert judge(Applies(), subject(edits=(Edit("telepathy", ""),))).status is Status.SKIPPED


LINES = st.lists(st.sampled_from(["a", "b", "", "  c", "def d():"]), max_size=12)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LINES, LINES, st.booleans(), st.booleans())
def test_what_git_writes_as_a_diff_gives_the_file_that_git_meant(
    processes, tmp_path_factory, before, after, ended, ends
):
    old = "".join(f"{line}\n" for line in before)[: None if ended else -1].encode()
    new = "".join(f"{line}\n" for line in after)[: None if ends else -1].encode()
    folder = tmp_path_factory.mktemp("diff")
    for name, data in (("old", old), ("new", new)):
        (folder / name).write_bytes(data)
    asked = ["git", "diff", "--no-index", "--no-color", "old", "new"]
    said = subprocess.run(asked, cwd=folder, capture_output=True, check=False).stdout.decode()
    if old == new:
        return
    said = said.replace("a/old", "a/x").replace("b/new", "b/x")
    changes, troubles = applied((Edit("unified-diff", said),), {"x": old}.get)
    assert changes == (Change("x", old, new),), (said, troubles)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.py", "a.py"),
        ("./sub//a.py", "sub/a.py"),
        ("/work/app/sub/a.py", "sub/a.py"),
        ("//work/./app/a.py", "a.py"),
        ("/work/app", None),
        ("/work/application/a.py", None),
        ("/work/app/../a.py", None),
        ("sub/.git/config", None),
        ("sub\\..\\a.py", None),
        ("sub/", None),
        ("sub/.", None),
        (".", None),
        ("~/a.py", None),
        ("a\0.py", None),
        ("a\ud800.py", None),
    ],
)
def test_a_path_has_one_spelling_and_stays_in_the_repository(path, found):
    assert named(path, ("/work/app",)) == found


@pytest.mark.parametrize("form", FORMS)
def test_a_path_that_is_barred_is_told_in_each_form(form):
    after, said = made(EDITS[form], {"a.py": Barred("lies below `d`, which is a link")})
    assert (after, said) == ({}, ["`a.py` lies below `d`, which is a link"])


def test_an_edit_meets_what_the_edits_before_it_made():
    patch = "*** Begin Patch\n*** Add File: {}\n+x\n*** Add File: {}\n+y\n*** End Patch"
    assert made(patch.format("n", "n/m"))[1] == ["`n/m` lies below `n`, which is a file"]
    assert made(patch.format("n/m", "n"))[1] == ["`n` is a folder"]
    taken = "*** Begin Patch\n*** Delete File: a.py\n*** Add File: a.py/m\n+x\n*** End Patch"
    below = {"a.py": b"", "a.py/m": Barred("lies below `a.py`, which is a file")}
    assert made(taken, below) == ({"a.py": None, "a.py/m": "x\n"}, [])
    gone = "*** Begin Patch\n*** Delete File: a.py\n*** Delete File: ./a.py\n*** End Patch"
    assert made(gone)[1] == ["`a.py` does not exist"]


def test_a_path_that_nobody_looked_at_is_not_taken_for_a_new_file():
    """It was: an edit that does not apply passed with nothing judged."""
    edit = Edit("unified-diff", "--- /dev/null\n+++ b/a.py\n@@ -0,0 +1 @@\n+x\n")
    result = judge(Applies(), subject(edits=(edit,), paths=("a.py",)))
    assert (result.status, "nobody looked" in result.saw) == (Status.SKIPPED, True)


def test_nothing_to_try_was_not_judged():
    assert judge(Applies(), subject(edits=(Edit("unified-diff", " \n"),))).status is Status.SKIPPED


@pytest.mark.parametrize("form", ["search-replace", "apply-patch"])
@pytest.mark.parametrize("more", [DIFF, PATCH, "@@ ... @@\n+eval(input())\n"])
def test_an_edit_that_stands_beside_another_is_not_left_out(form, more):
    """The second was neither applied nor told."""
    text = (EDITS[form] + more).replace("return 10", "return 11", 1)
    assert made(text, form=form)[1]
