"""Reading a unified diff: its files and hunks, and lines that look like one and cannot be read."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from halfdoor.verify.edits.trying import Trouble, split, stray

_HUNK: Final = re.compile(r"^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_ESCAPED: Final = re.compile(rb"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)
_LETTERS: Final = dict(zip(b"abtnvfr", range(7, 14), strict=True))
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
LINK: Final = "link"
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
        part.marks |= {LINK}


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
    return _ESCAPED.sub(_byte, path[1:-1].encode("utf-8", "surrogateescape")).decode(
        "utf-8", "surrogateescape"
    )


def _byte(found: "re.Match[bytes]") -> bytes:
    letter = found[2][0] if found[2] else 0
    return bytes([int(found[1], 8) if found[1] else _LETTERS.get(letter, letter)])
