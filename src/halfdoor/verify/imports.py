"""Does all that new Python code imports exist? Models invent packages, and some are traps.

In this order: standard library, the repository, declared dependencies, lock files, the project's
own interpreter. What is in none of these fails, whether or not an index was asked.
"""

import json
import re
import sys
from collections.abc import Generator, Iterable, Iterator
from difflib import get_close_matches
from posixpath import dirname
from typing import Final

from halfdoor.canon.checks import Change, Finding, Ran, Result, Run, Subject
from halfdoor.verify.base import Steps, judged, nothing, skipped, unrun
from halfdoor.verify.declared import LOCKS, MANIFESTS, declared, locked, normal
from halfdoor.verify.distributions import DISTRIBUTIONS, NAMESPACES, OTHER_STANDARD
from halfdoor.verify.fresh import counted, text
from halfdoor.verify.imported import Imported, imported
from halfdoor.verify.languages import is_python

NAME: Final = "imports"
NO_PACKAGE: Final = "no-such-package"
NO_MODULE: Final = "no-such-module"
NEAR_MISS: Final = "near-miss"

# Looks for top-level modules only: their packages are not run, but `.pth` files are.
_LOOK: Final = (
    "import importlib.util as u, json, sys\n"
    "print(json.dumps([n for n in sys.argv[1:] if u.find_spec(n) is not None]))\n"
)
# Made when a project is built, and ignored by git.
_MADE: Final = re.compile(
    r"_pb2(?:_grpc)?$|^_?version$|^__version__$|^_generated|_ext$|^_\w*speedups"
)
_NEAR: Final = 0.84
_HINT: Final = "correct the name, or declare the dependency and lock it"


class Imports:
    """allowed: names that are there though nothing says so."""

    name = NAME
    reads: tuple[str, ...] = (*MANIFESTS, *LOCKS)

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(allowed)

    def judge(self, subject: Subject) -> Steps:
        """See `Check.judge`. The interpreter is asked only about names that nothing else knows."""
        changes = [each for each in subject.changes if is_python(each.path) and each.after]
        near = tuple(_near_misses(subject))
        if not changes and not near:
            return nothing(NAME, "no Python changed")
        around = _Around(subject, self._allowed)
        strange = [(change.path, each) for change in changes for each in _strange(change, around)]
        own = tuple(_no_module(path, each) for path, each in strange if around.owns(path, each))
        strange = [(path, each) for path, each in strange if not around.owns(path, each)]
        saw = counted(len(changes), "Python file")
        missing = yield from _asked(subject.python, {each.top for _, each in strange})
        if isinstance(missing, Result):
            return missing
        found = (_no_package(path, each, around) for path, each in strange if each.top in missing)
        return judged(NAME, (*near, *own, *found), saw)


class _Around:
    """What a file of the repository can import without asking anybody."""

    def __init__(self, subject: Subject, allowed: frozenset[str]) -> None:
        files = {**subject.files, **{c.path: c.after for c in subject.changes if c.after}}
        self.declared = declared(files)
        self.locked = locked(files)
        self._allowed = allowed
        self._paths = frozenset(subject.paths)
        self._folders = frozenset(_folders(subject.paths))
        self._roots = _roots(self._paths, self._folders)

    def knows(self, path: str, each: Imported) -> bool:
        """Is it there, as far as the repository can tell?"""
        if each.guarded or (not each.module and each.level):
            return True
        if each.level or self._own(each.top, path):
            return self._whole(path, each)
        top = each.top
        if top in sys.stdlib_module_names or top in OTHER_STANDARD or top in self._allowed:
            return True
        wanted = {normal(name) for name in DISTRIBUTIONS.get(top, (top,))} | {normal(top)}
        known = self.declared | self.locked
        return bool(wanted & known) or (
            top in NAMESPACES and any(name.startswith(f"{top}-") for name in known)
        )

    def owns(self, path: str, each: Imported) -> bool:
        """Is it, or would it be, a module of the repository itself?"""
        return bool(each.level) or self._own(each.top, path)

    def _own(self, top: str, path: str) -> bool:
        beside = f"{dirname(path)}/" if dirname(path) else ""
        return top in self._roots or bool(self._at(beside + top))

    def _whole(self, path: str, each: Imported) -> bool:
        """Is the module there, down to its last name? Made ones are."""
        steps = each.module.replace(".", "/")
        if _MADE.search(each.module.rpartition(".")[2]):
            return True
        if each.level:
            above = dirname(path)
            for _ in range(each.level - 1):
                above = dirname(above)
            return bool(self._at(f"{above}/{steps}" if above else steps))
        starts = {*self._roots.get(each.top, ()), dirname(path)}
        held = [f"{start}/{each.top}" if start else each.top for start in starts]
        # A package that is put together elsewhere, or extends its own path, is not judged.
        packages = [at for at in held if f"{at}/__init__.py" in self._paths]
        if not packages:
            return True
        rest = each.module.partition(".")[2].replace(".", "/")
        return not rest or any(self._at(f"{at}/{rest}") for at in packages)

    def _at(self, module: str) -> bool:
        suffixes = (".py", ".pyi", ".pyx", ".so", ".c", ".cpp", ".rs", ".pyd")
        return module in self._folders or any(module + end in self._paths for end in suffixes)


def _folders(paths: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for path in paths:
        while (path := dirname(path)) and path not in seen:
            seen.add(path)
            yield path


def _roots(paths: frozenset[str], folders: frozenset[str]) -> dict[str, list[str]]:
    """Top-level modules of the repository: the folders, outside any package, that hold them."""
    roots: dict[str, list[str]] = {}
    modules = {path[: path.rindex(".")] for path in paths if path.endswith((".py", ".pyi"))}
    above = {folder for module in modules for folder in _folders([module])} & folders
    for module in modules | above:
        folder, name = dirname(module), module.rpartition("/")[2]
        if f"{folder}/__init__.py" not in paths and name.isidentifier():
            roots.setdefault(name, []).append(folder)
    return roots


def _strange(change: Change, around: _Around) -> list[Imported]:
    """Imports that nothing around knows, and that the file did not have before."""
    after = text(change.after)
    found = [e for e in imported(after) if not around.knows(change.path, e)]
    if found and "test" in change.path:
        found = [each for each in found if not _written(each.top, after)]
    had = {(e.module, e.level) for e in imported(text(change.before))} if found else set()
    return [each for each in found if (each.module, each.level) not in had]


def _written(top: str, text: str) -> bool:
    """Does a test speak of the module in quotes? Then it makes the module that it imports."""
    return bool(re.search(rf"""["'](?:[\w./-]*[./])?{re.escape(top)}(?:[./][\w./-]*)?["']""", text))


def _asked(python: str, names: set[str]) -> Generator[Run, Ran, set[str] | Result]:
    """Those of `names` that the project's interpreter does not find, either."""
    if not names or not python:
        return names
    argv = (python, "-I", "-c", _LOOK, *sorted(names))
    ran = yield Run(argv, "which modules the project's interpreter finds", timeout_s=10.0)
    if trouble := unrun(NAME, ran, "the project's interpreter"):
        said = f"{', '.join(sorted(names))} not found, and {trouble.saw}"
        return skipped(NAME, said)
    try:
        found = set(json.loads(ran.stdout))
    except (ValueError, TypeError):
        return skipped(NAME, f"the project's interpreter ended with {ran.code}")
    return names - found


def _no_module(path: str, each: Imported) -> Finding:
    said = f"`{'.' * each.level}{each.module}` is no module of this repository"
    return Finding(NAME, path, each.line, 1, NO_MODULE, said, "correct the name, or add the module")


def _no_package(path: str, each: Imported, around: _Around) -> Finding:
    said = f"`{each.top}` is neither standard, nor in the repository, declared, locked or installed"
    near = _nearest(each.top, around)
    hint = f"did you mean `{near}`?" if near else _HINT
    return Finding(NAME, path, each.line, 1, NO_PACKAGE, said, hint, "CWE-829")


def _nearest(top: str, around: _Around) -> str:
    """What is there under almost the same name, "" when nothing is."""
    modules = {name for name, known in DISTRIBUTIONS.items() if around.declared & set(known)}
    known = {*around.declared, *modules, *sys.stdlib_module_names}
    return next(iter(get_close_matches(top, sorted(known), 1, _NEAR)), "")


def _near_misses(subject: Subject) -> Iterator[Finding]:
    """New dependencies that are spelt almost like one the project has: a trap, or a slip."""
    for change in subject.changes:
        had = declared({change.path: change.before or b""})
        if not had or not change.after:
            continue
        for name in sorted(declared({change.path: change.after}) - had):
            near = next(iter(get_close_matches(name, sorted(had), 1, _NEAR)), "")
            if near and not _family(name, near):
                line = _line_of(change, name)
                said = f"the new dependency `{name}` is spelt almost like `{near}`"
                hint = "make sure that it is the one you mean"
                yield Finding(NAME, change.path, line, 1, NEAR_MISS, said, hint, "CWE-829")


def _family(one: str, other: str) -> bool:
    """Names that differ by a whole word or a number are kin: `pytest-cov`, `psycopg2`."""
    words, others = set(one.split("-")), set(other.split("-"))
    differing = words ^ others
    if words & others and len(words) != len(others):
        return True
    return {re.sub(r"\d", "", word) for word in words} == {
        re.sub(r"\d", "", word) for word in others
    } or (bool(words & others) and min(map(len, differing), default=0) > 3)


def _line_of(change: Change, name: str) -> int:
    lines = text(change.after).splitlines()
    return next((n for n, line in enumerate(lines, 1) if name in normal(line)), 1)
