"""Names that new code takes from modules of the repository, and that these do not have."""

import re
from collections.abc import Iterable, Iterator
from posixpath import dirname
from typing import Final

from halfdoor.canon.checks import Change, Subject
from halfdoor.verify.bound import bound
from halfdoor.verify.fresh import text
from halfdoor.verify.imported import Imported, imported
from halfdoor.verify.languages import is_python
from halfdoor.verify.standard import is_standard

# Folders that stand on the path of modules without saying so.
_SOURCES: Final = ("", "src/", "lib/")

# Read to here and no further; one that is longer counts as new.
_STATEMENT: Final = re.compile(r"\bfrom\b[^\n#;]{1,200}?\bimport\b(?:[^\n(]|\([^)]{0,4000}){0,200}")
_LONG: Final = 200


def sources(changes: Iterable[Change], paths: Iterable[str]) -> set[str]:
    """Those of `paths` from which new imports of the changed files take names."""
    there = frozenset(paths)
    return {
        source for change, each in _new(changes) for source in _sources(change.path, each, there)
    }


def lacking(subject: Subject) -> Iterator[tuple[str, Imported, str]]:
    """(who imports, the import, a name that the module does not have)."""
    there = frozenset(subject.paths)
    modules = {_module(path) for path in there} | {dirname(path) for path in there}
    held = {**subject.files, **{e.path: e.after for e in subject.changes if e.after is not None}}
    known: dict[str, frozenset[str] | None] = {}
    for change, each in _new(subject.changes):
        found = _sources(change.path, each, there)
        if len(found) != 1 or found[0] not in held:
            continue
        (source,) = found
        if source not in known:
            known[source] = bound(text(held[source]))
        has = known[source]
        for name in each.names:
            if has is not None and not (
                name in has or _own(name) or f"{_module(source)}/{name}" in modules
            ):
                yield change.path, each, name


def _module(path: str) -> str:
    return path.rpartition(".")[0].removesuffix("/__init__")


def _new(changes: Iterable[Change]) -> Iterator[tuple[Change, Imported]]:
    """Imports of names that a file did not have before, without those it had."""
    for change in changes:
        if is_python(change.path) and change.after and _imports_more(change):
            had = {key for each in imported(text(change.before)) for key in _keys(each)}
            for each in imported(text(change.after)):
                if not each.guarded and any(key not in had for key in _keys(each)):
                    yield change, each


def _imports_more(change: Change) -> bool:
    """Is there an import of names that it did not have as it stands? Mostly there is none."""
    had = set(_STATEMENT.findall(text(change.before)))
    now = _STATEMENT.findall(text(change.after))
    return any(len(each) >= _LONG or each not in had for each in now)


def _keys(each: Imported) -> Iterator[tuple[int, str, str]]:
    return ((each.level, each.module, name) for name in each.names)


def _sources(path: str, each: Imported, there: frozenset[str]) -> list[str]:
    """The files that the module may be; more than one where the text alone does not tell."""
    above = dirname(path)
    if each.level:
        for _ in range(each.level - 1):
            above = dirname(above)
        starts = {f"{above}/" if above else ""}
    elif is_standard(each.top):
        return []
    else:
        beside = f"{above}/__init__.py" not in there
        starts = {*_SOURCES, *((f"{above}/" if above else "",) if beside else ())}
    steps = each.module.replace(".", "/")
    ends = (".py", "/__init__.py") if steps else ("__init__.py",)
    return [at for start in sorted(starts) for end in ends if (at := start + steps + end) in there]


def _own(name: str) -> bool:
    """Is it a name that every module has, or all of them?"""
    return name == "*" or (name.startswith("__") and name.endswith("__"))
