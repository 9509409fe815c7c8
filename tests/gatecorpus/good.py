"""Code that is known to be good: functions of the running standard library, read when asked for.

Nothing of it is in this repository. Each is seen as a change that writes the function where only
its head stood, in a repository that holds the one module (and its tests, for checks that run them).
"""

import ast
import random
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

LIBRARY: Final = Path(sysconfig.get_path("stdlib"))
# Pure Python that stands alone, of many authors and decades.
MODULES: Final = (
    "argparse", "ast", "base64", "calendar", "cmd", "code", "colorsys", "configparser", "contextlib",
    "copy", "csv", "dataclasses", "difflib", "fileinput", "fnmatch", "fractions", "ftplib", "getopt",
    "gettext", "glob", "graphlib", "gzip", "heapq", "imaplib", "inspect", "ipaddress", "json/decoder",
    "json/encoder", "linecache", "mailbox", "mimetypes", "netrc", "ntpath", "optparse", "pdb",
    "pickletools", "plistlib", "pprint", "quopri", "random", "reprlib", "sched", "shelve", "shlex",
    "shutil", "smtplib", "statistics", "string", "tarfile", "tempfile", "textwrap", "timeit",
    "tokenize", "trace", "turtle", "urllib/parse", "uuid", "weakref", "zipapp", "zipfile",
)  # fmt: skip
# Those whose own tests run in seconds and do not need the module under its own name.
TESTED: Final = (
    "calendar", "colorsys", "configparser", "fnmatch", "fractions", "getopt", "graphlib", "heapq",
    "netrc", "quopri", "reprlib", "shlex", "textwrap",
)  # fmt: skip
_EACH: Final = 6
_LEAST_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a module. first, last: lines of its body after the docstring, from 0."""

    module: str
    name: str
    text: str
    first: int
    last: int

    @property
    def path(self) -> str:
        """Where the repository has it."""
        return f"lib/{self.module.replace('/', '_')}.py"

    @property
    def body(self) -> list[str]:
        """Its lines, the docstring left out."""
        return self.text.splitlines(keepends=True)[self.first : self.last]

    def with_body(self, lines: list[str]) -> str:
        """The whole module with other lines in place of the body."""
        all_ = self.text.splitlines(keepends=True)
        return "".join([*all_[: self.first], *lines, *all_[self.last :]])

    def indent(self) -> str:
        """What stands before the body's first word."""
        line = self.body[0]
        return line[: len(line) - len(line.lstrip())]

    def bare(self) -> str:
        """The module with the head of the function only."""
        return self.with_body([f"{self.indent()}raise NotImplementedError\n"])


@cache
def source(module: str) -> str:
    """The text of a module of the standard library."""
    return (LIBRARY / f"{module}.py").read_text("utf-8")


def functions(module: str) -> Iterator[Function]:
    """Its functions of some length, in order."""
    text = source(module)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            if not body or body[0].lineno == node.lineno:
                continue
            first, last = body[0].lineno - 1, node.end_lineno or 0
            if last - first >= _LEAST_LINES:
                yield Function(module, node.name, text, first, last)


def known_good(seed: int, modules: tuple[str, ...] = MODULES) -> list[Function]:
    """At most so many of each module, drawn; shuffled, so that a part is a sample of all."""
    chance = random.Random(seed)
    drawn = []
    for module in modules:
        if (LIBRARY / f"{module}.py").exists():
            found = list(functions(module))
            drawn += chance.sample(found, min(_EACH, len(found)))
    chance.shuffle(drawn)
    return drawn
