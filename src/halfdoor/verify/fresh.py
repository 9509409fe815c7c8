"""New findings only: what the files had before the change is not the change's doing.

A finding is known again by its code, its message and the text of its line, wherever in the changed
files that line has moved.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from halfdoor.canon.checks import Change, Finding, Result
from halfdoor.verify.base import judged, nothing

Find = Callable[[str, str], Iterable[Finding]]
_MOST_NAMED: Final = 3
_Key = tuple[str, str, str]
# Messages name lines ("redefinition of `x` from line 12"), and lines move.
_NUMBER: Final = re.compile(r"\b\d+\b")


def per_file(check: str, changes: Iterable[Change], find: Find) -> Result:
    """The result of a check that looks at one file's text at a time, as it is after the change.

    changes: those it judges. find: (path, text) to findings; what was before is asked only where
    something was found.
    """
    judging = [each for each in changes if each.after is not None]
    if not judging:
        return nothing(check, "no file of its kind changed")
    found = [finding for each in judging for finding in find(each.path, text(each.after))]
    if found:
        # What was not there had no fault, and an empty file of many a language has one.
        before = [each for each in changes if each.before is not None]
        had = [finding for each in before for finding in find(each.path, text(each.before))]
        found = list(fresh(changes, had, found))
    return judged(check, tuple(found), counted(len(judging), "file"))


def fresh(
    changes: Iterable[Change], before: Iterable[Finding], after: Iterable[Finding]
) -> Iterator[Finding]:
    """The findings of `after` that are not among those of `before`, each taken off once.

    Both name files by `Change.path`.
    """
    changes = tuple(changes)
    had = Counter(_keys(before, {each.path: text(each.before) for each in changes}))
    after = tuple(after)
    keys = _keys(after, {each.path: text(each.after) for each in changes})
    for finding, key in zip(after, keys, strict=True):
        if had[key]:
            had[key] -= 1
        else:
            yield finding


def text(data: bytes | None) -> str:
    """A file's text; "" for none. What is no UTF-8 is replaced: it is judged, not written back."""
    return data.decode("utf-8-sig", "replace") if data else ""


def lines_of(text: str) -> list[str]:
    """Lines as editors and parsers number them: a form feed ends none."""
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def counted(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: Iterable[str]) -> str:
    """`a, b, c, ...`: the first of them, sorted; enough to know which are meant."""
    names = sorted(names)
    return ", ".join(names[:_MOST_NAMED]) + ", ..." * (len(names) > _MOST_NAMED)


def added(change: Change) -> dict[int, str]:
    """Lines that the file did not have before, by number from 1; those that moved, it had."""
    had = Counter(lines_of(text(change.before)))
    new = {}
    for number, line in enumerate(lines_of(text(change.after)), 1):
        if had[line]:
            had[line] -= 1
        else:
            new[number] = line
    return new


def _keys(findings: Iterable[Finding], texts: dict[str, str]) -> Iterator[_Key]:
    lines = {path: lines_of(text) for path, text in texts.items()}
    for each in findings:
        own = lines.get(each.path, [])
        line = own[each.line - 1].strip() if 0 < each.line <= len(own) else each.path
        yield each.code, _NUMBER.sub("#", each.message), line
