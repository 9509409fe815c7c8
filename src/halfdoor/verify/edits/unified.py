"""Unified diffs: as `git diff` and `diff -u` write them, tried as `git apply` does."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change
from halfdoor.verify.edits.trying import (
    Read,
    Tried,
    Trouble,
    as_the_file_ends,
    joined,
    lines_of,
    outside,
    places,
)

_HUNK: Final = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NOWHERE: Final = "/dev/null"
_NO_END: Final = "\\ No newline at end of file"


class Hunk(Struct):
    """line: of the diff, from 1. start: in the file as it was, from 1. had, has: its lines."""

    line: int
    start: int
    had: list[str]
    has: list[str]
    short: int = 0


class Part(Struct):
    """What a diff does to one file; old or new is "" where there is none."""

    line: int
    old: str
    new: str
    hunks: list[Hunk]
    binary: bool = False


def tried(diff: str, read: Read) -> Tried:
    """Every file's change, or why there is none."""
    found = list(parts(diff))
    if not found:
        yield Trouble("", 1, "this is no unified diff", "write `---`, `+++` and `@@` lines")
    for part in found:
        yield _applied(part, read)


def parts(diff: str) -> Iterator[Part]:
    """The files of a diff, in order."""
    part: Part | None = None
    lines = diff.splitlines(keepends=True)
    at = 0
    while at < len(lines):
        line = lines[at].rstrip("\r\n")
        if line.startswith("diff --git "):
            if part:
                yield part
            part = Part(at + 1, *_git_names(line), [])
        elif line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1][:4] == "+++ ":
            if part is None or part.hunks:
                if part:
                    yield part
                part = Part(at + 1, "", "", [])
            part.old, part.new = _name(line), _name(lines[at + 1].rstrip("\r\n"))
            at += 1
        elif part and (begun := _HUNK.match(line)):
            hunk, at = _hunk(lines, at, begun)
            part.hunks.append(hunk)
            continue
        elif part:
            _header(part, line)
        at += 1
    if part:
        yield part


def _header(part: Part, line: str) -> None:
    for start, side in (("new file mode", "old"), ("deleted file mode", "new")):
        if line.startswith(start):
            setattr(part, side, "")
    if line.startswith("rename from "):
        part.old = _unquoted(line.removeprefix("rename from "))
    elif line.startswith("rename to "):
        part.new = _unquoted(line.removeprefix("rename to "))
    elif line.startswith(("Binary files ", "GIT binary patch")):
        part.binary = True


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


def _applied(part: Part, read: Read) -> Change | Trouble:
    path = part.new or part.old
    if outside(path) or (part.old and outside(part.old)):
        return Trouble(path, part.line, "the path leads out of the repository", "name a file in it")
    before = read(part.old) if part.old else None
    if part.binary:
        return Trouble(path, part.line, "a binary change cannot be read from a diff", "commit it")
    if part.old and before is None:
        return Trouble(path, part.line, f"`{part.old}` does not exist")
    if not part.old and read(part.new) is not None:
        return Trouble(path, part.line, f"`{part.new}` is there already", "change it instead")
    after = _patched(part, lines_of(before))
    if isinstance(after, Trouble):
        return after
    was = part.old if part.new and part.old != part.new else ""
    return Change(path, before, after if part.new else None, was)


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
