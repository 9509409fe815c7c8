"""A team's own rules: what must not be imported, what needs a test, what new files look like.

The same for whatever wrote the code: a person, a local model or one in the cloud.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change, Finding, Result, Subject
from halfdoor.reading.globs import matcher
from halfdoor.verify.base import Steps, judged, nothing
from halfdoor.verify.forbidden import Forbidden, Uses
from halfdoor.verify.fresh import counted
from halfdoor.verify.languages import is_program
from halfdoor.verify.scripts import lent

NAME: Final = "rules"

Matches = Callable[[str], bool]


class Template(Struct, frozen=True):
    """matches: of paths. lines: each must stand in a new file, in order; `*` is any text."""

    matches: Matches
    lines: tuple[str, ...]


def is_test(globs: Iterable[str]) -> Matches:
    """What counts as a test. A glob that does not say how names end means programs only.

    Other files in a folder of tests (notes, data) test nothing by themselves.
    """
    globs = tuple(globs)
    open_, closed = (matcher([each for each in globs if each.endswith("*") is ends])
                     for ends in (True, False))  # fmt: skip
    return lambda path: closed(path) or (open_(path) and is_program(path))


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
        names = frozenset(forbidden)
        self._forbidden = Forbidden(NAME, names) if names else None
        self._tested = tested
        self._tests = tests or (lambda _path: False)
        self._templates = tuple(templates)

    def judge(self, subject: Subject) -> Steps:
        """See `Check.judge`."""
        if not (self._forbidden or self._tested or self._templates):
            return nothing(NAME, "[gate] has no rules of your own")
        shown = lent(subject)
        uses = (yield from self._forbidden.brought(shown.changes)) if self._forbidden else Uses()
        if isinstance(uses, Result):
            return uses
        found = (
            *shown.back(uses.findings),
            *self._untested(subject.changes),
            *self._misshapen(subject.changes),
        )
        saw = counted(len(subject.changes), "changed file")
        unread = f"; no Python, and not searched: {', '.join(uses.unread)}" * bool(uses.unread)
        return judged(NAME, found, saw + unread)

    def _untested(self, changes: tuple[Change, ...]) -> Iterator[Finding]:
        """What needs a test has one if the same change touches a test that stays."""
        if self._tested is None or any(map(self._touches_a_test, changes)):
            return
        for each in changes:
            if each.after != each.before and self._tested(each.path) and not self._tests(each.path):
                said = "this file changed, and no test did"
                yield _finding(each.path, 0, "no-test", said, "change or add a test that covers it")

    def _touches_a_test(self, change: Change) -> bool:
        """Is there a test after the change that has other text than before?"""
        text = (change.after or b"").strip()
        return bool(text) and change.after != change.before and self._tests(change.path)

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
        if not any(_follows(line.rstrip(), wanted.split("*")) for line in rest):
            return wanted
    return ""


def _follows(line: str, parts: list[str]) -> bool:
    """Do these make up the line, with anything between them? Looks at it once."""
    first, *inner = parts
    last = inner.pop() if inner else None
    if last is None or not line.startswith(first):
        return line == first
    at = len(first)
    for part in inner:
        at = line.find(part, at) + len(part)
        if at < len(part):
            return False
    return line.endswith(last) and at + len(last) <= len(line)


def _finding(path: str, line: int, code: str, message: str, hint: str) -> Finding:
    return Finding(NAME, path, line, 1 if line else 0, code, message, hint)
