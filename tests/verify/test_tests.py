"""The tests that cover a change are run, in a real sandbox; what failed before is not told."""

import json

import pytest

from halfdoor.canon.checks import Ran, RanStatus, Status
from halfdoor.verify.tests import ProjectTests
from halfdoor.verify.watching import REPORT
from tests.helpers.checks import TROUBLE, change, codes, judge, subject

CODE = "def double(x):\n    return x * 2\n\n\ndef half(x):\n    return x / 2\n"
TESTS = {
    "tests/test_double.py": "from app import double\n\n\ndef test_double():\n    assert double(2) == 4\n",
    "tests/test_half.py": "from app import half\n\n\ndef test_half():\n    assert half(2) == 1\n",
}
BEFORE = {"src/app.py": CODE} | TESTS
BROKEN = CODE.replace("x * 2", "x * 3")


def ran_by(sandbox, asked):
    """Perform a run, and note its last arguments."""

    def run(wanted):
        asked.append([each for each in wanted.argv if each.startswith("tests/")])
        return sandbox.run(wanted)

    return run


def test_a_test_that_the_change_broke_is_told_and_no_other_ran(sandbox, repository):
    asked: list[list[str]] = []
    wrong = repository(BEFORE, {"src/app.py": BROKEN})
    result = judge(ProjectTests(asked=True), wrong, ran_by(sandbox, asked))
    assert codes(result) == ["test-fails"], result
    assert result.findings[0].path == "tests/test_double.py"
    assert "assert" in result.findings[0].message
    assert asked[1:] == [["tests/test_double.py::test_double"]] * 2
    assert result.saw == "1 test of 2"


def test_a_change_that_keeps_its_tests_passing_passes(sandbox, repository):
    right = repository(BEFORE, {"src/app.py": CODE.replace("x * 2", "x + x")})
    result = judge(ProjectTests(asked=True), right, sandbox.run)
    assert (result.status, result.saw) == (Status.PASSED, "1 test of 2")


def test_a_test_that_failed_before_is_not_the_changes_doing(sandbox, repository):
    bad = TESTS | {"tests/test_double.py": "from app import double\n\n\ndef test_double():\n    assert double(2) == 5\n"}  # fmt: skip
    result = judge(ProjectTests(asked=True), repository({"src/app.py": CODE} | bad, {"src/app.py": BROKEN}), sandbox.run)  # fmt: skip
    assert result.status is Status.PASSED


def test_a_new_test_that_fails_is_told(sandbox, repository):
    new = {"tests/test_new.py": "def test_new():\n    raise KeyError('gone')\n"}
    result = judge(ProjectTests(asked=True), repository(BEFORE, new), sandbox.run)
    assert codes(result) == ["test-fails"]
    assert "gone" in result.findings[0].message


def test_tests_that_cannot_be_collected_any_more_are_told(sandbox, repository):
    result = judge(ProjectTests(asked=True), repository(BEFORE, {"src/app.py": "def half(x):\n    return x / 2\n"}), sandbox.run)  # fmt: skip
    assert "test-not-collected" in codes(result)


def test_a_change_that_no_test_enters_has_nothing_to_judge(sandbox, repository):
    more = {"src/other.py": "def other():\n    return 1\n"}
    changed = {"src/other.py": "def other():\n    return 2\n"}
    result = judge(ProjectTests(asked=True), repository(BEFORE | more, changed), sandbox.run)
    assert result.status is Status.NOT_APPLICABLE


def test_the_suite_is_run_where_it_is_asked_for(sandbox, repository):
    result = judge(ProjectTests(asked=True, suite=True), repository(BEFORE, {"src/app.py": CODE + "\n"}), sandbox.run)  # fmt: skip
    assert (result.status, result.saw) == (Status.PASSED, "2 tests of 2")


SUM = "def add(a, b):\n    return a + b\n"
WRONG_SUM = SUM.replace("+", "-")
ADDS = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
CALC = {"calc.py": SUM, "test_calc.py": ADDS}
OFF = "[pytest]\naddopts = --deselect test_calc.py::test_add\n"


@pytest.mark.parametrize(
    ("also", "told"),
    [
        ({"pytest.ini": OFF}, "test-fails"),
        ({"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--co'\n"}, "test-fails"),
        ({"conftest.py": "collect_ignore_glob = ['test_*']\n"}, "test-gone"),
        ({"conftest.py": "def pytest_collection_modifyitems(items):\n    items[:] = []\n"}, "test-gone"),
        ({"test_calc.py": ADDS.replace("def test", "import pytest\n\n\n@pytest.mark.skip\ndef test")}, "test-skipped"),
        ({"test_calc.py": ADDS.replace("def test", "import pytest\n\n\n@pytest.mark.xfail\ndef test")}, "test-skipped"),
        ({"test_calc.py": None}, "test-gone"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)  # fmt: skip
def test_a_test_that_the_change_breaks_and_keeps_from_running_is_told(
    sandbox, repository, also, told
):
    """Each of these passed, as "0 tests of 1", or had nothing to judge."""
    broken = repository(CALC, {"calc.py": WRONG_SUM} | also)
    result = judge(ProjectTests(asked=True, suite="conftest.py" in also), broken, sandbox.run)
    assert codes(result) == [told], result
    assert result.findings[0].path == "test_calc.py"


def test_a_test_may_go_with_the_code_that_it_is_for(sandbox, repository):
    two = {"calc.py": f"import math\n\n\n{SUM}\n\ndef root(x):\n    return math.sqrt(x)\n"}
    roots = "\n\ndef test_root():\n    assert calc.root(4) == add(1, 1)\n"
    had = two | {"test_calc.py": "import calc\n" + ADDS + roots}
    less = repository(had, {"calc.py": SUM, "test_calc.py": ADDS})
    result = judge(ProjectTests(asked=True), less, sandbox.run)
    assert (result.status, result.saw) == (
        Status.PASSED,
        "1 test of 2; without 1 test of code that is gone or was not altered",
    )


def test_a_test_may_go_in_a_change_of_its_own_and_that_is_said(sandbox, repository):
    gone = repository(CALC, {"test_calc.py": None})
    result = judge(ProjectTests(asked=True), gone, sandbox.run)
    assert result.status is Status.NOT_APPLICABLE
    assert result.saw.endswith("without 1 test of code that is gone or was not altered")


def test_a_test_may_move_to_another_file_and_have_other_parameters(sandbox, repository):
    many = ADDS.replace("def test_add()", "import pytest\n\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_add(n)")  # fmt: skip
    fine = SUM.replace("a + b", "b + a")
    moved = {"calc.py": fine, "test_calc.py": None, "test_sum.py": many.replace("[1, 2]", "[5, 6]")}
    result = judge(ProjectTests(asked=True), repository(CALC | {"test_calc.py": many}, moved), sandbox.run)  # fmt: skip
    assert (result.status, result.saw) == (Status.PASSED, "2 tests of 2")


def test_tests_that_pass_only_by_new_settings_of_pytest_wait_for_these(sandbox, repository):
    strict = "[pytest]\naddopts = --strict-markers\nmarkers = old\n"
    marked = ADDS.replace("def test", "import pytest\n\n\n@pytest.mark.new\ndef test")
    files = {"pytest.ini": strict.encode()}
    had = CALC | {"pytest.ini": strict}
    both = {"test_calc.py": marked, "pytest.ini": strict.replace("old", "new")}
    asked = repository(had, both, files=files)
    result = judge(ProjectTests(asked=True), asked, sandbox.run)
    assert result.status is Status.SKIPPED
    assert "passes only by what the change says to pytest; hint: merge that first" in result.saw


def test_tests_that_are_all_skipped_are_no_pass(sandbox, repository):
    idle = {"test_calc.py": "import pytest\n\npytestmark = pytest.mark.skip\n" + ADDS}
    asked = repository({"calc.py": SUM} | idle, {"calc.py": SUM + "\n\nX = 1\n"})
    result = judge(ProjectTests(asked=True, suite=True), asked, sandbox.run)
    assert (result.status, "no test ran: 0 tests of 1, 1 skipped" in result.saw) == (Status.SKIPPED, True)  # fmt: skip


def report(outcomes, **more):
    """A `Ran` of pytest with this report."""
    whole = {"outcomes": outcomes, "broken": {}} | more
    return Ran(RanStatus.EXITED, 1, written={REPORT: json.dumps(whole).encode()})


CHANGE = subject(change("src/app.py", BROKEN, CODE), paths=("src/app.py", "tests/test_double.py"), tree="/a", base="/b", python="/p")  # fmt: skip
MAPPED = report(
    {"tests/test_double.py::test_double": ["passed", 1, ""]},
    functions=["src/app.py:1"], entered={"tests/test_double.py::test_double": [0]},
)  # fmt: skip


def test_a_test_that_fails_once_and_passes_again_is_not_relied_on():
    node = "tests/test_double.py::test_double"
    rans = iter([MAPPED, report({node: ["failed", 3, "x"]}), report({node: ["passed", 3, ""]})])
    result = judge(ProjectTests(asked=True), CHANGE, lambda _: next(rans))
    assert result.status is Status.SKIPPED
    assert "passed when it ran again" in result.saw


@pytest.mark.parametrize("ran", [*TROUBLE, Ran(RanStatus.EXITED, 3), Ran(RanStatus.EXITED, 0), Ran(RanStatus.EXITED, 0, written={REPORT: b"{"})])  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_a_pytest_that_did_not_do_its_work_is_skipped(ran, first):
    rans = iter([ran] if first else [MAPPED, ran])
    assert judge(ProjectTests(asked=True), CHANGE, lambda _: next(rans)).status is Status.SKIPPED


def test_the_map_is_remembered_by_commit_and_nothing_else_is():
    from msgspec.structs import replace

    asked: list[str] = []

    def run(wanted):
        asked.append(wanted.remember)
        return MAPPED

    judge(ProjectTests(asked=True), replace(CHANGE, revision="c0ffee"), run)
    assert asked == ["tests /p c0ffee", ""]


def test_what_is_not_asked_for_or_cannot_be_is_said():
    assert judge(ProjectTests(asked=False), CHANGE).status is Status.NOT_APPLICABLE
    for lack in ({"python": ""}, {"tree": ""}, {"base": ""}):
        given = {"paths": CHANGE.paths, "tree": "/a", "base": "/b", "python": "/p"} | lack
        assert (
            judge(ProjectTests(asked=True), subject(*CHANGE.changes, **given)).status
            is Status.SKIPPED
        )
    none = subject(*CHANGE.changes, paths=("src/app.py",), tree="/a", base="/b", python="/p")
    assert judge(ProjectTests(asked=True), none).status is Status.NOT_APPLICABLE
