"""A file's lines, and where others stand among them.

Each line is one character of a text, and Python looks for a text in time linear in both sizes: an
edit of many parts, or a file of one line again and again, is no reason to wait.
"""

from collections.abc import Callable
from typing import Final

Alike = Callable[[str], str]

# What is looked for stands there exactly, else but for blanks at the ends of its lines.
EITHER: Final[tuple[Alike, ...]] = (str, str.rstrip)
# Lines beyond so many different ones share a character, so a place that was found is looked at.
_MOST: Final = 0x10FFFF


class Searched:
    """Lines with their ends."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self._coded: dict[Alike, tuple[dict[str, int], str]] = {}

    def first(
        self, wanted: list[str], start: int = 0, alike: tuple[Alike, ...] = EITHER
    ) -> int | None:
        """The first place from `start` on; None where `wanted` is nowhere or nothing."""
        places = (self._from(wanted, start, each) for each in alike)
        return next((at for at in places if at is not None), None)

    def nearest(self, wanted: list[str], start: int, hint: int) -> int | None:
        """The place nearest to `hint`, from `start` on; of two the one before it."""
        for alike in EITHER:
            after = self._from(wanted, max(start, hint), alike)
            if after == hint:
                return after
            before = self._before(wanted, start, hint, alike)
            found = [at for at in (before, after) if at is not None]
            if found:
                return min(found, key=lambda at: abs(at - hint))
        return None

    def stands(self, wanted: list[str], at: int) -> bool:
        """Does it stand at this place?"""
        return any(self._stands(wanted, at, alike) for alike in EITHER)

    def spliced(self, at: int, count: int, new: list[str]) -> "Searched":
        """The lines with `new` in place of `count` of them."""
        made = Searched([*self.lines[:at], *new, *self.lines[at + count :]])
        for alike, (codes, coded) in self._coded.items():
            put = "".join([_code(codes, alike(line)) for line in new])
            made._coded[alike] = codes, coded[:at] + put + coded[at + count :]
        return made

    def _from(self, wanted: list[str], start: int, alike: Alike) -> int | None:
        coded, needle = self._code(wanted, alike)
        at = coded.find(needle, start) if needle else -1
        while at >= 0 and not self._stands(wanted, at, alike):
            at = coded.find(needle, at + 1)
        return at if at >= 0 else None

    def _before(self, wanted: list[str], start: int, end: int, alike: Alike) -> int | None:
        """The last place from `start` on and before `end`."""
        coded, needle = self._code(wanted, alike)
        if not needle or end <= start:
            return None
        # Backwards, because `str.rfind` may take the product of both sizes.
        backwards = coded[start : end + len(needle) - 1][::-1]
        last = start + len(backwards) - len(needle)
        at = backwards.find(needle[::-1])
        while at >= 0 and not self._stands(wanted, last - at, alike):
            at = backwards.find(needle[::-1], at + 1)
        return last - at if at >= 0 else None

    def _code(self, wanted: list[str], alike: Alike) -> tuple[str, str]:
        """All lines, and those that are looked for; "" when one of these is nowhere."""
        if alike not in self._coded:
            codes: dict[str, int] = {}
            coded = "".join([_code(codes, alike(line)) for line in self.lines])
            self._coded[alike] = codes, coded
        codes, coded = self._coded[alike]
        numbers = [codes.get(alike(line)) for line in wanted]
        return coded, "" if None in numbers else "".join([chr(each or 0) for each in numbers])

    def _stands(self, wanted: list[str], at: int, alike: Alike) -> bool:
        found = self.lines[at : at + len(wanted)]
        return found == wanted or list(map(alike, found)) == list(map(alike, wanted))


def _code(codes: dict[str, int], line: str) -> str:
    return chr(codes.setdefault(line, min(len(codes), _MOST)))
