"""Settings in a JSON file: put in and taken out at their places; all other text stays as it is."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from halfdoor.config.connect.change import Change, Unfit
from halfdoor.config.connect.jsonc import BLANK, Node, parsed, value
from halfdoor.config.tools.tool import APPEND, Setting

_INDENT: Final = re.compile(r"\n([ \t]+)\S")
_BEFORE: Final = re.compile(r"(?:^|\n)([ \t]*)[^\n]*\Z")


def changed(text: str, settings: Iterable[Setting]) -> tuple[str, tuple[Change, ...]]:
    """The text with the settings in it, and what was done. Raises Unfit."""
    settings = tuple(settings)
    if not text.strip():
        text = "[]\n" if settings and settings[0].at[0] == APPEND else "{}\n"
    made = []
    for setting in settings:
        text, change = _put(text, setting)
        made += [change] if change else []
    return text, tuple(made)


def undone(text: str, changes: Iterable[Change]) -> tuple[str, tuple[str, ...]]:
    """The text without the changes, and the places that somebody else has changed since."""
    left = []
    for change in reversed(tuple(changes)):
        trail = _trail(text, _read(text), change)
        if trail is None:
            continue
        node = trail[-1][0]
        if value(text, node) != json.loads(change.new):
            left.append(".".join(change.at))
            continue
        without = (
            _without(text, change)
            if change.old is None
            else text[: node.start] + change.old + text[node.end :]
        )
        try:
            parsed(without)
        except ValueError:  # a comment where none was: a person can mend it, a program not
            left.append(".".join(change.at))
            continue
        text = without
    return text, tuple(left)


def _put(text: str, setting: Setting) -> tuple[str, Change | None]:
    at, wanted = setting.at, setting.value
    node = _read(text)
    for depth, key in enumerate(at):
        if key == APPEND:
            return _appended(text, node, at, wanted)
        if node.keys is None or node.items is None:
            raise Unfit(f"`{'.'.join(at[:depth]) or 'its root'}` is no object")
        index = node.find(key)
        if index < 0:
            inner = _nested(at[depth + 1 :], wanted)
            return _inserted(text, node, inner, key), Change(at, json.dumps(wanted), None, depth)
        node = node.items[index]
    if setting.yields or (value(text, node) == wanted and type(value(text, node)) is type(wanted)):
        return text, None
    old = text[node.start : node.end]
    return text[: node.start] + _shown(text, node.start, wanted) + text[node.end :], Change(
        at, json.dumps(wanted), old, len(at)
    )


def _appended(text: str, node: Node, at: tuple[str, ...], wanted: Any) -> tuple[str, Change | None]:
    if node.keys is not None or node.items is None:
        raise Unfit(f"`{'.'.join(at[:-1]) or 'its root'}` is no list")
    if any(value(text, item) == wanted for item in node.items):
        return text, None
    return _inserted(text, node, wanted), Change(at, json.dumps(wanted), None, len(at) - 1)


def _inserted(text: str, node: Node, wanted: Any, key: str | None = None) -> str:
    """The text with one more item, the last, in an object (with its key) or a list."""
    head = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
    line = "\r\n" if "\r\n" in text else "\n"
    if node.items:
        last = node.items[-1].end
        first = node.starts(0)
        inside = _before(text, first)
        alone = text[:first].endswith(("\n" + inside, "\r" + inside)) or not first
        gap = line + inside if alone else " "
        body = _dumped(text, wanted, inside, line)
        return f"{text[:last]},{gap}{head}{body}{text[last:]}"
    outside = _before(text, node.start)
    inside = outside + _unit(text)
    within = text[node.start + 1 : node.end - 1]
    rest = within.rstrip() if within.strip() else ""
    body = head + _dumped(text, wanted, inside, line)
    opened = text[: node.start + 1] + rest + line + inside + body
    return opened + line + outside + text[node.end - 1 :]


def _without(text: str, change: Change) -> str:
    """The text without a change's value and the objects that were made for it and are empty."""
    for length in range(len(change.at), change.kept, -1):
        trail = _trail(text, _read(text), change)
        assert trail is not None
        _, parent, index = trail[length]
        assert parent is not None
        text = _cut(text, parent, index)
        if length - 1 > change.kept and len(parent.items or ()) > 1:
            break
        change = Change(change.at[: length - 1], change.new, None, change.kept)
    return text


def _cut(text: str, node: Node, index: int) -> str:
    assert node.items is not None
    start, end = node.starts(index), node.items[index].end
    if index + 1 < len(node.items):
        comma = text.index(",", _blank(text, end))
        after = comma + 1
        while text[after : after + 1] in {" ", "\t", "\r", "\n"} and text[after : after + 1]:
            after += 1
        return text[:start] + text[after:]
    if index:
        last = node.items[index - 1].end
        comma = _blank(text, last)
        return text[:last] + (text[last:comma] + text[comma + 1 : start]).rstrip() + text[end:]
    after = _blank(text, end)
    tail = text[end:after] + text[after + 1 : node.end - 1] if text[after] == "," else text[end:]
    if text[after] != ",":
        tail = text[end : node.end - 1]
    within = (text[node.start + 1 : start].rstrip() + tail).rstrip()
    closing = "\n" + _before(text, node.start) if within.strip() else ""
    return text[: node.start + 1] + within + closing + text[node.end - 1 :]


Trail = list[tuple[Node, Node | None, int]]


def _trail(text: str, root: Node, change: Change) -> Trail | None:
    """Each node on the way with its parent and its index there; None if the way ends before."""
    trail: Trail = [(root, None, -1)]
    for key in change.at:
        node = trail[-1][0]
        mine = key == APPEND
        index = _equal(text, node, json.loads(change.new)) if mine else node.find(key)
        if index < 0 or node.items is None:
            return None
        trail.append((node.items[index], node, index))
    return trail


def _equal(text: str, node: Node, wanted: Any) -> int:
    items = node.items if node.keys is None else None
    return next((i for i, item in enumerate(items or ()) if value(text, item) == wanted), -1)


def _nested(keys: tuple[str, ...], wanted: Any) -> Any:
    for key in reversed(keys):
        wanted = [wanted] if key == APPEND else {key: wanted}
    return wanted


def _shown(text: str, at: int, wanted: Any) -> str:
    return _dumped(text, wanted, _before(text, at), "\r\n" if "\r\n" in text else "\n")


def _dumped(text: str, wanted: Any, indent: str, line: str) -> str:
    unit = _unit(text)
    lines = json.dumps(wanted, indent=unit, ensure_ascii=False).split("\n")
    return (line + indent).join(lines)


def _unit(text: str) -> str:
    found = _INDENT.search(text)
    return "\t" if found and found[1].startswith("\t") else (found[1] if found else "  ")


def _before(text: str, at: int) -> str:
    """The indent of the line where `at` is."""
    found = _BEFORE.search(text[:at])
    return found[1] if found else ""


def _blank(text: str, at: int) -> int:
    found = BLANK.match(text, at)
    return found.end() if found else at


def _read(text: str) -> Node:
    try:
        return parsed(text)
    except ValueError as error:
        raise Unfit(str(error)) from None
