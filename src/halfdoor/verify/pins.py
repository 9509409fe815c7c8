"""Exact versions that lock files and requirements name."""

import json
import re
from collections.abc import Iterator
from posixpath import basename
from typing import Final

from msgspec import Struct

from halfdoor.verify.declared import normal

PYPI, NPM, CRATES = "PyPI", "npm", "crates.io"

_TABLE: Final = re.compile(
    r'^\[\[(?:package|packages)\]\]\s*\nname = "([^"\n]+)"\s*\nversion = "([^"\n]+)"', re.MULTILINE
)
_REQUIRED: Final = re.compile(
    r"^\s*([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*===?\s*([^\s;#\\,]+)\s*(?:[;#\\].*)?$", re.MULTILINE
)


class Pin(Struct, frozen=True):
    """ecosystem: as OSV names it. name: as its index compares names."""

    ecosystem: str
    name: str
    version: str


def is_lock(path: str) -> bool:
    """Does such a file name exact versions?"""
    name = basename(path)
    return (
        name.endswith(".lock")
        or name.startswith("pylock")
        or name in {"package-lock.json", "npm-shrinkwrap.json"}
        or ("requirements" in path and name.endswith((".txt", ".in")))
    )


def pins(path: str, text: str) -> Iterator[Pin]:
    """What the file pins; nothing of a file that cannot be read: `syntax` tells that."""
    name = basename(path)
    if name in {"package-lock.json", "npm-shrinkwrap.json"}:
        yield from _npm(text)
    elif name == "Pipfile.lock":
        yield from _pipfile(text)
    elif name == "Cargo.lock":
        yield from (Pin(CRATES, found, version) for found, version in _TABLE.findall(text))
    elif name.endswith(".lock") or name.startswith("pylock"):
        found = _TABLE.findall(text) or _REQUIRED.findall(text)
        yield from (Pin(PYPI, normal(each), version) for each, version in found)
    elif is_lock(path):
        yield from (Pin(PYPI, normal(each), said) for each, said in _REQUIRED.findall(text))


def _npm(text: str) -> Iterator[Pin]:
    packages = _json(text).get("packages")
    for path, held in (packages if isinstance(packages, dict) else {}).items():
        name = path.rpartition("node_modules/")[2]
        if name and isinstance(held, dict) and isinstance(held.get("version"), str):
            yield Pin(NPM, name, held["version"])


def _pipfile(text: str) -> Iterator[Pin]:
    read = _json(text)
    for part in ("default", "develop"):
        held = read.get(part)
        for name, wanted in (held if isinstance(held, dict) else {}).items():
            version = wanted.get("version") if isinstance(wanted, dict) else None
            if isinstance(version, str) and version.startswith("=="):
                yield Pin(PYPI, normal(name), version.removeprefix("=="))


def _json(text: str) -> dict[str, object]:
    try:
        read = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}
