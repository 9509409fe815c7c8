"""Names of files in what a listing or a search printed: `ls`, `find`, `tree`, `git status`, JSON.

Read only where a call asked for such names: in a file's own text the same lines mean nothing.
A folder's name alone is none of its contents, so `payments` and `src/` are left out.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

import re2

from halfdoor.reading.shell import looks_like_path

# What a line of `tree`, or of an indented list, has before its name.
_BRANCH: Final = re2.compile(r"^((?:[│|] *|[ \t]|[├└|`+][─-]+ ?|- )*)([^\s│├└].*?)/?\s*$")
_TREE_MARKS: Final = ("── ", "|-- ", "`-- ")
_INDENTED: Final = ("\n- ", "\n  ")
# `ls -l`, `[FILE] x`, `?? x`, `M\tx`, `100644 blob … x`: then a bare name is a file's.
_STATED: Final = re.compile(
    r"^(?:[-dlbcpsD][-rwxsStTl]{9}|\[(?:FILE|DIR)\]|\s?[MADRCUT?!]{1,2}\s|\d{6} |\d+\s"
    r"|[0-9a-f]{32,} |\s+(?:modified|new file|deleted|renamed|copied|both \w+): )"
)
_STAT: Final = re2.compile(r"^ ?(\S.*?) +\| +(?:\d+|Bin)\b")
_FOUND: Final = re.compile(r"^\S+?[:-]\d+[:-]")
_CODE: Final = frozenset("\"'`(){}[]<>=;,|*?")
_LINE_CHARS: Final = 1024
_LINES: Final = 20_000
_DEPTH: Final = 64


def in_lines(lines: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names of files that stand in lines of their own. lines: each with the one after it."""
    for line, after in lines:
        if len(line) <= _LINE_CHARS:
            yield from _named(line.rstrip(), after)


def is_tree(text: str) -> bool:
    """Does the text draw folders and what is in them, so that names must be put together?"""
    if any(mark in text for mark in _TREE_MARKS):
        return True
    return "/\n" in text and any(mark in text for mark in _INDENTED)


def in_tree(text: str) -> Iterator[str]:
    """Paths put together from a tree's lines: each lies in the last that stands further left."""
    above: list[tuple[int, str]] = []
    leaf = False
    for line in (*text.split("\n", _LINES)[:_LINES], ""):
        found = _BRANCH.match(line) if len(line) <= _LINE_CHARS else None
        depth = len(found.group(1)) if found else 0
        if leaf and depth <= above[-1][0]:
            yield from _inside([name for _, name in above])
        while above and (above[-1][0] >= depth or found is None):
            above.pop()
        if found is not None:
            above.append((depth, found.group(2)))
        leaf = found is not None and not line.rstrip().endswith("/")


def in_json(text: str) -> Iterator[str]:
    """Paths put together from nested objects with a name and children, as MCP servers answer."""
    if text[:1] not in {"[", "{"} or '"children"' not in text:
        return
    try:
        waiting = [("", json.loads(text))]
    except (ValueError, RecursionError):
        return
    while waiting:
        folder, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(folder, item) for item in value]
        elif isinstance(value, dict) and isinstance(value.get("name"), str):
            path = f"{folder}/{value['name']}" if folder else value["name"]
            children = value.get("children")
            if isinstance(children, list):
                waiting += [(path, item) for item in children]
            elif folder or looks_like_path(path):
                yield path


def _named(line: str, after: str) -> Iterator[str]:
    if line.endswith(":") and " " not in line and after[:1].strip():  # `ls -R` names its folders
        yield line[:-1] + "/."
        return
    if not ("/" in line or "." in line) or line.startswith(("+", "@@")) or _FOUND.match(line):
        return
    stat = _STAT.match(line) if "|" in line else None
    stated = stat is not None or _STATED.match(line) is not None
    fields = [stat.group(1)] if stat else line.split("\t")
    for side in (side.strip() for field in fields for side in field.split(" -> ")):
        whole = side.startswith(("./", "/", "~/"))
        name = side if whole else side.rpartition(" ")[2]
        name = name.strip('"') if stated else name
        if _names_file(name, alone=stated or name == side):
            yield name


def _names_file(name: str, *, alone: bool) -> bool:
    if not name or name.endswith("/") or not _CODE.isdisjoint(name):
        return False
    name = name.removeprefix("./")
    return "/" in name or (alone and looks_like_path(name))


def _inside(steps: list[str]) -> Iterator[str]:
    """A leaf's path; none for one that stands alone, or is a bare name in the tree's root."""
    path = "/".join(steps)
    if not 1 < len(steps) <= _DEPTH or not _CODE.isdisjoint(path):
        return
    bare = len(steps) == 2 and path.startswith((".", "/"))
    if not bare or looks_like_path(steps[-1]):
        yield path
