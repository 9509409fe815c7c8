"""Templates that are named like what they make: what can be read of them, and what cannot.

Helm's charts are YAML by name and Go's templates in truth. GitHub's `${{ }}` is a text like others.
"""

import re
from typing import Final

# INVARIANT: linear: each action ends with its line or is bounded.
_ACTION: Final = re.compile(rb"(?<!\$)\{\{[^{}]{0,2000}\}\}|\{%[^%]{0,2000}%\}|\{#[^#]{0,2000}#\}")
_ALONE: Final = re.compile(rb"^[ \t]*+\x00[\x00 \t]*+(?:#.*)?$", re.MULTILINE)
# Before any quote of its line: in quotes it is a text that YAML knows.
_OUTSIDE: Final = re.compile(rb"^[^\"'#\n]*(?<!\$)\{[{%]", re.MULTILINE)


def is_template(data: bytes) -> bool:
    """Do actions of a template stand where YAML has none?"""
    return bool(_OUTSIDE.search(data))


def without_actions(data: bytes) -> bytes:
    """The same, every place kept: nothing for lines of actions alone, a word for all others."""
    marked = _ACTION.sub(lambda found: _filled(found[0], 0x00), data)
    alone = _ALONE.sub(lambda found: _filled(found[0], 0x20), marked)
    return alone.replace(b"\x00", b"x")


def _filled(said: bytes, fill: int) -> bytes:
    return bytes(byte if byte in b"\r\n" else fill for byte in said)
