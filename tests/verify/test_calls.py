"""Edits as tool calls: the forms in which tools and wires write them, and calls of two meanings."""

import json

import pytest

from halfdoor.canon.checks import Edit
from halfdoor.verify.applies import applied, form_of

FILES = {"a.py": b"one\ntwo\n", "w.py": b"one\r\ntwo\r\n", "open.py": b"one", "b.py": b"b\n"}
WRITES = {"name": "Write", "input": {"file_path": "b.py", "content": "B\n"}}
EDITS = {"name": "Edit", "arguments": {"path": "a.py", "old_str": "one", "new_str": "1"}}
PATCH = "*** Begin Patch\n*** Update File: a.py\n-one\n+1\n*** End Patch"


def made(said):
    """(what files hold afterwards, what the troubles say) of calls."""
    text = said if isinstance(said, str) else json.dumps(said)
    assert form_of(text) == "tool-call"
    changes, troubles = applied((Edit("tool-call", text),), FILES.get)
    return {each.path: each.after for each in changes}, [each.message for each in troubles]


def insert(path, line, text, **more):
    return {
        "command": "insert",
        "path": path,
        "insert_line": line,
        **(more or {"insert_text": text}),
    }


@pytest.mark.parametrize(
    "said",
    [
        [WRITES, EDITS],
        {"tool_calls": [{"function": {**WRITES, "input": json.dumps(WRITES["input"])}}, EDITS]},
        {"content": [{"type": "text", "text": "Now:"}, {"type": "tool_use", **WRITES}, EDITS]},
        [{"type": "reasoning", "summary": []}, {"type": "function_call", **WRITES}, EDITS],
        [{"type": "custom_tool_call", "name": "apply_patch", "input": PATCH}, WRITES],
    ],
)
def test_calls_may_come_in_a_list_as_wires_write_them(said):
    """They were no call at all."""
    assert made(said) == ({"a.py": b"1\ntwo\n", "b.py": b"B\n"}, [])


def test_a_later_call_meets_what_an_earlier_one_wrote():
    more = {"path": "a.py", "old_str": "1\ntwo", "new_str": "2"}
    assert made([EDITS, more]) == ({"a.py": b"2\n"}, [])
    assert made([EDITS, EDITS])[1] == ["what is looked for is not in `a.py`"]


@pytest.mark.parametrize(
    ("call", "after"),
    [
        (insert("a.py", 0, "new\n"), b"new\none\ntwo\n"),
        (insert("a.py", 1, "new"), b"one\nnew\ntwo\n"),
        (insert("a.py", 2, "", new_str="new\n"), b"one\ntwo\nnew\n"),
        (insert("w.py", 1, "new\nnew"), b"one\r\nnew\r\nnew\r\ntwo\r\n"),
        (insert("open.py", 1, "new"), b"one\nnew\n"),
        (insert("open.py", 0, "new"), b"new\none"),
        (insert("a.py", 1, "", insert_text="new", file_text="", old_str=""), b"one\nnew\ntwo\n"),
    ],
)
def test_lines_are_inserted_behind_the_line_that_is_named(call, after):
    """`insert` was taken for a call that says nothing."""
    assert made({"input": call}) == ({call["path"]: after}, [])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (insert("a.py", 3, "x"), "has no line 3"),
        (insert("a.py", -1, "x"), "has no line -1"),
        (insert("no.py", 0, "x"), "does not exist"),
        ([], "there is no call"),
        ({"content": [{"type": "text", "text": "x"}]}, "there is no call"),
        ([WRITES, "x"], "the call has no arguments"),
        ([WRITES, {"name": "Bash", "input": {"command": "rm a.py"}}], "names no file"),
        ({**WRITES, "arguments": EDITS["arguments"]}, "the call has no arguments"),
        ({**WRITES, "tool_calls": [EDITS]}, "the call has no arguments"),
        ('{"path": "a.py", "path": "b.py", "content": "x"}', "stands in it twice"),
        ({"path": "a.py", "file_path": "b.py", "content": "x"}, "`path`, `file_path`"),
        ({"path": "a.py", "content": "x", "file_text": "y"}, "`content`, `file_text`"),
        ({"path": "a.py", "content": "x", "old_str": "one", "new_str": "1"}, "how the file changes"),
        ({**insert("a.py", 1, "x"), "old_str": "one", "new_str": "1"}, "says two things"),
        ({"command": "create", "path": "a.py", "file_text": "x", "edits": [EDITS["arguments"]]}, "how"),
        ({"path": "a.py", "edits": [{"path": "b.py", "old_str": "b", "new_str": "B"}]}, "which text"),
        ({"path": "a.py", "edits": [EDITS["arguments"], "x"]}, "which text"),
        ("[" * 100_000 + "]" * 100_000, "no JSON"),
        ({"path": "a.py", "content": "\ud800"}, "half a character"),
        ({"path": "\ud800", "content": "x"}, "leads out"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_judged_or_has_two_meanings_does_not_apply(said, why):
    """Of two arguments of one meaning the first was judged, and a tool may take the other."""
    assert why in " ".join(made(said)[1])


def test_a_patch_in_the_json_of_a_call_is_a_call():
    assert made({"name": "apply_patch", "arguments": {"input": PATCH}})[1] == []
