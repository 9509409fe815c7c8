"""Tests that cover the change, in the sandbox; then the whole suite, if asked.

The suite runs once over the files as they were: that tells which tests enter what, and which fail
anyway. It is remembered by the base's commit. Only tests that the change broke are told, and those
that it keeps from running (`lost.py`).
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from posixpath import basename
from typing import Final

import msgspec

from halfdoor.canon.checks import MIB, Finding, Limits, Ran, Result, Run, Subject
from halfdoor.verify.base import Steps, judged, nothing, skipped, unrun
from halfdoor.verify.covering import Report, covering, is_test
from halfdoor.verify.extra import told
from halfdoor.verify.fresh import counted
from halfdoor.verify.languages import is_python
from halfdoor.verify.lost import Lost, lost
from halfdoor.verify.pytest_settings import NAMES, By, differ, own_settings, settings
from halfdoor.verify.watching import FOLDER, PLUGIN, PYTEST, REPORT

NAME: Final = "tests"
FAILS: Final = "test-fails"
UNCOLLECTED: Final = "test-not-collected"

_LIMITS: Final = Limits(cpu_s=1800, memory_bytes=4096 * MIB, processes=128)
_MOST_NAMED: Final = 1000
_REPORT: Final = msgspec.json.Decoder(Report)
# pytest: all passed; some failed; collecting was interrupted; nothing was collected.
_DONE: Final = frozenset({0, 1, 2, 5})
# All are run, whatever fails: one that did not get its turn would count as taken away.
_ON: Final = ("--maxfail=0", "--continue-on-collection-errors")
_OPTIONS: Final = (*_ON, "-p", PLUGIN, "-p", "no:cacheprovider", "-q", "--tb=short")
_MERGE: Final = "hint: merge that first, in a change of its own"
_NO_PYTHON: Final = (
    "the project has no interpreter of its own to run tests with;"
    " hint: make a virtual environment in .venv with what the tests need"
)

Reported = Generator[Run, Ran, Report | Result]


def _no_test(_path: str) -> bool:
    return False


class ProjectTests:
    """asked: are tests run at all? suite: all of them, not only those that cover the change.

    helps: is a path's code there to test, beside what pytest takes for tests? timeout_s: for one
    run of pytest.
    """

    name = NAME
    reads: tuple[str, ...] = NAMES

    def __init__(
        self,
        *,
        asked: bool,
        suite: bool = False,
        helps: Callable[[str], bool] = _no_test,
        timeout_s: float = 900.0,
    ) -> None:
        self._helps = helps
        self._asked = asked
        self._suite = suite
        self._timeout_s = timeout_s

    def judge(self, subject: Subject) -> Result | Steps:
        """See `Check.judge`."""
        if not (self._asked or self._suite):
            return nothing(NAME, "`ask` in [gate] names neither `tests` nor `suite`")
        had = (each.was or each.path for each in subject.changes if each.before is not None)
        if not any(map(is_test, (*subject.paths, *had))):
            return nothing(NAME, "the repository has no tests that pytest would find")
        if not any(is_python(path) for each in subject.changes for path in (each.path, each.was)):
            return nothing(NAME, "no Python changed")
        if not subject.python:
            return skipped(NAME, _NO_PYTHON)
        if not (subject.tree and subject.base):
            return skipped(NAME, "there is no tree to run tests in, before the change and after it")
        return self._judge(subject)

    def _judge(self, subject: Subject) -> Steps:
        base = settings(subject)
        before = yield from self._run(subject, subject.base, (), base, mapped=True)
        if isinstance(before, Result):
            return before
        nodes = None if self._suite else covering(subject.changes, before)
        after: Report | Result = Report({}, {})
        if nodes != ():
            named = () if nodes is None else _named(nodes)
            after = yield from self._run(subject, subject.tree, named, base)
        if isinstance(after, Result):
            return after
        wrong = _new(before, after)
        if wrong and (unsure := (yield from self._unsure(subject, wrong))):
            return unsure
        whole = nodes is None
        gone = lost(NAME, before, after, subject.changes, self._is_tests, whole=whole)
        findings = (*(_finding(*each) for each in wrong.items()), *gone.findings)
        by = "; by the settings of pytest as the base has them" if differ(subject) else ""
        return _weighed(findings, before, after, f"{_others(gone)}{by}", whole=whole)

    def _unsure(
        self, subject: Subject, wrong: Mapping[str, tuple[str, int, str]]
    ) -> Generator[Run, Ran, Result | None]:
        """Do they fail again, and by the change's own settings, too? None when they do."""
        by = own_settings(subject)
        again = yield from self._run(subject, subject.tree, _named(wrong), by)
        if isinstance(again, Result):
            return again
        # What a change keeps from running again did not pass.
        fine = {node for node, said in again.outcomes.items() if said[0] == "passed"}
        fine |= {node for node, said in wrong.items() if said[0] == "broken"} - again.broken.keys()
        passed = sorted(wrong.keys() & fine)
        if not passed:
            return None
        count = counted(len(passed), "test")
        if differ(subject):
            said = f"{passed[0]} passes only by what the change says to pytest"
            return skipped(NAME, f"{count} cannot be judged: {said}; {_MERGE}")
        said = f"{passed[0]} failed, and passed when it ran again"
        return skipped(NAME, f"{count} cannot be relied on: {said}")

    def _is_tests(self, path: str) -> bool:
        return is_test(path) or basename(path) == "conftest.py" or self._helps(path)

    def _run(
        self, subject: Subject, tree: str, nodes: Iterable[str], by: By, *, mapped: bool = False
    ) -> Reported:
        ran = yield self._asking(subject, tree, tuple(nodes), by, mapped=mapped)
        if trouble := unrun(NAME, ran, "pytest"):
            return trouble
        if b"No module named pytest" in ran.stderr:
            return skipped(NAME, f"{subject.python} has no pytest; hint: install it there")
        try:
            report = _REPORT.decode(ran.written.get(REPORT, b""))
        except msgspec.DecodeError:
            return told(NAME, ran, "pytest")
        # 4 is a wrong use, and also a named test whose file cannot be collected.
        done = ran.code in _DONE or (ran.code == 4 and report.broken)
        return report if done else told(NAME, ran, "pytest")

    def _asking(
        self, subject: Subject, tree: str, nodes: tuple[str, ...], by: By, *, mapped: bool
    ) -> Run:
        environment = {"PYTHONPATH": f"{FOLDER}:.:src", "HALFDOOR_REPORT": REPORT}
        known = f"{subject.python} {subject.revision}" if mapped and subject.revision else ""
        return Run(
            (subject.python, "-m", "pytest", *_OPTIONS, *by.options, *nodes),
            "the tests of a change",
            files={f"{FOLDER}/{PLUGIN}.py": PYTEST.encode(), **by.files},
            tree=tree,
            at=subject.root or subject.tree,
            timeout_s=self._timeout_s,
            limits=_LIMITS,
            environment=environment | ({"HALFDOOR_MAP": "1"} if mapped else {}),
            wanted=(REPORT,),
            remember=f"tests {known}" if known else "",
        )


def _named(nodes: Iterable[str]) -> tuple[str, ...]:
    """As arguments; whole files when there are too many."""
    names = {node.partition("[")[0] for node in nodes}
    if len(names) > _MOST_NAMED:
        names = {name.partition("::")[0] for name in names}
    return tuple(sorted(names))


def _weighed(
    findings: tuple[Finding, ...], before: Report, after: Report, more: str, *, whole: bool
) -> Result:
    """What ran counts: a test that is skipped has judged nothing."""
    ran = sum(outcome != "skipped" for outcome, _, _ in after.outcomes.values())
    saw = f"{counted(ran, 'test')} of {len(before.outcomes)}"
    if idle := len(after.outcomes) - ran:
        saw += f", {idle} skipped"
    if ran or findings:
        return judged(NAME, findings, f"{saw}{more}")
    if idle or whole:
        hint = "hint: see why pytest skips them, or finds none"
        return skipped(NAME, f"no test ran: {saw}{more}; {hint}")
    return nothing(NAME, f"no test enters what changed{more}")


def _others(gone: Lost) -> str:
    count = counted(gone.others, "test")
    return f"; without {count} of code that is gone or was not altered" if gone.others else ""


def _new(before: Report, after: Report) -> Mapping[str, tuple[str, int, str]]:
    """What fails now and did not before."""
    had = before.failed()
    return {node: said for node, said in after.failed().items() if node not in had}


def _finding(node: str, said: tuple[str, int, str]) -> Finding:
    outcome, line, message = said
    path = node.partition("::")[0]
    if outcome == "broken":
        text = f"the tests of `{path}` cannot be collected: {message}"
        return Finding(NAME, path, line, 1, UNCOLLECTED, text, "make them importable again")
    text = f"`{node}` fails: {message}"
    return Finding(NAME, path, line, 1, FAILS, text, "mend the code, or the test if it is wrong")
