"""SEARCH/REPLACE blocks: a path on a line of its own, what is looked for, what replaces it.

Read as Aider and Cline write them: five to nine `<` or dashes before SEARCH, `=` between the
halves, `>` or `+` before REPLACE.
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

BEGINS: Final = re.compile(r"^(?:<{5,9}|-{5,9}) ?SEARCH>?\s*$", re.MULTILINE)
_MIDDLE: Final = re.compile(r"^={5,9}\s*$")
_REPLACE: Final = re.compile(r"^(?:>{5,9}|\+{5,9}) ?REPLACE>?\s*$")
_FENCE: Final = re.compile(r"^\s*(?:```|~~~)\S*\s*$")


# What a block made of a file, so that the next block need not cut it into lines again.
_Done = dict[str, tuple[bytes, Searched]]


class Block(Struct, frozen=True):
    """line: of the SEARCH line, from 1."""

    path: str
    line: int
    had: list[str]
    has: list[str]


def tried(text: str, ground: Ground, path: str = "") -> Tried:
    """Each block's change, or why it does not apply.

    path: the file that blocks without a path are for.
    """
    found = False
    done: _Done = {}
    for block in blocks(text, path):
        found = True
        made = block if isinstance(block, Trouble) else _tried(block, ground, done)
        if made:
            yield made
    if not found:
        yield Trouble("", 1, "there is no SEARCH/REPLACE block", "write `<<<<<<< SEARCH` and so on")


def _tried(block: Block, ground: Ground, done: _Done) -> Change | Trouble | None:
    place = ground.at(block.path, block.line)
    if isinstance(place, Trouble):
        return place
    last = done.get(place.path)
    text = last[1] if last and last[0] is place.data else Searched(lines_of(place.data))
    made = _replaced(block, place, text)
    if isinstance(made, Trouble):
        return made
    after = joined(made.lines)
    done[place.path] = after, made
    return None if after == place.data else Change(place.path, place.data, after)


def blocks(text: str, path: str = "") -> Iterator[Block | Trouble]:
    """The blocks of an answer; a block without a path has the path of the one before."""
    lines = split(text)
    at = 0
    while at < len(lines):
        if not BEGINS.match(lines[at]):
            if stray(lines[at]):
                yield Trouble(path, at + 1, "this line belongs to no block", "write blocks alone")
            at += 1
            continue
        start = at
        path = _path_above(lines, start) or path
        middle = _next(lines, start + 1, _MIDDLE)
        end = _next(lines, middle + 1, _REPLACE)
        if end >= len(lines):
            hint = "end it with `=======` and `>>>>>>> REPLACE`"
            yield Trouble(path, start + 1, "the block has no end", hint)
            return
        if not path:
            yield Trouble(path, start + 1, "the block names no file of the repository",
                          "put its path on the line above")  # fmt: skip
        else:
            yield Block(path, start + 1, lines[start + 1 : middle], lines[middle + 1 : end])
        at = end + 1


def _next(lines: list[str], at: int, mark: "re.Pattern[str]") -> int:
    while at < len(lines) and not mark.match(lines[at]):
        at += 1
    return at


def _path_above(lines: list[str], at: int) -> str:
    """The nearest line above a block that is no fence, if it looks like a path."""
    for line in reversed(lines[max(0, at - 3) : at]):
        if _FENCE.match(line):
            continue
        name = line.strip().strip("`*#: ").strip()
        looks = name and " " not in name and not _REPLACE.match(line)
        return name if looks and ("." in name or "/" in name) else ""
    return ""


def _replaced(block: Block, place: Place, text: Searched) -> Searched | Trouble:
    if not any(line.strip() for line in block.had):
        if place.data:
            said = f"nothing is looked for, and `{place.path}` is not empty"
            return Trouble(place.path, block.line, said, "say which lines are replaced")
        return Searched(block.has)
    if place.data is None:
        return Trouble(place.path, block.line, f"`{place.path}` does not exist")
    at = text.first(block.had)
    if at is None:
        return Trouble(place.path, block.line, f"what is looked for is not in `{place.path}`")
    return text.spliced(at, len(block.had), as_the_file_ends(block.has, text.lines))
