"""A check that takes too long in our own process is skipped, however it is written."""

import re
import signal
from contextlib import suppress

import pytest

from halfdoor.canon.checks import Ran, RanStatus, Run, Status
from halfdoor.cli.gate.limits import Limited
from halfdoor.verify.base import judged
from tests.helpers.checks import change, judge, subject

ASKED = subject(change("a.py", "x = 1\n"))
RUN = Run(("true",), "nothing")
DONE = Ran(RanStatus.EXITED, 0)


def endless_pattern():
    return re.fullmatch("(?:a|a?)+b", "a" * 60)


def endless_loop():
    while True:
        with suppress(Exception):
            sum(range(1000))


class Asks:
    """A check that asks for a run before it works, and one after."""

    name = "slow"
    reads: tuple[str, ...] = ("setup.py",)

    def __init__(self, work):
        self._work = work

    def judge(self, _subject):
        yield RUN
        self._work()
        yield RUN
        return judged(self.name, (), "all")


class Works(Asks):
    """The same in one step."""

    def judge(self, _subject):
        self._work()
        return judged(self.name, (), "all")


@pytest.mark.parametrize("kind", [Asks, Works])
@pytest.mark.parametrize("work", [endless_pattern, endless_loop])
def test_a_check_without_an_end_is_skipped_and_never_passed(kind, work):
    """A file of 3 KB kept the gate busy for as long as anybody waited."""
    result = judge(Limited(kind(work), 0.05), ASKED, DONE)
    assert (result.status, "took longer than" in result.saw) == (Status.SKIPPED, True)


@pytest.mark.parametrize("kind", [Asks, Works])
def test_a_check_that_is_done_in_time_says_what_it_says(kind):
    before = signal.getsignal(signal.SIGPROF)
    result = judge(Limited(kind(lambda: None)), ASKED, DONE)
    assert (result.status, result.saw) == (Status.PASSED, "all")
    assert (signal.getsignal(signal.SIGPROF), signal.getitimer(signal.ITIMER_PROF)[0]) == (
        before,
        0,
    )
    assert Limited(kind(None)).reads == ("setup.py",)


def test_a_check_that_breaks_is_told_as_before():
    result = judge(Limited(Works(lambda: 1 / 0)), ASKED)
    assert "the check itself broke: ZeroDivisionError" in result.saw
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0
