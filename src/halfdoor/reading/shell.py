"""Which files a shell command names. A reader, not a parser: it takes what looks like a path."""

from collections.abc import Iterator
from typing import Final

import re2

_TOKEN: Final = re2.compile(
    r"""(?:[^\s"'|&;<>()`$\\]|"(?:[^"\\]|\\.)*"|'[^']*'|\\.)+|[|&;()`\n]|[<>]+"""
)
_DEPTH: Final = 3
# In a quoted word, what makes it a command or code.
_SYNTAX: Final = frozenset(" \t\n()|&;<>`,")
# A word without any of these is a path only where files are expected.
_TELLING: Final = frozenset("/\\.=:{")
_ASSIGNED: Final = re2.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_BRACES: Final = re2.compile(r"\{([^{}]*,[^{}]*)\}")
_ALTERNATIVES: Final = 64
_FOLDER_OPTIONS: Final = frozenset({"-C", "--directory", "--prefix", "--cwd", "-f", "--file"})

# Programs whose plain words are files and folders too (`cat Makefile`, `cd payments`), wherever
# they stand: `sudo cat Makefile`, `git diff payments`.
_FILE_PROGRAMS: Final = frozenset(
    ("awk", "bat", "blame", "cat", "cd", "code", "cp", "cut", "diff", "du", "emacs", "find", "grep",
     "egrep", "head", "jq", "less", "log", "ls", "more", "mv", "nano", "nl", "od", "open", "patch",
     "pushd", "rg", "rm", "sed", "show", "sort", "source", "stat", "strings", "tac", "tail", "tar",
     "tee", "touch", "tree", "type", "vi", "vim", "wc", "xxd", "yq", "zip", "get-content", "gc",
     "scp", "rsync", "ln")
)  # fmt: skip


def words(command: str, depth: int = _DEPTH) -> Iterator[str]:
    """Words of a command that may be paths, as written, without quotes.

    A quoted word that holds more than a name (`bash -lc "cat x"`, `python -c "open('x')"`) is read
    as a command of its own too.
    """
    begun = False
    open_ended = False  # plain words count from here to the end of this simple command
    folder = False  # the next word is one
    if not command.isascii():  # half a surrogate pair, as a cut stream leaves it, is no letter
        command = command.encode("utf-8", "replace").decode()
    for token in _TOKEN.findall(command):
        if token[0] in "|&;()`\n":
            begun = open_ended = folder = False
            continue
        if token[0] in "<>":
            open_ended = open_ended or "<<" not in token
            continue
        word = token.replace('"', "").replace("'", "")
        quoted = len(word) != len(token)
        assigned = "=" in word and _ASSIGNED.match(word) is not None
        plain = folder or assigned or (begun and open_ended)
        for reading in _readings(word):
            if depth and (quoted or reading is not word) and not _SYNTAX.isdisjoint(reading):
                yield from words(reading, depth - 1)
            if plain or not _TELLING.isdisjoint(reading):
                yield from _paths(reading, plain=plain)
        begun = begun or not assigned
        open_ended = open_ended or word == "--" or word.rpartition("/")[2].lower() in _FILE_PROGRAMS
        folder = word in _FOLDER_OPTIONS


def _readings(word: str) -> tuple[str, ...]:
    r"""A backslash escapes what follows (`pay\ments`), or is Windows' own (`payments\x`)."""
    return (word.replace("\\", ""), word) if "\\" in word else (word,)


def _paths(word: str, *, plain: bool) -> Iterator[str]:
    if "\n" in word:
        return
    for name in _braced(word) if "{" in word else (word,):
        yield from _names(name, plain=plain)


def _names(word: str, *, plain: bool) -> Iterator[str]:
    before, assigned, value = word.partition("=")
    if word.startswith("-"):
        if assigned:
            yield from _names(value, plain=False)
        elif "/" in word and not word.startswith("--"):  # -fpayments/x, -xfpayments/x
            yield from (word[at:] for at in range(2, 5) if "/" in word[at:])
        return
    if looks_like_path(word) or (plain and word):
        yield word
    if assigned and "/" not in before:  # NAME=path, if=path
        yield from _names(value, plain=plain)
    left, colon, right = word.partition(":")
    if colon and not right.startswith("//"):  # REV:path, host:path, path:line
        yield from (part for part in (left, right) if looks_like_path(part))


def _braced(word: str) -> Iterator[str]:
    """`{a,b}/x` as `a/x` and `b/x`; a word with too many alternatives stays as it is."""
    waiting, left = [word], _ALTERNATIVES
    while waiting:
        word = waiting.pop()
        found = _BRACES.search(word)
        if found is None or left <= 0:
            yield word
            continue
        start, end = found.span()
        names = found.group(1).split(",")
        left -= len(names)
        waiting += [word[:start] + name + word[end:] for name in names]


def looks_like_path(word: str) -> bool:
    """A separator, or a name with an extension. URLs are none, `file:` is."""
    if "://" in word:
        return word.startswith("file://")
    if "/" in word or "\\" in word:
        return True
    name, dot, extension = word.rpartition(".")
    return bool(dot and extension.isalnum() and len(extension) <= 10 and not name.isdigit())
