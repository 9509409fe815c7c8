"""New type errors only: by the checker that the project has settings of, else by ty, else by mypy.

A checker that a project was not written for finds fault with much that is right: of twelve releases
of well-known packages, ty refused seven. So without settings of ty nothing is judged unless asked.
Both read the whole tree, after the change and before it, in the sandbox: a project's settings may
name plugins of its own, which are its code. Both trees get the settings by which `[gate]` judges.
"""

import re
from collections.abc import Generator, Iterator
from posixpath import basename, dirname
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.checks import MIB, Change, Finding, Limits, Ran, Result, Run, Subject
from halfdoor.verify.base import Steps, judged, nothing, skipped, unrun
from halfdoor.verify.extra import Found, told, without
from halfdoor.verify.fresh import counted, fresh
from halfdoor.verify.languages import is_python
from halfdoor.verify.settled import rewritten, settled

NAME: Final = "types"
_LIMITS: Final = Limits(cpu_s=300, memory_bytes=4096 * MIB, file_bytes=256 * MIB)
_TIMEOUT_S: Final = 180.0
# What is not installed in the sandbox's view is `imports`' to judge.
_NO_IMPORT: Final = frozenset({"unresolved-import", "import-not-found", "import-untyped"})
_MYPY: Final = re.compile(
    r"^(?P<path>[^:\n]+):(?P<line>\d+):(?:(?P<column>\d+):)? error: (?P<said>.*?)"
    r"(?:  \[(?P<code>[\w-]+)\])?$",
    re.MULTILINE,
)
# Files, and what stands in one that holds settings.
_TY: Final = (("ty.toml", b""), ("pyproject.toml", b"[tool.ty"))
_MYPY_SETTINGS: Final = (
    ("mypy.ini", b""),
    (".mypy.ini", b""),
    ("pyproject.toml", b"[tool.mypy"),
    ("setup.cfg", b"[mypy"),
)
_ROOT: Final = ("pyproject.toml", "ty.toml", "mypy.ini", ".mypy.ini", "setup.cfg")
# Lies in any folder, and ty passes over what it names.
_IGNORE: Final = ".ignore"
_SEVERE: Final = frozenset({"major", "critical", "blocker"})
# 0: nothing found; 1: something was. Anything else is a tool that did not do its work.
_DONE: Final = frozenset({0, 1})


class _Begin(Struct, frozen=True):
    line: int = 0
    column: int = 0


class _Positions(Struct, frozen=True):
    begin: _Begin = _Begin()


class _Where(Struct, frozen=True):
    path: str
    positions: _Positions = _Positions()


class _Said(Struct, frozen=True):
    """One finding of ty, as GitLab wants it: the only form of its JSON."""

    check_name: str
    description: str
    location: _Where
    severity: str = ""


_SAID: Final = msgspec.json.Decoder(list[_Said])


class Types:
    """asked: must it judge? mypy, which is slow, is tried only then."""

    name = NAME
    reads: tuple[str, ...] = (*_ROOT, _IGNORE)

    def __init__(self, *, asked: bool) -> None:
        self._asked = asked

    def judge(self, subject: Subject) -> Result | Steps:
        """See `Check.judge`."""
        changes = [each for each in subject.changes if is_python(each.path)]
        if not any(each.after for each in changes):
            return nothing(NAME, "no Python changed")
        if not (self._asked or _has(subject, _TY)):
            return nothing(NAME, "no settings of ty, and `ask` in [gate] does not name it")
        if not subject.tree:
            return skipped(NAME, "there is no tree to read the types of")
        return self._judge(subject, changes)

    def _judge(self, subject: Subject, changes: list[Change]) -> Steps:
        tool = "ty"
        found = None
        if _has(subject, _TY) or not _has(subject, _MYPY_SETTINGS):
            found = yield from self._ty(subject, subject.tree)
        if found is None:
            tool = "mypy"
            found = yield from _mypy(subject, changes, after=True)
        if not found or isinstance(found, Result):
            return found if isinstance(found, Result) else judged(NAME, (), _saw(subject, tool))
        had = yield from self._before(subject, changes, tool)
        if isinstance(had, Result):
            return had
        moved = {each.was: each.path for each in changes if each.was}
        had = tuple(replace(each, path=moved.get(each.path, each.path)) for each in had)
        return judged(NAME, tuple(fresh(changes, had, found)), _saw(subject, tool))

    def _before(
        self, subject: Subject, changes: list[Change], tool: str
    ) -> Generator[Run, Ran, Found | Result]:
        """What there was already; code that is not the change's answers for itself."""
        if not subject.base:
            return skipped(NAME, "without the files as they were, no error can be called new")
        if tool == "ty":
            found = yield from self._ty(subject, subject.base)
            return () if found is None else found
        return (yield from _mypy(subject, changes, after=False))

    def _ty(self, subject: Subject, tree: str) -> Generator[Run, Ran, Found | Result | None]:
        """None when it is not installed and mypy is to be tried."""
        python = ("--python", _environment(subject)) if subject.python else ()
        argv = ("ty", "check", "--output-format", "gitlab", "--no-progress", *python)
        ran = yield _run(argv, subject, tree)
        if ran.absent and self._asked:
            return None
        if trouble := without(NAME, ran, "ty", asked=self._asked):
            return trouble
        try:
            said = _SAID.decode(ran.stdout)
        except msgspec.DecodeError:
            return told(NAME, ran, "ty")
        if ran.code not in _DONE:
            return told(NAME, ran, "ty")
        return tuple(_finding(each) for each in said if _counts(each))


def _has(subject: Subject, settings: tuple[tuple[str, bytes], ...]) -> bool:
    """Does the project's root hold settings of a tool?"""
    return any(
        mark in subject.settings.get(path, b"")
        for path, mark in settings
        if path in subject.settings
    )


def _mypy(
    subject: Subject, changes: list[Change], *, after: bool
) -> Generator[Run, Ran, Found | Result]:
    if not subject.python:
        return skipped(NAME, "the project has no interpreter of its own to run mypy with")
    paths = [each.path if after else each.was or each.path for each in changes
             if (each.after if after else each.before) is not None]  # fmt: skip
    if not paths:
        return ()
    options = ("--no-error-summary", "--no-pretty", "--show-column-numbers", "--hide-error-context")
    argv = (subject.python, "-m", "mypy", *options, "--cache-dir", "/dev/null", "--", *paths)
    ran = yield _run(argv, subject, subject.tree if after else subject.base)
    if trouble := unrun(NAME, ran, "mypy"):
        return trouble
    if ran.code not in _DONE or b"No module named mypy" in ran.stderr:
        return told(NAME, ran, "mypy")
    return tuple(_matched(ran.stdout.decode("utf-8", "replace")))


def _run(argv: tuple[str, ...], subject: Subject, tree: str) -> Run:
    run = Run(
        argv,
        "the types of a change",
        tree=tree,
        at=subject.root or subject.tree,
        visible=(_environment(subject),) if subject.python else (),
        timeout_s=_TIMEOUT_S,
        limits=_LIMITS,
    )
    return settled(run, subject, _settings(subject))


def _environment(subject: Subject) -> str:
    """The folder of the project's interpreter, which the tree before the change has not."""
    return dirname(dirname(subject.python))


def _settings(subject: Subject) -> Iterator[str]:
    """Files of the trees that tell ty or mypy what to find."""
    yield from _ROOT
    for each in subject.changes:
        yield from (path for path in (each.path, each.was) if basename(path) == _IGNORE)


def _counts(each: _Said) -> bool:
    """Warnings of ty are `minor`."""
    return each.severity in _SEVERE and each.check_name not in _NO_IMPORT


def _finding(each: _Said) -> Finding:
    begin = each.location.positions.begin
    message = each.description.removeprefix(f"{each.check_name}: ")
    return Finding(NAME, each.location.path, begin.line, begin.column, each.check_name, message)


def _matched(said: str) -> Found:
    return tuple(
        Finding(NAME, m["path"], int(m["line"]), int(m["column"] or 0), m["code"] or "", m["said"])
        for m in _MYPY.finditer(said)
        if m["code"] not in _NO_IMPORT
    )


def _saw(subject: Subject, tool: str) -> str:
    count = sum(each.after is not None and is_python(each.path) for each in subject.changes)
    said = rewritten(subject, _settings(subject))
    return f"{counted(count, 'Python file')}, by {tool}" + (f"; {said}" if said else "")
