"""Labels `path:<glob>`: a passage names, or comes from, a file that a rule speaks of."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final

import re2

from halfdoor.canon.labels import Label
from halfdoor.reading.passages import Passage

_BYTES: Final = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
_BYTES.case_sensitive = False

_WILD: Final = frozenset("*?[")
# A whole line with a telling word: from a root it may hold anything, else no marks of code.
_LINE: Final = rb"(?m)^(?:[./~][^\n]*SAID[^\n]*|[^\n(){};=]*SAID[^\n(){};=]*)$"
_PLAIN: Final = re2.compile(r"[^*?/\\]+")
_CLASS: Final = re2.compile(r"\[[^\]/]*\]")
_STEPS: Final = 12


class PathDetector:
    """Matches globs at any directory boundary, in any case: the project's root is not known.

    globs: as the rules wrote them. `*` and `?` stay inside one name, `**` crosses names, a leading
    slash means the whole path; `payments/**` is also the folder `payments` itself.
    """

    name = "paths"

    def __init__(self, globs: tuple[str, ...]) -> None:
        self.identity = "\n".join(globs)
        self.reads_paths = bool(globs)
        self._globs = [(glob, re2.compile(_pattern(_folded(glob)), _BYTES)) for glob in globs]
        pieces = _plain_pieces(globs)
        self._told = re2.compile(rb"|".join(pieces), _BYTES) if pieces else None
        said = rb"(?:" + rb"|".join(pieces) + rb")" if pieces else rb"[^\n]"
        self._lines = re2.compile(_LINE.replace(b"SAID", said), _BYTES)

    def find(self, passage: Passage) -> tuple[Label, ...]:
        """One label for each glob; no detail, since a path is the user's own text."""
        return self.labels(passage.paths, passage.place)

    def labels(self, paths: Iterable[str], place: str = "") -> tuple[Label, ...]:
        """One label for each glob that speaks of any of these paths."""
        return tuple(Label(f"path:{glob}", place, self.name) for glob in self.matching(paths))

    def matching(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The globs that speak of any of these paths, as the rules wrote them, in their order.

        paths: normalised (`reading.effects.normalise`), relative or absolute.
        """
        lines = "\n".join(paths)
        if not lines or (_WILD.isdisjoint(lines) and not self.telling(lines)):
            return ()
        text = _folded(lines).encode("utf-8", "surrogatepass")
        plain = text.decode("utf-8", "replace")
        asked = [line for line in plain.split("\n") if not _WILD.isdisjoint(line)]
        return tuple(
            glob
            for glob, regexp in self._globs
            if regexp.search(text) or any(_may_mean(line, glob) for line in asked)
        )

    def telling(self, text: str) -> bool:
        """May this text name a file that a glob speaks of? Not asked of shell patterns."""
        return self._told is None or self._told.search(_bytes(text)) is not None

    def telling_lines(self, text: str) -> Iterator[tuple[str, str]]:
        """Lines that may be the name of such a file, and no code; each with the one after it."""
        data = _bytes(text)
        for found in self._lines.finditer(data):
            end = data.find(b"\n", found.end() + 1)
            after = data[found.end() + 1 : end if end >= 0 else None]
            yield found.group().decode("utf-8", "replace"), after.decode("utf-8", "replace")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _folded(text: str) -> str:
    """One spelling of letters that file systems write in two: `ö` as one character or as two."""
    return text if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def _plain_pieces(globs: tuple[str, ...]) -> tuple[bytes, ...]:
    """The longest plain piece of each glob; none where one has none, or has two spellings."""
    pieces = [max(_PLAIN.findall(glob), key=len, default="") for glob in globs]
    if not all(piece and piece.isascii() for piece in pieces):
        return ()
    return tuple(re2.escape(piece).encode() for piece in pieces)


def _may_mean(asked: str, glob: str) -> bool:
    """Could a shell pattern, as `pay*ts/x`, stand for a file that the glob speaks of?

    Steps without a letter (`*`, `**`) stand for anything and count for nothing, or every listing
    would be held back.
    """
    folder = glob.endswith(("/**", "/"))
    plain = glob.lower().removeprefix("./").removesuffix("**").strip("/")
    ruled = [step for step, _ in groupby(plain.split("/"))]
    steps = asked.lower().split("/")[-_STEPS:]
    return any(_steps_meet(steps[at:], ruled, folder) for at in range(len(steps)))


def _steps_meet(asked: Sequence[str], ruled: Sequence[str], folder: bool) -> bool:
    if not ruled:
        return folder or not asked
    if ruled[0] == "**":
        return any(_steps_meet(asked[at:], ruled[1:], folder) for at in range(len(asked) + 1))
    if not asked or not any(c.isalnum() for c in asked[0]):
        return False
    return _meet(_CLASS.sub("?", asked[0]), ruled[0]) and _steps_meet(asked[1:], ruled[1:], folder)


@lru_cache(maxsize=1024)
def _meet(one: str, other: str) -> bool:
    """Is there a name that two patterns of `*` and `?` both match?"""
    reached = {0}
    for char in (*one, ""):
        # Positions in `other` that can be reached; a star may be skipped at any time.
        waiting = list(reached)
        while waiting:
            at = waiting.pop()
            skipped = at + 1
            if other[at:skipped] == "*" and skipped not in reached:
                reached.add(skipped)
                waiting.append(skipped)
        if not char:
            return len(other) in reached
        if char == "*":
            reached = set(range(min(reached, default=len(other)), len(other) + 1))
            continue
        reached = {
            at if other[at] == "*" else at + 1
            for at in reached
            if at < len(other) and (other[at] in {"*", "?", char} or char == "?")
        }
    return False


def _pattern(glob: str) -> bytes:
    """A glob as RE2 over paths that stand one a line."""
    text = glob.replace("\\", "/").removeprefix("./").encode("utf-8", "surrogatepass")
    start = rb"^" if text.startswith(b"/") else rb"(?:^|/)"
    folder = text.endswith((b"/**", b"/"))
    text = text.removesuffix(b"**").removesuffix(b"/") if folder else text
    inner = b"".join(_piece(piece) for piece in _pieces(text))
    return b"(?m)" + start + inner + (rb"(?:/.*)?$" if folder else rb"$")


def _pieces(text: bytes) -> list[bytes]:
    """`a/**/b*` as [a/, **/, b, *]."""
    found: list[bytes] = []
    while text:
        special = next(
            (mark for mark in (b"**/", b"**", b"*", b"?") if text.startswith(mark)), None
        )
        piece = special or text[:1]
        found.append(piece)
        text = text[len(piece) :]
    return found


def _piece(piece: bytes) -> bytes:
    one = rb"(?:[^/\n\x80-\xff]|[\xc0-\xff][\x80-\xbf]*)"  # a character is one byte or several
    known = {b"**/": rb"(?:.*/)?", b"**": rb".*", b"*": rb"[^/\n]*", b"?": one}
    return known.get(piece) or re2.escape(piece)
