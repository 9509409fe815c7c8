"""Lines of tables and keys in TOML text that the standard parser has already accepted.

tomllib gives no positions and tomlkit loses the order of interleaved arrays of tables
(`[[backends]] [[models]] [[backends]]`), so this walks the text once, and only when a line is
needed: to word an error, or to say where a rule stands.
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Final

# A way into the parsed document: ("backends", 1, "url").
Keys = tuple[str | int, ...]

STRING: Final = r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'"
KEY: Final = rf"(?:[A-Za-z0-9_-]+|{STRING})"
DOTTED: Final = rf"{KEY}(?:[ \t]*\.[ \t]*{KEY})*"
HEADER: Final = re.compile(rf"(\[\[?)[ \t]*({DOTTED})[ \t]*\]\]?")
ASSIGNED: Final = re.compile(rf"({DOTTED})[ \t]*=[ \t]*")
BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)+")
# Up to five quotes may end a multi-line string: its last two then belong to the text.
LONG: Final = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}", re.DOTALL)
SHORT: Final = re.compile(STRING)
PLAIN: Final = re.compile(r"[^\s,\[\]{}#\"'](?:[^\n,\[\]{}#\"']*)")


def places(text: str) -> dict[Keys, int]:
    """Line (from 1) of every table and key. `text` must be valid TOML."""
    ends = [newline.start() for newline in re.finditer("\n", text)]
    found: dict[Keys, int] = {}
    counts: dict[Keys, int] = {}
    table: Keys = ()
    at = 0
    while at < len(text):
        if blank := BLANK.match(text, at):
            at = blank.end()
        elif header := HEADER.match(text, at):
            table = _opened(header, counts)
            _note(found, table, bisect_left(ends, at) + 1)
            at = header.end()
        elif assigned := ASSIGNED.match(text, at):
            keys = _inside(table, _parts(assigned[1]), counts)
            _note(found, keys, bisect_left(ends, at) + 1)
            at = _value_end(text, assigned.end())
        else:  # not TOML: give up with what is known, a place is a courtesy
            break
    return found


def line_of(found: Mapping[Keys, int], keys: Keys) -> int:
    """The line of these keys or, where they have none of their own, of the table around them."""
    while keys and keys not in found:
        keys = keys[:-1]
    return found.get(keys, 1)


def _note(found: dict[Keys, int], keys: Keys, line: int) -> None:
    """A table stands where it, or anything in it, is first seen."""
    for length in range(1, len(keys) + 1):
        found.setdefault(keys[:length], line)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(_names(tomllib.loads(f"{dotted} = 0")))


def _names(nested: object) -> Iterator[str]:
    while isinstance(nested, dict):
        name, nested = next(iter(nested.items()))
        yield str(name)


def _inside(table: Keys, names: tuple[str, ...], counts: Mapping[Keys, int]) -> Keys:
    """The keys below a table, going through the newest element of each array of tables."""
    for name in names:
        table = (*table, name)
        if table in counts:
            table = (*table, counts[table] - 1)
    return table


def _opened(header: re.Match[str], counts: dict[Keys, int]) -> Keys:
    *above, last = _parts(header[2])
    array = (*_inside((), tuple(above), counts), last)
    if header[1] == "[[":
        counts[array] = counts.get(array, 0) + 1
    return _inside((), (*above, last), counts)


def _value_end(text: str, at: int) -> int:
    """Where a value ends: after its last bracket, or after the one string or word that it is."""
    depth = 0
    while at < len(text):
        if blank := BLANK.match(text, at):
            at = blank.end()
            continue
        char = text[at]
        if char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
        piece = LONG.match(text, at) or SHORT.match(text, at) or PLAIN.match(text, at)
        at = piece.end() if piece else at + 1
        if depth == 0:
            return at
    return at
