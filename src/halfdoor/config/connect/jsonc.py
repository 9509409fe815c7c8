"""JSON with comments and trailing commas, as a tree of places in its text."""

import json
import re
from typing import Any, Final

from msgspec import Struct

BLANK: Final = re.compile(r"(?:[ \t\r\n]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD: Final = re.compile(r"-?[0-9][0-9.eE+-]*|true|false|null")
# No honest settings file comes near; the reader calls itself at each level.
_DEPTH: Final = 64


class Node(Struct, frozen=True):
    """A value: where it stands, and what is in it. keys: of an object's items, with their starts.

    keys and items are None for what is neither object nor list; keys is None for a list.
    """

    start: int
    end: int
    items: "tuple[Node, ...] | None" = None
    keys: tuple[tuple[str, int], ...] | None = None

    def find(self, key: str) -> int:
        """The index of an object's key; -1 without it."""
        names = [name for name, _ in self.keys or ()]
        return names.index(key) if key in names else -1

    def starts(self, index: int) -> int:
        """Where an item begins, an object's with its key."""
        assert self.items is not None
        return self.keys[index][1] if self.keys is not None else self.items[index].start


def parsed(text: str) -> Node:
    """The root value. Raises ValueError, with the line, for what is no JSON with comments."""
    node = _value(text, _skipped(text, 0), 0)
    at = _skipped(text, node.end)
    if at != len(text):
        raise _unreadable(text, at)
    return node


def value(text: str, node: Node) -> Any:
    """What stands there, as Python has it."""
    if node.items is None:
        return json.loads(text[node.start : node.end])
    found = [value(text, item) for item in node.items]
    if node.keys is None:
        return found
    return dict(zip((key for key, _ in node.keys), found, strict=True))


def _value(text: str, at: int, depth: int) -> Node:
    if depth > _DEPTH:
        raise _unreadable(text, at)
    if text[at : at + 1] in {"{", "["}:
        return _container(text, at, depth)
    if found := _STRING.match(text, at) or _WORD.match(text, at):
        try:
            json.loads(found[0])
        except ValueError:
            raise _unreadable(text, at) from None
        return Node(at, found.end())
    raise _unreadable(text, at)


def _container(text: str, start: int, depth: int) -> Node:
    closing = "}" if text[start] == "{" else "]"
    keys: list[tuple[str, int]] = []
    items: list[Node] = []
    at = _skipped(text, start + 1)
    while text[at : at + 1] != closing:
        if closing == "}":
            key, after = _key(text, at)
            if key in dict(keys):
                raise ValueError(f"line {_line(text, at)}: the key `{key[:40]}` stands twice")
            keys.append((key, at))
            at = after
        items.append(_value(text, at, depth + 1))
        at = _skipped(text, items[-1].end)
        if text[at : at + 1] == ",":
            at = _skipped(text, at + 1)
        elif text[at : at + 1] != closing:
            raise _unreadable(text, at)
    return Node(start, at + 1, tuple(items), tuple(keys) if closing == "}" else None)


def _key(text: str, at: int) -> tuple[str, int]:
    found = _STRING.match(text, at)
    after = _skipped(text, found.end()) if found else at
    if found is None or text[after : after + 1] != ":":
        raise _unreadable(text, at)
    try:
        return json.loads(found[0]), _skipped(text, after + 1)
    except ValueError:
        raise _unreadable(text, at) from None


def _skipped(text: str, at: int) -> int:
    found = BLANK.match(text, at)
    return found.end() if found else at


def _unreadable(text: str, at: int) -> ValueError:
    return ValueError(f"line {_line(text, at)}: this is no JSON")


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
