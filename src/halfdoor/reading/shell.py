"""Which files a shell command names. A reader, not a parser: it takes what looks like a path."""

from collections.abc import Iterator
from typing import Final

import re2

_TOKEN: Final = re2.compile(
    r"""(?:[^\s"'|&;<>()`$\\]|"(?:[^"\\]|\\.)*"|'[^']*'|\\.)+|[|&;()`\n]|[<>]+"""
)
_DEPTH: Final = 3

# Programs whose plain words are files and folders too (`cat Makefile`, `cd payments`).
_FILE_PROGRAMS: Final = frozenset(
    ("awk", "bat", "cat", "cd", "code", "cp", "cut", "diff", "du", "emacs", "find", "grep", "egrep",
     "head", "jq", "less", "ls", "more", "mv", "nano", "nl", "od", "open", "patch", "pushd", "rg",
     "rm", "sed", "sort", "source", "stat", "strings", "tac", "tail", "tar", "tee", "touch", "tree",
     "type", "vi", "vim", "wc", "xxd", "yq", "zip", "get-content", "gc", "scp", "rsync", "ln")
)  # fmt: skip


def words(command: str, depth: int = _DEPTH) -> Iterator[str]:
    """Words of a command that may be paths, as written, without quotes.

    A quoted word with spaces (`bash -lc "cat x"`) is read as a command of its own.
    """
    program = ""
    open_ended = False  # plain words count from here to the end of this simple command
    for token in _TOKEN.findall(command):
        if token[0] in "|&;()`\n":
            program, open_ended = "", False
            continue
        if token[0] in "<>":
            open_ended = open_ended or "<<" not in token
            continue
        word = _bare(token)
        if depth and any(c in word for c in " \t\n"):
            yield from words(word, depth - 1)
        elif not program:
            program = word.rpartition("/")[2].lower()
            open_ended = program in _FILE_PROGRAMS
            yield from _paths(word, plain=False)
        else:
            open_ended = open_ended or word == "--"
            yield from _paths(word, plain=open_ended)


def _bare(token: str) -> str:
    if "\\" in token and (":\\" in token or token.count("\\") > 1) and '"' not in token:
        return token.strip("'")  # a Windows path rather than escapes
    return token.replace('"', "").replace("'", "").replace("\\", "")


def _paths(word: str, *, plain: bool) -> Iterator[str]:
    if word.startswith("-"):
        word, plain = word.partition("=")[2], False
    if looks_like_path(word) or (plain and word):
        yield word
    left, colon, right = word.partition(":")
    if colon and not right.startswith("//"):  # REV:path, host:path, path:line
        yield from (part for part in (left, right) if looks_like_path(part))


def looks_like_path(word: str) -> bool:
    """A separator, or a name with an extension. URLs are none, `file:` is."""
    if "://" in word:
        return word.startswith("file://")
    if "/" in word or "\\" in word:
        return True
    name, dot, extension = word.rpartition(".")
    return bool(dot and extension.isalnum() and len(extension) <= 10 and not name.isdigit())
