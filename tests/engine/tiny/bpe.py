"""A byte-level tokenizer of GPT-2's kind, trained here: its letters, its words, its merges."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

# How GPT-2 cuts text into words before it merges within them, as far as ASCII goes.
_WORDS: Final = re.compile(
    r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+"
)
Pair = tuple[str, str]


def letters() -> list[str]:
    """The printable letter that stands for each of the 256 bytes."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte if byte in plain else next(spare)) for byte in range(256)]


_LETTERS: Final = letters()


def spelled(text: str) -> str:
    """A text in those letters."""
    return "".join(_LETTERS[byte] for byte in text.encode())


class Tokenizer:
    """merges: pairs in the order in which they are made. tokens: letters, then what merges make."""

    def __init__(self, texts: Iterable[str], merges: int) -> None:
        self.merges = _trained(texts, merges)
        self.tokens = [*_LETTERS, *(left + right for left, right in self.merges)]
        self._ids = {token: number for number, token in enumerate(self.tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self._known: dict[str, list[int]] = {}

    def ids(self, text: str) -> list[int]:
        """Numbers of the tokens of a text."""
        return [number for word in _WORDS.findall(text) for number in self._word(word)]

    def _word(self, word: str) -> list[int]:
        if word not in self._known:
            parts = list(spelled(word))
            while ranked := [pair for pair in pairwise(parts) if pair in self._ranks]:
                parts = _merged(parts, min(ranked, key=self._ranks.__getitem__))
            self._known[word] = [self._ids[part] for part in parts]
        return self._known[word]


def _trained(texts: Iterable[str], count: int) -> list[Pair]:
    """The most frequent pair, again and again; of two the one that sorts first."""
    seen = Counter(word for text in texts for word in _WORDS.findall(text))
    words = [(list(spelled(word)), times) for word, times in sorted(seen.items())]
    merges: list[Pair] = []
    while len(merges) < count:
        pairs: Counter[Pair] = Counter()
        for parts, times in words:
            for pair in pairwise(parts):
                pairs[pair] += times
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = [(_merged(parts, best), times) for parts, times in words]
    return merges


def _merged(parts: list[str], pair: Pair) -> list[str]:
    made: list[str] = []
    at = 0
    while at < len(parts):
        width = 2 if tuple(parts[at : at + 2]) == pair else 1
        made.append("".join(parts[at : at + width]))
        at += width
    return made
