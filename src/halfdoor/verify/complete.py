"""Is the file whole? Models leave parts out ("rest of the code unchanged") and are cut off."""

import re
from collections.abc import Iterator
from typing import Final

from halfdoor.canon.checks import Change, Finding, Result, Subject
from halfdoor.verify.base import judged
from halfdoor.verify.elided import elided, replaced
from halfdoor.verify.fresh import lines_of, per_file, text
from halfdoor.verify.languages import language_of

NAME: Final = "complete"

_CONFLICT: Final = re.compile(r"^(?:<{7} \S|>{7} \S|={7}$)")
_FENCE: Final = re.compile(r"^\s*(?:```|~~~)\w*\s*$")


class Complete:
    """Nothing left out, nothing cut off, no conflict and no fence left in the text."""

    name = NAME
    reads: tuple[str, ...] = ()

    def judge(self, subject: Subject) -> Result:
        """Looks at every changed text file whose language it knows by name."""
        known = [
            each
            for each in subject.changes
            if language_of(each.path) and b"\0" not in (each.after or b"")[:8192]
        ]
        result = per_file(NAME, known, _found)
        more = tuple(finding for each in known for finding in (*_cut(each), *_replaced(each)))
        return judged(NAME, (*result.findings, *more), result.saw) if more else result


def _found(path: str, text: str) -> Iterator[Finding]:
    lines = lines_of(text)
    if any(line.startswith("<<<<<<< ") for line in lines):
        for number, line in enumerate(lines, 1):
            if _CONFLICT.match(line):
                yield _finding(path, number, "conflict", "a conflict marker is left", "resolve it")
    yield from (_elided(path, number, lines) for number in elided(path, text, lines))
    yield from _fences(path, lines)


def _replaced(change: Change) -> Iterator[Finding]:
    if found := replaced(change):
        lines = lines_of(text(change.after))
        yield from (_elided(change.path, number, lines) for number in found)


def _elided(path: str, number: int, lines: list[str]) -> Finding:
    said = f"a comment stands for code that is left out: `{lines[number - 1].strip()[:80]}`"
    return _finding(path, number, "elided", said, "write the code in full")


def _fences(path: str, lines: list[str]) -> Iterator[Finding]:
    """A Markdown fence that came along with the answer: the first or the last line that says."""
    said = [number for number, line in enumerate(lines, 1) if line.strip()]
    for number in dict.fromkeys(said[:1] + said[-1:]):
        if _FENCE.match(lines[number - 1]):
            hint = "take the fence out: it is no part of the file"
            yield _finding(path, number, "fence", "a Markdown fence stands in the file", hint)


def _cut(change: Change) -> Iterator[Finding]:
    """A rewrite that stops in the middle of a line which went on before."""
    before, after = text(change.before), text(change.after)
    if not before.endswith("\n") or not after or after.endswith("\n"):
        return
    last = after.rpartition("\n")[2]
    if not last.strip() or last in lines_of(before):
        return
    if any(line.startswith(last) for line in lines_of(before)):
        number = after.count("\n") + 1
        said = f"the file ends in the middle of a line: `{last.strip()[:80]}`"
        yield _finding(change.path, number, "cut", said, "write the file to its end")


def _finding(path: str, line: int, code: str, message: str, hint: str) -> Finding:
    return Finding(NAME, path, line, 1, code, message, hint)
