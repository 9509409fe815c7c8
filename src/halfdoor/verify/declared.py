"""Which distributions a Python project declares, and which its lock files name."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from posixpath import basename
from typing import Any, Final

MANIFESTS: Final = (
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "Pipfile",
    "*requirements*.txt",
    "*requirements*.in",
    "requirements/*.txt",
    "requirements/*.in",
    "environment.yml",
    "environment.yaml",
)
LOCKS: Final = ("uv.lock", "poetry.lock", "pdm.lock", "pylock*.toml", "Pipfile.lock", "*.lock")

# INVARIANT: each of these is linear in its text, which anybody may have written: two runs that
# could share characters never stand side by side, and a line's pattern does not leave its line.
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_GAP: Final = r"[^\S\n]"
_FIRST: Final = re.compile(rf"\s*({_NAME})")
_LINE: Final = re.compile(
    rf"^{_GAP}*+(?:-{_GAP}++)?({_NAME})(?:{_GAP}*+\[[^\]\n]*+\])?+(?:(?:{_GAP}|[=<>!~;@]).*|\\)?$",
    re.MULTILINE,
)
_EGG: Final = re.compile(rf"#egg=({_NAME})")
_LITERAL: Final = re.compile(
    rf"""["']({_NAME})(?:\s*+\[[\w,\s-]*+\])?+(?:[\s<>=!~;@][^"']*+)?["']"""
)
_LOCKED: Final = re.compile(rf'^name = "({_NAME})"', re.MULTILINE)
_PINNED: Final = re.compile(rf"^({_NAME})==", re.MULTILINE)
_RUNS: Final = re.compile(r"[-_.]+")


def normal(name: str) -> str:
    """A distribution's name as indexes compare them (PEP 503)."""
    return _RUNS.sub("-", name).lower()


def declared(files: Mapping[str, bytes]) -> set[str]:
    """Normal names of all that the manifests among `files` ask for, extras and groups included."""
    found: set[str] = set()
    for path, data in files.items():
        text = data.decode("utf-8", "replace")
        found.update(normal(name) for name in _asked(basename(path), path, text))
    return found


def locked(files: Mapping[str, bytes]) -> set[str]:
    """Normal names of all that the lock files among `files` hold."""
    found: set[str] = set()
    for path, data in files.items():
        name, text = basename(path), data.decode("utf-8", "replace")
        if name == "Pipfile.lock":
            found.update(normal(each) for each in _pipfile_lock(text))
        elif name.endswith(".lock") or name.startswith("pylock"):
            found.update(normal(each) for each in _LOCKED.findall(text) + _PINNED.findall(text))
    return found


def _asked(name: str, path: str, text: str) -> Iterable[str]:
    if name == "pyproject.toml":
        return _pyproject(_toml(text))
    if name == "Pipfile":
        read = _toml(text)
        return [*_table(read, "packages"), *_table(read, "dev-packages")]
    if name == "setup.py":
        return _LITERAL.findall(text)
    if name == "setup.cfg" or name.startswith("environment."):
        return _LINE.findall(text)
    if name.endswith((".txt", ".in")) and "requirements" in path:
        return [*_LINE.findall(text), *_EGG.findall(text)]
    return ()


def _pyproject(read: dict[str, Any]) -> Iterator[str]:
    project, tool = _table(read, "project"), _table(read, "tool")
    poetry = _table(tool, "poetry")
    yield from (table["name"] for table in (project, poetry) if isinstance(table.get("name"), str))
    yield from _names(project.get("dependencies"))
    yield from _names(_table(read, "build-system").get("requires"))
    groups = (
        _table(project, "optional-dependencies"),
        _table(read, "dependency-groups"),
        _table(_table(tool, "pdm"), "dev-dependencies"),
    )
    for group in groups:
        for wanted in group.values():
            yield from _names(wanted)
    yield from _names(_table(tool, "uv").get("dev-dependencies"))
    for env in _table(_table(tool, "hatch"), "envs").values():
        if isinstance(env, dict):
            yield from _names(env.get("dependencies"))
            yield from _names(env.get("extra-dependencies"))
    yield from _table(poetry, "dependencies")
    yield from _table(poetry, "dev-dependencies")
    for group in _table(poetry, "group").values():
        yield from _table(group, "dependencies")


def _names(wanted: object) -> Iterator[str]:
    for each in wanted if isinstance(wanted, list) else ():
        if isinstance(each, str) and (found := _FIRST.match(each)):
            yield found[1]


def _table(table: object, key: str) -> dict[str, Any]:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}


def _toml(text: str) -> dict[str, Any]:
    """What cannot be read declares nothing; `syntax` says what is wrong with it."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _pipfile_lock(text: str) -> Iterator[str]:
    try:
        read = json.loads(text)
    except json.JSONDecodeError:
        return
    yield from _table(read, "default")
    yield from _table(read, "develop")
