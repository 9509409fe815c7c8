"""Tests that cover the change, in the sandbox; then the whole suite, if asked.

The suite runs once over the files as they were: that tells which tests enter what, and which fail
anyway. It is remembered by the base's commit. Only tests that the change broke are told.
"""

from collections.abc import Generator, Iterable, Mapping
from typing import Final

import msgspec

from halfdoor.canon.checks import MIB, Finding, Limits, Ran, Result, Run, Subject
from halfdoor.verify.base import Steps, judged, nothing, skipped, unrun
from halfdoor.verify.covering import Report, covering, is_test
from halfdoor.verify.extra import told
from halfdoor.verify.fresh import counted
from halfdoor.verify.languages import is_python
from halfdoor.verify.watching import FOLDER, PLUGIN, PYTEST, REPORT

NAME: Final = "tests"
FAILS: Final = "test-fails"
UNCOLLECTED: Final = "test-not-collected"

_LIMITS: Final = Limits(cpu_s=1800, memory_bytes=4096 * MIB, processes=128)
_MOST_NAMED: Final = 1000
_REPORT: Final = msgspec.json.Decoder(Report)
# pytest: all passed; some failed; collecting was interrupted; nothing was collected.
_DONE: Final = frozenset({0, 1, 2, 5})
_NO_PYTHON: Final = (
    "the project has no interpreter of its own to run tests with;"
    " hint: make a virtual environment in .venv with what the tests need"
)

Told = Generator[Run, Ran, Report | Result]


class ProjectTests:
    """asked: are tests run at all? suite: all of them, not only those that cover the change.

    timeout_s: for one run of pytest.
    """

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(self, *, asked: bool, suite: bool = False, timeout_s: float = 900.0) -> None:
        self._asked = asked
        self._suite = suite
        self._timeout_s = timeout_s

    def judge(self, subject: Subject) -> Result | Steps:
        """See `Check.judge`."""
        if not (self._asked or self._suite):
            return nothing(NAME, "`ask` in [gate] names neither `tests` nor `suite`")
        if not any(map(is_test, subject.paths)):
            return nothing(NAME, "the repository has no tests that pytest would find")
        if not any(is_python(each.path) for each in subject.changes):
            return nothing(NAME, "no Python changed")
        if not subject.python:
            return skipped(NAME, _NO_PYTHON)
        if not (subject.tree and subject.base):
            return skipped(NAME, "there is no tree to run tests in, before the change and after it")
        return self._judge(subject)

    def _judge(self, subject: Subject) -> Steps:
        before = yield from self._run(subject, subject.base, (), mapped=True)
        if isinstance(before, Result):
            return before
        nodes = None if self._suite else covering(subject.changes, before)
        if nodes == ():
            return nothing(NAME, "no test enters what changed")
        named = () if nodes is None else _named(nodes)
        after = yield from self._run(subject, subject.tree, named)
        if isinstance(after, Result):
            return after
        wrong = _new(before, after)
        if wrong:
            again = yield from self._run(subject, subject.tree, _named(wrong))
            if isinstance(again, Result):
                return again
            if restless := sorted(wrong.keys() - again.failed().keys()):
                said = f"{restless[0]} failed, and passed when it ran again"
                return skipped(
                    NAME, f"{counted(len(restless), 'test')} cannot be relied on: {said}"
                )
        saw = f"{counted(len(after.outcomes), 'test')} of {len(before.outcomes)}"
        return judged(NAME, tuple(_finding(*each) for each in wrong.items()), saw)

    def _run(
        self, subject: Subject, tree: str, nodes: Iterable[str], *, mapped: bool = False
    ) -> Told:
        ran = yield self._asking(subject, tree, tuple(nodes), mapped=mapped)
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

    def _asking(self, subject: Subject, tree: str, nodes: tuple[str, ...], *, mapped: bool) -> Run:
        environment = {"PYTHONPATH": f"{FOLDER}:.:src", "HALFDOOR_REPORT": REPORT}
        options = ("-p", PLUGIN, "-p", "no:cacheprovider", "-q", "--tb=short")
        known = f"{subject.python} {subject.revision}" if mapped and subject.revision else ""
        return Run(
            (subject.python, "-m", "pytest", *options, *nodes),
            "the tests of a change",
            files={f"{FOLDER}/{PLUGIN}.py": PYTEST.encode()},
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
