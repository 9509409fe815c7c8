"""Where a file says that code is left out of it: by words alone, or by words and their place."""

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from halfdoor.canon.checks import Change
from halfdoor.verify.elisions import Weight, between_dots, weigh
from halfdoor.verify.fresh import added, lines_of, text
from halfdoor.verify.languages import Language, is_python, language_of

# A comment behind code that begins with dots.
_BEHIND: Final = re.compile(r"\s((?:#|//|--|/\*)\s*+(?:\.{3,}|…).*)$")


def elided(path: str, text: str, lines: list[str]) -> Iterator[int]:
    """Lines that say that code is left out, whatever stands around them."""
    language = language_of(path)
    if language and language.comments:
        python = is_python(path)
        told = [n for n in range(1, len(lines) + 1) if _says(lines, n, language, python=python)]
        yield from _in_place(told, lines, text) if python else told


def _says(lines: list[str], number: int, language: Language, *, python: bool) -> bool:
    line = lines[number - 1]
    if comment := _comment(line, language):
        return weigh(comment) is Weight.SURE and not _continues(lines, number, language)
    if "..." not in line and "…" not in line:
        return False
    if behind := _BEHIND.search(line, 1 + max(line.rfind(quote) for quote in "\"'`")):
        return between_dots(behind[1])
    return python and between_dots(line.strip(), both=True)


def _in_place(told: list[int], lines: list[str], text: str) -> list[int]:
    """Of lines of Python those whose comment is one, and those within a text that have none.

    An example in a docstring may leave out what it likes.
    """
    if not told:
        return []
    try:
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        comments = {each.start[0] for each in tokens if each.type == tokenize.COMMENT}
    except (tokenize.TokenError, SyntaxError):
        return told
    return [n for n in told if (n in comments) is ("#" in lines[n - 1])]


def _comment(line: str, language: Language | None) -> str:
    """The line without its indent if it is a comment and nothing else, else ""."""
    bare = line.strip()
    if bare.startswith("{/*"):  # a comment among JSX
        bare = bare[1:].removesuffix("}")
    return bare if language and bare.startswith(language.comments or ("\0",)) else ""


def _alone(lines: list[str], number: int, language: Language | None) -> bool:
    """Is there no comment in the lines beside it?"""
    beside = [*lines[max(0, number - 2) : number - 1], *lines[number : number + 1]]
    return not any(_comment(line, language) for line in beside)


def _continues(lines: list[str], number: int, language: Language) -> bool:
    """Is it the next line of a sentence that the comment above began?"""
    first = next((char for char in lines[number - 1] if char.isalpha() or char in ".…"), "")
    above = _comment(lines[number - 2], language) if number > 1 else ""
    return first.islower() and bool(above) and weigh(above) is not Weight.SURE


def replaced(change: Change) -> list[int]:
    """New comments that may stand for code, where there is none: a block ends, or code is gone."""
    language = language_of(change.path)
    new = added(change).items()
    maybe = [n for n, line in new if weigh(_comment(line, language)) is Weight.PLACE]
    if not maybe:
        return []
    after = text(change.after)
    lines = lines_of(after)
    place = _Place(lines, lines_of(text(change.before)))
    found = [n for n in maybe if _alone(lines, n, language) and place.lacks(n)]
    return _in_place(found, lines, after) if is_python(change.path) else found


class _Place:
    """What stands around lines, and what stood there before."""

    def __init__(self, lines: list[str], before: list[str]) -> None:
        self._lines = lines
        self._above = list(_nearest(lines))
        self._below = list(_nearest(reversed(lines)))[::-1]
        now = {line.strip() for line in lines}
        had = [line.strip() for line in before if line.strip()]
        self._left = {above for above, line in pairwise(["", *had]) if line not in now}

    def lacks(self, number: int) -> bool:
        """Does a block end below the line, or is what followed the line above it gone?"""
        below = self._below[number - 1]
        ends = not below or _indent(below) < _indent(self._lines[number - 1])
        return ends or self._above[number - 1].strip() in self._left


def _nearest(lines: Iterable[str]) -> Iterator[str]:
    """For each line the last before it that is not blank, "" for none."""
    last = ""
    for line in lines:
        yield last
        last = line if line.strip() else last


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
