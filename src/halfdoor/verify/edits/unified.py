"""Unified diffs: as `git diff` and `diff -u` write them, tried as `git apply` does."""

from typing import Final

from halfdoor.canon.checks import Change
from halfdoor.verify.edits.diffs import LINK, Hunk, Part, parts
from halfdoor.verify.edits.searched import Searched
from halfdoor.verify.edits.trying import (
    Ground,
    Place,
    Tried,
    Trouble,
    as_the_file_ends,
    joined,
    lines_of,
)

_BINARY: Final = frozenset({"Binary files ", "GIT binary patch"})
_MOVES: Final = frozenset({"rename from ", "rename to ", "copy from ", "copy to "})


def tried(diff: str, ground: Ground) -> Tried:
    """Every file's change, or why there is none."""
    found = list(parts(diff))
    if not found:
        yield Trouble("", 1, "this is no unified diff", "write `---`, `+++` and `@@` lines")
    for part in found:
        yield part if isinstance(part, Trouble) else _applied(part, ground)


def _applied(part: Part, ground: Ground) -> Change | Trouble:
    found = ground.both(part.old, part.new, part.line)
    if isinstance(found, Trouble):
        return found
    old, new = found
    moved = old.path != new.path
    if why := _unreadable(part, moved=moved) or _unfit(part, old, new):
        return Trouble(new.path, part.line, *why)
    after = _patched(part, lines_of(old.data))
    if isinstance(after, Trouble):
        return after
    if part.new:
        copied = "copy to " in part.marks
        was = old.path if moved and not copied else ""
        return Change(new.path, None if copied else old.data, after, was)
    if after:
        said = "the file is taken away, but lines of it are left"
        return Trouble(old.path, part.line, said, "take all of its lines away")
    return Change(old.path, old.data, None)


def _unreadable(part: Part, *, moved: bool) -> tuple[str, str] | None:
    """Why what a part says cannot be judged from it, and what would help."""
    if not _BINARY.isdisjoint(part.marks):
        return "a binary change cannot be read from a diff", "commit it"
    if LINK in part.marks:
        return "a link or a submodule cannot be judged from a diff", "commit it"
    if not part.hunks and (part.named or not part.marks):
        return "the file has no hunk", "write `@@ -1,2 +1,3 @@` and the lines, or leave it out"
    if moved and _MOVES.isdisjoint(part.marks):
        return "the part names two files", "name one, or write `rename from` and `rename to`"
    return None


def _unfit(part: Part, old: Place, new: Place) -> tuple[str, str] | None:
    """Why a part does not fit what is there, and what would help."""
    if part.old and old.data is None:
        return f"`{old.path}` does not exist", "read the files again and write the edit anew"
    if new.data is not None and (not part.old or (part.new and old.path != new.path)):
        return f"`{new.path}` is there already", "change it instead"
    return None


def _patched(part: Part, lines: list[str]) -> bytes | Trouble:
    path = part.new or part.old
    text = Searched(lines)
    done: list[str] = []
    at = 0
    for hunk in part.hunks:
        if hunk.short:
            said = "the hunk has another number of lines than its head says"
            return Trouble(path, hunk.line, said, "count the lines again")
        place = _place(text, hunk, at)
        if place is None:
            said = f"the lines of this hunk are not in `{path}`"
            return Trouble(path, hunk.line, said)
        done += lines[at:place] + as_the_file_ends(hunk.has, lines)
        at = place + len(hunk.had)
    return joined(done + lines[at:])


def _place(text: Searched, hunk: Hunk, start: int) -> int | None:
    """Where the hunk belongs: the nearest place to what its head says, behind the last one."""
    if not hunk.had:
        at = hunk.start if text.lines else 0
        return at if start <= at <= len(text.lines) else None
    return text.nearest(hunk.had, start, hunk.start - 1)
