"""Names that are spelt almost like another: a slip, or a trap."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Final, TypeVar

_At = TypeVar("_At")
_NEAR: Final = 0.84
_NEAR_WORD: Final = 0.7
# Characters compared with characters: about a second.
_MOST: Final = 150_000_000
# Of one name, in characters; no index has longer ones (npm: 214).
_LONGEST: Final = 256


class Hints:
    """What strange names may have meant: of the first few, for nobody reads it of more.

    known: makes the names that there are, when the first is asked about.
    """

    def __init__(self, known: Callable[[], Iterable[str]], most: int = 20) -> None:
        self._make = known
        self._known: list[str] | None = None
        self._left = most

    def of(self, name: str) -> str:
        """What there is that is spelt almost like it; "" for nothing, or when none is left."""
        self._left -= 1
        if self._left < 0:
            return ""
        if self._known is None:
            self._known = sorted({each for each in self._make() if len(each) <= _LONGEST})
        return "" if _too_many([name], self._known) else _nearest(name, self._known)


class TooMany(Exception):  # noqa: N818  no error of the text's: it was not compared
    """There are more names than can be compared in a second."""


def mistakes(
    new: Iterable[tuple[_At, str]], known: Collection[str]
) -> Iterator[tuple[_At, str, str]]:
    """(where, name, what of `known` it is almost) of each new name that is `mistaken`.

    Raises TooMany.
    """
    new = tuple(new)
    if _too_many((name for _, name in new), known):
        said = f"{len(new)} new dependencies beside {len(known)} are too much to compare"
        raise TooMany(f"{said}; hint: declare them in several changes")
    for at, name in new:
        if near := mistaken(name, known):
            yield at, name, near


def _too_many(names: Iterable[str], known: Iterable[str]) -> bool:
    """Would it take too long to compare each of these with each of those?"""
    names, known = tuple(names), tuple(known)
    too_long = any(len(name) > _LONGEST for each in (names, known) for name in each)
    return too_long or sum(map(len, names)) * sum(map(len, known)) > _MOST


def _nearest(name: str, known: Collection[str]) -> str:
    return next(iter(get_close_matches(name, sorted(known), 1, _NEAR)), "")


def mistaken(name: str, known: Collection[str]) -> str:
    """What of `known` is spelt almost like `name`, "" when nothing is or it is kin.

    Kin: `pytest-cov` beside `pytest`, `psycopg3` beside `psycopg2`.
    """
    near = _nearest(name, known)
    return "" if not near or _kin(name, near) else near


def _kin(one: str, other: str) -> bool:
    """Do they differ by whole words or numbers?"""
    words, others = (set(re.split(r"[-/]", re.sub(r"\d", "", name))) for name in (one, other))
    if words == others:
        return True
    if not words & others:
        return False
    apart = sorted(others - words)
    return not any(get_close_matches(word, apart, 1, _NEAR_WORD) for word in words - others)
