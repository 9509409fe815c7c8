"""A repository that nobody here wrote goes through the gate without a false failure."""

import ast

from tests.gatecorpus.good import MODULES, source
from tests.helpers.checkouts import commit, write

SOME = MODULES[::3]


def moved(text):
    """The same program with every line moved, and its last function on top of the file's others."""
    lines = text.splitlines(keepends=True)
    nodes = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    # What runs when it is defined must still find what stood above it.
    if len(nodes) < 2 or _looks_around(nodes[-1]):
        return "# Moved.\n\n" + text
    first, last = nodes[-1].lineno - 1, nodes[-1].end_lineno
    taken, rest = lines[first:last], lines[:first] + lines[last:]
    top = nodes[0].lineno - 1 - len(nodes[0].decorator_list)
    return "# Moved.\n\n" + "".join([*rest[:top], *taken, "\n\n", *rest[top:]])


def _looks_around(node):
    given = node.args
    annotated = [each for each in (*given.args, *given.kwonlyargs) if each.annotation]
    return bool(node.decorator_list or given.defaults or given.kw_defaults or annotated)


def test_the_standard_library_may_be_moved_about(gate):
    files = {f"lib/{name.replace('/', '_')}.py": source(name) for name in SOME}
    write(gate.folder, files)
    commit(gate.folder, "as it is")
    write(gate.folder, {path: moved(text) for path, text in files.items()})
    code, verdict, codes, checks = gate.json()
    assert (code, verdict, codes) == (0, "passed", [])
    assert {checks[name] for name in ("complete", "syntax", "lint", "security", "imports")} == {
        "passed"
    }


def test_a_file_of_it_may_be_renamed(gate):
    write(gate.folder, {f"lib/old_{name}.py": source(name) for name in ("shelve", "pdb", "ftplib")})
    commit(gate.folder, "as it is")
    for name in ("shelve", "pdb", "ftplib"):
        (gate.folder / f"lib/old_{name}.py").rename(gate.folder / f"lib/new_{name}.py")
    code, verdict, codes, _ = gate.json()
    assert (code, verdict, codes) == (0, "passed", [])
