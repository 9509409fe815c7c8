"""What a change altered of functions that are still there, by what they say and not by their lines.

A function that lost a neighbour, or an import that only the neighbour used, is what it was; one
that speaks of what is gone is not. Where that cannot be told, all of a file is altered.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from halfdoor.canon.checks import Change
from halfdoor.verify.fresh import text
from halfdoor.verify.languages import is_python

# First and last lines; None for all of a file.
Spans = tuple[tuple[int, int], ...] | None


class _Function(Struct, frozen=True):
    """span: with its decorators. said: all of it. names: what it speaks of."""

    span: tuple[int, int]
    said: str
    names: frozenset[str]


class _Outside(Struct, frozen=True):
    """A statement outside functions. bound: the names it gives; None when they are not known."""

    said: str
    names: frozenset[str]
    bound: frozenset[str] | None


class _File(Struct):
    """functions: by qualified name; those inside a function are a part of it."""

    functions: dict[str, _Function] = field(default_factory=dict)
    outside: list[_Outside] = field(default_factory=list)


def altered(changes: Iterable[Change]) -> Mapping[str, Spans]:
    """Where altered functions stood, by the path that their file had.

    What is gone is not there to be judged and is left out; what the change moved is not gone.
    """
    changes = [each for each in changes if is_python(each.path) or is_python(each.was)]
    pairs = [(each.was or each.path, _read(each.before), _read(each.after)) for each in changes]
    moved: dict[str, _Function] = {}
    for _, before, after in pairs:
        had = before.functions if before else {}
        new = after.functions if after else {}
        moved |= {name: found for name, found in new.items() if name not in had}
    return {path: _altered(before, after, moved) for path, before, after in pairs}


def among(functions: Iterable[str], spans: Mapping[str, Spans]) -> Iterator[int]:
    """Indices of those functions, each `path:line`, that stood where something was altered."""
    for index, place in enumerate(functions):
        path, _, line = place.rpartition(":")
        if path in spans:
            within = spans[path]
            if within is None or any(first <= int(line) <= last for first, last in within):
                yield index


def _altered(before: _File | None, after: _File | None, moved: Mapping[str, _Function]) -> Spans:
    if before is None or after is None:
        return None
    rebound = _rebound(before, after)
    if rebound is None:
        return None
    left = {name: after.functions.get(name) or moved.get(name) for name in before.functions}
    return tuple(
        had.span
        for name, had in before.functions.items()
        if (found := left[name]) and (found.said != had.said or had.names & rebound)
    )


def _rebound(before: _File, after: _File) -> frozenset[str] | None:
    """Names that mean something else now; None when anything may."""
    if not (after.functions or after.outside):
        return frozenset()  # nothing is there any more; what moved is known by what it says
    had, has = (Counter(each.said for each in file.outside) for file in (before, after))
    other = (had - has) | (has - had)
    names = {name.rpartition(".")[2] for name in before.functions.keys() - after.functions.keys()}
    names |= {name for name in after.functions.keys() - before.functions.keys() if "." not in name}
    for each in (*before.outside, *after.outside):
        if each.said in other:
            if each.bound is None:
                return None
            names |= each.bound
    stay = (each for each in before.outside if each.said not in other)
    return None if any(each.names & names for each in stay) else frozenset(names)


def _read(data: bytes | None) -> _File | None:
    """None when it cannot be read; an empty one for a file that is not there."""
    file = _File()
    try:
        _walk(ast.parse(text(data)).body, "", file)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return file


def _walk(body: list[ast.stmt], within: str, file: _File) -> None:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            span = (first, node.end_lineno or node.lineno)
            found = _Function(span, ast.dump(node), frozenset(_names(node)))
            file.functions[f"{within}{node.name}"] = found
        elif isinstance(node, ast.ClassDef):
            file.outside.append(_head(node, within))
            _walk(node.body, f"{within}{node.name}.", file)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            said = f"{within} {ast.dump(node)}"
            file.outside.append(_Outside(said, frozenset(_names(node)), _bound(node)))


def _head(node: ast.ClassDef, within: str) -> _Outside:
    """A class without what stands in it."""
    head = [*node.decorator_list, *node.bases, *node.keywords]
    said = f"{within}{node.name} {[ast.dump(each) for each in head]}"
    names = frozenset(name for each in head for name in _names(each))
    return _Outside(said, names, frozenset({node.name}))


def _names(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr


def _bound(node: ast.stmt) -> frozenset[str] | None:
    match node:
        case ast.Import(names=given) | ast.ImportFrom(names=given):
            names = [each.asname or each.name.partition(".")[0] for each in given]
            return None if "*" in names else frozenset(names)
        case ast.Assign(targets=targets):
            found = [each.id for each in targets if isinstance(each, ast.Name)]
            return frozenset(found) if len(found) == len(targets) else None
        case ast.AnnAssign(target=ast.Name(id=name)):
            return frozenset({name})
        case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body, orelse=[]):
            inner = [_bound(each) for each in body]
            known = [each for each in inner if each is not None]
            return frozenset().union(*known) if len(known) == len(inner) else None
        case _:
            return None
