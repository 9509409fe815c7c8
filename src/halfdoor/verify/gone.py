"""What a change took away of the repository's own Python, and who still imports it."""

from collections.abc import Callable, Iterable, Iterator
from posixpath import basename, dirname
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change, Subject
from halfdoor.verify.bound import bound
from halfdoor.verify.fresh import text
from halfdoor.verify.imported import Imported, imported
from halfdoor.verify.languages import is_python

# Folders that stand on the path of modules without saying so.
_SOURCES: Final = ("", "src/", "lib/")
# Within these a line is no code any more.
_QUOTES: Final = (b'"""', b"'''")


class Gone(Struct, frozen=True):
    """names: what the module at `path` no longer has; None when it is gone itself."""

    path: str
    names: frozenset[str] | None = None


class Broken(Struct, frozen=True):
    """An import of what is gone. name: of the module's, "" for the module. path: who imports it."""

    path: str
    line: int
    module: str
    name: str = ""


def gone(changes: Iterable[Change]) -> tuple[Gone, ...]:
    """The modules and names at the top of modules that were there before."""
    changes = tuple(changes)
    made = {each.path for each in changes if each.after is not None}
    return tuple(found for each in changes if (found := _gone(each, made)))


def words(lost: Iterable[Gone]) -> set[str]:
    """Who imports any of these must write one of these words."""
    return {word for each in lost for word in (each.names or {_word(each.path)}) if word}


def broken(
    subject: Subject, lost: tuple[Gone, ...], knows: Callable[[str, Imported], bool]
) -> Iterator[Broken]:
    """Imports of what is lost, in the files that the change left alone and in those it did not.

    knows: does (path, import) still lead somewhere?
    """
    names = _Names(lost, subject.paths)
    changed = {each.path: each.after or b"" for each in subject.changes if is_python(each.path)}
    for path, data in sorted({**subject.importers, **changed}.items()):
        for each in imported(text(data)):
            if not each.guarded:
                yield from _broken(path, each, names, knows)


class _Names:
    """What is lost, by the names under which it can be imported."""

    def __init__(self, lost: Iterable[Gone], paths: Iterable[str]) -> None:
        paths = frozenset(paths)
        self._lost = {_module(each.path): each for each in lost}
        self._roots = {_root(each.path, paths) for each in lost} | set(_SOURCES)
        self._there = {_module(path) for path in paths} | {dirname(path) for path in paths}

    def lost(self, path: str, each: Imported, name: str = "") -> Gone | None:
        """What is lost that this import names, or its submodule `name`."""
        steps = "/".join(filter(None, (each.module.replace(".", "/"), name)))
        found = (
            self._lost.get(f"{start}{steps}".rstrip("/")) for start in self._starts(path, each)
        )
        return next(filter(None, found), None)

    def holds(self, module: str, name: str) -> bool:
        """Is there a module of this name in the package?"""
        return f"{module}/{name}" in self._there

    def _starts(self, path: str, each: Imported) -> Iterator[str]:
        above = dirname(path)
        if not each.level:
            yield from self._roots
            yield f"{above}/" if above else ""
            return
        for _ in range(each.level - 1):
            above = dirname(above)
        yield f"{above}/" if above else ""


def _broken(
    path: str, each: Imported, names: _Names, knows: Callable[[str, Imported], bool]
) -> Iterator[Broken]:
    module = f"{'.' * each.level}{each.module}"
    lost = names.lost(path, each)
    if lost and lost.names is None and not knows(path, each):
        yield Broken(path, each.line, module)
        return
    for name in each.names:
        inner = names.lost(path, each, name)
        if lost and lost.names and name in lost.names:
            if not names.holds(_module(lost.path), name):
                yield Broken(path, each.line, module, name)
        elif inner and inner.names is None and not names.holds(dirname(inner.path), name):
            yield Broken(path, each.line, module, name)


def _gone(change: Change, made: set[str]) -> Gone | None:
    path = change.was or change.path
    if not path.endswith(".py") or change.before is None:
        return None
    if path not in made:
        return Gone(path)
    if change.was or change.after is None or _adds(change.before, change.after):
        return None
    had, has = bound(text(change.before)), bound(text(change.after))
    return Gone(path, had - has) if had and has is not None and had - has else None


def _adds(before: bytes, after: bytes) -> bool:
    """Is every line still there, and in force? Then nothing is gone, and nothing parsed."""
    left = iter(after.splitlines())
    there = all(line in left for line in before.splitlines())
    return there and all(after.count(each) == before.count(each) for each in _QUOTES)


def _module(path: str) -> str:
    """`src/app/core` of `src/app/core.py`, `src/app` of its `__init__.py`."""
    return path.rpartition(".")[0].removesuffix("/__init__")


def _word(path: str) -> str:
    return basename(_module(path))


def _root(path: str, paths: frozenset[str]) -> str:
    """The folder, with its slash, from which the module's whole name counts."""
    above = dirname(_module(path))
    while above and f"{above}/__init__.py" in paths:
        above = dirname(above)
    return f"{above}/" if above else ""
