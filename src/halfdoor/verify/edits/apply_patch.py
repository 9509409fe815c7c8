"""The `*** Begin Patch` form that Codex and others write, tried as its tool does.

A chunk is found by its `@@` line, if it has one, then by its lines: exactly, else but for blanks at
their ends. `*** End of File` anchors a chunk at the end.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change
from halfdoor.verify.edits.searched import Searched
from halfdoor.verify.edits.trying import (
    Ground,
    Place,
    Tried,
    Trouble,
    as_the_file_ends,
    joined,
    lines_of,
    split,
    stray,
)

BEGINS: Final = re.compile(r"^[ \t]*\*\*\* Begin Patch[ \t\r]*$", re.MULTILINE)
_BEGIN: Final = "*** Begin Patch"
_END: Final = "*** End Patch"
_ADD: Final = "*** Add File: "
_DELETE: Final = "*** Delete File: "
_UPDATE: Final = "*** Update File: "
_MOVE: Final = "*** Move to: "
_LAST: Final = "*** End of File"


class Chunk(Struct):
    """line: of the patch. anchors: what stood behind `@@`, outermost first."""

    line: int
    anchors: list[str]
    had: list[str]
    has: list[str]
    last: bool = False


class Part(Struct):
    """One file of a patch. kind: its header. chunks: of an update. added: of a new file."""

    kind: str
    path: str
    line: int
    chunks: list[Chunk]
    added: list[str]
    moved: str = ""


def tried(text: str, ground: Ground) -> Tried:
    """Each file's change, or why there is none."""
    found = list(_parts(text))
    if not any(isinstance(each, Part) for each in found):
        found = found or [Trouble("", 1, "there is no file in the patch", f"begin with `{_BEGIN}`")]
    for each in found:
        yield each if isinstance(each, Trouble) else _applied(each, ground)


def _parts(text: str) -> Iterator[Part | Trouble]:
    if not _ended(text):
        yield Trouble("", text.count("\n") + 1, "the patch has no end", f"end it with `{_END}`")
        return
    part: Part | None = None
    begun = ended = False
    for number, line in enumerate(_lines(text), 1):
        if not begun or ended:
            if begun or line.strip() != _BEGIN:
                yield from _outside(number, line)
            begun = begun or line.strip() == _BEGIN
        elif line.strip() == _END:
            ended = True
        elif kind := next((each for each in (_ADD, _DELETE, _UPDATE) if line.startswith(each)), ""):
            if part:
                yield part
            part = Part(kind, line.removeprefix(kind).strip(), number, [], [])
        elif trouble := _taken(part, number, line):
            yield trouble
            return
    if part:
        yield part


def _ended(text: str) -> bool:
    return any(line.strip() == _END for line in _lines(text))


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r\n") for line in split(text)]


def _outside(number: int, line: str) -> Iterator[Trouble]:
    if stray(line):
        yield Trouble("", number, "this line stands outside the patch", "write one patch alone")


def _taken(part: Part | None, number: int, line: str) -> Trouble | None:
    """One more line of a file's part."""
    if part is None or part.kind == _DELETE:
        said = "this line belongs to no file of the patch" if line.strip() else ""
        return Trouble("", number, said, "begin a file with `*** Update File: `") if said else None
    if part.kind == _ADD:
        if line and not line.startswith("+"):
            return Trouble(part.path, number, "a line of a new file must begin with `+`")
        part.added.append(line[1:] + "\n")
    elif line.startswith(_MOVE):
        part.moved = line.removeprefix(_MOVE).strip()
    elif line.strip() == _LAST and part.chunks:
        part.chunks[-1].last = True
    elif line.startswith("@@"):
        _anchor(part, number, line[2:].strip())
    else:
        return _line(part, number, line)
    return None


def _anchor(part: Part, number: int, said: str) -> None:
    """Several `@@` lines in a row lead to one chunk."""
    open_ = part.chunks and not part.chunks[-1].had and not part.chunks[-1].has
    if not open_:
        part.chunks.append(Chunk(number, [], [], []))
    if said:
        part.chunks[-1].anchors.append(said)


def _line(part: Part, number: int, line: str) -> Trouble | None:
    if not part.chunks:
        part.chunks.append(Chunk(number, [], [], []))
    chunk = part.chunks[-1]
    mark, text = line[:1] or " ", line[1:] + "\n"
    if mark not in {" ", "+", "-"}:
        said = "a line of a chunk must begin with a space, `+` or `-`"
        return Trouble(part.path, number, said)
    if mark in {" ", "-"}:
        chunk.had.append(text)
    if mark in {" ", "+"}:
        chunk.has.append(text)
    return None


def _applied(part: Part, ground: Ground) -> Change | Trouble:
    found = ground.both(part.path, part.moved, part.line)
    return found if isinstance(found, Trouble) else _changed(part, *found)


def _changed(part: Part, old: Place, new: Place) -> Change | Trouble:
    if part.kind == _ADD:
        return Change(old.path, old.data, joined(part.added))
    if old.data is None:
        return Trouble(old.path, part.line, f"`{old.path}` does not exist")
    if part.kind == _DELETE:
        return Change(old.path, old.data, None)
    after = _updated(part, lines_of(old.data))
    if isinstance(after, Trouble):
        return after
    return Change(new.path, old.data, after, old.path if new.path != old.path else "")


def _updated(part: Part, lines: list[str]) -> bytes | Trouble:
    if not part.chunks and not part.moved:
        said = "the part changes nothing"
        return Trouble(part.path, part.line, said, "write its lines, or leave it out")
    done: list[str] = []
    at = 0
    if lines and not lines[-1].endswith("\n"):
        lines = [*lines[:-1], lines[-1] + "\n"]
    text = Searched(lines)
    for chunk in part.chunks:
        place = _place(text, chunk, at)
        if isinstance(place, str):
            return Trouble(part.path, chunk.line, f"{place} is not in `{part.path}`")
        done += lines[at:place] + as_the_file_ends(chunk.has, lines)
        at = place + len(chunk.had)
    return joined(done + lines[at:])


def _place(text: Searched, chunk: Chunk, at: int) -> int | str:
    """Where the chunk belongs, or what of it is nowhere."""
    for anchor in chunk.anchors:
        found = text.first([anchor], at, alike=(str.strip,))
        if found is None:
            return f"`{anchor}`"
        at = found + 1
    if not chunk.had:
        return at if chunk.anchors else len(text.lines)
    end = len(text.lines) - len(chunk.had)
    if chunk.last and end >= at and text.stands(chunk.had, end):
        return end
    found = text.first(chunk.had, at)
    return "what the chunk changes" if found is None else found
