"""Would the edit that a model wrote apply to the files as they are?"""

from collections.abc import Callable, Iterator
from typing import Final

from halfdoor.canon.checks import Barred, Change, Edit, Finding, Result, Stood, Subject
from halfdoor.verify.base import judged, nothing, skipped
from halfdoor.verify.edits import apply_patch, calls, search_replace, unified
from halfdoor.verify.edits.trying import Ground, Read, Tried, Trouble
from halfdoor.verify.fresh import counted

NAME: Final = "applies"

FORMS: Final[dict[str, Callable[[str, Ground], Tried]]] = {
    "search-replace": search_replace.tried,
    "unified-diff": unified.tried,
    "apply-patch": apply_patch.tried,
    "tool-call": calls.tried,
}


class Applies:
    """Every edit of the subject, against what stands at its paths, each after the ones before."""

    name = NAME
    reads: tuple[str, ...] = ()

    def judge(self, subject: Subject) -> Result:
        """See `Check.judge`."""
        if not subject.edits:
            return nothing(NAME, "no edit was given")
        if not any(each.text.strip() for each in subject.edits):
            return skipped(NAME, "there is no edit in what was given")
        _, troubles = applied(subject.edits, lambda path: _standing(subject, path))
        found = tuple(map(_finding, troubles))
        return judged(NAME, found, counted(len(subject.edits), "edit"))


def applied(edits: tuple[Edit, ...], read: Read) -> tuple[tuple[Change, ...], tuple[Trouble, ...]]:
    """The changes that edits make together, in order of path, and why some of them make none."""
    made = _Made(read)
    troubles = []
    for edit in edits:
        for each in tried(edit, Ground(made.stands, edit.roots)):
            if isinstance(each, Trouble):
                troubles.append(each)
            else:
                made.take(each)
    return tuple(made.now[path] for path in sorted(made.now)), tuple(troubles)


def form_of(text: str) -> str:
    """The form of an edit, by what stands in it."""
    begins = text.lstrip()[:1]
    if begins in {"{", "["} and text.rstrip()[-1:] in {"}", "]"}:
        return "tool-call"
    if apply_patch.BEGINS.search(text):
        return "apply-patch"
    if search_replace.BEGINS.search(text):
        return "search-replace"
    return "tool-call" if begins == "{" else "unified-diff"


def tried(edit: Edit, ground: Ground) -> Tried:
    """One edit."""
    return FORMS[edit.form](edit.text, ground)


def _finding(trouble: Trouble) -> Finding:
    # The line is the edit's own: shown beside the path, it would be taken for one of the file.
    said = f"line {trouble.line} of the edit: {trouble.message}"
    return Finding(NAME, trouble.path, 0, 0, "does-not-apply", said, trouble.hint)


def _standing(subject: Subject, path: str) -> Stood:
    # INVARIANT: what nobody looked at is not taken for a file that is not there.
    if path not in subject.stands:
        raise LookupError(f"nobody looked what is at `{path}`")
    return subject.stands[path]


class _Made:
    """What edits made so far, over what was there."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.now: dict[str, Change] = {}
        self._moved: set[str] = set()
        self._folders: set[str] = set()

    def stands(self, path: str) -> Stood:
        if path in self.now:
            return self.now[path].after
        if path in self._moved:
            return None
        if path in self._folders:
            return Barred("is a folder")
        for above in _above(path):
            if above in self.now and self.now[above].after is not None:
                return Barred(f"lies below `{above}`, which is a file")
            if above in self.now or above in self._moved:
                return None  # it was a file, so that nothing lay below it
        return self._read(path)

    def take(self, change: Change) -> None:
        """Two changes of one file are one, from what it was first to what it is last."""
        first = self.now.get(change.was or change.path)
        if change.was:
            self.now.pop(change.was, None)
            self._moved.add(change.was)
        if change.after is not None:
            self._folders.update(_above(change.path))
        before, was = (
            (first.before, first.was or change.was) if first else (change.before, change.was)
        )
        self.now[change.path] = Change(change.path, before, change.after, was)


def _above(path: str) -> Iterator[str]:
    """The folders in which a path lies."""
    return (path[:at] for at, letter in enumerate(path) if letter == "/")
