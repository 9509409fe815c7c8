"""Where keys stand in a text: the engine's hits, as lines, and as what must not be repeated.

Of what is no text only runs of plain letters are read. A text with NUL bytes is read twice: as it
stands, and without them, which is how the letters of a key stand in UTF-16 and UTF-32, with a mark
in front or none, or behind text that is in UTF-8.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from halfdoor.reading.engine import Engine, Hit

_BLOCK: Final = "-----BEGIN"
_BLOCK_END: Final = "-----END"
_BLOCK_CHARS: Final = 65_536
_BREAK: Final = re.compile("\n")
_LETTERS: Final = re.compile(r"[0-9A-Za-z+/=_-]{16,}")
_SAMPLE_BYTES: Final = 65_536
_PRINTABLE: Final = bytes(range(0x20, 0x7F)) + b"\t\n\r"
# One byte a letter, or two or four.
_RUN: Final = re.compile(rb"[\t\x20-\x7e]{8,}|(?:[\t\x20-\x7e]\0{1,3}){8,}")
# What was cut still shows one end of a key.
_END_CHARS: Final = 12
_LEAST_CHARS: Final = 8


class Spot(Struct, frozen=True):
    """One key. line, last: the lines it takes, from 0. column: from 1, in characters.

    text: the key itself, never to be shown. block: all that belongs to it, the same as `text` but
    for a key of several lines, which has its form by its first.
    """

    form: str
    line: int
    last: int
    column: int
    text: str
    block: str


def is_binary(data: bytes) -> bool:
    """True for bytes that are no text in any encoding of plain letters."""
    if b"\0" not in data:
        return False
    narrow = data[:_SAMPLE_BYTES].replace(b"\0", b"")
    return len(narrow.translate(None, _PRINTABLE)) * 3 > len(narrow)


def runs(data: bytes) -> tuple[list[str], list[int]]:
    """Runs of plain letters in what is no text, each with the number of its line, from 1."""
    said, numbers = [], []
    line, at = 1, 0
    for run in _RUN.finditer(data):
        line += data.count(b"\n", at, run.start())
        at = run.start()
        said.append(run[0].replace(b"\0", b"").decode("ascii") + "\n")
        numbers.append(line)
    return said, numbers


def spots(engine: Engine, text: str) -> tuple[Spot, ...]:
    """Every key, once a line and form."""
    found: dict[tuple[int, str, str], Spot] = {}
    for reading in _readings(text):
        if hits := engine.scan(reading):
            breaks = [match.start() for match in _BREAK.finditer(reading)]
            for hit in _surest(hits):
                spot = _spot(reading, hit, breaks)
                found.setdefault((spot.line, spot.form, spot.text), spot)
    return tuple(found.values())


def ends(spot: Spot) -> Iterator[str]:
    """Pieces of a key by which a text is known that repeats it, whole or cut."""
    for said in (spot.text, *_LETTERS.findall(spot.block)):
        if len(said) >= _LEAST_CHARS:
            yield said[:_END_CHARS]
            yield said[-_END_CHARS:]


def _readings(text: str) -> Iterator[str]:
    yield text
    if "\0" in text:
        yield text.replace("\0", "")


def _surest(hits: Iterable[Hit]) -> Iterable[Hit]:
    """One a place: of several forms that fit, the surest."""
    best: dict[int, Hit] = {}
    for hit in hits:
        if hit.start not in best or hit.confidence > best[hit.start].confidence:
            best[hit.start] = hit
    return best.values()


def _spot(text: str, hit: Hit, breaks: list[int]) -> Spot:
    key = text[hit.start : hit.end]
    block = key
    if key.startswith(_BLOCK):
        # One that is cut off goes on to the end: too much is hidden rather than too little.
        block = text[hit.start : hit.start + _BLOCK_CHARS].partition(_BLOCK_END)[0]
    line = bisect_left(breaks, hit.start)
    column = hit.start - (breaks[line - 1] if line else -1)
    return Spot(hit.format_id, line, line + block.count("\n"), column, key, block)
