"""How many tokens a request has, about, when nobody is asked who knows.

Two numbers, because two mistakes cost differently: `expected` is the best guess, and `least` is
what no tokenizer would go below, so that a request which fits is not turned away.
"""

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

# Of a coding tool's body as it stands, brackets and escapes included. Vendors' tokenizers take 3.3
# to 4.2 bytes a token for code and English; a little too many tokens is the safer error.
BYTES_A_TOKEN: Final = 3.5
# So many bytes a token of a whole body were never measured: 4.7 is the most, of tools' schemas.
MOST_BYTES_A_TOKEN: Final = 6.0
# Where a model's own counts are known, but not of this session, whose text may be another language.
_MOST_OF_MODEL: Final = 5.0
# Turns of one session are alike: what was counted of one holds for the next, within this.
MARGIN: Final = 1.15
# A picture costs by its size in pixels, not by its bytes: this is one of middling size.
PICTURE_TOKENS: Final = 1500

# A shorter body is mostly its model's template, which says nothing of its text.
LEARNT_BYTES: Final = 4096
# What counts beyond these are: an engine that counted other than all of the prompt.
_BAND: Final = (1.5, 8.0)
# How much a new count weighs against those before it.
_WEIGHT: Final = 0.3
_MOST_KEPT: Final = 512
_SESSION_CHARS: Final = 64

# Anchored, so that the words of a text are not each tried as a beginning.
_PICTURE: Final = re.compile(rb'[",]([A-Za-z0-9+/=]{4096,})')
# How every dialect says that a picture follows; without one of these there is none to look for.
_SAID: Final = (b"base64", b'"images"')


class Size(Struct, frozen=True):
    """What of a body costs tokens. text: its bytes, escapes counted as what they stand for."""

    text: int
    pictures: int = 0


class Spared(Struct, frozen=True):
    """What of a piece of a body costs no tokens by its bytes: how many these are, and pictures."""

    bytes: int = 0
    pictures: int = 0


NOTHING: Final = Spared()


def spared(raw: bytes) -> Spared:
    """Measure a piece; long runs of base64 are pictures where it says that there are any."""
    # `\u4f60` is one character of three bytes in UTF-8.
    escapes = 3 * raw.count(b"\\u")
    if not any(said in raw for said in _SAID):
        return Spared(escapes) if escapes else NOTHING
    pictures = [found.end(1) - found.start(1) for found in _PICTURE.finditer(raw)]
    return Spared(escapes + sum(pictures), len(pictures))


def size(length: int, pieces: Iterable[Spared]) -> Size:
    """The size of a body of so many bytes, by what its pieces spare."""
    text, pictures = length, 0
    for piece in pieces:
        text -= piece.bytes
        pictures += piece.pictures
    return Size(text, pictures)


def estimated(of: Size) -> int:
    """Tokens of a request's body of that size, at least 1, whoever counts them."""
    return _expected(of, BYTES_A_TOKEN)


class Scales:
    """Bytes a token, by model and session, learnt from what backends counted.

    Memory only, and bounded: of two sessions the one that was counted last is kept.
    """

    def __init__(self) -> None:
        self._ratios: dict[tuple[str, str], float] = {}

    def expected(self, model: str, session: str, of: Size) -> int:
        """The best guess, at least 1. model: a card's name."""
        known = self._ratios.get((model, session[:_SESSION_CHARS])) or self._ratios.get((model, ""))
        return _expected(of, known or BYTES_A_TOKEN)

    def least(self, model: str, session: str, of: Size) -> int:
        """Fewer than this it cannot well be; pictures count nothing."""
        ratio = self._ratios.get((model, session[:_SESSION_CHARS])) if session else None
        if ratio is not None:
            return int(of.text / (ratio * MARGIN))
        of_model = self._ratios.get((model, ""))
        if of_model is not None:
            return int(of.text / max(of_model * MARGIN, _MOST_OF_MODEL))
        return int(of.text / MOST_BYTES_A_TOKEN)

    def learn(self, model: str, session: str, of: Size, counted: int) -> None:
        """Take in what a backend counted of a whole prompt. Absurd counts teach nothing."""
        if of.pictures or of.text < LEARNT_BYTES or counted <= 0:
            return
        ratio = of.text / counted
        if _BAND[0] <= ratio <= _BAND[1]:
            for key in dict.fromkeys(((model, ""), (model, session[:_SESSION_CHARS]))):
                before = self._ratios.pop(key, ratio)
                self._ratios[key] = before + (ratio - before) * _WEIGHT
            while len(self._ratios) > _MOST_KEPT:
                del self._ratios[next(iter(self._ratios))]


def cut_short(counted: int, expected: int, window: int | None) -> bool:
    """Did the engine read less than it was sent? counted: of the prompt, by the engine.

    Half of what was expected is beyond what two tokenizers differ by; a prompt that fills the
    window to its last token leaves no room for an answer, so something was cut off to make it fit.
    """
    if counted <= 0 or expected < LEARNT_BYTES / BYTES_A_TOKEN:
        return False
    return counted * 2 < expected or (window is not None and counted >= window - 1)


def _expected(of: Size, ratio: float) -> int:
    return max(1, round(of.text / ratio)) + of.pictures * PICTURE_TOKENS
