"""C and C++ whose grammar lost its way: do the brackets pair that a compiler would see?

Macros and conditional lines make text that no grammar reads. Here it is read word by word, twice:
once as if each condition held that can hold, once as if none did.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

# INVARIANT: linear in the text: what opens and never closes is read once, to its line's or the
# text's end.
_WORD: Final = re.compile(
    rb"""(?P<skip>//(?:[^\n\\]|\\(?:\r\n|.))*+ | /\*.*?(?:\*/|\Z)
          | \b(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?(?:\)(?P=mark)"|\Z)
          | "(?:[^"\\\n]|\\(?:\r\n|.))*+"? | \b[0-9](?:'?\w)*+ | '(?:[^'\\\n]|\\(?:\r\n|.))*+'?)
      | ^[ \t]*+(?P<directive>\#[ \t]*+(?P<kind>[a-z]*)
          (?P<rest>(?://(?:[^\n\\]|\\(?:\r\n|.))*+|[^\n\\/]|\\(?:\r\n|.)|/(?!\*)|/\*.*?(?:\*/|\Z))*+))
      | [A-Za-z_]\w*+ | [()\[\]{};]""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_COMMENT: Final = re.compile(rb"//.*|/\*.*?(?:\*/|\Z)|\\\r?\n", re.DOTALL)
_DEFINED: Final = re.compile(r"defined\s*\(\s*(\w+)\s*\)|defined\s+(\w+)")
_PART: Final = re.compile(r"&&|\|\||!(?!=)|\(|\)|(?:(?!&&|\|\|)[^()!]|!=)+")
_UNLIKE: Final = re.compile(r"!=|>=|<=")
_LIKE: Final = {"!=": "==", ">=": "<", "<=": ">"}
# Brackets in a condition; each is a call of ours.
_DEEPEST: Final = 100
_PAIRS: Final = {b"(": b")", b"[": b"]", b"{": b"}"}
_ENDS: Final = frozenset({b"return", b"break", b"continue", b"goto"})
_OPENING: Final = frozenset({b"if", b"ifdef", b"ifndef"})
_FURTHER: Final = frozenset({b"elif", b"elifdef", b"elifndef", b"else"})


class Broken(Struct, frozen=True):
    """offset: where it shows, in bytes."""

    offset: int
    message: str


class Unsure(Exception):  # noqa: N818  no error of the text's
    """It pairs under one choice of its conditions and not under the other."""


def broken(data: bytes) -> Broken | None:
    """What no choice of conditions mends, None when the brackets pair. Raises Unsure."""
    words = list(_words(data))
    found = [_Reading(holds=holds).read(words) for holds in (True, False)]
    if all(found):
        return found[1]
    if any(found):
        raise Unsure
    return None


class _Word(Struct, frozen=True):
    """kind: of a directive, None of every other. guard: of a header that is read once."""

    text: bytes
    offset: int
    kind: bytes | None = None
    guard: bool = False


def _words(data: bytes) -> Iterator[_Word]:
    held: _Word | None = None
    for found in _WORD.finditer(data):
        if found["skip"] is not None:
            continue
        said = found["directive"] and _COMMENT.sub(b" ", found["rest"]).strip()
        word = (_Word(said, found.start(), found["kind"]) if said is not None
                else _Word(found[0], found.start()))  # fmt: skip
        if held:
            same = word.kind == b"define" and word.text.split()[:1] == [held.text]
            yield _Word(held.text, held.offset, held.kind, guard=same)
        held = word if word.kind == b"ifndef" else None
        if not held:
            yield word
    if held:
        yield held


class _Branch(Struct):
    """One `#if`. outer: is what stands around it read? taken: was a branch of it? live: is this?"""

    offset: int
    outer: bool
    taken: bool
    live: bool


class _Reading:
    """One choice. holds: of every condition that nothing decides."""

    def __init__(self, *, holds: bool) -> None:
        self._holds = holds
        self._branches: list[_Branch] = []
        self._open: list[tuple[bytes, int]] = []
        self._ends: list[int] = [-1]

    def read(self, words: list[_Word]) -> Broken | None:
        for word in words:
            if word.kind is not None:
                found = self._direct(word, word.kind)
            else:
                found = self._take(word) if self._live() else None
            if found:
                return found
        if self._branches:
            return Broken(self._branches[-1].offset, "`#endif` is missing for this")
        if self._open:
            bracket, offset = self._open[-1]
            return Broken(offset, f"`{bracket.decode()}` is never closed")
        return None

    def _live(self) -> bool:
        return not self._branches or (self._branches[-1].outer and self._branches[-1].live)

    def _direct(self, word: _Word, kind: bytes) -> Broken | None:
        if kind in _OPENING:
            live = word.guard or self._true(word, kind)
            self._branches.append(_Branch(word.offset, self._live(), live, live))
        elif kind in _FURTHER | {b"endif"}:
            if not self._branches:
                return Broken(word.offset, f"`#{kind.decode()}` has no `#if`")
            if kind == b"endif":
                self._branches.pop()
                return None
            branch = self._branches[-1]
            branch.live = not branch.taken and (kind == b"else" or self._true(word, kind))
            branch.taken = branch.taken or branch.live
        return None

    def _true(self, word: _Word, kind: bytes) -> bool:
        if kind.endswith(b"def"):
            return self._holds is not kind.endswith(b"ndef")
        return _Condition(word.text.decode("utf-8", "replace"), holds=self._holds).true()

    def _take(self, word: _Word) -> Broken | None:
        text, ends = word.text, self._ends
        if text in _PAIRS:
            self._open.append((text, word.offset))
            ends.append(-1)
        elif text == b";":
            ends[-1] = -1
        elif text in _ENDS:
            ends[-1] = word.offset
        elif text in b")]}":
            if not self._open or _PAIRS[self._open[-1][0]] != text:
                return Broken(word.offset, f"`{text.decode()}` closes nothing")
            if ends[-1] >= 0 and text == b"}":
                return Broken(ends[-1], "`;` is missing after this")
            self._open.pop()
            ends.pop()
        return None


class _Condition:
    """`&&`, `||`, `!` and brackets are obeyed; `0` is false; of all else nothing is known."""

    def __init__(self, said: str, *, holds: bool) -> None:
        plain = _DEFINED.sub(lambda found: found[1] or found[2], said)
        self._parts = [each for part in _PART.findall(plain) if (each := part.strip())]
        self._at = 0
        self._holds = holds

    def true(self) -> bool:
        return self._either() if self._parts.count("(") <= _DEEPEST else self._holds

    def _either(self) -> bool:
        true = self._both()
        while self._next("||"):
            true = self._both() or true
        return true

    def _both(self) -> bool:
        true = self._one()
        while self._next("&&"):
            true = self._one() and true
        return true

    def _one(self) -> bool:
        turned = False
        while self._next("!"):
            turned = not turned
        if self._next("("):
            true = self._either()
            self._next(")")
            while self._at < len(self._parts) and self._parts[self._at] not in {"&&", "||", ")"}:
                self._at += 1
        else:
            true = self._known()
        return true is not turned

    def _known(self) -> bool:
        if self._at >= len(self._parts):
            return self._holds
        said = self._parts[self._at]
        self._at += 1
        while self._next("("):  # a macro's arguments, `__has_include(<x>)`
            self._either()
            self._next(")")
        if said.rstrip("uUlL").isdigit():
            return bool(int(said.rstrip("uUlL")))
        return self._holds is not bool(_UNLIKE.search(said))

    def _next(self, wanted: str) -> bool:
        found = self._at < len(self._parts) and self._parts[self._at] == wanted
        self._at += found
        return found
