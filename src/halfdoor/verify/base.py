"""What a check is: one pure object a file, which may ask for processes and gives one result."""

from collections.abc import Generator
from typing import Protocol

from halfdoor.canon.checks import Finding, Ran, RanStatus, Result, Run, Status, Subject

Steps = Generator[Run, Ran, Result]


class Check(Protocol):
    """One rung of the ladder. Settings arrive in its constructor.

    name: a word, as results, settings and the documentation call it.
    reads: globs over the repository's paths: further files whose content it wants in
        `Subject.files` and `Subject.settings`, found or not.
    """

    name: str
    reads: tuple[str, ...]

    def judge(self, subject: Subject) -> Result | Steps:
        """The result, or steps that yield each `Run`, receive its `Ran` and return the result.

        What it raises becomes `skipped`: a check that breaks has judged nothing.
        """


def judged(check: str, findings: tuple[Finding, ...], saw: str) -> Result:
    """`failed` with findings, `passed` without. saw: what was looked at, for a person."""
    return Result(check, Status.FAILED if findings else Status.PASSED, findings, saw)


def skipped(check: str, why: str) -> Result:
    """There was something to judge, and it was not judged."""
    return Result(check, Status.SKIPPED, (), why)


def nothing(check: str, why: str) -> Result:
    """There was nothing to judge."""
    return Result(check, Status.NOT_APPLICABLE, (), why)


def unrun(check: str, ran: Ran, tool: str) -> Result | None:
    """`skipped` when a tool did not come to its own end or was cut short; None when it did."""
    if ran.status is RanStatus.EXITED:
        return skipped(check, f"{tool} said more than its limit") if ran.cut else None
    return skipped(check, f"{tool} {ran.status.value}" + (f": {ran.why}" if ran.why else ""))
