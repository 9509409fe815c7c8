"""Broken versions of good functions, by the way in which they are broken."""

import ast
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Final

from tests.gatecorpus.good import Function
from tests.gatecorpus.insecure import REWRITES
from tests.leakhunt.canaries import keys


@dataclass(frozen=True, slots=True)
class Broken:
    """kind: see `KINDS`. after: the whole file. edit: what is judged instead of a file, "" for none.

    was: the text before, the bare head of the function unless said otherwise. detail: a weakness,
    a form of key or of edit.
    """

    kind: str
    function: Function
    after: str
    detail: str = ""
    edit: str = ""


Make = Callable[[Function, random.Random], Broken | None]

_COMPARED: Final = {"==": "!=", "!=": "==", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}
_SWAPPED: Final = {
    **_COMPARED, "+": "-", "-": "+", "*": "/", "and": "or", "or": "and", "True": "False",
    "False": "True", "is not": "is", "not in": "in", "min": "max", "max": "min",
}  # fmt: skip
_OPERATOR: Final = re.compile(
    r"(?<= )(?:==|!=|<=|>=|<|>|\+|-|\*|and|or|is not|not in)(?= )|\b(?:True|False|min|max)\b"
    r"|(?<=[\[( +-])\d+\b"
)
_ELISIONS: Final = (
    "# ... existing code ...", "# ... rest of the code remains the same ...",
    "# rest of the implementation unchanged", "# ... (unchanged) ...",
    "# TODO: implement the rest here", "# ... keep the existing logic ...",
)  # fmt: skip
_INVENTED: Final = (
    "fastjsonx", "pyutilkit_core", "textnormalizer", "asynctools_plus", "configmerge", "safe_eval_lib",
    "datacleanr", "mlhelpers", "smartretry", "stringwizard", "pathmagic_next", "httpkit_easy",
    "deepmergeutils", "quickcachex", "pandas_schema_tools", "requests_retry_plus", "yamlvalidator2",
    "torch_easytrain", "flask_autoroute", "numpy_stats_ext", "logging_pretty_json", "typed_settings2",
    "django_quick_forms", "sqlalchemy_fast_models", "aws_lambda_helpers2", "markdown_table_tools",
)  # fmt: skip
_NOT_THERE: Final = (
    "json.fast", "os.pathlib", "collections.ordered", "urllib.fetch", "asyncio.pool2", "email.parser2",
    "concurrent.threads", "xml.json", "logging.rotate", "importlib.paths", "http.requests",
)  # fmt: skip


def mutant(function: Function, chance: random.Random) -> Broken | None:
    """One operator, constant or comparison is another."""
    lines = function.body
    places = [(n, m) for n, line in enumerate(lines) if not line.lstrip().startswith("#")
              for m in _OPERATOR.finditer(line)]  # fmt: skip
    chance.shuffle(places)
    for number, found in places:
        old = found.group()
        new = _SWAPPED.get(old) or str(int(old) + 1)
        line = lines[number][: found.start()] + new + lines[number][found.end() :]
        after = function.with_body([*lines[:number], line, *lines[number + 1 :]])
        if _differs(function.text, after):
            return Broken("operator mutants", function, after, f"{old} to {new}")
    return None


def _differs(before: str, after: str) -> bool:
    """Is it still Python, and another program? (What stands in a string or a comment is none.)"""
    try:
        return ast.dump(_without_texts(before)) != ast.dump(_without_texts(after))
    except (SyntaxError, ValueError):
        return False


def _without_texts(text: str) -> ast.AST:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            node.value = ""
    return tree


def cut_off(function: Function, chance: random.Random) -> Broken | None:
    """The answer ends in the middle, or says that the rest is as it was."""
    lines = function.body
    if chance.random() < 0.5:
        kept = lines[: max(1, len(lines) // 2)]
        said = chance.choice(_ELISIONS)
        after = function.with_body([*kept, f"{function.indent()}{said}\n"])
        return Broken("cut-offs", function, after, "elided")
    head = function.text.splitlines(keepends=True)[: function.first]
    body = "".join(lines)
    end = chance.randrange(len(body) // 3, max(len(body) - 2, len(body) // 3 + 1))
    return Broken("cut-offs", function, "".join(head) + body[:end], "cut")


def wrong_name(function: Function, chance: random.Random) -> Broken | None:
    """A name that is read is spelt in another way, every time in one line."""
    tree = ast.parse(function.text)
    used = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and function.first < node.lineno <= function.last
        and node.end_lineno == node.lineno
    ]
    chance.shuffle(used)
    lines = function.text.splitlines(keepends=True)
    for node in used:
        name = node.id if isinstance(node, ast.Name) else node.attr
        line = lines[node.lineno - 1]
        if len(name) < 4 or not line.isascii() or name.startswith("__"):
            continue
        end = node.end_col_offset or 0
        wrong = chance.choice(
            [f"{name}s", f"{name}_", f"get_{name}", name[:-2] + name[-1] + name[-2]]
        )
        if line[end - len(name) : end] != name or wrong == name or wrong in function.text:
            continue
        kind = "wrong names" if isinstance(node, ast.Name) else "wrong attributes"
        lines[node.lineno - 1] = line[: end - len(name)] + wrong + line[end:]
        return Broken(kind, function, "".join(lines), wrong)
    return None


def invented_import(function: Function, chance: random.Random) -> Broken | None:
    """A module that nobody has published, or that no package has."""
    name = chance.choice(_INVENTED) + chance.choice(["", "", "_v2", "_io"])
    if chance.random() < 0.2:
        name = chance.choice(_NOT_THERE)
        line = f"from {name} import load\n"
    else:
        line = chance.choice([f"import {name}\n", f"from {name} import load\n"])
    kind = "invented submodules" if "." in name else "invented imports"
    used = name if line.startswith("import") else "load"
    lines = [
        f"{function.indent()}{line}",
        *function.body[:-1],
        f"{function.indent()}print({used})\n",
    ]
    return Broken(kind, function, function.with_body([lines[0], lines[-1], *function.body]), name)  # fmt: skip


def insecure(function: Function, chance: random.Random) -> Broken | None:
    """A line that opens the door."""
    cwe, imports, line = chance.choice(REWRITES)
    indent = function.indent()
    new = [f"{indent}{each}\n" for each in (*imports.splitlines(), *_lived_in(line))]
    return Broken("insecure rewrites", function, function.with_body([*new, *function.body]), cwe)


def _lived_in(line: str) -> Iterator[str]:
    """The line with what it needs around it, so that nothing but its weakness is wrong with it."""
    yield from ("value = input()", "print(value)")
    for name in ("cursor", "handler", "secret_signature"):
        if name in line:
            yield "from typing import Any"
            yield f"{name}: Any = value"
    yield line
    made = re.match(r"(\w+) = ", line)
    if made:
        yield f"print({made[1]})"


def planted_key(function: Function, chance: random.Random) -> Broken | None:
    """A key as its vendor makes it, where a constant would stand."""
    canary = chance.choice(keys(chance))
    text = f"token = {canary.text!r}"
    indent = function.indent()
    new = [f"{indent}{text}\n", f"{indent}print(token)\n", *function.body]
    return Broken("planted keys", function, function.with_body(new), canary.name)


def bad_edit(function: Function, chance: random.Random) -> Broken | None:
    """An edit whose idea of the file is wrong."""
    return edit_of(function, chance, spoilt=True)


def edit_of(function: Function, chance: random.Random, *, spoilt: bool) -> Broken | None:
    """The function's body, written into the file by an edit in one of four forms."""
    form = chance.choice(tuple(_FORMS))
    before = function.bare()
    if spoilt:
        # What the model believes to be there: the same place, a little otherwise.
        believed = function.with_body([f"{function.indent()}raise NotImplementedError('later')\n"])
        believed = believed.replace("    return", "    return  ") if form == "diff" else believed
    else:
        believed = before
    text = _FORMS[form](function.path, believed, function)
    return Broken("edits that do not apply", function, function.text, form, text)


def _around(believed: str, function: Function) -> tuple[str, str]:
    """Three lines before the place, what is believed to stand there, and what should."""
    lines = believed.splitlines(keepends=True)
    start = max(function.first - 3, 0)
    old = "".join(lines[start : function.first + 1])
    return old, "".join([*lines[start : function.first], *function.body])


def _blocks(path: str, believed: str, function: Function) -> str:
    old, new = _around(believed, function)
    return f"{path}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n"


def _diff(path: str, believed: str, function: Function) -> str:
    made = unified_diff(
        believed.splitlines(keepends=True),
        function.text.splitlines(keepends=True),
        f"a/{path}",
        f"b/{path}",
    )
    return "".join(made)


def _patch(path: str, believed: str, function: Function) -> str:
    old, new = _around(believed, function)
    lines = [f"-{line}" for line in old.splitlines()] + [f"+{line}" for line in new.splitlines()]
    body = "\n".join(lines)
    return f"*** Begin Patch\n*** Update File: {path}\n@@\n{body}\n*** End Patch\n"


def _call(path: str, believed: str, function: Function) -> str:
    import json

    old, new = _around(believed, function)
    arguments = {"file_path": path, "old_string": old, "new_string": new}
    return json.dumps({"name": "Edit", "arguments": arguments})


_FORMS: Final = {"blocks": _blocks, "diff": _diff, "patch": _patch, "call": _call}

# How many of each kind are made.
KINDS: Final[dict[Make, int]] = {
    mutant: 240,
    cut_off: 130,
    wrong_name: 150,
    invented_import: 110,
    insecure: 210,
    planted_key: 110,
    bad_edit: 100,
}


def broken(functions: list[Function], seed: int, share: float = 1.0) -> Iterator[Broken]:
    """All kinds over the functions, each as often as wanted; seeded. share: of those numbers."""
    chance = random.Random(seed)
    for make, wanted in KINDS.items():
        made, turn = 0, 0
        while made < wanted * share and turn < 20 * len(functions):
            found = make(functions[turn % len(functions)], chance)
            turn += 1
            if found is not None:
                made += 1
                yield found
