"""What the tiny model learns from: Python-like functions made by a grammar, the same everywhere.

Only `Random.random` is drawn from: its sequence is promised not to change between versions of
Python, and that of `choice` is not.
"""

import random
from collections.abc import Sequence
from typing import Final

_SEED: Final = 4114
_VERBS: Final = (
    "read", "find", "count", "join", "split", "load", "write", "check", "parse", "sort", "open",
    "close", "merge", "start", "reset", "fetch", "build", "apply", "trace", "match", "render",
    "update", "remove", "insert", "select", "filter", "encode", "decode", "follow", "measure",
    "compare", "collect", "resolve", "restore", "prepare", "deliver",
)  # fmt: skip
_NOUNS: Final = (
    "line", "path", "name", "value", "token", "table", "row", "node", "key", "part", "file",
    "list", "text", "word", "page", "block", "index", "offset", "header", "buffer", "request",
    "answer", "message", "session", "record", "branch", "folder", "version", "result", "number",
    "window", "column", "format", "secret", "target", "engine", "marker", "source", "pattern",
    "channel", "position", "character", "directory", "reference", "argument", "parameter",
    "exception", "connection",
)  # fmt: skip
_TESTS: Final = ("not {0}", "{0} is None", "len({0}) > {1}", "{0} == {1}", "{0} in seen")
_STEPS: Final = (
    "{0} = {2}_{0}({0})",
    "{0}.append({1})",
    "seen.add({0})",
    'print(f"{0}: {{{0}}}")',
    "total += {1}",
    "{0} = {0}.strip()",
)
_ENDS: Final = ("return {0}", "return None", "return total", "return [{0}, {1}]", "yield {0}")


def functions(count: int) -> list[str]:
    """So many functions, each a text that ends in a line feed."""
    chance = random.Random(_SEED)
    return [_function(chance) for _ in range(count)]


def _one(chance: random.Random, words: Sequence[str]) -> str:
    return words[int(chance.random() * len(words))]


def _function(chance: random.Random) -> str:
    verb, noun, number = (
        _one(chance, _VERBS),
        _one(chance, _NOUNS),
        str(int(chance.random() * 1000)),
    )

    def line(of: Sequence[str], indent: int) -> str:
        return " " * indent + _one(chance, of).format(noun, number, _one(chance, _VERBS)) + "\n"

    head = f'def {verb}_{noun}({noun}):\n    """{verb.title()} the {noun} of a {_one(chance, _NOUNS)}."""\n'
    loop = f"    for {noun} in {_one(chance, _NOUNS)}s:\n" + line(_STEPS, 8)
    tested = f"    if {_one(chance, _TESTS).format(noun, number)}:\n" + line(_ENDS, 8)
    return head + _one(chance, (loop, tested, loop + tested)) + line(_STEPS, 4) + line(_ENDS, 4)
