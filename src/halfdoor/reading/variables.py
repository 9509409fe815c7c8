"""A command with its own variables put in: `D=infra; cat $D/x`, `for f in a b; do cat $f`."""

from collections.abc import Iterator
from typing import Final

import re2

# `NAME=value`, `export NAME="value"`, PowerShell's `$name = 'value'`.
_SET: Final = re2.compile(
    r"""(?:^|[\s;&|(])\$?([A-Za-z_][A-Za-z0-9_]*) ?= ?("[^"\n]*"|'[^'\n]*'|[^\s;&|"'()`=]+)"""
)
_LOOP: Final = re2.compile(r"\bfor\s+([A-Za-z_][A-Za-z0-9_]*)\s+in\s+([^;\n$`]+)")
_USE: Final = re2.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)[^{}]*\}|([A-Za-z_][A-Za-z0-9_]*))")

# More than a tool writes; what is longer is read as it stands.
_COMMAND_CHARS: Final = 16_384
_VALUE_CHARS: Final = 256
_VALUES: Final = 8
_USES: Final = 128


def expanded(command: str) -> Iterator[str]:
    """The command once for each value of its variables, at most eight times; none without any."""
    if not 0 < command.count("$") <= _USES or len(command) > _COMMAND_CHARS:
        return
    values = _values(command)
    for turn in range(max(map(len, values.values()), default=0)):
        now = {name: some[min(turn, len(some) - 1)] for name, some in values.items()}
        # A value may use another.
        now = {name: _put_in(value, now)[:_VALUE_CHARS] for name, value in now.items()}
        found = _put_in(command, now)
        if found != command:
            yield found


def _values(command: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in _SET.findall(command):
        values.setdefault(name, []).append(value.strip("\"'")[:_VALUE_CHARS])
    for name, words in _LOOP.findall(command):
        values.setdefault(name, []).extend(word.strip("\"'") for word in words.split())
    return {name: found[:_VALUES] for name, found in values.items()}


def _put_in(text: str, values: dict[str, str]) -> str:
    parts = []
    at = 0
    for use in _USE.finditer(text):
        name = use.group(1) or use.group(2)
        parts += [text[at : use.start()], values.get(name, use.group(0))]
        at = use.end()
    return "".join([*parts, text[at:]])
