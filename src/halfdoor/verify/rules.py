"""A team's own rules: what must not be imported, what needs a test, what new files look like.

The same for whatever wrote the code: a person, a local model or one in the cloud.
"""

import ast
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change, Finding, Result, Subject
from halfdoor.verify.base import judged, nothing
from halfdoor.verify.fresh import counted, per_file
from halfdoor.verify.languages import is_python
from halfdoor.verify.scripts import lent

NAME: Final = "rules"

Matches = Callable[[str], bool]


class Template(Struct, frozen=True):
    """matches: of paths. lines: each must stand in a new file, in order; `*` is any text."""

    matches: Matches
    lines: tuple[str, ...]


class Rules:
    """forbidden: modules, or names in them. tested: paths that need a test. tests: what is one."""

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(
        self,
        forbidden: Iterable[str] = (),
        tested: Matches | None = None,
        tests: Matches | None = None,
        templates: Iterable[Template] = (),
    ) -> None:
        self._forbidden = frozenset(forbidden)
        self._tested = tested
        self._tests = tests or (lambda _path: False)
        self._templates = tuple(templates)

    def judge(self, subject: Subject) -> Result:
        """See `Check.judge`."""
        if not (self._forbidden or self._tested or self._templates):
            return nothing(NAME, "[gate] has no rules of your own")
        shown = lent(subject)
        python = [each for each in shown.changes if is_python(each.path)]
        uses = per_file(NAME, python, self._uses).findings if self._forbidden else ()
        found = (
            *shown.back(uses),
            *self._untested(subject.changes),
            *self._misshapen(subject.changes),
        )
        return judged(NAME, found, counted(len(subject.changes), "changed file"))

    def _uses(self, path: str, text: str) -> Iterator[Finding]:
        for name, line in _named(text):
            rule = next((each for each in _prefixes(name) if each in self._forbidden), None)
            if rule:
                said = f"`{rule}` must not be used here"
                yield _finding(path, line, "forbidden-import", said, "[gate] forbids it")

    def _untested(self, changes: tuple[Change, ...]) -> Iterator[Finding]:
        """What needs a test has one if the same change touches a test that stays."""
        if self._tested is None or any(self._tests(e.path) for e in changes if e.after is not None):
            return
        for each in changes:
            if each.after != each.before and self._tested(each.path) and not self._tests(each.path):
                said = "this file changed, and no test did"
                yield _finding(each.path, 0, "no-test", said, "change or add a test that covers it")

    def _misshapen(self, changes: tuple[Change, ...]) -> Iterator[Finding]:
        for each in changes:
            if each.before is None and each.after is not None:
                for template in (t for t in self._templates if t.matches(each.path)):
                    lacking = _lacking(template.lines, each.after.decode("utf-8", "replace"))
                    if lacking:
                        said = f"a new file here must have the line `{lacking}`"
                        yield _finding(each.path, 1, "template", said, "add it, in its place")


def _lacking(lines: tuple[str, ...], text: str) -> str:
    """The first line that is not in the text behind the ones before it, "" when all are."""
    rest = iter(text.splitlines())
    for wanted in lines:
        pattern = re.compile(".*".join(map(re.escape, wanted.split("*"))))
        if not any(pattern.fullmatch(line.rstrip()) for line in rest):
            return wanted
    return ""


def _named(text: str) -> Iterator[tuple[str, int]]:
    """Every dotted name that is imported, or used of an imported module, with its line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError):  # `syntax` tells
        return
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                known[each.asname or each.name.partition(".")[0]] = (
                    each.name if each.asname else each.name.partition(".")[0]
                )
                yield each.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                known[each.asname or each.name] = f"{node.module}.{each.name}"
                yield f"{node.module}.{each.name}", node.lineno
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (chain := _chain(node)):
            first, _, rest = chain.partition(".")
            if first in known:
                yield f"{known[first]}.{rest}", node.lineno


def _chain(node: ast.Attribute) -> str:
    """`a.b.c` of an attribute of attributes of a name, "" of anything else."""
    names = [node.attr]
    value: ast.expr = node.value
    while isinstance(value, ast.Attribute):
        names.append(value.attr)
        value = value.value
    return ".".join([value.id, *reversed(names)]) if isinstance(value, ast.Name) else ""


def _prefixes(name: str) -> Iterator[str]:
    """`a.b.c`, `a.b`, `a`."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def _finding(path: str, line: int, code: str, message: str, hint: str) -> Finding:
    return Finding(NAME, path, line, 1 if line else 0, code, message, hint)
