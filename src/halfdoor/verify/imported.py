"""What a Python text imports, and where."""

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct, structs

# INVARIANT: linear in the text, which anybody may have written: nothing is given back.
_STATEMENT: Final = re.compile(
    r"^[ \t]*+(?:from[ \t]++(\.*+)([\w.]*+)[ \t]++import\b|import[ \t]++([\w., \t]++))",
    re.MULTILINE,
)
# They come with every type checker, and under TYPE_CHECKING nothing else reads them.
_OF_CHECKERS: Final = frozenset({"typing_extensions", "_typeshed"})
_TOLERANT: Final = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


class Imported(Struct, frozen=True):
    """One module that is imported.

    module: dotted, without leading dots; "" for `from . import x`. level: how many dots stood
    before it. guarded: the text goes on without it (`except ImportError`). names: what
    `from … import` takes of it.
    """

    module: str
    level: int
    line: int
    guarded: bool = False
    names: tuple[str, ...] = ()

    @property
    def top(self) -> str:
        """Its first name: what has to be installed."""
        return self.module.partition(".")[0]


@lru_cache(maxsize=64)  # asked of the same text by whoever gathers files, and by each check
def imported(text: str) -> tuple[Imported, ...]:
    """Every import of a text, in order. One that does not parse is read line by line."""
    if "import" not in text:
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return tuple(_by_line(text))
    return tuple(_walked(tree, guarded=False))


def _walked(node: ast.AST, *, guarded: bool) -> Iterator[Imported]:
    """Depth first; expressions hold no imports."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for name in child.names:
                yield Imported(name.name, 0, child.lineno, guarded)
        elif isinstance(child, ast.ImportFrom):
            names = tuple(each.name for each in child.names)
            yield Imported(child.module or "", child.level, child.lineno, guarded, names)
        elif isinstance(child, ast.Try | ast.TryStar):
            yield from _tried(child, guarded=guarded)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for each in _walked(child, guarded=guarded):
                yield structs.replace(each, guarded=each.guarded or each.top in _OF_CHECKERS)
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _walked(child, guarded=guarded)


def _tried(node: "ast.Try | ast.TryStar", *, guarded: bool) -> Iterator[Imported]:
    held = guarded or any(_tolerates(handler) for handler in node.handlers)
    # `else` runs only when the body did, and a substitute only when it did not.
    yield from _walked(ast.Module([*node.body, *node.orelse], []), guarded=held)
    for handler in node.handlers:
        inside = guarded or _tolerates(handler)
        yield from _walked(ast.Module(handler.body, []), guarded=inside)
    yield from _walked(ast.Module(node.finalbody, []), guarded=guarded)


def _tolerates(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id in _TOLERANT for kind in kinds)


def _by_line(text: str) -> Iterator[Imported]:
    line, counted = 1, 0
    for found in _STATEMENT.finditer(text):
        line += text.count("\n", counted, found.start())
        counted = found.start()
        if found[3] is None:
            yield Imported(found[2], len(found[1]), line)
            continue
        for name in found[3].split(","):
            if words := name.split():
                yield Imported(words[0], 0, line)
