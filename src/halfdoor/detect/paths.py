"""Labels `path:<glob>`: a passage names, or comes from, a file that a rule speaks of."""

from typing import Final

import re2

from halfdoor.canon.labels import Label
from halfdoor.reading.passages import Passage

_BYTES: Final = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
_BYTES.case_sensitive = False


class PathDetector:
    """Matches globs at any directory boundary, in any case: the project's root is not known.

    globs: as the rules wrote them. `*` and `?` stay inside one name, `**` crosses names, a leading
    slash means the whole path; `payments/**` is also the folder `payments` itself.
    """

    name = "paths"

    def __init__(self, globs: tuple[str, ...]) -> None:
        self.identity = "\n".join(globs)
        self._globs = [(glob, re2.compile(_pattern(glob), _BYTES)) for glob in globs]

    def find(self, passage: Passage) -> tuple[Label, ...]:
        """One label for each glob; no detail, since a path is the user's own text."""
        if not self._globs or not passage.paths:
            return ()
        paths = "\n".join(passage.paths).encode("utf-8", "surrogatepass")
        return tuple(
            Label(f"path:{glob}", passage.place, self.name)
            for glob, regexp in self._globs
            if regexp.search(paths)
        )


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
    known = {b"**/": rb"(?:.*/)?", b"**": rb".*", b"*": rb"[^/\n]*", b"?": rb"[^/\n]"}
    return known.get(piece) or re2.escape(piece)
