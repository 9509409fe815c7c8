"""Which dotted names a Python text imports, and which it uses of what it imported."""

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Final

Named = tuple[str, int]

_IMPORTERS: Final = frozenset({"importlib.import_module", "importlib.__import__", "__import__",
                               "builtins.__import__"})  # fmt: skip
_STAR: Final = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]*\(?[ \t]*\*", re.MULTILINE)
_CALLED: Final = re.compile(r"\b(?:import_module|__import__)\s*\(\s*[\"']([\w.]+)[\"']")


def named(text: str) -> tuple[Named, ...] | None:
    """(name, line) of each; `os.*` for all of `os`. None for what this interpreter cannot read.

    A name that is given to `importlib.import_module` or `__import__` as it stands is imported, too.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    known: dict[str, str] = {"__import__": "__import__", "__builtins__": "builtins"}
    imports = tuple(_imported(tree, known))
    return (*imports, *_used(tree, known))


def by_look(text: str) -> Iterator[Named]:
    """What no linter follows, in a text that cannot be read: all of a module, names as text."""
    for pattern, rest in ((_STAR, ".*"), (_CALLED, "")):
        line, counted = 1, 0
        for found in pattern.finditer(text):
            line += text.count("\n", counted, found.start())
            counted = found.start()
            yield found[1] + rest, line


def _imported(tree: ast.AST, known: dict[str, str]) -> Iterator[Named]:
    """known: filled with what each name of the text stands for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                first = each.name.partition(".")[0]
                known[each.asname or first] = each.name if each.asname else first
                yield each.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                known[each.asname or each.name] = f"{node.module}.{each.name}"
                yield f"{node.module}.{each.name}", node.lineno


def _used(tree: ast.AST, known: dict[str, str]) -> Iterator[Named]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := _meant(node, known)):
            yield name, node.lineno
        elif isinstance(node, ast.Call) and _meant(node.func, known) in _IMPORTERS:
            given = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "name")]
            for each in given:
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value, node.lineno


def _meant(node: ast.expr, known: dict[str, str]) -> str:
    """What an attribute of attributes of an imported name stands for, "" of anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in known:
        return ""
    return ".".join([known[node.id], *reversed(names)])
