"""What a file of JavaScript or TypeScript can import without asking anybody."""

import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import translate
from posixpath import dirname, join, normpath
from typing import Final

from halfdoor.canon.checks import Subject
from halfdoor.verify.node.builtins import is_builtin
from halfdoor.verify.node.manifests import Mapped, aliased, declared, ignored, locked, mapped, own

_SCRIPTS: Final = (
    ".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mts", ".cts", ".d.mts", ".d.cts", ".mjs", ".cjs",
    ".json", ".node", ".vue", ".svelte", ".astro", ".native.ts", ".native.tsx", ".ios.tsx",
    ".android.tsx", ".web.tsx", ".native.js", ".ios.js", ".android.js", ".web.js",
)  # fmt: skip
# What is written as one and compiled from the other.
_COMPILED: Final = {".js": (".ts", ".tsx", ".d.ts"), ".jsx": (".tsx",), ".mjs": (".mts", ".d.mts"),
                    ".cjs": (".cts", ".d.cts")}  # fmt: skip
# Folders and files that are made when a project is built, beside those that Git ignores.
_MADE: Final = re.compile(
    r"(?:dist|build|out|esm|cjs|pkg|coverage|artifacts|typechain(?:-types)?|node_modules|\+types"
    r"|\..+|.*(?:^|[._-])_{0,2}(?:generated|gen|pb|grpc)_{0,2}(?:$|[._-]).*|.*_pb(?:\..*)?|_?version(?:\..*)?)",
    re.DOTALL,  # a name may hold a line's end, and would be read once for each `gen` before it
)
_PACKAGE: Final = re.compile(r"(?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-zA-Z0-9~_-][a-zA-Z0-9._~-]*")
# No system opens a longer path, in bytes.
_LONGEST: Final = 4096
_MOST_GLOBS: Final = 500
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*:")


class NodeAround:
    """allowed: names that are there though nothing says so."""

    def __init__(self, subject: Subject, allowed: frozenset[str]) -> None:
        files = {**subject.files, **{c.path: c.after for c in subject.changes if c.after}}
        self.declared = declared(files)
        self._files: Mapping[str, bytes] = files
        self._locked: set[str] | None = None
        self._mapped: dict[str, list[Mapped]] = {}
        for each in mapped(files):
            self._mapped.setdefault(each.pattern.partition("*")[0], []).append(each)
        self._longest = max(map(len, self._mapped), default=-1)
        self._aliases = aliased(files)
        self._ignored = _matcher(ignored(files))
        self._known = self.declared | own(files) | allowed | frozenset(subject.installed)
        self._paths = frozenset(subject.paths)
        self._folders = frozenset(above for path in subject.paths for above in _above(path))

    def lacks_file(self, path: str, name: str) -> bool:
        """Does it name a file of the repository, by path or by an alias, that is not there?"""
        name = name.partition("?")[0]
        if name in {".", ".."} or name.startswith(("./", "../")):
            at = normpath(join(dirname(path), name))
            return not (self._there(at) or self._made(at))
        alias = self._fitting(name)
        plain = [each for each in alias if each.pattern != "*"]
        if any(self._leads(each, name) for each in alias):
            return False
        # `*` stands for packages as well.
        return bool(plain) and package(name) not in self._known

    def knows(self, name: str) -> bool:
        """Is the package there, as far as the repository can tell? So is what names none."""
        wanted = package(name)
        if is_builtin(name) or not wanted or wanted in self._known or self._named(name):
            return True
        if self._locked is None:
            self._locked = locked(self._files)
        return wanted in self._locked

    def _named(self, name: str) -> bool:
        """Does an alias lead to it, or do a bundler's or a test runner's settings speak of it?"""
        first = name.split("/", 1)[0]
        return bool({name, first, f"{first}/", f"{first}/*"} & self._aliases) or any(
            self._leads(each, name) for each in self._fitting(name)
        )

    def _fitting(self, name: str) -> list[Mapped]:
        """The aliases whose pattern fits; of thousands, those that begin as the name does."""
        starts = (name[:end] for end in range(min(len(name), self._longest) + 1))
        near = (each for start in starts for each in self._mapped.get(start, ()))
        return [each for each in near if _stem(each, name) is not None]

    def _leads(self, each: Mapped, name: str) -> bool:
        stem = _stem(each, name)
        return stem is not None and any(
            self._there(at) or self._made(at) for at in _targets(each, stem)
        )

    def _there(self, at: str) -> bool:
        if at in self._paths or any(at + end in self._paths for end in _SCRIPTS):
            return True
        inside = "" if at == "." else f"{at}/"
        if f"{inside}package.json" in self._paths:
            return True
        if any(f"{inside}index{end}" in self._paths for end in _SCRIPTS):
            return True
        return any(
            at.endswith(end)
            and any(at.removesuffix(end) + other in self._paths for other in others)
            for end, others in _COMPILED.items()
        )

    def _made(self, at: str) -> bool:
        """Does it lead to what a build makes? Then the first step that is not there says so."""
        if at.startswith(".."):
            return True  # out of the repository: nothing is known of that
        steps = at.split("/")
        first = next(
            (n for n in range(1, len(steps)) if "/".join(steps[:n]) not in self._folders),
            len(steps),
        )
        names = (steps[first - 1], steps[-1])
        return any(_MADE.fullmatch(name) or self._ignored(name) for name in names)


def package(name: str) -> str:
    """The package that a specifier names: `@a/b` of `@a/b/c`; "" when it names none."""
    if name.startswith(("#", "$", "~", "@/", "/", ".")) or _SCHEME.match(name) or "!" in name:
        return ""
    steps = name.split("/")
    wanted = "/".join(steps[:2]) if name.startswith("@") else steps[0]
    return wanted if _PACKAGE.fullmatch(wanted) else ""


def _matcher(globs: set[str]) -> Callable[[str], bool]:
    """Does any of these match a name? Of wildcards beyond what anybody writes, none does."""
    wild = sorted(glob for glob in globs if any(mark in glob for mark in "*?["))
    plain = globs.difference(wild)
    joined = re.compile("|".join(map(translate, wild[:_MOST_GLOBS])) or "(?!)")
    return lambda name: name in plain or bool(joined.match(name))


def _stem(each: Mapped, name: str) -> str | None:
    """What `*` stands for when the pattern fits; "" of a pattern without one."""
    start, star, end = each.pattern.partition("*")
    if not star:
        return "" if name == each.pattern else None
    fits = name.startswith(start) and name.endswith(end) and len(name) >= len(start) + len(end)
    return name[len(start) : len(name) - len(end)] if fits else None


def _targets(each: Mapped, stem: str) -> Iterator[str]:
    """Paths that it leads to; `*` may stand in them often."""
    for target in each.targets:
        if len(target) + target.count("*") * len(stem) <= _LONGEST:
            yield target.replace("*", stem)


def _above(path: str) -> Iterator[str]:
    while path := dirname(path):
        yield path
