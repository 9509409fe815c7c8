"""The names that a module of Python has once it was imported, as far as its text tells."""

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

# A module that makes names as it runs: what it lacks, no reader can tell.
_OPEN: Final = re.compile(
    r"\b__getattr__\b|\bglobals\(|\bvars\(|\blocals\(|\bexec\(|sys\.modules\b"
)
_INNER: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@lru_cache(maxsize=64)  # asked by whoever gathers files, and by the check
def bound(code: str) -> frozenset[str] | None:
    """The names that a module has once it was imported; None when its text does not tell."""
    if _OPEN.search(code):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return None
    found = frozenset(_bindings(tree, inside="global " in code))
    return None if "*" in found else found


def _bindings(tree: ast.AST, *, inside: bool) -> Iterator[str]:
    """Every name that is bound outside functions and classes, or declared global anywhere.

    inside: is there a `global` to be looked for within them?
    """
    waiting: list[tuple[ast.AST, bool]] = [(tree, True)]
    while waiting:
        node, top = waiting.pop()
        inner = isinstance(node, _INNER)
        if isinstance(node, ast.Global):
            yield from node.names
        elif top and isinstance(node, _INNER):
            yield node.name
        elif top and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif top and isinstance(node, ast.Import | ast.ImportFrom):
            yield from (each.asname or each.name.partition(".")[0] for each in node.names)
        elif (
            top and isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name
        ):
            yield node.name
        if inside or not inner:
            waiting.extend((child, top and not inner) for child in ast.iter_child_nodes(node))
