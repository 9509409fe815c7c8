"""What a text of JavaScript or TypeScript imports, and where.

Read word by word, so that comments, strings, templates and regular expressions are what they are; a
full parse would need a grammar for each dialect, and gives no more here.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

# INVARIANT: linear in the text, which anybody may have written. A string or template that never
# closes is read once: what else could open in it stands after a backslash, and is not tried. In a
# class of a regular expression that does not hold: see `_words`.
_PLAIN: Final = r"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<string>(?<!\\)(?:"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'))
      | (?P<template>(?<!\\)`(?:[^`\\]|\\.)*+`)
      | (?P<open>\{) | (?P<close>\})"""
_REGEX: Final = r"""(?P<regex>(?<=[=(,:;!&|?{}\[+\n])[ \t]*/(?![*/ ])
          (?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*+\]?)*+(?P<closed>/)?)"""
_WORD: Final = re.compile(f"{_PLAIN} | {_REGEX}", re.VERBOSE | re.DOTALL)
_LINE: Final = re.compile(rf"{_PLAIN} | (?P<end>\n|\Z)", re.VERBOSE | re.DOTALL)
# What stands before a string that names a module. Clauses of an import hold names and braces only.
_CLAUSE: Final = re.compile(r"(?:import|export)(?:\s+(?:type|typeof|defer))?[\s\w$*{},]*\bfrom\s*$")
_BARE: Final = re.compile(r"(?:^|[;}\n])\s*import\s*$")
_CALLED: Final = re.compile(r"(?<![\w$.])(?:import|require(?:\.resolve)?)\s*\(\s*$")
_DECLARED: Final = re.compile(r"(?<![\w$.])declare\s+module\s*$")
_TRY: Final = re.compile(r"(?<![\w$.])try\s*$")
# What follows the name in a call; otherwise it is put together with more.
_WHOLE: Final = re.compile(r"\s*[),]")
_ENDS: Final = ("from", "import", "(", "module")
_NEAR: Final = 60
# As much as an import's clause may take.
_BEFORE: Final = 4000


class Specifier(Struct, frozen=True):
    """One module that is imported. name: as it stands in quotes.

    guarded: inside `try`, so that the text goes on without it. declares: the text says itself what
    the module holds (`declare module "x"`), and imports nothing.
    """

    name: str
    line: int
    guarded: bool = False
    declares: bool = False


def specifiers(text: str) -> tuple[Specifier, ...]:
    """Every one of a text, in order; names that are put together when it runs are left out."""
    return tuple(_read(text)) if "import" in text or "require" in text or "from" in text else ()


def _read(text: str) -> Iterator[Specifier]:
    code, at, blocks = "", 0, [False]
    line, counted = 1, 0
    for word in _words(text):
        code = (code + text[at : word.start()])[-_BEFORE:]
        at = word.end()
        match word.lastgroup:
            case "open":
                blocks.append(blocks[-1] or bool(_TRY.search(code[-_NEAR:])))
                code += "{"
            case "close":
                if len(blocks) > 1:
                    blocks.pop()
                code += "}"
            case "comment":
                code += "\n" if "\n" in word[0] or word[0].startswith("//") else " "
            case "string":
                if code.rstrip().endswith(_ENDS):
                    line += text.count("\n", counted, word.start())
                    counted = word.start()
                    whole = bool(_WHOLE.match(text, at))
                    yield from _named(word[0][1:-1], line, code, whole=whole, guarded=blocks[-1])
                code += '""'
            case _:
                code += "``"


def _words(text: str) -> Iterator[re.Match[str]]:
    """Each, in order. Where one regular expression does not close, its line has no other."""
    at = without = 0
    while word := (_WORD if at >= without else _LINE).search(text, at):
        at = word.end()
        if word.lastgroup == "regex" and not word["closed"]:
            at, without = word.start(), at
        elif word.lastgroup != "end":
            yield word


def _named(name: str, line: int, code: str, *, whole: bool, guarded: bool) -> Iterator[Specifier]:
    """The module that a string names, by what stands before it. whole: is it the whole argument?"""
    near = code[-_NEAR:]
    if _CALLED.search(near):
        if whole:
            yield Specifier(name, line, guarded)
    elif _BARE.search(near) or _clause(code):
        yield Specifier(name, line)
    elif _DECLARED.search(near):
        yield Specifier(name, line, declares=True)


def _clause(code: str) -> bool:
    """Does it end with what an import or an export says before its module?"""
    start = max(code.rfind("import"), code.rfind("export"))
    before = code[:start].rstrip(" \t")[-1:] if start >= 0 else "?"
    return before in {"", ";", "}", "\n"} and bool(_CLAUSE.match(code, start))
