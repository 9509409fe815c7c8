"""`halfdoor gate badge`: what the gate said, as a small picture."""

import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.errors import SetupError

_COLOURS: Final = {"passed": "#2e7d32", "failed": "#c62828", "skipped": "#b26a00"}
_WORDS: Final = {"passed": "passed", "failed": "failed", "skipped": "could not judge"}
_LEFT: Final = "halfdoor gate"
# Of the usual sans-serif faces at 11 pixels, on average.
_CHAR_PX: Final = 6.6
_PAD_PX: Final = 12


class Report(Struct):
    """What a badge needs of `halfdoor gate --json`."""

    verdict: str


def drawn(report: str) -> str:
    """The badge of a report. Raises SetupError for a file that is none. report: `-` for stdin."""
    try:
        data = sys.stdin.buffer.read() if report == "-" else Path(report).read_bytes()
        verdict = msgspec.json.decode(data, type=Report).verdict
    except (OSError, msgspec.DecodeError) as error:
        hint = "give what `halfdoor gate --json` printed"
        raise SetupError(f"is no report of the gate: {error}", where=report, hint=hint) from None
    if verdict not in _COLOURS:
        raise SetupError(f"`{verdict[:40]}` is no verdict", where=report, hint="is it of the gate?")
    return svg(verdict)


def svg(verdict: str) -> str:
    """The picture. verdict: one of `passed`, `failed`, `skipped`."""
    word = _WORDS[verdict]
    left, right = (round(len(text) * _CHAR_PX) + _PAD_PX for text in (_LEFT, word))
    texts = "".join(
        f'<text x="{x}" y="14" text-anchor="middle">{text}</text>'
        for x, text in ((left / 2, _LEFT), (left + right / 2, word))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"'
        f' aria-label="{_LEFT}: {word}"><title>{_LEFT}: {word}</title>'
        f'<rect width="{left}" height="20" fill="#424242"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[verdict]}"/>'
        f'<g fill="#fff" font-family="Verdana,Geneva,sans-serif" font-size="11">{texts}</g></svg>'
    )
