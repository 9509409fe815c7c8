"""Modules of the standard library with their own tests, as small repositories: for `tests`."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from halfdoor.canon.checks import Change, Subject
from tests.gatecorpus.broken import mutant
from tests.gatecorpus.good import LIBRARY, Function, functions, source

_PACKAGE = "corpus"


def has_tests(module: str) -> bool:
    """Some systems ship the standard library without them."""
    return (LIBRARY / f"test/test_{module}.py").exists()


def _files(module: str, text: str) -> dict[str, str]:
    """The repository with this text as the module. Its tests ask for it under its new name."""
    own = (LIBRARY / f"test/test_{module}.py").read_text("utf-8")
    own = re.sub(rf"^import {module}$", f"from {_PACKAGE} import {module}", own, flags=re.MULTILINE)
    own = re.sub(
        rf"^from {module} import", f"from {_PACKAGE}.{module} import", own, flags=re.MULTILINE
    )
    return {
        f"{_PACKAGE}/__init__.py": "",
        f"{_PACKAGE}/{module}.py": text,
        f"tests/test_{module}.py": own,
    }


@contextmanager
def repository(module: str, after: str, python: str) -> Iterator[Subject]:
    """The module becomes `after`; its text is the standard library's before."""
    path = f"{_PACKAGE}/{module}.py"
    with TemporaryDirectory() as folder:
        for name, text in (("before", source(module)), ("after", after)):
            for at, content in _files(module, text).items():
                file = Path(folder, name, at)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content, "utf-8")
        yield Subject(
            (Change(path, source(module).encode(), after.encode()),),
            tuple(_files(module, "")),
            tree=f"{folder}/after",
            base=f"{folder}/before",
            python=python,
            revision=module,
            root="/corpus",
        )


def harmless(function: Function) -> str:
    """The same program, written otherwise: the function's body after a `pass`."""
    return function.with_body([f"{function.indent()}pass\n", *function.body])


def pairs(modules: tuple[str, ...], each: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """(module, a harmless rewrite, a mutant), so many of each module."""
    chance = random.Random(seed)
    for module in filter(has_tests, modules):
        found = list(functions(module))
        chance.shuffle(found)
        made = 0
        for function in found:
            broken = mutant(function, chance)
            if broken is not None and made < each:
                made += 1
                yield module, harmless(function), broken.after
