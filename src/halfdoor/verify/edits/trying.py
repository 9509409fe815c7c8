"""What trying an edit gives, where an edit may write, and how its text is cut into lines."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Barred, Change, Stood

_BEGINS: Final = re.compile(
    r"diff --git |(?:---|\+\+\+) \S|@@|(?:<{5,9}|-{5,9}) ?SEARCH"
    r"|\*\*\* (?:Begin Patch|(?:Add|Delete|Update) File: )"
)

Read = Callable[[str], Stood]


class Trouble(Struct, frozen=True):
    """Why an edit, or a part of it, does not apply. line: of the edit's own text, from 1."""

    path: str
    line: int
    message: str
    hint: str = "read the file again and write the edit anew"


Tried = Iterator[Change | Trouble]


class Place(Struct, frozen=True):
    """Where an edit may write. path: from the repository's root. data: None for no file yet."""

    path: str
    data: bytes | None


class Ground(Struct, frozen=True):
    """What edits stand on. read: asked for paths from the root alone. roots: as in `Edit`."""

    read: Read
    roots: tuple[str, ...] = ()

    def at(self, path: str, line: int) -> Place | Trouble:
        """What is at a path that an edit names, or why no edit may touch it.

        INVARIANT: every path of every form of edit comes through here.
        """
        found = named(path, self.roots)
        if found is None:
            said = "the path leads out of the repository, or to no file of it"
            return Trouble(path, line, said, "name a file in it")
        held = self.read(found)
        if isinstance(held, Barred):
            return Trouble(found, line, f"`{found}` {held.why}", "name a plain file")
        return Place(found, held)

    def both(self, path: str, other: str, line: int) -> tuple[Place, Place] | Trouble:
        """The same for a file and where it moves to; "" for the same place."""
        one, two = self.at(path or other, line), self.at(other or path, line)
        if isinstance(one, Trouble):
            return one
        return two if isinstance(two, Trouble) else (one, two)


def named(path: str, roots: tuple[str, ...] = ()) -> str | None:
    """A path from the repository's root, in its one spelling.

    None for one that leads out of it or into git's own folder, and for one that names no file.
    """
    steps = [step for step in path.split("/") if step not in {"", "."}]
    if path.startswith("/"):
        above = next((each for each in map(_steps, roots) if steps[: len(each)] == each), None)
        if above is None:
            return None
        steps = steps[len(above) :]
    within = {step.lower() for step in path.replace("\\", "/").split("/")}
    leads = (
        path.startswith("~") or path.endswith(("/", "/.")) or not {"..", ".git"}.isdisjoint(within)
    )
    return None if leads or not "".join(steps).strip() or not _sayable(path) else "/".join(steps)


def _steps(root: str) -> list[str]:
    return [step for step in root.split("/") if step]


def _sayable(path: str) -> bool:
    """Can a file have this name?"""
    try:
        return b"\0" not in path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def stray(line: str) -> bool:
    """Does a line outside every edit that was read look like the beginning of one?"""
    return bool(_BEGINS.match(line))


def split(text: str) -> list[str]:
    """Lines with their ends, as git and every tool that applies edits counts them.

    INVARIANT: a line ends at a line feed and nowhere else. `str.splitlines` knows eight more ends,
    behind which a line of an edit would be read as none.
    """
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])


def lines_of(data: bytes | None) -> list[str]:
    """A file's lines with their ends; what is no UTF-8 is kept as it is."""
    return split((data or b"").decode("utf-8", "surrogateescape"))


def joined(lines: list[str]) -> bytes:
    """The bytes of lines."""
    return "".join(lines).encode("utf-8", "surrogateescape")


def as_the_file_ends(lines: list[str], around: list[str]) -> list[str]:
    """`lines` with the line ends that the file has."""
    if not any(line.endswith("\r\n") for line in around[:50]):
        return lines
    return [line[:-1].removesuffix("\r") + "\r\n" if line[-1:] == "\n" else line for line in lines]
