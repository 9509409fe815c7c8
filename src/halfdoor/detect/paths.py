"""Labels `path:<glob>`: a passage names, or comes from, a file that a rule speaks of."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

import re2

from halfdoor.canon.labels import Label
from halfdoor.reading.effects import winding
from halfdoor.reading.passages import PATHS_TOLD, Passage

_BYTES: Final = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1
_BYTES.case_sensitive = False

_WILD: Final = frozenset("*?[")
# A whole line with a telling word: from a root it may hold anything, else no marks of code.
_LINE: Final = rb"(?m)^(?:[./~][^\n]*SAID[^\n]*|[^\n(){};=]*SAID[^\n(){};=]*)$"
_PLAIN: Final = re2.compile(r"[^*?/\\]+")
_CLASS: Final = re2.compile(r"\[[^\]/]*\]")
_STEPS: Final = 12
_FROM_ROOT: Final = ("/", "./")


class PathDetector:
    """Matches globs at any directory boundary, in any case.

    globs: as the rules wrote them. `*` and `?` stay inside one name, `**` crosses names;
    `payments/**` is also the folder `payments` itself. One that begins with `/` or `./` counts from
    the project's root (or is a whole path: `/etc/**`), and like the others where no root is known.
    places: other rules ask where files are, too.
    """

    name = "paths"

    def __init__(self, globs: tuple[str, ...], *, places: bool = False) -> None:
        self._places = places or bool(globs)
        self.identity = "\n".join(globs)
        self.reads_paths = self._places
        plain = [glob for glob in globs if not glob.startswith(_FROM_ROOT)]
        self._globs = [(glob, _compiled(glob)) for glob in plain]
        self._rooted = [
            (glob, _compiled(_bare(glob)), _compiled("/" + _bare(glob)))
            for glob in globs
            if glob.startswith(_FROM_ROOT)
        ]
        pieces = _plain_pieces(globs)
        self._told = re2.compile(rb"|".join(pieces), _BYTES) if pieces else None
        said = rb"(?:" + rb"|".join(pieces) + rb")" if pieces else rb"[^\n]"
        self._lines = re2.compile(_LINE.replace(b"SAID", said), _BYTES)

    def find(self, passage: Passage) -> tuple[Label, ...]:
        """One label for each glob; no detail, since a path is the user's own text."""
        if not self._places or not passage.paths:
            return ()
        named = tuple(path for path in passage.paths if not ("/.." in path and winding(path)))
        labels = [*self.labels(named, passage.place)]
        if len(passage.paths) > PATHS_TOLD:
            # INVARIANT: a path that is not told cannot be followed, and may lead anywhere.
            labels.append(Label("scan-failed", passage.place, self.name, "too-many-paths"))
        return tuple(labels)

    def labels(self, paths: Iterable[str], place: str = "") -> tuple[Label, ...]:
        """One label for each glob that speaks of any of these paths."""
        return tuple(Label(f"path:{glob}", place, self.name) for glob in self.matching(paths))

    def matching(self, paths: Iterable[str]) -> tuple[str, ...]:
        """The globs that speak of any of these paths, in their order; not those from the root.

        paths: normalised (`reading.effects.normalise`), relative or absolute.
        """
        named = tuple(paths)
        lines = "\n".join(named)
        if not lines or (_WILD.isdisjoint(lines) and not self.telling(lines)):
            return ()
        return _matching(named, self._globs)

    def rooted(self, paths: tuple[str, ...], root: str) -> tuple[str, ...]:
        """The globs from the root that any of these paths, named or real, matches.

        root: the project's, "" when it is not known. A relative path counts from the root; one that
        leaves it upwards, from anywhere.
        """
        if not self._rooted or not paths:
            return ()
        spelt = [_spelt(path, root) for path in paths]
        within = tuple(path for path in spelt if path.startswith("/"))
        anywhere = tuple(path for path in spelt if path and not path.startswith("/"))
        return tuple(
            glob
            for glob, loose, strict in self._rooted
            if _matching(within, [(glob, strict)]) or _matching(anywhere, [(glob, loose)])
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


def _matching(paths: tuple[str, ...], globs: list[tuple[str, Any]]) -> tuple[str, ...]:
    text = _folded("\n".join(paths)).encode("utf-8", "surrogatepass")
    plain = text.decode("utf-8", "replace")
    asked = [line for line in plain.split("\n") if not _WILD.isdisjoint(line)]
    return tuple(
        glob
        for glob, regexp in globs
        if paths and (regexp.search(text) or any(_may_mean(line, _bare(glob)) for line in asked))
    )


def _spelt(path: str, root: str) -> str:
    """`/x` for what lies in the root or is absolute, `x` for what may lie anywhere."""
    if not root:
        return path.lstrip("/")
    if not path.startswith("/"):
        loose = path.startswith(("../", "~")) or ":" in path[:2] or winding(path)
        return path if loose else "/" + path
    inner = _folded(path).casefold().removeprefix(_folded(root).casefold() + "/")
    return path if inner.startswith("/") else "/" + inner


def _bare(glob: str) -> str:
    return glob.removeprefix("./").lstrip("/")


def _compiled(glob: str) -> Any:
    return re2.compile(_pattern(_folded(glob)), _BYTES)


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
