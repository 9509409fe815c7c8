"""What a change took away and somebody still imports is found; what only moved is not."""

import pytest

from halfdoor.canon.checks import Status
from halfdoor.verify.gone import Gone, gone
from halfdoor.verify.imports import Imports
from tests.helpers.checks import change, codes, judge, subject

PATHS = (
    "src/app/__init__.py",
    "src/app/core.py",
    "src/app/main.py",
    "tests/test_core.py",
    "run.py",
)
CORE = "import os\n\nLIMIT = 1\n\n\ndef load():\n    pass\n"


def found(importers, *changes, paths=PATHS, **more):
    """[(path, line)] of what is imported and gone."""
    there = tuple(dict.fromkeys([*paths, *(each.path for each in changes)]))
    gone = {each.was or each.path for each in changes if each.after is None or each.was}
    there = tuple(path for path in there if path not in gone)
    held = {path: code.encode() for path, code in importers.items()}
    result = judge(Imports(), subject(*changes, paths=there, importers=held, **more))
    assert set(codes(result)) <= {"gone"}
    return [(each.path, each.line) for each in result.findings]


DELETED = change("src/app/core.py", None, CORE)
RENAMED = change("src/app/kern.py", CORE, CORE, was="src/app/core.py")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("src/app/main.py", "from . import core"),
        ("src/app/main.py", "from .core import load"),
        ("src/app/main.py", "def f():\n    from app.core import load"),
        ("tests/test_core.py", "import app.core"),
        ("tests/test_core.py", "from app import core"),
        ("tests/test_core.py", "from src.app import core"),
    ],
)
@pytest.mark.parametrize("changed", [DELETED, RENAMED])
def test_a_module_that_is_gone_and_still_imported_is_found(path, code, changed):
    """`git rm a.py` passed, whoever imported it."""
    assert found({path: code}, changed) == [(path, code.count("\n") + 1)]


@pytest.mark.parametrize(
    "code",
    [
        "import other.core",
        "from .core import load",
        "from other import core",
        "core = 1",
        "try:\n    from app import core\nexcept ImportError:\n    core = None",
    ],
)
def test_other_modules_of_that_name_and_imports_that_may_fail_are_left_alone(code):
    assert found({"lib/x/main.py": code}, DELETED, paths=(*PATHS, "lib/x/core.py")) == []


def test_a_script_beside_the_module_imported_it_by_its_own_name():
    gone = change("tools/a.py", None, "x = 1\n")
    assert found({"tools/m.py": "import a\n"}, gone) == [("tools/m.py", 1)]
    assert found({"run.py": "import json\n"}, change("json.py", None, "x = 1\n")) == []


def test_a_module_that_became_a_package_is_there():
    new = change("src/app/core/__init__.py", CORE)
    assert found({"run.py": "from app.core import load\n"}, DELETED, new) == []


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("from app.core import load", [1]),
        ("from app.core import LIMIT, load", [1]),
        ("from app.core import LIMIT", []),
        ("from app.core import *", []),
        ("import app.core", []),
        ("from app.other import load", []),
    ],
)
def test_a_name_that_is_gone_and_still_imported_is_found(code, lines):
    less = change("src/app/core.py", "LIMIT = 1\n", CORE)
    assert found({"run.py": code}, less) == [("run.py", line) for line in lines]


@pytest.mark.parametrize(
    "after",
    [
        "from os import path as load\n",
        "from os import *\n",
        "if True:\n    load = None\n",
        "for load in ():\n    pass\n",
        "def make():\n    global load\n    load = 1\n",
        "def __getattr__(name):\n    return name\n",
        "globals()['load'] = 1\n",
        "import os as load\n",
        "with open('a') as (load, _):\n    pass\n",
        "try:\n    pass\nexcept ValueError as load:\n    pass\n",
        "(load := 1)\n",
        "def broken(:\n",
    ],
)
def test_a_name_that_comes_from_elsewhere_now_or_may_is_there(after):
    assert (
        found({"run.py": "from app.core import load\n"}, change("src/app/core.py", after, CORE))
        == []
    )


def test_a_name_of_a_package_that_is_a_module_of_it_is_there():
    less = change("src/app/__init__.py", "", "from app import core\nload = 1\n")
    code = "from app import core\nfrom app import load\n"
    assert found({"run.py": code}, less) == [("run.py", 2)]


def test_changed_files_are_asked_as_well():
    user = change("run.py", "from app.core import load\nx = 2\n", "from app.core import load\n")
    assert found({}, DELETED, user) == [("run.py", 1)]
    assert found({}, DELETED, change("run.py", "x = 2\n", "from app.core import load\n")) == []


def test_too_many_files_to_ask_are_a_skip_and_never_a_pass():
    asked = subject(DELETED, paths=PATHS, unasked="3000 files may import what was taken away")
    result = judge(Imports(), asked)
    assert (result.status, result.saw[:10]) == (Status.SKIPPED, "3000 files")


def test_a_name_that_new_lines_take_out_of_force_is_gone():
    (lost,) = gone([change("a.py", '"""\ndef f(): pass\n"""\n', "def f(): pass\n")])
    assert lost == Gone("a.py", frozenset({"f"}))
    assert gone([change("a.py", "import os\ndef f(): pass\ng = f\n", "def f(): pass\n")]) == ()
