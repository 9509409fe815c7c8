"""Settings in TOML and YAML files, as whole lines: those of a person stay as they are.

YAML has no parser here, so only what can be told from its lines is changed: a file of plain
`key: value` lines at the margin. Everything else is refused, with the lines to add by hand.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from halfdoor.config.connect.change import Change, Unfit
from halfdoor.config.places import places
from halfdoor.config.tools.tool import APPEND, Setting
from halfdoor.config.writing import quoted

_YAML_KEY: Final = re.compile(r"""([A-Za-z_][\w-]*|"[^"\n]*"|'[^'\n]*')[ \t]*:(?=[ \t\r]|$)""")
_YAML_WORD: Final = re.compile(r"""[ \t]+("[^"\\\n]*"|'[^'\n]*'|[\w./@+~][^#\n:]*(?::[^\s#:]+)*)""")
# Says whose a line is, and tells it from a line of the same words in another table.
_OURS: Final = "  # by halfdoor connect"
_REMARK: Final = re.compile(r"[ \t]*(?:#.*)?")

Edited = tuple[str, tuple[Change, ...]]


def toml_changed(text: str, settings: Iterable[Setting]) -> Edited:
    """The text with the settings in it, and what was done. Raises Unfit."""
    settings = tuple(settings)
    before = _toml(text)
    whole, made = text, []
    tops = [setting for setting in settings if len(setting.at) == 1]
    for setting in reversed(tops):
        whole, change = _toml_top(whole, before, setting)
        made += [change] if change else []
    for table in dict.fromkeys(setting.at[:-1] for setting in settings if len(setting.at) > 1):
        if _at(before, table) is not None:
            raise Unfit(f"there is a table `{'.'.join(table)}` already")
        values = [s for s in settings if s.at[:-1] == table]
        lines = "".join(f"{s.at[-1]} = {_written(s.value)}\n" for s in values)
        gap = "\n" if whole.strip() else ""
        whole, change = _ended(whole, f"{gap}[{'.'.join(table)}]{_OURS}\n{lines}")
        made.append(change)
    after = _toml(whole)
    if any(_at(after, s.at) != s.value for s in settings):
        raise Unfit("its tables cannot be told apart")
    return whole, tuple(made)


def yaml_changed(text: str, settings: Iterable[Setting]) -> Edited:
    """The text with the settings in it, and what was done. Raises Unfit."""
    yaml_sound(text)
    made = []
    for setting in settings:
        put = _yaml_item if setting.at[-1] == APPEND else _yaml_top
        text, change = put(text, setting)
        made += [change] if change else []
    return text, tuple(made)


def undone(
    text: str, changes: Iterable[Change], sound: Callable[[str], object]
) -> tuple[str, tuple[str, ...]]:
    """The text without the changes, and the lines that somebody else has changed since.

    sound: raises Unfit for a text that is none of its kind.
    """
    left = []
    for change in reversed(tuple(changes)):
        at = _only(text, change.new)
        if at < 0:
            there = set(text.splitlines())
            mine = [line for line in change.new.splitlines() if line.strip()]
            left += [line for line in mine if line in there]
            continue
        without = text[:at] + (change.old or "") + text[at + len(change.new) :]
        try:
            sound(without)
        except Unfit:
            left.append(change.new.strip())
            continue
        text = without
    return text, tuple(left)


def toml_sound(text: str) -> None:
    """Raises Unfit for what is no TOML."""
    _toml(text)


def _toml_top(text: str, before: dict[str, Any], setting: Setting) -> tuple[str, Change | None]:
    (key,) = setting.at
    line = f"{key} = {_written(setting.value)}{_OURS}"
    if key not in before:
        new = line + _newline(text)
        return new + text, Change((), new)
    if before[key] == setting.value:
        return text, None
    rows = text.splitlines(keepends=True)
    number = places(text)[(key,)] - 1
    old = rows[number]
    try:
        alone = set(tomllib.loads(old)) == {key}
    except tomllib.TOMLDecodeError:
        alone = False
    if not alone:
        raise Unfit(f"line {number + 1}: `{key}` is longer than a line")
    return _replaced(rows, number, line)


def _replaced(rows: list[str], number: int, line: str) -> tuple[str, Change]:
    """One line in another's place."""
    old = rows[number]
    end = old[len(old.rstrip("\r\n")) :]
    new = line + end
    return "".join([*rows[:number], new, *rows[number + 1 :]]), Change((), new, old)


def _ended(text: str, block: str) -> tuple[str, Change]:
    """The text with a block of lines at its end."""
    line = _newline(text)
    block = block.replace("\n", line)
    if text and not text.endswith("\n"):
        start = text.rfind("\n") + 1
        old = text[start:]
        new = old + line + block
        return text[:start] + new, Change((), new, old)
    return text + block, Change((), block)


def _yaml_top(text: str, setting: Setting) -> tuple[str, Change | None]:
    (key,) = setting.at
    line = f"{key}: {json.dumps(setting.value)}{_OURS}"
    rows = text.splitlines(keepends=True)
    number = _yaml_row(rows, key)
    if number is None:
        text, change = _ended(text, line + "\n")
        return text, change
    row = rows[number].rstrip("\r\n")
    word = _YAML_WORD.match(row, row.index(":") + 1)
    if word is None or not _REMARK.fullmatch(row, word.end()) or _continued(rows, number):
        raise Unfit(f"line {number + 1}: `{key}` is no plain value")
    return _replaced(rows, number, line)


def _yaml_item(text: str, setting: Setting) -> tuple[str, Change | None]:
    key, _ = setting.at
    rows = text.splitlines(keepends=True)
    number = _yaml_row(rows, key)
    assert isinstance(setting.value, dict)
    if number is None:
        return _ended(text, f"{key}:\n" + "".join(_item(setting.value, "  ")))
    rest = rows[number].rstrip("\r\n").partition(":")[2].strip()
    if rest and not rest.startswith("#"):
        raise Unfit(f"line {number + 1}: `{key}` is no list of lines that begin with `-`")
    follows = next((r for r in rows[number + 1 :] if r.strip() and r.lstrip()[0] != "#"), "")
    indent = follows[: len(follows) - len(follows.lstrip())]
    if not (follows.lstrip().startswith("- ") and set(indent) <= {" "}):
        raise Unfit(f"line {number + 1}: `{key}` is no list of lines that begin with `-`")
    line = _newline(text)
    new = "".join(_item(setting.value, indent)).replace("\n", line)
    at = sum(map(len, rows[: number + 1]))
    return text[:at] + new + text[at:], Change((), new)


def _item(value: dict[str, Any], indent: str) -> Iterator[str]:
    lead, remark = "- ", _OURS
    for key, each in value.items():
        yield f"{indent}{lead}{key}: {json.dumps(each)}{remark}\n"
        lead, remark = "  ", ""


def _yaml_row(rows: list[str], key: str) -> int | None:
    """The line at the margin with this key, if there is one. Raises Unfit for two."""
    found = [
        at
        for at, row in enumerate(rows)
        if (name := _YAML_KEY.match(row)) and name[1].strip("\"'") == key
    ]
    if len(found) > 1:
        raise Unfit(f"line {found[1] + 1}: `{key}` stands twice")
    if not found:
        return None
    if rows[found[0]][:1] in {'"', "'"}:
        raise Unfit(f"line {found[0] + 1}: `{key}` is in quotes")
    return found[0]


def _continued(rows: list[str], number: int) -> bool:
    """Does the value go on in the next line?"""
    follows = next((row for row in rows[number + 1 :] if row.strip()), "x")
    return follows[0] in {" ", "\t"} and not follows.lstrip().startswith("#")


def yaml_sound(text: str) -> None:
    """Raises Unfit unless every line at the margin is a key, a list's item or a remark."""
    rows = text.splitlines()
    keyed = False
    for number, row in enumerate(rows, 1):
        if not row.strip() or row[0] in {" ", "#"} or row.startswith("- "):
            if (row[:1] in {" ", "-"} and row.strip()) and not keyed:
                raise Unfit(f"line {number}: it does not begin with a key")
            continue
        if row.rstrip() == "---" and not keyed:
            continue
        if not _YAML_KEY.match(row):
            raise Unfit(f"line {number}: this is no `key: value`")
        keyed = True


def _only(text: str, part: str) -> int:
    """Where whole lines stand, if they stand there once; else -1."""
    found = [m.start() for m in re.finditer(re.escape(part), text)]
    found = [at for at in found if not at or text[at - 1] == "\n"]
    return found[0] if len(found) == 1 else -1


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unfit(f"this is no TOML: {error}") from None


def _at(document: Any, keys: Iterable[str]) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _written(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else str(value).lower()


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
