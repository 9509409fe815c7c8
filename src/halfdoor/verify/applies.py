"""Would the edit that a model wrote apply to the files as they are?"""

from collections.abc import Callable
from typing import Final

from halfdoor.canon.checks import Change, Edit, Finding, Result, Subject
from halfdoor.verify.base import judged, nothing
from halfdoor.verify.edits import apply_patch, calls, search_replace, unified
from halfdoor.verify.edits.trying import Read, Tried, Trouble
from halfdoor.verify.fresh import counted

NAME: Final = "applies"

FORMS: Final[dict[str, Callable[[str, Read], Tried]]] = {
    "search-replace": search_replace.tried,
    "unified-diff": unified.tried,
    "apply-patch": apply_patch.tried,
    "tool-call": calls.tried,
}


class Applies:
    """Every edit of the subject, against its files, each after the ones before it."""

    name = NAME
    reads: tuple[str, ...] = ()

    def judge(self, subject: Subject) -> Result:
        """See `Check.judge`."""
        if not subject.edits:
            return nothing(NAME, "no edit was given")
        _, troubles = applied(subject.edits, subject.files.get)
        found = tuple(
            Finding(NAME, each.path, each.line, 1, "does-not-apply", each.message, each.hint)
            for each in troubles
        )
        return judged(NAME, found, counted(len(subject.edits), "edit"))


def applied(edits: tuple[Edit, ...], read: Read) -> tuple[tuple[Change, ...], tuple[Trouble, ...]]:
    """The changes that edits make together, in order of path, and why some of them make none."""
    now: dict[str, Change] = {}
    troubles = []
    for edit in edits:
        for each in tried(edit, lambda path: _held(now, read, path)):
            if isinstance(each, Trouble):
                troubles.append(each)
            else:
                _take(now, each)
    return tuple(now[path] for path in sorted(now)), tuple(troubles)


def form_of(text: str) -> str:
    """The form of an edit, by what stands in it."""
    if "*** Begin Patch" in text:
        return "apply-patch"
    if search_replace.BEGINS.search(text):
        return "search-replace"
    return "tool-call" if text.lstrip().startswith("{") else "unified-diff"


def tried(edit: Edit, read: Read) -> Tried:
    """One edit."""
    return FORMS[edit.form](edit.text, read)


def _held(now: dict[str, Change], read: Read, path: str) -> bytes | None:
    if any(each.was == path for each in now.values()) and path not in now:
        return None
    return now[path].after if path in now else read(path)


def _take(now: dict[str, Change], change: Change) -> None:
    """Two changes of one file are one, from what it was first to what it is last."""
    first = now.get(change.was or change.path)
    if change.was:
        now.pop(change.was, None)
    before, was = (first.before, first.was or change.was) if first else (change.before, change.was)
    now[change.path] = Change(change.path, before, change.after, was)
