"""Hints: the known word that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def meant(found: str, known: Iterable[str]) -> str:
    """`did you mean …?`, or all known words when none is near; "" when nothing is known."""
    words = list(dict.fromkeys(known))
    near = get_close_matches(found, words, n=1, cutoff=0.65)  # `local` is not near `cloud`
    if near:
        return f"did you mean `{near[0]}`?"
    return "one of " + ", ".join(f"`{word}`" for word in words) if words else ""
