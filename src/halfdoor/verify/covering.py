"""Which tests a change can have touched: what each of them entered, and what the change altered."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from fnmatch import fnmatch
from posixpath import basename
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change
from halfdoor.verify.altered import altered, among
from halfdoor.verify.fresh import text
from halfdoor.verify.languages import is_python
from halfdoor.verify.pytest_settings import NAMES

_TESTS: Final = ("test_*.py", "*_test.py")
# They hold for every test below them, and no test enters all that they do.
_FOR_ALL: Final = frozenset({"conftest.py", *NAMES})


class Report(Struct):
    """What `watching.PYTEST` says. outcomes: (outcome, line, message) by node.

    broken: what could not be collected, and why. entered: see there. collected: nodes that were
    found and did not run.
    """

    outcomes: dict[str, tuple[str, int, str]]
    broken: dict[str, str]
    functions: list[str] = []
    entered: dict[str, list[int]] = {}
    collected: list[str] = []

    def failed(self) -> dict[str, tuple[str, int, str]]:
        """What failed, or could not be collected, by node."""
        broken = {node: ("broken", 1, said) for node, said in self.broken.items()}
        return {n: o for n, o in self.outcomes.items() if o[0] == "failed"} | broken


def is_test(path: str) -> bool:
    """Does pytest take a file of this name for tests, unless told otherwise?"""
    return any(fnmatch(basename(path), glob) for glob in _TESTS)


def covering(changes: Iterable[Change], report: Report) -> tuple[str, ...] | None:
    """Nodes to run: functions and whole files, sorted; None for the whole suite.

    report: of the whole suite over the files as they were.
    """
    changes = tuple(changes)
    if any(basename(each.path) in _FOR_ALL for each in changes):
        return None
    touched = frozenset(_touched(changes, report.functions))
    touched |= frozenset(among(report.functions, altered(changes)))
    gone = {each.was or each.path for each in changes}
    nodes = {
        node.partition("[")[0]
        for node, entered in report.entered.items()
        if not touched.isdisjoint(entered) and node.partition("::")[0] not in gone
    }
    own = {each.path for each in changes if each.after is not None and is_test(each.path)}
    return tuple(sorted(nodes | own))


def _touched(changes: Iterable[Change], functions: list[str]) -> Iterator[int]:
    """Indices of functions that the change altered."""
    places: dict[str, dict[int, int]] = {}
    for index, place in enumerate(functions):
        path, _, line = place.rpartition(":")
        places.setdefault(path, {})[int(line)] = index
    for change in changes:
        own = places.get(change.was or change.path, {})
        yield from (own[line] for line in _altered(change, own) if line in own)


def _altered(change: Change, known: Mapping[int, int]) -> Iterable[int]:
    """First lines of the functions that were changed; of all, if something outside them was."""
    if not is_python(change.path) or change.before is None or change.after is None:
        return known
    try:
        spans = tuple(_functions(ast.parse(text(change.before))))
    except (SyntaxError, ValueError, RecursionError):
        return known
    found: set[int] = set()
    for first, last in _changed_lines(change):
        inside = [span for span in spans if span[0] <= last and first <= span[1]]
        if not all(any(a <= line <= b for a, b in inside) for line in range(first, last + 1)):
            return known
        found.update(start for start, _ in inside)
    return found


def _functions(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """First and last line of every function, from its first decorator."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            yield first, node.end_lineno or node.lineno


def _changed_lines(change: Change) -> Iterator[tuple[int, int]]:
    """Ranges of lines as they were; of what was only added, the line that it follows."""
    before, after = text(change.before).splitlines(), text(change.after).splitlines()
    for tag, first, last, _, _ in SequenceMatcher(None, before, after).get_opcodes():
        if tag != "equal":
            yield (first + 1, last) if last > first else (max(first, 1), max(first, 1))
