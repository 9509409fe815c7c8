import pytest

from halfdoor.canon.checks import Ran, RanStatus, Status
from halfdoor.verify.examples import Examples
from tests.helpers.checks import TROUBLE, change, codes, judge, subject

RIGHT = 'def double(x):\n    """Twice.\n\n    >>> double(2)\n    4\n    """\n    return x * 2\n'
WRONG = RIGHT.replace("x * 2", "x * 3")
PROMPT = "Write double so that\n\n>>> double(3)\n6\n\nholds."


def test_an_example_that_does_not_hold_any_more_is_told(sandbox, repository):
    result = judge(Examples(asked=True), repository({"src/pkg/a.py": RIGHT, "src/pkg/__init__.py": ""}, {"src/pkg/a.py": WRONG}), sandbox.run)  # fmt: skip
    assert codes(result) == ["wrong-example"], result
    found = result.findings[0]
    assert (found.path, found.line) == ("src/pkg/a.py", 4)
    assert found.message == "`double(2)` should give `4` and gives `6`"


def test_examples_that_hold_pass(sandbox, repository):
    right = repository({"a.py": WRONG}, {"a.py": RIGHT})
    result = judge(Examples(asked=True), right, sandbox.run)
    assert (result.status, result.saw) == (Status.PASSED, "1 example")


def test_an_example_that_was_wrong_is_not_the_changes_doing(sandbox, repository):
    moved = repository({"a.py": WRONG}, {"a.py": "import os\n" + WRONG})
    assert judge(Examples(asked=True), moved, sandbox.run).status is Status.PASSED


def test_an_exception_is_what_came(sandbox, repository):
    raises = repository({}, {"a.py": RIGHT.replace("x * 2", "x / 0")})
    result = judge(Examples(asked=True), raises, sandbox.run)
    assert "ZeroDivisionError" in result.findings[0].message


def test_examples_of_the_prompt_are_tried_in_the_module_that_was_written(sandbox, repository):
    bare = "def double(x):\n    return x * 3\n"
    result = judge(Examples(asked=False, prompt=PROMPT), repository({}, {"a.py": bare}), sandbox.run)  # fmt: skip
    assert codes(result) == ["wrong-example"]
    good = repository({}, {"a.py": bare.replace("3", "2")})
    assert judge(Examples(asked=False, prompt=PROMPT), good, sandbox.run).status is Status.PASSED


def test_a_module_that_cannot_be_imported_is_skipped(sandbox, repository):
    alone = repository({}, {"a.py": "import no_such_thing\n" + RIGHT})
    result = judge(Examples(asked=True), alone, sandbox.run)
    assert result.status is Status.SKIPPED
    assert "no_such_thing" in result.saw


@pytest.mark.parametrize("ran", [*TROUBLE, Ran(RanStatus.EXITED, 1), Ran(RanStatus.EXITED, 0, b"{}")])  # fmt: skip
def test_an_interpreter_that_did_not_do_its_work_is_skipped(ran):
    asked = subject(change("a.py", RIGHT), tree="/t")
    assert judge(Examples(asked=True), asked, ran).status is Status.SKIPPED


def test_what_has_no_example_or_is_not_asked_for_is_not_planned():
    asked = subject(change("a.py", "x = 1\n"), tree="/t")
    assert judge(Examples(asked=True), asked).status is Status.NOT_APPLICABLE
    assert judge(Examples(asked=False), asked).status is Status.NOT_APPLICABLE
    no_tree = subject(change("a.py", RIGHT))
    assert judge(Examples(asked=True), no_tree).status is Status.SKIPPED
