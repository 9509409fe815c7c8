"""Which packages a JavaScript project declares, locks and is, and what it calls otherwise."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from posixpath import basename, dirname, join, normpath
from typing import Any, Final

from msgspec import Struct

from halfdoor.canon.checks import MIB
from halfdoor.verify.commented import bare
from halfdoor.verify.node.files import ALIASES, IGNORES, MANIFESTS, PATHS

_TABLES: Final = (
    "dependencies", "devDependencies", "peerDependencies", "optionalDependencies",
)  # fmt: skip
_TYPES: Final = "@types/"
_YARN: Final = re.compile(r'^"?((?:@[^/@\s"]+/)?[^@\s",]+)@[^\n]*:$', re.MULTILINE)
_PNPM: Final = re.compile(
    r"^  '?/?((?:@[^/@\s']+/)?[^@\s'/():]+)[@/][^\n]*:(?: \{\})?$", re.MULTILINE
)
_BUN: Final = re.compile(r'^    "[^"\n]+": \["((?:@[^/"\n]+/)?[^@"\n/]+)@', re.MULTILINE)
_QUOTED: Final = re.compile(r"""["']([^"'\n]{1,200})["']|(?<![\w$@~-])([\w$@~-]{1,200})\s*:""")
# Those that people write are smaller by far. Lock files are made, and may be larger.
_MOST_BYTES: Final = MIB
_BOUND: Final = (*MANIFESTS, *ALIASES, *PATHS, IGNORES)


class Mapped(Struct, frozen=True):
    """One of a tsconfig's `paths`. targets: from the repository's root; `*` as in `pattern`."""

    pattern: str
    targets: tuple[str, ...]


def too_large(files: Iterable[tuple[str, bytes]]) -> str:
    """Why nothing here can tell what the project has: a manifest or settings file of it; or ""."""
    for path, data in files:
        if len(data) > _MOST_BYTES and any(fnmatch(basename(path), each) for each in _BOUND):
            return f"{path} is larger than {_MOST_BYTES // MIB} MiB"
    return ""


def declared(files: Mapping[str, bytes]) -> set[str]:
    """Names of all packages that the manifests among `files` ask for."""
    found: set[str] = set()
    for path, data in files.items():
        if basename(path) in MANIFESTS:
            found.update(_asked(loose(data)))
    return found


def own(files: Mapping[str, bytes]) -> set[str]:
    """Names of the packages that the repository holds."""
    names = (loose(data).get("name") for path, data in files.items() if basename(path) in MANIFESTS)
    return {name for name in names if isinstance(name, str)}


def locked(files: Mapping[str, bytes]) -> set[str]:
    """Names of all packages that the lock files among `files` hold."""
    found: set[str] = set()
    for path, data in files.items():
        name, text = basename(path), data.decode("utf-8", "replace")
        if name in {"package-lock.json", "npm-shrinkwrap.json"}:
            found.update(_npm(loose(data)))
        elif name == "yarn.lock":
            found.update(_YARN.findall(text))
        elif name == "pnpm-lock.yaml":
            found.update(_PNPM.findall(text))
        elif name == "bun.lock":
            found.update(_BUN.findall(text))
    return found


def mapped(files: Mapping[str, bytes]) -> tuple[Mapped, ...]:
    """Every `paths` and `baseUrl` of a tsconfig, and `imports` of a package."""
    found = []
    for path, data in files.items():
        name, here = basename(path), dirname(path)
        if name.startswith(("tsconfig", "jsconfig")):
            options = _table(loose(data), "compilerOptions")
            said = options.get("baseUrl")
            base = join(here, said) if isinstance(said, str) else here
            if isinstance(said, str):
                found.append(_mapped("*", [normpath(join(base, "*"))]))
            for pattern, targets in _table(options, "paths").items():
                found.append(_mapped(pattern, [join(base, each) for each in _texts(targets)]))
        elif name == "package.json":
            for pattern, target in _table(loose(data), "imports").items():
                found.append(_mapped(pattern, [join(here, each) for each in _leaves(target)]))
    return tuple(found)


def aliased(files: Mapping[str, bytes]) -> set[str]:
    """All words in quotes, and all keys, of files in which bundlers and test runners are set up."""
    return {
        one or other
        for path, data in files.items()
        if _sets_up(basename(path))
        for one, other in _QUOTED.findall(data.decode("utf-8", "replace"))
    }


def ignored(files: Mapping[str, bytes]) -> set[str]:
    """Globs of single names that the `.gitignore` files among `files` hold."""
    return {
        line.strip().strip("/").rpartition("/")[2]
        for path, data in files.items()
        if basename(path) == IGNORES
        for line in data.decode("utf-8", "replace").splitlines()
        if line.strip() and not line.startswith(("#", "!"))
    } - {"*", "**", ""}


def loose(data: bytes) -> dict[str, Any]:
    """JSON as its programs read it, with comments and commas; {} for what is none."""
    text = data.decode("utf-8-sig", "replace")
    try:
        read = json.loads(text)
    except ValueError:
        try:
            read = json.loads(bare(text))
        except (ValueError, RecursionError):
            return {}
    except RecursionError:
        return {}
    return read if isinstance(read, dict) else {}


def _asked(read: dict[str, Any]) -> Iterator[str]:
    names = [name for table in _TABLES for name in _table(read, table)]
    names += [name.removesuffix("/") for name in _table(read, "imports") if name[:1] not in "#./"]
    if "vscode" in _table(read, "engines"):
        yield "vscode"
    for name in names:
        yield name
        if name.startswith(_TYPES):  # types alone may be imported, too
            scope, _, rest = name.removeprefix(_TYPES).rpartition("__")
            yield f"@{scope}/{rest}" if scope else rest


def _npm(read: dict[str, Any]) -> Iterator[str]:
    for path in _table(read, "packages"):
        yield path.rpartition("node_modules/")[2]
    yield from _table(read, "dependencies")


def _mapped(pattern: str, targets: Iterable[str]) -> Mapped:
    return Mapped(pattern, tuple(normpath(each) for each in targets))


def _sets_up(name: str) -> bool:
    return (
        any(name.startswith(each.removesuffix("*")) for each in ALIASES) or name == "package.json"
    )


def _table(table: object, key: str) -> dict[str, Any]:
    found = table.get(key) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _leaves(value: object) -> Iterator[str]:
    """The targets of a subpath import, whatever its conditions."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)
