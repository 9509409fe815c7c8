"""Is every path that one glob matches matched by another? Decided exactly, within a bound.

A glob is read as `detect/paths.py` reads it (a test holds the two together), a model's pattern as
`[[names]]` reads it. Both become a list of pieces, and the question is one about their languages.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

# Steps (0.2 s of them) before a question is left open; ordinary globs need a few thousand.
LIMIT: Final = 200_000
# Stands for every character that neither glob names.
_OTHER: Final = "\0"

_ONE, _NAME, _ANY, _FOLDERS, _BELOW = "?", "*", "**", "**/", "/**"
_SPECIAL: Final = ("**/", "**", "*", "?")

# The same pieces as `re` reads them; right for paths of files, which end in no slash.
_AS_REGEX: Final = {
    _ONE: "[^/]",
    _NAME: "[^/]*",
    _ANY: ".*",
    _FOLDERS: "(?:.*/)?",
    _BELOW: "(?:/.*)?",
}

Pieces = tuple[str, ...]


class _At(NamedTuple):
    """A place in a list of pieces; `inside` the text that a `**/` or a `/**` has begun to cover."""

    place: int
    inside: bool = False


def path_pieces(glob: str) -> Pieces:
    """Any folders, then the glob; a trailing slash or `/**` means the folder and all below it."""
    text = unicodedata.normalize("NFC", glob.replace("\\", "/").removeprefix("./")).casefold()
    rooted = text.startswith("/")
    folder = text.endswith(("/**", "/"))
    text = text.removesuffix("**").removesuffix("/") if folder else text
    return ((), (_FOLDERS,))[not rooted] + tuple(_split(text)) + ((), (_BELOW,))[folder]


def name_pieces(pattern: str) -> Pieces | None:
    """A pattern over model names; None for one with `[…]`, which is not decided here."""
    if "[" in pattern:
        return None
    return tuple(_ANY if char == "*" else char for char in pattern)


def within(inner: Pieces, outer: Pieces, *, one_crosses: bool = False) -> bool | None:
    """Is all that `inner` matches matched by `outer`? None when that was not settled in LIMIT.

    one_crosses: `?` stands for any character, the slash too (names of models have no folders).
    """
    alphabet = {char for char in (*inner, *outer) if len(char) == 1 and char != _ONE}
    alphabet |= {"/", _OTHER}
    start = frozenset(_free(outer, _At(0)))
    waiting = [(at, start) for at in _free(inner, _At(0))]
    seen = set(waiting)
    steps = 0
    while waiting:
        at, beside = waiting.pop()
        if at.place == len(inner) and not any(b.place == len(outer) for b in beside):
            return False
        steps += len(alphabet) * (1 + len(beside))
        if steps > LIMIT:
            return None
        for char in alphabet:
            after = frozenset(b for one in beside for b in _after(outer, one, char, one_crosses))
            for step in _after(inner, at, char, one_crosses):
                if (step, after) not in seen:
                    seen.add((step, after))
                    waiting.append((step, after))
    return True


def examples(glob: str) -> tuple[str, ...]:
    """Paths that a path glob matches, the shortest and a deeper one."""
    pieces = path_pieces(glob)
    shortest = {_ONE: "x", _NAME: "", _ANY: "", _FOLDERS: "", _BELOW: ""}
    deeper = {_ONE: "y", _NAME: "y", _ANY: "y/y", _FOLDERS: "y/", _BELOW: "/y"}
    return tuple(
        "".join(stands.get(piece, piece) for piece in pieces) for stands in (shortest, deeper)
    )


def matcher(globs: Iterable[str]) -> Callable[[str], bool]:
    """Tells of a path, in any case of letters, whether any of these path globs matches it."""
    patterns = ["".join(_AS_REGEX.get(p) or re.escape(p) for p in path_pieces(g)) for g in globs]
    if not patterns:
        return lambda _path: False
    joined = re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.DOTALL)
    return lambda path: bool(joined.fullmatch(unicodedata.normalize("NFC", path).casefold()))


def matches(pieces: Pieces, text: str) -> bool:
    """Does a text, folded as `path_pieces` folds, match? For tests: slow, and beyond doubt."""
    now = set(_free(pieces, _At(0)))
    for char in text:
        now = {at for one in now for at in _after(pieces, one, char, False)}
    return any(at.place == len(pieces) for at in now)


def _split(text: str) -> Iterator[str]:
    while text:
        piece = next((mark for mark in _SPECIAL if text.startswith(mark)), text[0])
        yield piece
        text = text[len(piece) :]


def _free(pieces: Pieces, at: _At) -> Iterator[_At]:
    """Where one is without reading anything: pieces that may stand for nothing are passed."""
    yield at
    while at.place < len(pieces) and (
        (pieces[at.place] in {_NAME, _ANY, _FOLDERS} and not at.inside)
        or pieces[at.place] == _BELOW
    ):
        at = _At(at.place + 1)
        yield at


def _after(pieces: Pieces, at: _At, char: str, one_crosses: bool) -> Iterator[_At]:
    """Where one may be after one character."""
    if at.place == len(pieces):
        return
    piece, following = pieces[at.place], _At(at.place + 1)
    slash = char == "/"
    if piece == _FOLDERS:
        yield _At(at.place, inside=True)
        if slash:
            yield from _free(pieces, following)
    elif piece == _BELOW:
        if slash or at.inside:
            yield from _free(pieces, _At(at.place, inside=True))
    elif piece == _ANY or (piece == _NAME and not slash):
        yield from _free(pieces, at)
    elif (piece == _ONE and (one_crosses or not slash)) or piece == char:
        yield from _free(pieces, following)
