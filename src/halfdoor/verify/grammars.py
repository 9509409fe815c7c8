"""tree-sitter: where a text of a language stops being one. Grammars come with `halfdoor[gate]`.

Each grammar is a wheel of its own, so that nothing is fetched when it is first needed.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from msgspec import Struct

from halfdoor.verify.languages import Language
from halfdoor.verify.templates import is_template, without_actions

_PREPROCESSED: Final = frozenset({"C", "C++"})
_SCRIPTS: Final = frozenset({"JavaScript", "TypeScript", "TSX"})
# TypeScript of 2022 and later that its grammar cannot read: `export type *`, `<in out T>`, and
# arguments of a type of another module (`import("x").T<U>`).
_NEWER: Final = re.compile(
    rb"(?<=\bexport)\s+type(?=\s*\*)|(?<=[<,])\s*(?:in\s+out|in|out)(?=\s+[A-Za-z_$])"
    rb"|^[ \t]*(?:in\s+out|in|out)(?=\s+[A-Za-z_$][\w$]*\s*(?:extends\b|[=,>]))"
    rb"|(?<![\w$.])(?P<word>import\(\s*(?:\"[^\"\n]*\"|'[^'\n]*')\s*\))(?=\s*\.)",
    re.MULTILINE,
)
# Java of 2025: `import module x`, and a constructor that does something before it calls another.
# Rust: a macro with the name of a type that the language brings, and the fences of a script's head.
_UNKNOWN: Final = {
    "Java": re.compile(
        rb"(?<=^import)[ \t]+module(?=[ \t])|(?<![.\w])(?P<word>super|this)(?=\s*\()", re.MULTILINE
    ),
    "Rust": re.compile(
        rb"(?<!\w)(?P<word>str|char|bool|[iu](?:8|16|32|64|128|size)|f32|f64)(?=!\s*[(\[{])"
        rb"|\A(?:#![^\n]*)?\s*+(-{3,})[^\n]*\n.*?\n\2[ \t]*(?=\r?\n|\Z)",
        re.DOTALL,
    ),
}
# Names under which a module may export, and which nothing else may have.
_RESERVED: Final = re.compile(
    rb"((?:\bas\s|[{,])\s*)(break|case|catch|class|const|continue|delete|do|else|enum|export|extends|false"
    rb"|finally|for|function|if|import|in|instanceof|new|null|return|super|switch|this|throw|true"
    rb"|try|typeof|var|void|while|with)(?=\s*[,}])"
)
# A line that begins with one of these goes on with the one above, unless that is an arrow's body.
_ASIDE: Final = re.compile(rb"(?<=\})([ \t]*\r?)\n(?=\s*[\[(`])")
_UNSTABLE: Final = b"#![feature("
# The grammar of YAML keeps its indents in 1024 bytes; 255 of them bring the whole process down
# (tree-sitter-yaml 0.7.2, 2026-11).
_MOST_COLUMNS: Final = 100
_INDENT: Final = re.compile(rb"^[ \t?:-]*+", re.MULTILINE)
_MOST: Final = 5


class Fault(Struct, frozen=True):
    """Where a text stops being of its language. line, column: from 1; column in bytes."""

    line: int
    column: int
    message: str


class Unreadable(Exception):  # noqa: N818  no error of the text's: the grammar cannot be used
    """The grammar is installed and cannot be used for this; the text was not judged."""


def installed(language: Language) -> bool:
    """Can this language be read here?"""
    module = language.grammar[0]
    return bool(module) and find_spec("tree_sitter") is not None and find_spec(module) is not None


class Reading(Struct, frozen=True):
    """faults: the first few places where a text is not of its language; () when it is.

    untold: why nothing here can tell, "" when something can.
    """

    faults: tuple[Fault, ...] = ()
    untold: str = ""


def read(language: Language, data: bytes) -> Reading:
    """Read a text by its language's grammar, and by what else knows it where that loses its way.

    Raises Unreadable when the grammar does not fit the installed tree-sitter, or the text not it.
    """
    root = _root(language, data)
    if not root.has_error:
        return Reading()
    if language.name in _PREPROCESSED:
        return _preprocessed(data)
    for other in _reworded(language.name, data):
        root = _root(language, other)
        if not root.has_error:
            return Reading()
    if why := _untold(language.name, data):
        return Reading(untold=why)
    return Reading(tuple(fault for fault, _ in zip(_faults(root), range(_MOST), strict=False)))


def _reworded(name: str, data: bytes) -> Iterator[bytes]:
    """The same text without what its grammar does not know, every place kept in the last."""
    if name in _UNKNOWN:
        yield _UNKNOWN[name].sub(_blank, data)
    elif name in _SCRIPTS:
        older = _older(data)
        yield _ASIDE.sub(rb"\1;\n", older)
        yield older
    elif name == "YAML" and is_template(data):
        yield without_actions(data)


def _untold(name: str, data: bytes) -> str:
    """Why an error of the grammar says nothing of the text, "" when it does."""
    if name == "YAML" and is_template(data):
        return "a template"
    return "unstable Rust" if name == "Rust" and _UNSTABLE in data else ""


def _root(language: Language, data: bytes) -> Any:
    if language.name == "YAML" and _columns(data) > _MOST_COLUMNS:
        raise Unreadable(f"YAML that begins at more than {_MOST_COLUMNS} columns cannot be judged")
    return _parser(language.grammar).parse(data).root_node


def _preprocessed(data: bytes) -> Reading:
    """Macros are unknown to the grammar: its errors say little, and brackets pair all the same."""
    from halfdoor.verify.preprocessed import Unsure, broken  # noqa: PLC0415  only where it errs

    try:
        found = broken(data)
    except Unsure:
        return Reading(untold="its brackets pair under some of its conditions only")
    if found is None:
        return Reading()
    start = data.rfind(b"\n", 0, found.offset) + 1
    line = data.count(b"\n", 0, start) + 1
    return Reading((Fault(line, found.offset - start + 1, found.message),))


def _columns(data: bytes) -> int:
    """At how many columns something begins; no two levels of a text share more than one."""
    at: set[int] = set()
    for indent in set(_INDENT.findall(data)):
        at.add(len(indent))
        at.update(n for n, byte in enumerate(indent) if byte not in b" \t")
    return len(at)


def _older(data: bytes) -> bytes:
    """A script without what its grammar does not know, every place kept."""
    plain = _RESERVED.sub(lambda found: found[1] + b"x" * len(found[2]), data)
    return _NEWER.sub(_blank, plain)


def _blank(found: "re.Match[bytes]") -> bytes:
    """Nothing, or some word in the place of one."""
    said = found[0]
    blank = bytes(byte if byte in b"\r\n" else 0x20 for byte in said)
    return b"I" + blank[1:] if found.lastgroup == "word" else blank


@cache
def _parser(grammar: tuple[str, str]) -> Any:
    """Made once a process: grammars are constants."""
    try:
        sitter = import_module("tree_sitter")
        made = getattr(import_module(grammar[0]), grammar[1])()
        return sitter.Parser(sitter.Language(made))
    except (ImportError, AttributeError, ValueError) as error:
        raise Unreadable(f"{grammar[0]} cannot be used: {error}") from None


def _faults(root: Any) -> Iterator[Fault]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        row, column = node.start_point
        if node.is_missing:
            yield Fault(row + 1, column + 1, f"`{node.type}` is missing")
        elif node.is_error:
            yield Fault(row + 1, column + 1, "cannot be read from here")
        elif node.has_error:
            waiting.extend(reversed(node.children))
