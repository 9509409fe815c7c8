"""Tests that passed and no longer run, though they entered what the change altered.

Such a test may be the one that the change fails: gone, skipped or left out by a `conftest.py`, it
says nothing, and nothing is no pass. A test may go with the code that it entered, and in a change
that alters none of it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from halfdoor.canon.checks import Change, Finding
from halfdoor.verify.altered import altered, among
from halfdoor.verify.covering import Report

GONE: Final = "test-gone"
SKIPPED: Final = "test-skipped"
_HINT: Final = (
    "let it run; take a test away with the code that it is for, or in a change of its own"
)


class Lost(NamedTuple):
    """others: how many more no longer run, which entered nothing that the change altered."""

    findings: tuple[Finding, ...]
    others: int


def lost(
    check: str,
    before: Report,
    after: Report,
    changes: Iterable[Change],
    tests: Callable[[str], bool],
    *,
    whole: bool,
) -> Lost:
    """tests: is a path's code there to test, so that nothing need enter it?

    whole: did the whole suite run, so that `others` need not be in a file that changed?
    """
    changes = tuple(changes)
    spans = {path: found for path, found in altered(changes).items() if not tests(path)}
    watched = frozenset(among(before.functions, spans))
    now = _Now(check, after, changes)
    own = {each.was or each.path for each in changes}
    found: list[Finding] = []
    others = 0
    for node, entered in before.entered.items():
        if before.outcomes.get(node, ("",))[0] != "passed":
            continue
        if not watched.isdisjoint(entered):
            found += now.missing(node)
        elif whole or node.partition("::")[0] in own:
            others += len(tuple(now.missing(node)))
    return Lost(tuple(found), others)


class _Now:
    """Which tests ran after the change, by the names that they had before it."""

    def __init__(self, check: str, after: Report, changes: tuple[Change, ...]) -> None:
        self._check = check
        self._after = after
        self._moved = {each.was: each.path for each in changes if each.was}
        ran = {_function(node) for node, said in after.outcomes.items() if said[0] != "skipped"}
        self._ran = ran
        # A test may move from one changed file to another.
        own = {each.path for each in changes}
        self._anywhere = {node.partition("::")[2] for node in ran if node.partition("::")[0] in own}

    def missing(self, was: str) -> Iterator[Finding]:
        path, _, rest = was.partition("::")
        path = self._moved.get(path, path)
        node = f"{path}::{rest}"
        said = self._after.outcomes.get(node)
        if said and said[0] == "skipped":
            text = f"`{node}` passed before and is skipped; {_ENTERED}"
            yield Finding(self._check, path, said[1], 1, SKIPPED, text, _HINT)
        elif not said and not self._accounted(path, node):
            text = f"`{node}` passed before and no longer runs; {_ENTERED}"
            yield Finding(self._check, path, 0, 0, GONE, text, _HINT)

    def _accounted(self, path: str, node: str) -> bool:
        """Is it told otherwise, or does it run with other parameters or in another file?"""
        if any(path == each or each.startswith(f"{path}::") for each in self._after.broken):
            return True
        name = _function(node)
        return node not in self._after.collected and (
            name in self._ran or name.partition("::")[2] in self._anywhere
        )


_ENTERED: Final = "it entered what the change altered"


def _function(node: str) -> str:
    return node.partition("[")[0]
