"""Unified diffs: as `git diff` and `diff -u` write them, tried as `git apply` does."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change
from halfdoor.verify.edits.trying import (
    Ground,
    Place,
    Tried,
    Trouble,
    as_the_file_ends,
    joined,
    lines_of,
    places,
    split,
    stray,
)

_HUNK: Final = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NOWHERE: Final = "/dev/null"
_NO_END: Final = "\\ No newline at end of file"
# Behind a hunk, lines that its head did not count; `-- ` alone is the end of a mailed patch.
_MORE: Final = re.compile(r"[+\\]|-(?!- ?$)")

_MARKS: Final = (
    "old mode ",
    "new mode ",
    "new file mode ",
    "deleted file mode ",
    "rename from ",
    "rename to ",
    "copy from ",
    "copy to ",
    "Binary files ",
    "GIT binary patch",
)
_BINARY: Final = frozenset(_MARKS[8:])
_MOVES: Final = frozenset(_MARKS[4:8])
_LINK: Final = "link"
_NO_FILE: Final = ("120000", "160000")


class Hunk(Struct):
    """line: of the diff, from 1. start: in the file as it was, from 1. had, has: its lines."""

    line: int
    start: int
    had: list[str]
    has: list[str]
    short: int = 0


class Part(Struct):
    """What a diff does to one file; old or new is "" where there is none.

    named: `---` and `+++` were read, after which git's own lines are none. marks: git's own lines
    that were there, by their first words.
    """

    line: int
    old: str
    new: str
    hunks: list[Hunk]
    named: bool = False
    marks: frozenset[str] = frozenset()


def tried(diff: str, ground: Ground) -> Tried:
    """Every file's change, or why there is none."""
    found = list(parts(diff))
    if not found:
        yield Trouble("", 1, "this is no unified diff", "write `---`, `+++` and `@@` lines")
    for part in found:
        yield part if isinstance(part, Trouble) else _applied(part, ground)


def parts(diff: str) -> Iterator[Part | Trouble]:
    """The files of a diff, in order, and lines that look like a part of it and cannot be read."""
    part: Part | None = None
    lines = split(diff)
    at, behind = 0, False
    while at < len(lines):
        line = lines[at].rstrip("\r\n")
        following = lines[at + 1].rstrip("\r\n") if at + 1 < len(lines) else ""
        if part and (begun := _HUNK.match(line)):
            hunk, at = _hunk(lines, at, begun)
            part.hunks.append(hunk)
            behind = True
            continue
        if begins := _begun(part, at + 1, line, following):
            if part and begins is not part:
                yield part
            part = begins
            at += part.named
        elif stray(line) or (behind and _MORE.match(line)):
            yield _unread(part, at + 1, line)
        elif part:
            _header(part, line)
        # A hunk may be followed by blank lines; behind other text it is over.
        behind = behind and not line.strip()
        at += 1
    if part:
        yield part


def _begun(part: Part | None, number: int, line: str, following: str) -> Part | None:
    """The part that these lines begin or name; None when they do neither."""
    if line.startswith("diff --git "):
        return Part(number, *_git_names(line), [])
    if not (line.startswith("--- ") and following.startswith("+++ ")):
        return None
    if part is None or part.named or part.hunks:
        part = Part(number, "", "", [])
    part.old, part.new, part.named = _name(line), _name(following), True
    return part


def _unread(part: Part | None, number: int, line: str) -> Trouble:
    path = (part.new or part.old) if part else ""
    if line.startswith("@@"):
        said = "the head of this hunk cannot be read" if part else "this hunk names no file"
        return Trouble(path, number, said, "write `---`, `+++`, and `@@ -1,2 +1,3 @@` with numbers")
    if _MORE.match(line) and not stray(line):
        said = "the hunk has another number of lines than its head says"
        return Trouble(path, number, said, "count the lines again")
    return Trouble(path, number, "this line belongs to no part of the diff", "write the diff alone")


def _header(part: Part, line: str) -> None:
    """A line of git's own, between `diff --git` and the first hunk."""
    mark = next((each for each in _MARKS if line.startswith(each)), "")
    if not mark or part.named or part.hunks:
        return
    part.marks |= {mark}
    if mark == "new file mode ":
        part.old = ""
    elif mark == "deleted file mode ":
        part.new = ""
    elif mark in {"rename from ", "copy from "}:
        part.old = _unquoted(line.removeprefix(mark))
    elif mark in {"rename to ", "copy to "}:
        part.new = _unquoted(line.removeprefix(mark))
    if "mode" in mark and line.endswith(_NO_FILE):
        part.marks |= {_LINK}


def _hunk(lines: list[str], at: int, begun: "re.Match[str]") -> tuple[Hunk, int]:
    """A hunk and where it ends: after as many lines as its head says."""
    hunk = Hunk(at + 1, int(begun[1]), [], [])
    olds, news = int(begun[2] or 1), int(begun[4] or 1)
    at += 1
    while at < len(lines) and (len(hunk.had) < olds or len(hunk.has) < news):
        mark, text = lines[at][:1], lines[at][1:]
        if mark not in {" ", "+", "-", "\\", "\n", "\r"}:
            break
        if mark in {"\n", "\r"}:  # a blank line of context whose space was lost on the way
            mark, text = " ", lines[at]
        if mark in {" ", "-"}:
            hunk.had.append(text)
        if mark in {" ", "+"}:
            hunk.has.append(text)
        at += 1
        if at < len(lines) and lines[at].startswith(_NO_END[:4]):
            _endless(hunk, mark)
            at += 1
    hunk.short = olds - len(hunk.had) or news - len(hunk.has)
    return hunk, at


def _endless(hunk: Hunk, mark: str) -> None:
    """The line before ends without a line feed."""
    for lines, marks in ((hunk.had, " -"), (hunk.has, " +")):
        if mark in marks and lines:
            lines[-1] = lines[-1].rstrip("\r\n")


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
    if _LINK in part.marks:
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
    done: list[str] = []
    at = 0
    for hunk in part.hunks:
        if hunk.short:
            said = "the hunk has another number of lines than its head says"
            return Trouble(path, hunk.line, said, "count the lines again")
        place = _place(lines, hunk, at)
        if place is None:
            said = f"the lines of this hunk are not in `{path}`"
            return Trouble(path, hunk.line, said)
        done += lines[at:place] + as_the_file_ends(hunk.has, lines)
        at = place + len(hunk.had)
    return joined(done + lines[at:])


def _place(lines: list[str], hunk: Hunk, start: int) -> int | None:
    """Where the hunk belongs: the nearest place to what its head says, behind the last one."""
    if not hunk.had:
        at = hunk.start if lines else 0
        return at if start <= at <= len(lines) else None
    found = places(lines, hunk.had, start)
    return min(found, key=lambda at: abs(at + 1 - hunk.start), default=None)


def _git_names(line: str) -> tuple[str, str]:
    rest = line.removeprefix("diff --git ")
    old, _, new = rest.partition(" b/")
    return old.removeprefix("a/"), new or old.removeprefix("a/")


def _name(line: str) -> str:
    """The path of a `---` or `+++` line, without `a/`, `b/` and a time; "" for none."""
    path = _unquoted(line[4:].partition("\t")[0].strip())
    if path == _NOWHERE:
        return ""
    return path[2:] if path.startswith(("a/", "b/")) else path


def _unquoted(path: str) -> str:
    """As it was before git quoted it: git quotes names that are not plain ASCII."""
    if not (path.startswith('"') and path.endswith('"')):
        return path
    raw = path[1:-1].encode("utf-8").decode("unicode_escape").encode("latin-1", "replace")
    return raw.decode("utf-8", "surrogateescape")
