"""Exact versions that lock files, requirements and manifests name."""

import json
import re
import tomllib
from collections.abc import Iterator
from posixpath import basename
from typing import Any, Final

from msgspec import Struct

from halfdoor.verify.declared import normal
from halfdoor.verify.node import pins as node

PYPI, NPM, CRATES = "PyPI", "npm", "crates.io"

_TABLE: Final = re.compile(
    r'^\[\[(?:package|packages)\]\]\s*\nname = "([^"\n]+)"\s*\nversion = "([^"\n]+)"', re.MULTILINE
)
# INVARIANT: linear in the text: nothing is read twice, and no blank leads to the next line.
_WANTED: Final = (
    r"([A-Za-z0-9][\w.-]*+)[ \t]*+(?:\[[^\]\n\"']*+\])?[ \t]*+===?[ \t]*+([^\s;#\\,\"']++)[ \t]*+"
)
_REQUIRED: Final = re.compile(rf"^[ \t]*+(?:-[ \t]++)?{_WANTED}(?:[;#\\].*)?$", re.MULTILINE)
_QUOTED: Final = re.compile(rf"""["'][ \t]*+{_WANTED}(?=[;"'])""")
_EXACT: Final = re.compile(r"(?:==)?=?\s*(\d[\w.!+-]*)")
# They may pin, among much else; a lock is there for nothing else.
_MANIFESTS: Final = frozenset(
    {"pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "environment.yml", "environment.yaml"}
)
_LISTS: Final = ("requirements", "constraints")
_STRANGE: Final = frozenset(
    {"go.sum", "Gemfile.lock", "composer.lock", "packages.lock.json", "gradle.lockfile",
     "mix.lock", "pubspec.lock", "Podfile.lock", "Package.resolved", "bun.lockb", "deno.lock",
     "conda-lock.yml", "pixi.lock"}
)  # fmt: skip


class Pin(Struct, frozen=True):
    """ecosystem: as OSV names it. name: as its index compares names."""

    ecosystem: str
    name: str
    version: str


def is_lock(path: str) -> bool:
    """May such a file name exact versions that are read here?"""
    name = basename(path)
    return not is_strange(path) and (
        name.endswith(".lock")
        or name.startswith("pylock")
        or name in node.READS | _MANIFESTS
        or (any(word in path for word in _LISTS) and name.endswith((".txt", ".in")))
    )


def is_strange(path: str) -> bool:
    """Does such a file name exact versions in a form that is not read here?"""
    return basename(path) in _STRANGE


def pins(path: str, text: str) -> Iterator[Pin]:
    """What the file pins; nothing of a file that cannot be read: `syntax` tells that."""
    name = basename(path)
    if name in node.READS:
        yield from (Pin(NPM, found, version) for found, version in node.versions(path, text))
    elif name == "Cargo.lock":
        yield from (Pin(CRATES, found, version) for found, version in _TABLE.findall(text))
    else:
        yield from (Pin(PYPI, normal(each), said) for each, said in _python(name, text))


def _python(name: str, text: str) -> Iterator[tuple[str, str]]:
    if name == "Pipfile.lock":
        yield from _pipfile(text)
    elif name in {"pyproject.toml", "Pipfile"}:
        yield from _QUOTED.findall(text)
        yield from _tables(text)
    elif name == "setup.py":
        yield from _QUOTED.findall(text)
    else:
        yield from _TABLE.findall(text) or _REQUIRED.findall(text)


def _pipfile(text: str) -> Iterator[tuple[str, str]]:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return
    for part in ("default", "develop"):
        yield from _exact(_table(read, part))


def _tables(text: str) -> Iterator[tuple[str, str]]:
    """What Poetry and pipenv ask for, by name."""
    try:
        read = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    poetry = _table(_table(read, "tool"), "poetry")
    groups = (_table(each, "dependencies") for each in _table(poetry, "group").values())
    own = (_table(poetry, "dependencies"), _table(poetry, "dev-dependencies"))
    for table in (*own, *groups, _table(read, "packages"), _table(read, "dev-packages")):
        yield from _exact(table)


def _exact(table: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, wanted in table.items():
        version = wanted.get("version") if isinstance(wanted, dict) else wanted
        if isinstance(version, str) and (found := _EXACT.fullmatch(version.strip())):
            yield name, found[1]


def _table(table: object, key: str) -> dict[str, Any]:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}
