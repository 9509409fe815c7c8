"""Python that is not called `.py`: programs with a first line that says so, `.pyw`, `.PY`.

Checks and their tools tell Python by its name, so they are shown such a file under one.
"""

import re
from collections.abc import Generator, Iterable
from posixpath import basename
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.checks import Change, Finding, Ran, Result, Run, Status, Subject
from halfdoor.verify.base import Check, Steps, judged
from halfdoor.verify.languages import is_python, language_of

_SUFFIXES: Final = (".py", ".pyi")
_LINE_BYTES: Final = 200
_PYTHON: Final = re.compile(r"(?:python|pypy)w?[\d.]*")
_NO_PROGRAM: Final = re.compile(r"-.*|\w+=.*")
# Of ruff, about what a file is called.
_NAMES: Final = frozenset({"N999", "INP001"})


class Lent(Struct, frozen=True):
    """Changes under names that end with `.py` where they are Python; names: lent to real ones."""

    changes: tuple[Change, ...]
    names: dict[str, str]

    def back(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings, of the files as they are called."""
        return tuple(
            replace(each, path=self.names.get(each.path, each.path))
            for each in findings
            if not (each.path in self.names and each.code in _NAMES)
        )


def lent(subject: Subject) -> Lent:
    """The subject's changes, each Python file under a name that ends with `.py`."""
    scripts = [each.path for each in subject.changes if _is_script(each)]
    if not scripts:
        return Lent(subject.changes, {})
    taken = {*subject.paths, *(each.path for each in subject.changes)}
    shown = {path: _free(f"{path}.py", taken) for path in scripts}
    changes = tuple(replace(each, path=shown.get(each.path, each.path)) for each in subject.changes)
    return Lent(changes, {name: path for path, name in shown.items()})


class Named:
    """A check that sees every Python file under a name that ends with `.py`."""

    def __init__(self, check: Check) -> None:
        self.name = check.name
        self.reads = check.reads
        self._check = check

    def judge(self, subject: Subject) -> Result | Steps:
        """See `Check.judge`; its findings are of the files as they are called."""
        shown = lent(subject)
        if not shown.names:
            return self._check.judge(subject)
        judging = self._check.judge(replace(subject, changes=shown.changes))
        if isinstance(judging, Result):
            return _called_back(judging, shown)
        return _stepped(judging, shown)


class Modules:
    """A check by a project's own rules that leaves scripts alone, as the project's tool does."""

    def __init__(self, check: Check) -> None:
        self.name = check.name
        self.reads = check.reads
        self._check = check

    def judge(self, subject: Subject) -> Result | Steps:
        """See `Check.judge`."""
        modules = tuple(each for each in subject.changes if not _is_script(each))
        return self._check.judge(replace(subject, changes=modules))


class Apart:
    """The same, with halfdoor's own rules for scripts."""

    def __init__(self, check: Check) -> None:
        self.name = check.name
        self.reads = check.reads
        self._check = check

    def judge(self, subject: Subject) -> Result | Steps:
        """See `Check.judge`."""
        scripts = tuple(each for each in subject.changes if _is_script(each))
        return self._both(subject, scripts) if scripts else self._check.judge(subject)

    def _both(self, subject: Subject, scripts: tuple[Change, ...]) -> Steps:
        first = yield from _over(Modules(self._check), subject)
        alone = replace(subject, changes=scripts, files={}, settings={})
        return _joined(first, (yield from _over(Named(self._check), alone)))


def _over(check: Check, subject: Subject) -> Steps:
    judging = check.judge(subject)
    return judging if isinstance(judging, Result) else (yield from judging)


def _joined(first: Result, second: Result) -> Result:
    """Failed if one is, else skipped if one is; one that had nothing to judge says nothing."""
    made = [each for each in (first, second) if each.status is not Status.NOT_APPLICABLE] or [first]
    findings = tuple(finding for each in made for finding in each.findings)
    saw = "; ".join(each.saw for each in made)
    if findings:
        return judged(first.check, findings, saw)
    open_ = [each for each in made if each.status is Status.SKIPPED]
    return replace((open_ or made)[0], saw=saw)


def _stepped(steps: Steps, shown: Lent) -> Generator[Run, Ran, Result]:
    return _called_back((yield from steps), shown)


def _called_back(result: Result, shown: Lent) -> Result:
    findings = shown.back(result.findings)
    if result.findings and not findings:
        return judged(result.check, (), result.saw)
    return replace(result, findings=findings)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{name}.py"
    return name


def _is_script(change: Change) -> bool:
    if change.path.endswith(_SUFFIXES):
        return False
    if is_python(change.path):
        return True
    return language_of(change.path) is None and any(
        _runs_python(side) for side in (change.after, change.before) if side
    )


def _runs_python(data: bytes) -> bool:
    """Does its first line name an interpreter of Python?"""
    if not data.startswith(b"#!"):
        return False
    first = data[2:_LINE_BYTES].partition(b"\n")[0].decode("ascii", "replace")
    return any(_PYTHON.fullmatch(each) for each in _programs(first.split()))


def _programs(words: Iterable[str]) -> list[str]:
    """What a first line runs, and what `env` or `uv` runs for it."""
    named = [basename(each) for each in words if not _NO_PROGRAM.fullmatch(each)]
    if named[:1] == ["env"]:
        named = named[1:]
    return ["python"] if named[:2] == ["uv", "run"] else named[:1]
