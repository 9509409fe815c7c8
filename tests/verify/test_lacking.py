"""A name that a module of the repository does not have is found where new code imports it."""

import pytest

from halfdoor.verify.imports import Imports
from halfdoor.verify.lacking import sources
from tests.helpers.checks import change, codes, judge, subject

CORE = b"import os\nLIMIT = 1\n\ndef load():\n    pass\n"
FILES = {"src/app/core.py": CORE, "src/app/__init__.py": b"", "types.py": b"", "src/app/open.py": b"from os import *\n"}  # fmt: skip
PATHS = (*FILES, "src/app/data/x.json")


def found(code, before=None, path="src/app/main.py", **more):
    files = FILES | {each: text.encode() for each, text in more.items()}
    return codes(
        judge(Imports(), subject(change(path, code, before), files=files, paths=(*PATHS, path)))
    )


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("from app.core import lode", "src/app/main.py"),
        ("from .core import lode, load", "src/app/main.py"),
        ("def f():\n    from . import kern", "src/app/main.py"),
        ("from src.app.core import lode", "run.py"),
    ],
)
def test_a_name_that_the_module_lacks_is_found(code, path):
    """`from a import NOPE` passed, though `a.py` lay beside it."""
    assert found(code, path=path) == ["no-such-name"]


@pytest.mark.parametrize(
    "code",
    [
        "from app.core import load, LIMIT, os",
        "from app.core import *",
        "from app.core import __doc__",
        "from app import core, data",
        "from . import core",
        "from app.open import anything",
        "from types import SimpleNamespace",
        "try:\n    from app.core import lode\nexcept ImportError:\n    lode = None",
        "import app.core",
    ],
)
def test_a_name_that_is_there_or_may_be_is_no_finding(code):
    assert found(code, path="src/app/main.py") == []


def test_what_was_imported_before_is_not_the_changes_doing():
    assert found("from app.core import lode\nx = 1\n", "from app.core import lode\n") == []


def test_only_the_files_that_new_imports_lead_to_are_read():
    new = change("src/app/main.py", "from .core import load\nimport os\nfrom app import core\n")
    assert sources([new], PATHS) == {"src/app/core.py", "src/app/__init__.py"}
    assert sources([change("a.js", "import x")], PATHS) == set()
