import json
import sys
import venv

import pytest

from halfdoor.canon.checks import Ran, RanStatus, Status
from halfdoor.verify.types import Types
from tests.helpers.checks import TROUBLE, change, codes, judge, subject

ABSENT = Ran(RanStatus.REFUSED, why="there is no program `ty`", absent=True)
OLD = change(
    "a.py", "def f() -> int:\n    return 1\n\n\nf('x')\n", "def f() -> int:\n    return 1\n"
)
SEEN = {"tree": "/after", "base": "/before"}


def ty(*said):
    """ty's report: (path, line, code) each."""
    report = [
        {"check_name": code, "description": f"{code}: is wrong", "severity": "major",
         "location": {"path": path, "positions": {"begin": {"line": line, "column": 1}}}}
        for path, line, code in said
    ]  # fmt: skip
    return Ran(RanStatus.EXITED, 1 if said else 0, json.dumps(report).encode())


def trees(after, before):
    return lambda run: after if run.tree == "/after" else before


def test_an_error_that_the_change_brought_is_told():
    ran = trees(ty(("a.py", 5, "bad-call")), ty())
    result = judge(Types(asked=True), subject(OLD, **SEEN), ran)
    assert codes(result) == ["bad-call"]
    assert result.findings[0].message == "is wrong"


def test_an_error_that_was_there_is_not_though_its_line_moved():
    moved = change("a.py", "\n\nf('x')\n", "f('x')\n")
    ran = trees(ty(("a.py", 3, "bad-call")), ty(("a.py", 1, "bad-call")))
    assert judge(Types(asked=True), subject(moved, **SEEN), ran).status is Status.PASSED


def test_an_error_that_was_there_is_known_under_the_new_name_of_its_file():
    moved = change("b.py", "f('x')\n", "f('x')\n", was="a.py")
    ran = trees(ty(("b.py", 1, "bad-call")), ty(("a.py", 1, "bad-call")))
    assert judge(Types(asked=True), subject(moved, **SEEN), ran).status is Status.PASSED


def test_an_error_in_a_file_that_calls_what_changed_is_told():
    ran = trees(ty(("caller.py", 9, "bad-call")), ty())
    assert codes(judge(Types(asked=True), subject(OLD, **SEEN), ran)) == ["bad-call"]


def test_a_module_that_is_not_installed_is_no_type_error():
    ran = trees(ty(("a.py", 1, "unresolved-import")), ty())
    assert judge(Types(asked=True), subject(OLD, **SEEN), ran).status is Status.PASSED


@pytest.mark.parametrize("ran", [*TROUBLE, Ran(RanStatus.EXITED, 2, b"[]", b"bad settings"), Ran(RanStatus.EXITED, 0, b"{")])  # fmt: skip
def test_a_tool_that_did_not_do_its_work_is_skipped(ran):
    result = judge(Types(asked=True), subject(OLD, **SEEN), ran)
    assert result.status is Status.SKIPPED
    assert "ty" in result.saw


def test_without_ty_nothing_is_planned_unless_somebody_asks():
    ours = subject(OLD, **SEEN, files={"ty.toml": b""})
    assert judge(Types(asked=False), ours, ABSENT).status is Status.NOT_APPLICABLE
    assert judge(Types(asked=True), ours, ABSENT).status is Status.SKIPPED


def test_a_checker_that_the_project_has_no_settings_of_is_made_only_when_asked_for():
    """ty refused seven of twelve releases that people had made."""
    ran = trees(ty(("a.py", 5, "bad-call")), ty())
    assert judge(Types(asked=False), subject(OLD, **SEEN), ran).status is Status.NOT_APPLICABLE
    for settings in ({"ty.toml": b""}, {"pyproject.toml": b"[tool.ty.rules]\n"}):
        ours = subject(OLD, **SEEN, files=settings)
        assert judge(Types(asked=False), ours, ran).status is Status.FAILED


@pytest.mark.parametrize(
    "settings",
    [{"mypy.ini": b""}, {"pyproject.toml": b"[tool.mypy]"}, {"setup.cfg": b"[mypy]"}],
    ids=lambda settings: next(iter(settings)),
)
def test_a_project_with_settings_of_mypy_is_judged_by_mypy(settings):
    asked = subject(OLD, **SEEN, python="/venv/python", files=settings)
    result = judge(Types(asked=True), asked, mypy)
    assert result.saw == "1 Python file, by mypy"


def mypy(run):
    """ty is not there; the project's mypy finds one error in each tree, and one more after."""
    if run.argv[0] == "ty":
        return ABSENT
    said = "a.py:1: error: old thing  [misc]\n"
    if run.tree == "/after":
        said += 'a.py:5:3: error: Argument 1 to "f"  [call-arg]\na.py:6: note: see\n'
    return Ran(RanStatus.EXITED, 1, said.encode())


def test_where_ty_is_missing_the_projects_mypy_is_asked():
    result = judge(Types(asked=True), subject(OLD, **SEEN, python="/venv/python"), mypy)
    assert codes(result) == ["call-arg"]
    assert (result.findings[0].line, result.findings[0].column) == (5, 3)
    assert result.saw == "1 Python file, by mypy"


def test_a_project_without_mypy_is_skipped():
    no = Ran(RanStatus.EXITED, 1, b"", b"/venv/python: No module named mypy")
    asked = subject(OLD, **SEEN, python="/venv/python")
    result = judge(Types(asked=True), asked, lambda run: ABSENT if run.argv[0] == "ty" else no)
    assert result.status is Status.SKIPPED


def test_without_the_files_as_they_were_nothing_can_be_called_new():
    result = judge(Types(asked=True), subject(OLD, tree="/after"), ty(("a.py", 5, "bad-call")))
    assert result.status is Status.SKIPPED


def test_nothing_is_asked_where_no_python_changed():
    asked = subject(change("a.md", "x"), **SEEN)
    assert judge(Types(asked=True), asked).status is Status.NOT_APPLICABLE


WRONG = {"a.py": "x: int = 'one'\n"}
IGNORED = "[tool.ty.rules]\nall = 'ignore'\n"


@pytest.mark.parametrize(
    "own", [{"pyproject.toml": IGNORED}, {"ty.toml": "rules.all = 'ignore'\n"}, {".ignore": "*\n"}],
    ids=lambda own: next(iter(own)),
)  # fmt: skip
def test_an_error_is_told_though_the_change_silences_the_tool(sandbox, repository, own):
    """It passed without a word: ty was read its settings as the change had them."""
    had = {"a.py": "x: int = 1\n", "pyproject.toml": "[tool.ty.rules]\n"}
    files = {"pyproject.toml": b"[tool.ty.rules]\n"}
    asked = repository(had, WRONG | own, python="", files=files)
    result = judge(Types(asked=True), asked, sandbox.run)
    assert codes(result) == ["invalid-assignment"], result
    assert result.saw == f"1 Python file, by ty; by {next(iter(own))} as the base has it"


def test_an_error_is_told_in_a_project_with_an_interpreter_of_its_own(
    sandbox, repository, tmp_path, processes
):
    """It was always "could not judge": the tree before the change has no `.venv` for ty to read."""
    venv.create(tmp_path / "after/.venv")
    python = str(tmp_path / "after/.venv/bin/python")
    asked = repository({"a.py": "x: int = 1\n"}, WRONG, python=python)
    assert codes(judge(Types(asked=True), asked, sandbox.run)) == ["invalid-assignment"]


def test_both_trees_get_the_settings_that_hold_by_either_tool():
    runs = []

    def run(wanted):
        runs.append(wanted)
        return mypy(wanted)

    files = {"mypy.ini": b"[mypy]\nstrict = True\n"}
    loose = change("mypy.ini", "[mypy]\nignore_errors = True\n", files["mypy.ini"])
    asked = subject(OLD, loose, change("sub/.ignore", "*\n"), **SEEN, python="/v/bin/python", files=files)  # fmt: skip
    assert codes(judge(Types(asked=True), asked, run)) == ["call-arg"]
    assert [each.tree for each in runs] == ["/after", "/before"]
    for each in runs:
        assert each.files == files
        gone = {"pyproject.toml", "ty.toml", ".mypy.ini", "setup.cfg", "sub/.ignore"}
        assert set(each.without) == gone


def test_settings_that_the_change_takes_away_hold_for_it(sandbox, repository):
    strict = "[tool.ty.rules]\npossibly-unresolved-reference = 'error'\n"
    code = "def f(a: int) -> int:\n    if a:\n        b = 1\n    return b\n"
    had = {"a.py": "x: int = 1\n", "pyproject.toml": strict}
    files = {"pyproject.toml": strict.encode()}
    asked = repository(had, {"a.py": code, "pyproject.toml": ""}, python="", files=files)
    assert codes(judge(Types(asked=False), asked, sandbox.run)) == ["possibly-unresolved-reference"]


def test_the_real_tools_find_a_real_error(sandbox, repository):
    import shutil
    from pathlib import Path

    asked = repository({"a.py": "def f(x: int) -> int:\n    return x\n"},
                       {"a.py": "def f(x: int) -> int:\n    return x\n\n\nf('one')\n"}, python=sys.executable)  # fmt: skip
    beside = Path(sys.executable).parent
    assert shutil.which("ty", path=str(beside)) or shutil.which("mypy", path=str(beside))
    result = judge(Types(asked=True), asked, sandbox.run)
    assert [(each.path, each.line) for each in result.findings] == [("a.py", 5)], result
