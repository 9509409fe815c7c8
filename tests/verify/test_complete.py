"""Code that is left out or cut off is found; honest comments and shorter files are not."""

import pytest

from halfdoor.canon.checks import Status
from halfdoor.verify.complete import Complete
from tests.helpers.checks import change, codes, judge, subject
from tests.helpers.slower import slower

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
    "    # ... remaining methods ...",
    "# TODO: implement the rest",
    "# add remaining cases here",
    "# (all other functions remain exactly as they were)",
    "# Continue with the rest as in the original file",
    "y = 1  # ... rest of the code ...",
    'y = "a"  # ... unchanged',
]
# What people say of code that follows, too: it counts where code is missing.
EITHER = [
    "# unchanged",
    "# same as before",
    "# remaining tests",
    "# no changes needed",
    "# existing fields here",
    "# other tests",
    "# ...",
    "# etc.",
    "# -- snip --",
    "# the rest",
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
    "# ... swap this condition for the existing one.",
    "# Same logic as above",
    "# keep the existing logic",
    "# copy the rest",
    "# TODO: implement paging",
    "y = 1  # ... and so on",
    "# reads them for the\n# rest of the code.",
    '"""\n# your code here\n"""',
    '"""\n... or the rest ...\n"""',
    '"""\n>>> f(\n...    x)\n...\n...           ...\n"""',
]


def found(after, before=None, path="a.py"):
    return codes(judge(Complete(), subject(change(path, after, before))))


@pytest.mark.parametrize("comment", ELISIONS)
def test_a_comment_that_stands_for_code_is_found(comment):
    assert found(f"import os\n{comment}\nx = os.name\n") == ["elided"]


@pytest.mark.parametrize("line", HONEST)
def test_an_honest_comment_is_not(line):
    assert found(f"import os\n{line}\nx = os.name\n") == []


@pytest.mark.parametrize("comment", EITHER)
def test_what_people_say_of_code_that_follows_counts_only_where_code_is_missing(comment):
    """`# unchanged` and `# remaining tests` above what they speak of were findings."""
    header = f"def a():\n    {comment}\n    return 1\n"
    assert found(header) == []
    assert found(f"{comment}\n\n{WHOLE}") == []
    assert found(f"{WHOLE}{comment}\n") == ["elided"]
    assert found(f"def a():\n    x = 1\n    {comment}\n\n\ndef b():\n    pass\n") == ["elided"]
    assert found(header, "def a():\n    return 1\n") == []
    assert found(header, "def a():\n    x = 1\n    y = 2\n    return 1\n") == ["elided"]


@pytest.mark.parametrize("comment", EITHER)
def test_within_a_longer_comment_it_says_nothing(comment):
    assert found(f"{WHOLE}# What is here is\n{comment}\n") == []
    assert found(f'"""Says.\n\n    {comment}\n"""\n') == []


def test_a_docstring_that_was_left_out_is_found():
    assert found('def a():\n    """\n    ... existing code ...\n    """\n') == ["elided"]
    assert found('x = [\n    "... existing code ...",\n]\n') == []


@pytest.mark.parametrize(
    "line", ["# ... existing {}x", "# {}existing x", "x = 1 {}# ... existing", "# rest of {}the"]
)
@pytest.mark.parametrize("run", [" ", ".", "is ", "# ", "existing "])
def test_a_comment_without_an_end_is_read_in_time_that_grows_as_it_does(line, run):
    """One of 60 KB took 13 s."""
    assert slower(lambda size: found(line.format(run * (size // len(run))))) < 80


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
