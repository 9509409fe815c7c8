"""Is all that new JavaScript and TypeScript imports there? See `verify/imports.py`."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from posixpath import basename
from typing import Final

from halfdoor.canon.checks import Change, Finding, Subject
from halfdoor.verify.fresh import text
from halfdoor.verify.languages import of_tests
from halfdoor.verify.near import Hints, mistakes
from halfdoor.verify.node.around import NodeAround, package
from halfdoor.verify.node.builtins import is_builtin
from halfdoor.verify.node.files import MANIFESTS
from halfdoor.verify.node.manifests import declared
from halfdoor.verify.node.specifiers import Specifier, specifiers

# What is in quotes; an end of one may begin another, for an apostrophe is a quote as well.
_QUOTED: Final = re.compile(r"""(["'])(?=([^"'\n]+)\1)""")
_HINT: Final = "correct the name, or declare the dependency and lock it"


class Said:
    """Makes findings. check, no_package, no_module: names as the check has them.

    known: packages that an unknown one may have meant.
    """

    def __init__(self, check: str, no_package: str, no_module: str, known: Iterable[str]) -> None:
        self._check = check
        self._no_package = no_package
        self._no_module = no_module
        self._hints = Hints(lambda: known)

    def strange(self, change: Change, around: NodeAround) -> Iterator[Finding]:
        """A finding for each import that the file did not have and that leads nowhere."""
        new = text(change.after)
        read = specifiers(new)
        given = {each.name for each in read if each.declares}
        doubts = [each for each in read if each.name not in given and not each.guarded]
        found = [
            (each, code) for each in doubts if (code := self._fault(change.path, each, around))
        ]
        had = {each.name for each in specifiers(text(change.before))} if found else set()
        had |= _mocked(change.path, new) if found else set()
        for each, code in found:
            if each.name not in had:
                had.add(each.name)
                yield self._finding(change.path, each, code)

    def _fault(self, path: str, each: Specifier, around: NodeAround) -> str:
        """A code, "" when it leads somewhere or nothing here can tell."""
        name = each.name
        if name.startswith("node:"):
            return "" if is_builtin(name) else self._no_module
        if around.lacks_file(path, name):
            return self._no_module
        return "" if around.knows(name) else self._no_package

    def _finding(self, path: str, each: Specifier, code: str) -> Finding:
        if code == self._no_module:
            where = "Node.js" if each.name.startswith("node:") else "this repository"
            said = f"`{each.name}` is no module of {where}"
            return Finding(
                self._check, path, each.line, 1, code, said, "correct the name, or add it"
            )
        name = package(each.name)
        near = self._hints.of(name)
        said = (
            f"`{name}` is neither of Node.js, nor in the repository, declared, locked or installed"
        )
        hint = f"did you mean `{near}`?" if near else _HINT
        return Finding(self._check, path, each.line, 1, code, said, hint, "CWE-829")


def near_misses(subject: Subject, allowed: frozenset[str]) -> Iterator[tuple[Change, str, str]]:
    """(manifest, new dependency, what the project has under almost the same name).

    Raises TooMany.
    """
    before = {each.was or each.path: each.before or b"" for each in subject.changes}
    had = declared({**subject.files, **before})
    new = (
        (change, name)
        for change in (subject.changes if had else ())
        if basename(change.path) in MANIFESTS
        for name in sorted(declared({change.path: change.after or b""}) - had - allowed)
    )
    return mistakes(new, had)


def _mocked(path: str, text: str) -> set[str]:
    """What a test names more than once: it makes itself the module that it imports."""
    if not of_tests(path):
        return set()
    told = Counter(name for _, name in _QUOTED.findall(text))
    return {name for name, times in told.items() if times > 1}
