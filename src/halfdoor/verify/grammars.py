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

# A grammar knows a language's macros and newest forms less well than a compiler does. In these a
# tree with errors counts only where brackets do not pair, too.
_LOOSE: Final = frozenset({"C", "C++", "shell", "Rust"})
_SCRIPTS: Final = frozenset({"JavaScript", "TypeScript", "TSX"})
# TypeScript of 2022 and later that its grammar cannot read: `export type *`, `<in out T>`, and
# arguments of a type of another module (`import("x").T<U>`).
_NEWER: Final = re.compile(
    rb"(?<=\bexport)\s+type(?=\s*\*)|(?<=[<,])\s*(?:in\s+out|in|out)(?=\s+[A-Za-z_$])"
    rb"|^[ \t]*(?:in\s+out|in|out)(?=\s+[A-Za-z_$][\w$]*\s*(?:extends\b|[=,>]))"
    rb"|(?<![\w$.])import\(\s*(?:\"[^\"\n]*\"|'[^'\n]*')\s*\)(?=\s*\.)",
    re.MULTILINE,
)
# Names under which a module may export, and which nothing else may have.
_RESERVED: Final = re.compile(
    rb"((?:\bas\s|[{,])\s*)(break|case|catch|class|const|continue|delete|do|else|enum|export|extends|false"
    rb"|finally|for|function|if|import|in|instanceof|new|null|return|super|switch|this|throw|true"
    rb"|try|typeof|var|void|while|with)(?=\s*[,}])"
)
_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSING: Final = frozenset(_PAIRS.values())
_MOST: Final = 5


class Fault(Struct, frozen=True):
    """Where a text stops being of its language. line, column: from 1; column in bytes."""

    line: int
    column: int
    message: str


class Unreadable(Exception):  # noqa: N818  no error of the text's: the grammar cannot be used
    """The grammar is installed and cannot be used; the text was not judged."""


def installed(language: Language) -> bool:
    """Can this language be read here?"""
    module = language.grammar[0]
    return bool(module) and find_spec("tree_sitter") is not None and find_spec(module) is not None


def faults(language: Language, data: bytes) -> tuple[Fault, ...]:
    """The first few places where `data` is no text of the language; () when it is.

    Raises Unreadable when the grammar does not fit the installed tree-sitter.
    """
    tree = _parser(language.grammar).parse(data)
    if tree.root_node.has_error and language.name in _SCRIPTS:
        tree = _parser(language.grammar).parse(_older(data))
    if not tree.root_node.has_error:
        return ()
    if language.name in _LOOSE and (b"\n#if" in data or _paired(tree.root_node)):
        return ()
    return tuple(fault for fault, _ in zip(_faults(tree.root_node), range(_MOST), strict=False))


def _older(data: bytes) -> bytes:
    """The same text without what its grammar does not know, every place kept."""
    plain = _RESERVED.sub(lambda found: found[1] + b"x" * len(found[2]), data)
    return _NEWER.sub(_blank, plain)


def _blank(found: "re.Match[bytes]") -> bytes:
    said = found[0]
    blank = bytes(byte if byte in b"\r\n" else 0x20 for byte in said)
    return b"I" + blank[1:] if said.startswith(b"import") else blank


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


def _paired(root: Any) -> bool:
    """Do all brackets pair that the grammar took for brackets, not for text?"""
    waiting, opened = [root], []
    while waiting:
        node = waiting.pop()
        if node.children:
            waiting.extend(reversed(node.children))
        elif node.is_missing and node.type in {*_PAIRS, *_CLOSING}:
            return False
        elif node.type in _PAIRS:
            opened.append(_PAIRS[node.type])
        elif node.type in _CLOSING and (not opened or opened.pop() != node.type):
            return False
    return not opened
