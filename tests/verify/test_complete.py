"""Code that is left out or cut off is found; honest comments and shorter files are not."""

import pytest

from halfdoor.canon.checks import Status
from halfdoor.verify.complete import Complete
from tests.helpers.checks import change, codes, judge, subject

WHOLE = "def a():\n    return 1\n\n\ndef bee():\n    return 2\n"

ELISIONS = [
    "# ... existing code ...",
    "# ... rest of the code remains unchanged ...",
    "# rest of the code",
    "# Rest of the implementation remains the same",
    "# (rest of the function is unchanged)",
    "# existing code here",
    "# existing methods remain unchanged...",
    "# The rest of your code goes here",
    "# other methods unchanged",
    "# Implementation goes here",
    "# your code here",
    "# remaining code...",
    "# code omitted for brevity",
    "# ... (previous code)",
    "# … unchanged …",
    "# Keep existing imports as before",
    "# same as before",
    "    # ... remaining methods ...",
]
HONEST = [
    "# the rest of the line is a comment",
    "# existing users keep their address",
    "# ...and then the other side answers",
    "# keep the previous value, the original may be gone",
    "# TODO: more languages",
    "x = ...  # the rest",
    "# unchanged lines are not sent again",
    "# other",
    "print('# ... existing code ...')",
]


def found(after, before=None, path="a.py"):
    return codes(judge(Complete(), subject(change(path, after, before))))


@pytest.mark.parametrize("comment", ELISIONS)
def test_a_comment_that_stands_for_code_is_found(comment):
    assert found(f"import os\n{comment}\nx = os.name\n") == ["elided"]


@pytest.mark.parametrize("line", HONEST)
def test_an_honest_comment_is_not(line):
    assert found(f"import os\n{line}\nx = os.name\n") == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.ts", "  // ... existing code ..."),
        ("a.go", "/* rest of the function unchanged */"),
        ("a.sql", "-- rest of the file"),
        ("a.html", "<!-- ... existing content ... -->"),
        ("a.tsx", "{/* ... rest of the component ... */}"),
        ("Makefile", "# ... rest of the file ..."),
    ],
)
def test_other_languages_have_comments_of_their_own(path, line):
    assert found(f"one\n{line}\ntwo\n", path=path) == ["elided"]


def test_a_comment_that_was_there_before_is_not_the_changes_doing():
    before = "x = 1\n# your code here\n"
    assert found("y = 2\nx = 1\n# your code here\n", before) == []
    assert found("x = 1\n# your code here\n# your code here\n", before) == ["elided"]


def test_a_line_that_stops_in_the_middle_is_a_cut():
    assert found(WHOLE[: WHOLE.index("bee") + 2], WHOLE) == ["cut"]


def test_a_file_whose_last_function_was_taken_out_is_whole():
    assert found(WHOLE[: WHOLE.index("\n\ndef bee")], WHOLE) == []
    assert found(WHOLE.rstrip("\n"), WHOLE) == []


def test_conflict_markers_and_fences_are_found():
    conflict = "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n"
    assert found(conflict) == ["conflict"] * 3
    assert found("Title\n=======\n", path="a.py") == []
    assert found("```python\nx = 1\n```\n") == ["fence", "fence"]


def test_a_fence_inside_a_docstring_is_text():
    assert found('"""\n```\nx\n```\n"""\n') == []


def test_files_of_no_known_language_are_nothing_to_judge():
    result = judge(Complete(), subject(change("a.bin", b"\0\1"), change("a.py", None, "x = 1\n")))
    assert result.status is Status.NOT_APPLICABLE
