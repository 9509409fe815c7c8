"""Good and broken code before the real checks, with the real runner."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from halfdoor.canon.checks import Change, Edit, Result, Status, Subject
from halfdoor.flow.ladder import climb
from halfdoor.flow.ports import Runner
from halfdoor.reading.engine import Engine
from halfdoor.reading.secret_formats import FORMATS
from halfdoor.runner.remembered import Remembering
from halfdoor.runner.sandbox import Sandbox
from halfdoor.verify.applies import Applies, form_of
from halfdoor.verify.bandit import bandit
from halfdoor.verify.base import Check
from halfdoor.verify.complete import Complete
from halfdoor.verify.examples import Examples
from halfdoor.verify.imports import Imports
from halfdoor.verify.licence import Licence
from halfdoor.verify.lint import Lint
from halfdoor.verify.secrets import Secrets
from halfdoor.verify.security import Security
from halfdoor.verify.semgrep import semgrep
from halfdoor.verify.syntax import Syntax
from halfdoor.verify.types import Types
from tests.gatecorpus.broken import Broken
from tests.gatecorpus.good import Function

Judge = Callable[[Subject], dict[str, Result]]


@contextmanager
def runner() -> Iterator[Runner]:
    """The strongest sandbox of this machine; what may be remembered is, while it lasts."""
    with tempfile.TemporaryDirectory() as folder:
        yield Remembering(Sandbox(lambda _: nullcontext()), Path(folder))


def quick() -> tuple[Check, ...]:
    """Checks that judge every piece."""
    engine = Engine(FORMATS, native=False)
    return (
        Applies(), Complete(), Syntax(()), Lint(), Security(), Imports(),
        Secrets(lambda _size: engine), Licence(()),
    )  # fmt: skip


def slow() -> dict[str, Check]:
    """Checks with a tool of their own, or that run code: each judges a sample."""
    return {
        "types": Types(asked=True),
        "bandit": bandit(asked=True),
        "semgrep": semgrep(asked=True),
        "examples": Examples(asked=True),
    }


def judged(checks: tuple[Check, ...], subject: Subject, performing: Runner) -> tuple[Result, ...]:
    """What each of them says."""
    line = climb(checks, subject)
    try:
        run = next(line)
        while True:
            run = line.send(performing.run(run))
    except StopIteration as over:
        results: tuple[Result, ...] = over.value
        return results


def good_subject(function: Function) -> Subject:
    """The function is written where its head stood."""
    return _subject(function.path, function.bare(), function.text)


def broken_subject(broken: Broken) -> Subject:
    """A broken version is written in its place; or the edit that should do so."""
    function = broken.function
    if broken.edit:
        return edit_subject(function, broken.edit)
    # A mutant changes what was there; the rest is newly written.
    before = function.text if broken.kind == "operator mutants" else function.bare()
    return _subject(function.path, before, broken.after)


def edit_subject(function: Function, edit: str) -> Subject:
    """An edit, beside the file that it is about."""
    files = {function.path: function.bare().encode()}
    return Subject((), (function.path,), edits=(Edit(form_of(edit), edit),), stands={**files})


def _subject(path: str, before: str, after: str) -> Subject:
    change = Change(path, before.encode(), after.encode())
    return Subject((change,), (path, "pyproject.toml"), {"pyproject.toml": _DECLARES})


# What the insecure rewrites import is declared, so that they are caught for what they do.
_DECLARES = b"""[project]
name = "corpus"
dependencies = ["requests", "httpx", "PyYAML", "pycryptodome", "cryptography", "flask", "django",
  "jinja2", "paramiko", "pyjwt"]
"""


@contextmanager
def laid(subject: Subject, python: str, **files: str) -> Iterator[Subject]:
    """The subject with both trees on the disk. files: more that both hold, `a__b_py` for `a/b.py`."""
    from msgspec.structs import replace

    with tempfile.TemporaryDirectory() as folder:
        for name, of in (("before", "before"), ("after", "after")):
            for change in subject.changes:
                file = Path(folder, name, change.path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(getattr(change, of) or b"")
        trees = {"tree": f"{folder}/after", "base": f"{folder}/before"}
        yield replace(subject, python=python, **trees)


def failed(result: Result) -> bool:
    """Did it find something?"""
    return result.status is Status.FAILED
