"""Ignore files as globs of rules. Pure.

Their language is git's (`gitignore(5)`): a slash inside a pattern ties it to the file's folder, a
trailing one means folders, what is hidden is hidden with all below it. A rule's glob matches at any
folder boundary and in any case, knows no classes and no escapes. INVARIANT: a glob drafted here
matches at least what its line hides; where it matches more, its note says so.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from halfdoor.config.check import glob_trouble

LINES_LIMIT: Final = 10_000
_RUN: Final = re.compile(r"\*{2,}")
_ANY: Final = "**"

NEGATED: Final = (
    "allows again what another line hides; rules only tighten, so it stays held: narrow that line"
)
NEVER_NEGATED: Final = "this kind of file knows no `!`; the line does nothing there either"


class Flavour(Struct, frozen=True):
    """One kind of ignore file. negates: it knows `!x`. empty_hides: without a line it hides all."""

    file: str
    negates: bool = True
    empty_hides: bool = False


FLAVOURS: Final = (
    Flavour(".aiexclude", negates=False, empty_hides=True),
    Flavour(".aiignore"),
    Flavour(".cursorignore"),
    Flavour(".geminiignore"),
    Flavour(".clineignore"),
)


class Drafted(Struct, frozen=True):
    """A glob for a rule. said: the line it comes from. note: how it differs, "" if not at all."""

    glob: str
    where: str
    said: str
    note: str = ""


class Unsaid(Struct, frozen=True):
    """A line that no rule can express, and what it means."""

    where: str
    said: str
    why: str


def read_ignore(flavour: Flavour, name: str, folder: str, text: str) -> Iterator[Drafted | Unsaid]:
    """Each line that says something. name: the file's, for people; folder: its own, "" at the root.

    Bytes that are no UTF-8 may stand as surrogates; such a line cannot be expressed.
    """
    patterns = 0
    for number, line in enumerate(text.split("\n"), 1):
        where, said = f"{name}:{number}", _stripped(line)
        if not said or said.startswith("#"):
            continue
        patterns += 1
        if patterns > LINES_LIMIT:
            yield Unsaid(where, "", f"this and all below: more than {LINES_LIMIT:,} lines")
            return
        if said.startswith("!"):
            yield Unsaid(where, said, NEGATED if flavour.negates else NEVER_NEGATED)
            continue
        yield drafted(said, where, said, folder)
    if not patterns and flavour.empty_hides:
        glob = f"{folder}/{_ANY}" if folder else _ANY
        note = "an empty file of this kind hides all that is beside and below it"
        yield _checked(glob, f"{name}:1", "(no pattern)", note)


def drafted(pattern: str, where: str, said: str, folder: str = "") -> Drafted | Unsaid:
    """One pattern in git's language, as it is written in a file of `folder`."""
    notes: dict[str, None] = {}
    plain = _plain(pattern, notes)
    if plain is None:
        return Unsaid(where, said, "ends in a lone backslash and matches nothing")
    steps = _steps(plain, notes)
    if steps is None:
        return Unsaid(where, said, "has a `..` step and matches nothing")
    if not steps:
        return Unsaid(where, said, "names nothing")
    floating = "/" not in plain[:-1] or steps[0] == _ANY
    everything = set(steps) <= {"*", _ANY}
    if not floating and not folder and not everything:
        notes["held at any depth, not only there"] = None
    home = [_literal(step, notes) for step in folder.split("/") if folder]
    while steps and steps[0] == _ANY:
        steps = steps[1:]
    if everything:
        steps = []
    whole = [*home, *([_ANY] if floating and home and steps else []), *steps]
    whole += [] if whole and whole[-1] == _ANY else [_ANY]
    glob = "/".join(whole)
    if "${" in glob:  # it would be taken for a variable, which no file of rules may name
        notes["`$` is any character"] = None
        glob = glob.replace("${", "?{")
    return _checked(glob, where, said, "; ".join(notes))


def _checked(glob: str, where: str, said: str, note: str) -> Drafted | Unsaid:
    """A rule may not begin like an absolute path; `**/` before it changes nothing."""
    if glob.startswith("~") or (len(glob) > 1 and glob[1] == ":"):
        glob = f"{_ANY}/{glob}"
    if trouble := glob_trouble(glob):
        return Unsaid(where, said, f"as a rule it {trouble}")
    return Drafted(glob, where, said, note)


def _stripped(line: str) -> str:
    """Without the spaces at its end, but for an escaped one."""
    line = line.removesuffix("\r")
    bare = line.rstrip(" \t")
    escaped = (len(bare) - len(bare.rstrip("\\"))) % 2 == 1
    return bare + line[len(bare) : len(bare) + 1] if escaped else bare


def _plain(pattern: str, notes: dict[str, None]) -> str | None:
    """Without escapes and classes, which become wider wildcards. None: it can match nothing."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            if at + 1 == len(pattern):
                return None
            out.append(_literal(pattern[at + 1], notes))
            at += 2
        elif char == "[" and (end := _class_end(pattern, at)):
            notes["`[…]` is any character"] = None
            out.append("?")
            at = end
        else:
            out.append(char)
            at += 1
    return "".join(out)


def _literal(text: str, notes: dict[str, None]) -> str:
    """A name as it is; what a rule's glob cannot say literally becomes wider."""
    if not set(text).isdisjoint("*?\\"):
        notes["an escaped `*`, `?` or `\\` is any character"] = None
    return text.replace("\\", "?")


def _class_end(pattern: str, at: int) -> int:
    """Behind the bracket that closes the class that begins at `at`; 0 when none does."""
    at += 2 if pattern[at + 1 : at + 2] in {"!", "^"} else 1
    first = at
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 2
        elif pattern.startswith("[:", at) and (end := pattern.find(":]", at + 2)) > 0:
            at = end + 2
        elif pattern[at] == "]" and at > first:
            return at + 1
        else:
            at += 1
    return 0


def _steps(plain: str, notes: dict[str, None]) -> list[str] | None:
    """The names of a pattern; two stars cross folders only where they stand alone."""
    steps: list[str] = []
    inner = plain.removeprefix("/").removesuffix("/")
    for step in inner.split("/"):
        if step == "..":
            return None
        if step in {"", "."}:
            if inner:
                notes["an empty or `.` step is left out"] = None
            continue
        made = step if step == _ANY else _RUN.sub("*", step)
        if not (made == _ANY and steps[-1:] == [_ANY]):
            steps.append(made)
    return steps
