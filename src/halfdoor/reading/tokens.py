"""How many tokens a request has, about, when nobody is asked who knows.

Three numbers, because mistakes cost differently: `expected` is the best guess, `least` what no
tokenizer would go below, so that a request which fits is not turned away, and `most` what it would
hardly go beyond, so that money is held that will be enough.
"""

import re
from collections.abc import Iterable
from typing import Final, Protocol

from msgspec import Struct

# Of a coding tool's body as it stands, brackets and escapes included. Vendors' tokenizers take 3.3
# to 4.2 bytes a token for code and English; a little too many tokens is the safer error.
BYTES_A_TOKEN: Final = 3.5
# So many bytes a token of a whole body were never measured: 4.7 is the most, of tools' schemas.
MOST_BYTES_A_TOKEN: Final = 6.0
# So few were measured of data and of other scripts than Latin only, never of a whole body of code.
FEWEST_BYTES_A_TOKEN: Final = 3.0
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


def spared(raw: bytes, *, opaque: bool = True) -> Spared:
    """Measure a piece; long runs of base64 are pictures where it says that there are any.

    opaque: False where all of it can be read as text: then no picture is looked for.
    """
    # `\u4f60` is one character of three bytes in UTF-8.
    escapes = 3 * raw.count(b"\\u")
    if not (opaque and any(said in raw for said in _SAID)):
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


class Kept(Protocol):
    """Where bytes a token of models outlast this process."""

    def find(self, model: str) -> float | None:
        """What any process learnt of a model."""

    def hold(self, model: str, ratio: float) -> None:
        """Let the others, and a later start, know."""


class Nowhere:
    """Keeps nothing; implements `Kept`."""

    def find(self, _model: str) -> float | None:
        """None."""
        return None

    def hold(self, _model: str, _ratio: float) -> None:
        """Nothing."""


class Scales:
    """Bytes a token, by model and session, learnt from what backends counted.

    Bounded: of two sessions the one that was counted last is kept. Of models, not of sessions,
    `kept` knows what other processes learnt, and this one before it started.
    """

    def __init__(self, kept: Kept | None = None) -> None:
        self._ratios: dict[tuple[str, str], float] = {}
        self._kept = kept or Nowhere()

    def expected(self, model: str, session: str, of: Size) -> int:
        """The best guess, at least 1. model: a card's name."""
        known = self._of_session(model, session) or self._of_model(model)
        return _tokens(of, known or BYTES_A_TOKEN)

    def least(self, model: str, session: str, of: Size) -> int:
        """Fewer than this it cannot well be; pictures count nothing."""
        ratio = self._of_session(model, session)
        if ratio is not None:
            return int(of.text / (ratio * MARGIN))
        of_model = self._of_model(model)
        if of_model is not None:
            return int(of.text / max(of_model * MARGIN, _MOST_OF_MODEL))
        return int(of.text / MOST_BYTES_A_TOKEN)

    def most(self, model: str, session: str, of: Size) -> int:
        """More than this it will hardly be."""
        ratio = self._of_session(model, session)
        if ratio is not None:
            return _tokens(of, ratio / MARGIN)
        of_model = self._of_model(model)
        if of_model is not None:
            return _tokens(of, min(of_model / MARGIN, FEWEST_BYTES_A_TOKEN))
        return _tokens(of, FEWEST_BYTES_A_TOKEN)

    def _of_session(self, model: str, session: str) -> float | None:
        return self._ratios.get((model, session[:_SESSION_CHARS])) if session else None

    def _of_model(self, model: str) -> float | None:
        known = self._ratios.get((model, ""))
        if known is None:
            known = self._kept.find(model)
            if known is None or not _BAND[0] <= known <= _BAND[1]:
                return None
            self._keep((model, ""), known)
        return known

    def learn(self, model: str, session: str, of: Size, counted: int) -> None:
        """Take in what a backend counted of a whole prompt. Absurd counts teach nothing."""
        if of.pictures or of.text < LEARNT_BYTES or counted <= 0:
            return
        ratio = of.text / counted
        if not _BAND[0] <= ratio <= _BAND[1]:
            return
        if session:
            before = self._of_session(model, session) or ratio
            self._keep((model, session[:_SESSION_CHARS]), before + (ratio - before) * _WEIGHT)
        before = self._of_model(model) or ratio
        self._keep((model, ""), before + (ratio - before) * _WEIGHT)
        self._kept.hold(model, self._ratios[model, ""])

    def _keep(self, key: tuple[str, str], ratio: float) -> None:
        self._ratios.pop(key, None)
        self._ratios[key] = ratio
        while len(self._ratios) > _MOST_KEPT:
            del self._ratios[next(iter(self._ratios))]


class Prompt(Struct, frozen=True):
    """One request's tokens, as each model counts them: every estimate before a call is made here.

    session: of the request. of: the size of what will be sent. The models of the methods are cards'
    names.
    """

    scales: Scales
    session: str
    of: Size

    def expected(self, model: str) -> int:
        """The best guess, at least 1; of a model that never counted, as of any."""
        return self.scales.expected(model, self.session, self.of)

    def least(self, model: str) -> int:
        """Fewer than this it cannot well be."""
        return self.scales.least(model, self.session, self.of)

    def most(self, model: str) -> int:
        """More than this it will hardly be."""
        return self.scales.most(model, self.session, self.of)


def cut_short(counted: int, expected: int, window: int | None) -> bool:
    """Did the engine read less than it was sent? counted: of the prompt, by the engine.

    Half of what was expected is beyond what two tokenizers differ by; a prompt that fills the
    window to its last token leaves no room for an answer, so something was cut off to make it fit.
    """
    if counted <= 0 or expected < LEARNT_BYTES / BYTES_A_TOKEN:
        return False
    return counted * 2 < expected or (window is not None and counted >= window - 1)


def _tokens(of: Size, ratio: float) -> int:
    return max(1, round(of.text / ratio)) + of.pictures * PICTURE_TOKENS
