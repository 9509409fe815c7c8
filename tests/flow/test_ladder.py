"""A failure outranks a skip, a skip is never a pass, and a broken check stops no other."""

import pytest

from halfdoor.canon.checks import Finding, Ran, RanStatus, Result, Run, Status
from halfdoor.flow.ladder import verdict
from halfdoor.verify.base import judged, nothing, skipped, unrun
from tests.helpers.checks import TROUBLE, climbed, subject

WRONG = Finding("says", "a.py", 1, 1, "X1", "is wrong")


class Says:
    """A check with a result of its own."""

    reads = ()

    def __init__(self, result, name="says"):
        self.name = name
        self._result = result

    def judge(self, _subject):
        return self._result


class Asks:
    """A check that runs a tool and passes when that exits with 0."""

    name = "asks"
    reads = ()

    def judge(self, _subject):
        ran = yield Run(("tool",), "a test")
        return unrun(self.name, ran, "tool") or judged(self.name, (), f"exit {ran.code}")


class Breaks:
    name = "breaks"
    reads = ()

    def judge(self, _subject):
        raise RecursionError("too deep")


def test_each_check_gives_one_result_in_its_order():
    ran = Ran(RanStatus.EXITED, 0)
    results = climbed([Says(nothing("says", "no file")), Asks()], subject(), ran)
    assert [(each.check, each.status) for each in results] == [
        ("says", Status.NOT_APPLICABLE),
        ("asks", Status.PASSED),
    ]


@pytest.mark.parametrize("ran", TROUBLE, ids=lambda ran: ran.status.value)
def test_a_tool_that_does_not_come_to_its_own_end_judged_nothing(ran):
    (result,) = climbed([Asks()], subject(), ran)
    assert result.status is Status.SKIPPED
    assert "tool" in result.saw


def test_a_check_that_breaks_is_skipped_and_the_next_still_judges():
    broken, other = climbed([Breaks(), Says(judged("says", (WRONG,), "one file"))], subject())
    assert broken.status is Status.SKIPPED
    assert "RecursionError" in broken.saw
    assert other.status is Status.FAILED


def test_a_check_that_breaks_after_its_run_is_skipped():
    class Later(Asks):
        def judge(self, _subject):
            yield Run(("tool",), "a test")
            raise ValueError("no JSON")

    (result,) = climbed([Later()], subject(), Ran(RanStatus.EXITED, 0))
    assert result.status is Status.SKIPPED


PASSED = judged("a", (), "")
FAILED = judged("b", (WRONG,), "")
SKIPPED = skipped("c", "its tool is missing")
NOTHING = nothing("d", "no file")


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((PASSED, NOTHING), Status.PASSED),
        ((PASSED, SKIPPED, NOTHING), Status.SKIPPED),
        ((SKIPPED, FAILED, PASSED), Status.FAILED),
        ((NOTHING,), Status.PASSED),
        ((SKIPPED,), Status.SKIPPED),
    ],
)
def test_the_gravest_result_decides_and_a_skip_is_no_pass(results, expected):
    assert verdict(results) is expected


def test_only_a_check_that_was_said_to_be_optional_may_be_skipped():
    assert verdict((PASSED, SKIPPED), optional=["c"]) is Status.PASSED
    assert verdict((PASSED, SKIPPED), optional=["a"]) is Status.SKIPPED
    assert verdict((Result("c", Status.FAILED, (WRONG,)),), optional=["c"]) is Status.FAILED
