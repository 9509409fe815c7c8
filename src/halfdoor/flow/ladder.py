"""Climb: each check in turn, its runs performed by whoever drives, one result each.

Used by `halfdoor gate`, by CI and by whatever verifies an answer before it is trusted. Pure.
"""

from collections.abc import Generator, Iterable

from halfdoor.canon.checks import Ran, Result, Run, Status, Subject
from halfdoor.verify.base import Check, skipped

Climb = Generator[Run, Ran, tuple[Result, ...]]


def climb(checks: Iterable[Check], subject: Subject) -> Climb:
    """Yields `Run`s, receives each one's `Ran`, returns a result for every check, in order.

    INVARIANT: a check that breaks is `skipped`, never `passed`, and the others still judge.
    """
    results = []
    for check in checks:
        results.append((yield from _step(check, subject)))  # noqa: PERF401  a comprehension cannot yield
    return tuple(results)


def verdict(results: Iterable[Result], optional: Iterable[str] = ()) -> Status:
    """FAILED if any check failed, else SKIPPED if any could not judge, else PASSED.

    optional: names of checks whose skipping stops nobody. A failure outranks a skip, and a check
    with nothing to judge changes nothing.
    """
    lenient = frozenset(optional)
    found = {
        each.status
        for each in results
        if each.status is not Status.SKIPPED or each.check not in lenient
    }
    for status in (Status.FAILED, Status.SKIPPED):
        if status in found:
            return status
    return Status.PASSED


def _step(check: Check, subject: Subject) -> Generator[Run, Ran, Result]:
    try:
        judging = check.judge(subject)
        return judging if isinstance(judging, Result) else (yield from judging)
    except (Exception, RecursionError) as error:  # noqa: BLE001  a check's boundary: it has judged nothing
        return skipped(check.name, f"the check itself broke: {type(error).__name__}: {error}")
