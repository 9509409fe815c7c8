"""Names that are spelt almost like another: a slip, or a trap."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

_NEAR: Final = 0.84
_NEAR_WORD: Final = 0.7


def nearest(name: str, known: Collection[str]) -> str:
    """What of `known` is spelt almost like `name`, "" when nothing is."""
    return next(iter(get_close_matches(name, sorted(known), 1, _NEAR)), "")


def mistaken(name: str, known: Collection[str]) -> str:
    """The same, but for kin: `pytest-cov` beside `pytest`, `psycopg3` beside `psycopg2`."""
    near = nearest(name, known)
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
