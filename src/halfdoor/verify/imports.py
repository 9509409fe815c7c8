"""Does all that new code imports exist? Models invent packages, and some of those names are traps.

Python here, JavaScript and TypeScript by `node/`. In this order: what the language brings, the
repository, declared dependencies, lock files, what is installed for the project. What is in none of
these fails, whether or not an index was asked.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from typing import Final

from halfdoor.canon.checks import Change, Finding, Ran, Result, Run, Status, Subject
from halfdoor.verify import interpreter, standard
from halfdoor.verify.around import Around
from halfdoor.verify.base import Steps, judged, nothing, skipped
from halfdoor.verify.declared import LOCKS, MANIFESTS, declared, normal
from halfdoor.verify.distributions import DISTRIBUTIONS
from halfdoor.verify.fresh import counted, text
from halfdoor.verify.gone import Broken, broken, gone
from halfdoor.verify.imported import Imported, imported
from halfdoor.verify.lacking import lacking
from halfdoor.verify.languages import is_python, of_tests
from halfdoor.verify.near import Hints, TooMany, mistakes
from halfdoor.verify.node import files

NAME: Final = "imports"
NO_PACKAGE: Final = "no-such-package"
NO_MODULE: Final = "no-such-module"
NO_NAME: Final = "no-such-name"
GONE: Final = "gone"
NEAR_MISS: Final = "near-miss"

# What is in quotes; an end of one may begin another, for an apostrophe is a quote as well.
_QUOTED: Final = re.compile(r"""["']([\w./-]++)(?=["'])""")
_STEP: Final = re.compile(r"[./]")

_NEAR_HINT: Final = "make sure that it is the one you mean, and name it in `allow_imports`"
_HINT: Final = "correct the name, or declare the dependency and lock it"

# Where something is imported.
_Doubts = list[tuple[str, Imported]]
_Judging = Generator[Run, Ran, tuple[Finding, ...] | Result]


class Imports:
    """allowed: names that are there though nothing says so."""

    name = NAME
    reads: tuple[str, ...] = (*MANIFESTS, *LOCKS, *files.READS)

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(allowed)

    def judge(self, subject: Subject) -> Steps:
        """See `Check.judge`."""
        try:
            python = yield from self._python(subject)
            script = self._node(subject)
        except TooMany as error:
            return skipped(NAME, str(error))
        made = [each for each in (python, script) if each.status is not Status.NOT_APPLICABLE]
        if len(made) != 2:
            return made[0] if made else nothing(NAME, "no Python, JavaScript or TypeScript changed")
        for each, other in ((python, script), (script, python)):
            if each.status is Status.SKIPPED and not other.findings:
                return each
        saw = f"{python.saw}; {script.saw}"
        return judged(NAME, (*python.findings, *script.findings), saw)

    def _node(self, subject: Subject) -> Result:
        changes = [each for each in subject.changes if files.judges(each)]
        if not changes and not any(map(files.declares, subject.changes)):
            return nothing(NAME, "no JavaScript changed")
        from halfdoor.verify.node import imports as node  # noqa: PLC0415  see `node/files.py`
        from halfdoor.verify.node.around import NodeAround  # noqa: PLC0415  the same
        from halfdoor.verify.node.manifests import too_large  # noqa: PLC0415  the same

        if why := too_large(_texts(subject)):
            return skipped(NAME, why)
        near = [_near_miss(*each) for each in node.near_misses(subject, self._allowed)]
        if not changes and not near:
            return nothing(NAME, "no JavaScript changed")
        around = NodeAround(subject, self._allowed)
        said = node.Said(NAME, NO_PACKAGE, NO_MODULE, around.declared)
        found = [one for each in changes for one in said.strange(each, around)]
        return judged(NAME, (*near, *found), counted(len(changes), "JavaScript or TypeScript file"))

    def _python(self, subject: Subject) -> Steps:
        """The interpreter is asked only about names that nothing else knows."""
        changes = [each for each in subject.changes if is_python(each.path) and each.after]
        near = _near_misses(subject, self._allowed)
        lost = gone(subject.changes)
        if not (changes or near or lost):
            return nothing(NAME, "no Python changed")
        around = Around(subject, self._allowed)
        left = [_left(each) for each in broken(subject, lost, around.knows)] if lost else []
        told = {(each.path, each.line) for each in left}
        left += [
            _no_name(*each) for each in lacking(subject) if (each[0], each[1].line) not in told
        ]
        ask = bool(subject.python)
        doubts = [(e.path, one) for e in changes for one in _doubted(e, around, ask=ask)]
        own = tuple(_no_module(path, one) for path, one in doubts if around.owns(path, one))
        foreign = [(path, one) for path, one in doubts if not around.owns(path, one)]
        inner = [(path, one) for path, one in foreign if around.knows(path, one)]
        strange = [(path, one) for path, one in foreign if not around.knows(path, one)]
        found = yield from _judged(subject.python, strange, inner, around)
        if isinstance(found, Result):
            return found
        if subject.unasked and not (near or own or found or left):
            return skipped(NAME, subject.unasked)
        own = tuple(each for each in own if (each.path, each.line) not in told)
        return judged(NAME, (*near, *own, *left, *found), counted(len(changes), "Python file"))


def _texts(subject: Subject) -> Iterator[tuple[str, bytes]]:
    """All that may be read of the repository, before and after the change."""
    yield from subject.files.items()
    for each in subject.changes:
        yield each.path, each.after or b""
        yield each.was or each.path, each.before or b""


def _doubted(change: Change, around: Around, *, ask: bool) -> list[Imported]:
    """Imports that nothing around vouches for, and that the file did not have before.

    ask: is there an interpreter that can tell what others' packages hold?
    """
    after = text(change.after)
    found = [each for each in imported(after) if _open(change.path, each, around, ask=ask)]
    if found and of_tests(change.path):
        written = _written(after)
        found = [each for each in found if each.top not in written]
    had = {(e.module, e.level) for e in imported(text(change.before))} if found else set()
    return [each for each in found if (each.module, each.level) not in had]


def _open(path: str, each: Imported, around: Around, *, ask: bool) -> bool:
    if not around.knows(path, each):
        return True
    if not around.leaves_open(path, each):
        return False
    return not standard.has(each.module) if standard.is_standard(each.top) else ask


def _written(text: str) -> set[str]:
    """Names that a test speaks of in quotes: it makes the modules that it imports."""
    return {name for said in _QUOTED.findall(text) for name in _STEP.split(said)}


def _judged(python: str, strange: _Doubts, inner: _Doubts, around: Around) -> _Judging:
    """What of these is nowhere, by the project's interpreter if it has one."""
    said: interpreter.Answers | Result = {}
    if python:
        modules = [one.module for _, one in (*strange, *inner)]
        said = yield from interpreter.asked(NAME, python, modules)
    if isinstance(said, Result):
        return said
    hints = Hints(lambda: _importable(around))
    unknown = tuple(
        _no_package(path, one, hints.of(one.top))
        for path, one in strange
        if said.get(one.module) is None
    )
    lacking = tuple(
        _no_inner(path, one)
        for path, one in (*strange, *inner)
        if said.get(one.module, not standard.is_standard(one.top)) is False
    )
    return (*unknown, *lacking)


def _no_module(path: str, each: Imported) -> Finding:
    said = f"`{'.' * each.level}{each.module}` is no module of this repository"
    return Finding(NAME, path, each.line, 1, NO_MODULE, said, "correct the name, or add the module")


def _no_name(path: str, each: Imported, name: str) -> Finding:
    said = f"`{'.' * each.level}{each.module}` is of this repository and has no `{name}`"
    hint = "correct the name, or add it there"
    return Finding(NAME, path, each.line, 1, NO_NAME, said, hint)


def _left(each: Broken) -> Finding:
    name = f"{each.module}.{each.name}".replace("..", ".") if each.name else each.module
    said = f"`{name}` is imported here, and the change took it away"
    hint = "import it from where it is now, or keep it"
    return Finding(NAME, each.path, each.line, 1, GONE, said, hint)


def _no_inner(path: str, each: Imported) -> Finding:
    said = f"`{each.top}` is there, and has no module `{each.module}`"
    hint = "correct the name; if another version has it, install that one"
    return Finding(NAME, path, each.line, 1, NO_MODULE, said, hint, "CWE-829")


def _no_package(path: str, each: Imported, near: str) -> Finding:
    said = f"`{each.top}` is neither standard, nor in the repository, declared, locked or installed"
    hint = f"did you mean `{near}`?" if near else _HINT
    return Finding(NAME, path, each.line, 1, NO_PACKAGE, said, hint, "CWE-829")


def _importable(around: Around) -> set[str]:
    modules = {name for name, known in DISTRIBUTIONS.items() if around.declared & set(known)}
    return {*around.declared, *modules, *standard.NAMES}


def _near_misses(subject: Subject, allowed: frozenset[str]) -> tuple[Finding, ...]:
    """New dependencies that are spelt almost like one the project has: a trap, or a slip."""
    before = {each.was or each.path: each.before or b"" for each in subject.changes}
    had = declared({**subject.files, **before})
    new = (
        (change, name)
        for change in (subject.changes if had else ())
        for name in sorted(declared({change.path: change.after or b""}) - had - allowed)
    )
    return tuple(_near_miss(*each) for each in mistakes(new, had))


def _near_miss(change: Change, name: str, near: str) -> Finding:
    said = f"the new dependency `{name}` is spelt almost like `{near}`"
    place = (change.path, _line_of(change, name), 1)
    return Finding(NAME, *place, NEAR_MISS, said, _NEAR_HINT, "CWE-829")


def _line_of(change: Change, name: str) -> int:
    lines = text(change.after).splitlines()
    return next((n for n, line in enumerate(lines, 1) if name in line or name in normal(line)), 1)
