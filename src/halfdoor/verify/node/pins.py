"""Exact versions that npm's manifests, and the locks of npm, yarn, pnpm and bun, name."""

import json
import re
from collections.abc import Iterator
from posixpath import basename
from typing import Any, Final

LOCKS: Final = frozenset({"package-lock.json", "npm-shrinkwrap.json"})
READS: Final = LOCKS | {"package.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"}

# INVARIANT: each begins with its line and stays in its entry: linear in the text.
_NAME: Final = r"(?:@[^/@\s\"']+/)?[^@\s\"'/,():]+"
_YARN: Final = re.compile(
    rf'^"?({_NAME})@(?:npm:({_NAME})@)?[^\n]*:\n  version:? "?([^"\n]+)"?$', re.MULTILINE
)
_PNPM: Final = re.compile(rf"^  '?/?({_NAME})[@/](\d[\w.+-]*?)(?:[_('][^\n]*)?:", re.MULTILINE)
_BUN: Final = re.compile(rf'^    "[^"\n]+": \["({_NAME})@(\d[^"\n]*)"', re.MULTILINE)
_EXACT: Final = re.compile(r"=?\s*v?(\d+\.\d+\.\d+(?:[-+][\w.+-]*)?)")
_ALIAS: Final = re.compile(rf"npm:({_NAME})@(.+)")
_TABLES: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def versions(path: str, text: str) -> Iterator[tuple[str, str]]:
    """(package, version), in order; of a file that cannot be read nothing: `syntax` tells that."""
    name = basename(path)
    if name in LOCKS:
        yield from _npm(_read(text))
    elif name == "package.json":
        yield from _asked(_read(text))
    elif name == "yarn.lock":
        yield from ((other or own, held) for own, other, held in _YARN.findall(text))
    else:
        yield from (_PNPM if name == "pnpm-lock.yaml" else _BUN).findall(text)


def _npm(read: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Version 2 and later list all by where they lie; version 1 holds them one in another."""
    for path, held in _table(read, "packages").items():
        inside, _, name = path.rpartition("node_modules/")
        if (inside or name != path) and isinstance(held, dict):
            yield from _pin(str(held.get("name") or name), held.get("version"))
    waiting = [] if "packages" in read else [_table(read, "dependencies")]
    while waiting:
        for name, held in waiting.pop().items():
            if isinstance(held, dict):
                yield from _pin(name, held.get("version"))
                waiting.append(_table(held, "dependencies"))


def _asked(read: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for table in _TABLES:
        for name, wanted in _table(read, table).items():
            for package, version in _pin(name, wanted):
                if exact := _EXACT.fullmatch(version.strip()):
                    yield package, exact[1]


def _pin(name: str, version: object) -> Iterator[tuple[str, str]]:
    """`npm:other@1.0` is another package under this name."""
    if isinstance(version, str):
        other = _ALIAS.fullmatch(version)
        yield (other[1], other[2]) if other else (name, version)


def _table(table: object, key: str) -> dict[str, Any]:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}


def _read(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
