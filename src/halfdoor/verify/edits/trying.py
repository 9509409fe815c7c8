"""What trying an edit gives, and how text is looked for in a file."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change

# What a file holds, None where there is none.
Read = Callable[[str], bytes | None]

_BOM: Final = b"\xef\xbb\xbf"


class Trouble(Struct, frozen=True):
    """Why an edit, or a part of it, does not apply. line: of the edit's own text, from 1."""

    path: str
    line: int
    message: str
    hint: str = "read the file again and write the edit anew"


Tried = Iterator[Change | Trouble]


def outside(path: str) -> bool:
    """Does a path lead out of the repository, into git's own folder, or name nothing in it?"""
    steps = [step.lower() for step in path.replace("\\", "/").split("/")]
    leads = ".." in steps or ".git" in steps or path.startswith(("/", "~"))
    return leads or not path.strip() or "\0" in path


def lines_of(data: bytes | None) -> list[str]:
    """A file's lines with their ends; what is no UTF-8 is kept as it is."""
    return (data or b"").decode("utf-8", "surrogateescape").splitlines(keepends=True)


def joined(lines: list[str]) -> bytes:
    """The bytes of lines."""
    return "".join(lines).encode("utf-8", "surrogateescape")


def places(lines: list[str], wanted: list[str], start: int = 0) -> list[int]:
    """Where `wanted` stands among `lines`, from `start` on: exactly, else but for blanks at ends.

    An empty `wanted` stands nowhere.
    """
    for same in (_exactly, _but_for_ends):
        found = [
            at
            for at in range(start, len(lines) - len(wanted) + 1)
            if wanted and all(same(lines[at + n], line) for n, line in enumerate(wanted))
        ]
        if found:
            return found
    return []


def as_the_file_ends(lines: list[str], around: list[str]) -> list[str]:
    """`lines` with the line ends that the file has."""
    if not any(line.endswith("\r\n") for line in around[:50]):
        return lines
    return [line[:-1].removesuffix("\r") + "\r\n" if line[-1:] == "\n" else line for line in lines]


def _exactly(one: str, other: str) -> bool:
    return one == other


def _but_for_ends(one: str, other: str) -> bool:
    return one.rstrip() == other.rstrip()
