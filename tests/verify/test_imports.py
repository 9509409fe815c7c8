"""Invented packages and modules are found; what is declared, locked, installed or guarded is not."""

import pytest

from halfdoor.canon.checks import Ran, RanStatus, Status
from halfdoor.verify.imported import imported
from halfdoor.verify.imports import Imports
from halfdoor.verify.near import mistaken
from tests.helpers.checks import TROUBLE, change, codes, judge, subject

PYPROJECT = b"""
[project]
name = "our-app"
dependencies = ["requests>=2", "PyYAML", "scikit_learn[alldeps]; python_version>'3'"]
optional-dependencies.web = ["uvicorn"]
[dependency-groups]
dev = ["pytest>=9", {include-group = "x"}]
[tool.poetry.group.docs.dependencies]
sphinx = "*"
"""
LOCK = b'[[package]]\nname = "urllib3"\nversion = "2"\n'
FILES = {"pyproject.toml": PYPROJECT, "uv.lock": LOCK}
PATHS = (
    "src/app/__init__.py",
    "src/app/core.py",
    "src/app/sub/deep.py",
    "tools/helper.py",
    "one.py",
)


def found(code, *, before=None, path="src/app/new.py", run=None, **more):
    more = {"files": FILES, "paths": (*PATHS, path)} | more
    return codes(judge(Imports(), subject(change(path, code, before), **more), run))


@pytest.mark.parametrize(
    "code",
    [
        "import os.path, sys",
        "import requests.adapters",
        "import yaml",
        "from sklearn.svm import SVC",
        "import uvicorn, pytest, sphinx",
        "import urllib3",
        "from app.core import x",
        "from app.sub.deep import x",
        "from . import core",
        "from .core import x",
        "from .sub import deep",
        "import one",
        "import helper",
        "import our_app",
        "try:\n    import orjson\nexcept ImportError:\n    orjson = None",
        "try:\n    import a1\nexcept ImportError:\n    import a2\nelse:\n    import a3",
        "from app._version import version",
        "import distutils, telnetlib",
    ],
)
def test_what_is_there_is_no_finding(code):
    assert found(code) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import fastjsonparserx", "no-such-package"),
        ("def f():\n    from huggingface_utils.easy import load", "no-such-package"),
        ("from app.nothing import x", "no-such-module"),
        ("from .nothing import x", "no-such-module"),
        ("from ..app.cor import x", "no-such-module"),
        ("try:\n    import nonsense_one\nexcept KeyError:\n    pass", "no-such-package"),
        ("try:\n    pass\nexcept KeyError:\n    import nonsense_one", "no-such-package"),
        (
            "try:\n    pass\nexcept ImportError:\n    pass\nfinally:\n    import a1",
            "no-such-package",
        ),
        ("def f(:\nimport brokenbutinvented", "no-such-package"),
    ],
)
def test_what_is_nowhere_is_found(code, expected):
    assert found(code) == [expected]


def test_a_name_that_is_almost_right_is_told():
    asked = subject(change("a.py", "import reqests\n"), files=FILES, paths=PATHS)
    (finding,) = judge(Imports(), asked).findings
    assert finding.hint == "did you mean `requests`?"


def test_an_import_that_was_there_is_not_the_changes_doing():
    assert found("import zzzpkg as z\n", before="import zzzpkg\n") == []


def test_a_dependency_that_the_same_change_declares_is_declared():
    more = change("pyproject.toml", PYPROJECT.replace(b'"PyYAML"', b'"PyYAML", "httpx"'), PYPROJECT)
    asked = subject(change("a.py", "import httpx\n"), more, files=FILES)
    assert judge(Imports(), asked).status is Status.PASSED


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os.pathz", ["no-such-module"]),
        ("from xml.etreee import ElementTree", ["no-such-module"]),
        ("from sys.nothing import x", ["no-such-module"]),
        ("import os.path, collections.abc, xml.etree.ElementTree, importlib.metadata", []),
        ("from concurrent.interpreters import create\nimport string.templatelib", []),
        ("import test.support, tkinter.tix, distutils.core", []),
        ("try:\n    import os.pathz\nexcept ImportError:\n    pass", []),
    ],
)
def test_an_invented_module_of_the_standard_library_is_found(code, expected):
    assert found(code) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [(b"false", ["no-such-module"]), (b"true", []), (b"null", [])],
)
@pytest.mark.parametrize("module", ["requests.adaptersx", "os.pathz"])
def test_a_module_inside_a_known_package_is_judged_by_the_projects_interpreter(
    module, said, expected
):
    """Where the package itself is not installed it is declared, and nothing more is known."""
    ran = Ran(RanStatus.EXITED, 0, b'{"%s": %s}' % (module.encode(), said))
    assert found(f"import {module}\n", run=ran, python="/bin/python") == expected
    assert found("import requests\n", run=None, python="/bin/python") == []


def test_what_a_package_holds_is_not_judged_without_an_interpreter():
    assert found("import requests.adaptersx\n") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("reqeusts", ["near-miss"]), ("requests-oauthlib", []), ("pytest-cov", []), ("httpx", [])],
)
def test_a_new_dependency_that_is_spelt_almost_like_another_is_flagged(name, expected):
    after = PYPROJECT.replace(b'"PyYAML"', f'"PyYAML", "{name}"'.encode())
    assert found_in("pyproject.toml", after, PYPROJECT) == expected


def test_a_trap_in_another_manifest_than_the_real_one_is_flagged():
    """It was declared in a new requirements file, so that its import passed, too."""
    new = change("requirements.txt", "reqeusts==1.0\n")
    asked = subject(new, change("a.py", "import reqeusts\n"), files=FILES)
    assert codes(judge(Imports(), asked)) == ["near-miss"]


def test_a_near_name_that_is_allowed_is_no_finding():
    asked = subject(change("requirements.txt", "reqeusts==1.0\n"), files=FILES)
    assert codes(judge(Imports(["reqeusts"]), asked)) == []


@pytest.mark.parametrize(
    ("name", "had", "near"),
    [
        ("react-dnd", "react-dom", ""),
        ("python-dateutils", "python-dateutil", "python-dateutil"),
        ("psycopg3", "psycopg2", ""),
        ("@types/nodes", "@types/node", "@types/node"),
        ("pytest-xdist", "pytest-xdists", "pytest-xdists"),
    ],
)
def test_names_that_differ_by_a_whole_word_are_kin(name, had, near):
    assert mistaken(name, {had}) == near


def found_in(path, after, before):
    return codes(judge(Imports(), subject(change(path, after, before), files={path: before})))


def test_the_projects_interpreter_is_asked_about_the_rest_and_runs_none_of_it():
    def run(wanted):
        assert wanted.argv[0] == "/app/.venv/bin/python"
        assert wanted.argv[-2:] == ("attrx", "numpyy")
        assert not wanted.own
        return Ran(RanStatus.EXITED, 0, b'{"attrx": true, "numpyy": null}\n')

    python = "/app/.venv/bin/python"
    assert found("import attrx, numpyy\n", run=run, python=python) == ["no-such-package"]


@pytest.mark.parametrize("ran", [*TROUBLE, Ran(RanStatus.EXITED, 1, b"", b"boom")], ids=repr)
def test_an_interpreter_that_cannot_answer_skips_the_check_and_names_what_is_open(ran):
    asked = subject(change("a.py", "import numpyy\n"), python="/bin/python")
    result = judge(Imports(), asked, ran)
    assert result.status is Status.SKIPPED
    assert "numpyy" in result.saw or "ended with 1" in result.saw


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "-r other.txt\nanpkg==1.0 \\\n    --hash=sha256:00\n"),
        ("requirements/dev.txt", "anpkg[extra]>=2 ; python_version > '3'\n"),
        ("setup.py", "setup(install_requires=['anpkg>=1'])"),
        ("setup.cfg", "[options]\ninstall_requires =\n    anpkg>=1\n"),
        ("Pipfile", '[packages]\nanpkg = "*"\n'),
        ("environment.yml", "dependencies:\n  - anpkg=1.2\n"),
        ("Pipfile.lock", '{"default": {"anpkg": {}}}'),
        ("poetry.lock", '[[package]]\nname = "anpkg"\n'),
    ],
)
def test_every_manifest_and_lock_is_read(path, text):
    assert found("import anpkg\n", files={path: text.encode()}) == []
    assert found("import anpkg\n", files={}) == ["no-such-package"]


def test_imports_are_found_in_every_corner():
    code = "if 1:\n    import a\nclass B:\n    def f(self):\n        from c.d import e\n"
    code += "match 1:\n    case 1:\n        import g\n"
    assert [(each.module, each.line) for each in imported(code)] == [("a", 2), ("c.d", 5), ("g", 8)]


def test_a_test_may_import_the_module_that_it_writes():
    code = '(tmp_path / "made_app.py").write_text("x")\nimport made_app\n'
    assert found(code, path="tests/test_a.py") == []
    assert found(code, path="src/app/a.py") == ["no-such-package"]
    assert found("import made_app\n", path="tests/test_a.py") == ["no-such-package"]


@pytest.mark.parametrize(
    ("path", "of_tests"),
    [
        ("latest/a.py", False),
        ("src/contest.py", False),
        ("pkg/respect/a.py", False),
        ("tests/a.py", True),
        ("pkg/test_a.py", True),
        ("pkg/a_test.py", True),
        ("src/unittests/a.py", True),
    ],
)
def test_a_path_that_only_holds_the_letters_of_test_is_no_test(path, of_tests):
    """`latest/a.py` imported what was nowhere, and spoke of it in quotes."""
    assert (found('import fastjsonx\nx = "fastjsonx"\n', path=path) == []) is of_tests


@pytest.mark.parametrize(
    ("name", "there"), [("typing_extensions", True), ("invented_thing", False)]
)
def test_what_every_type_checker_brings_may_be_imported_for_checkers_alone(name, there):
    """Flask imports `typing_extensions` so, and does not depend on it."""
    guarded = f"from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import {name} as te\n"
    said = found(guarded)
    assert (said == []) is there
