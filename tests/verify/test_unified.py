"""Unified diffs: what git would refuse, or would leave out, is told and never passes."""

import pytest

from halfdoor.canon.checks import Change, Edit
from halfdoor.verify.applies import applied

FILES = {"a.py": b"one\ntwo\n", "b.py": b"b\n", "empty.py": b""}
HEAD = "--- a/a.py\n+++ b/a.py\n"
HUNK = "@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
GIT = "diff --git a/a.py b/c.py\n"
DELETED = "diff --git a/a.py b/a.py\ndeleted file mode 100644\n"


def made(diff):
    """(changes, what the troubles say) of a diff."""
    changes, troubles = applied((Edit("unified-diff", diff),), FILES.get)
    return changes, [each.message for each in troubles]


@pytest.mark.parametrize(
    ("diff", "said"),
    [
        (HEAD + "@@ ... @@\n one\n-two\n+eval(input())\n", "the head of this hunk cannot be read"),
        (HEAD + HUNK + "\n@@ ... @@\n+eval(input())\n", "the head of this hunk cannot be read"),
        (HEAD + "@@@ -1 -1 +1 @@@\n++eval(input())\n", "the head of this hunk cannot be read"),
        (HEAD + HUNK + "+eval(input())\n", "another number of lines"),
        (HEAD + HUNK + "\n-one\n", "another number of lines"),
        (HEAD, "the file has no hunk"),
        (HEAD + "--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n-b\n+c\n", "the file has no hunk"),
        ("diff --git a/a.py b/a.py\nindex 1..2 100644\n", "the file has no hunk"),
        ("@@ -1 +1 @@\n-one\n+1\n" + HEAD + HUNK, "this hunk names no file"),
        (HEAD + HUNK + "--- a/b.py\n@@ -1 +1 @@\n-b\n+c\n", "belongs to no part"),
        (HEAD + HUNK + "<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n", "belongs to no part"),
        ("*** Begin Patch\n" + HEAD + HUNK, "belongs to no part"),
        (HEAD.replace("b/a.py", "b/b.py") + HUNK, "names two files"),
        ("--- a/a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n", "lines of it are left"),
        (DELETED, "lines of it are left"),
        (GIT.replace("c.py", "b.py") + "rename from a.py\nrename to b.py\n", "is there already"),
        (GIT.replace("c.py", "b.py") + "copy from a.py\ncopy to b.py\n", "is there already"),
        (GIT + "copy from no.py\ncopy to c.py\n", "`no.py` does not exist"),
        ("--- /dev/null\n+++ b/empty.py\n@@ -0,0 +1 @@\n+x\n", "is there already"),
        (GIT.replace("a.py", "c.py") + "new file mode 120000\n--- /dev/null\n+++ b/c.py\n"
         "@@ -0,0 +1 @@\n+/etc\n", "a link or a submodule"),
        (DELETED.replace("deleted file", "new") + "Binary files a/a.py and b/a.py differ\n", "binary"),
        ("--- /dev/null\n+++ /dev/null\n@@ -0,0 +1 @@\n+x\n", "leads out"),
    ],
)  # fmt: skip
def test_a_diff_of_which_a_part_cannot_be_read_does_not_apply(diff, said):
    """`@@ ... @@`, as models write it, passed with nothing judged, and so did the others."""
    assert said in " ".join(made(diff)[1])


@pytest.mark.parametrize(
    "diff",
    [
        "The change:\n\n```diff\n" + HEAD + HUNK + "```\n\n- It counts now.\n+ No more.\n",
        "From 1 Mon Sep 17\nSubject: x\n\n- a list\n---\n a.py | 2 +-\n\n" + HEAD + HUNK + "-- \n2.40\n",
        "Index: a.py\n=======\n" + HEAD + HUNK,
        "diff --git a/a.py b/a.py\nindex 1..2 100755\n" + HEAD + HUNK,
    ],
)  # fmt: skip
def test_what_stands_around_a_diff_is_not_a_part_of_it(diff):
    assert made(diff) == ((Change("a.py", b"one\ntwo\n", b"one\n2\n"),), [])


@pytest.mark.parametrize(
    ("diff", "change"),
    [
        (GIT + "similarity index 100%\ncopy from a.py\ncopy to c.py\n",
         Change("c.py", None, b"one\ntwo\n")),
        (GIT + "rename from a.py\nrename to c.py\n--- a/a.py\n+++ b/c.py\n" + HUNK,
         Change("c.py", b"one\ntwo\n", b"one\n2\n", "a.py")),
        ("diff --git a/n.py b/n.py\nnew file mode 100644\nindex 0..e\n", Change("n.py", None, b"")),
        ("diff --git a/empty.py b/empty.py\ndeleted file mode 100644\n",
         Change("empty.py", b"", None)),
        ("diff --git a/b.py b/b.py\nold mode 100644\nnew mode 100755\n",
         Change("b.py", b"b\n", b"b\n")),
        (HEAD + "@@ -1,2 +0,0 @@\n-one\n-two\n", Change("a.py", b"one\ntwo\n", b"")),
        (DELETED + "--- a/a.py\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n",
         Change("a.py", b"one\ntwo\n", None)),
    ],
)  # fmt: skip
def test_what_git_says_in_its_own_lines_is_understood(diff, change):
    assert made(diff) == ((change,), [])


def test_a_line_of_gits_own_behind_a_hunk_moves_no_file():
    """What was judged would have been another path than the one that git writes."""
    ((change,), said) = made(HEAD + HUNK + "rename to vendor/a.py\n")
    assert (change.path, change.was, said) == ("a.py", "", [])


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r"])
def test_a_line_of_a_diff_ends_where_git_says_it_does(end):
    """What stood behind such a character in an added line was left out, and so not judged."""
    text = f"# x{end}eval(input())\n"
    ((change,), said) = made(f"{HEAD}@@ -2 +2 @@\n-two\n+{text}")
    assert (change.after, said) == (f"one\n{text}".encode(), [])


@pytest.mark.parametrize(
    ("quoted", "path"),
    [
        (r"b/\303\244\t\"q\"\\.py", 'ä\t"q"\\.py'),
        (r"b/\344\x.py", "\udce4x.py"),
        ("b/\udce4\\", "\udce4\\"),
    ],
)
def test_a_name_is_read_as_git_quotes_it_and_a_broken_one_breaks_nothing(quoted, path):
    ((change,), _) = made(f'--- /dev/null\n+++ "{quoted}"\n@@ -0,0 +1 @@\n+x\n')
    assert change.path == path


def test_a_number_of_a_thousand_digits_is_no_number_of_a_line():
    assert made(f"{HEAD}@@ -{'1' * 5000} +1 @@\n-one\n+1\n")[1][0].startswith("the head of this")
