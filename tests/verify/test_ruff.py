"""Lint, security and format: what a change brought, by ruff's word, and a skip when it cannot say."""

import pytest

from halfdoor.canon.checks import Ran, RanStatus, Status
from halfdoor.verify.formatting import Format
from halfdoor.verify.lint import Lint
from halfdoor.verify.security import CWES, Security
from tests.helpers.checks import TROUBLE, change, codes, judge, subject
from tests.verify.tools import perform

SHELL = "import subprocess\n\n\ndef run(name):\n    subprocess.run(f'ls {name}', shell=True)\n"


def found(check, *changes, **more):
    return codes(judge(check, subject(*changes, **more), perform))


def test_a_name_that_does_not_exist_is_found_with_its_line():
    asked = subject(change("pkg/a.py", "def f():\n    return nothing_here\n"))
    (finding,) = judge(Lint(), asked, perform).findings
    assert (finding.path, finding.line, finding.code) == ("pkg/a.py", 2, "F821")


def test_what_was_there_before_is_not_the_changes_doing_wherever_it_moved():
    before = "import os\n\nx = 1\n"
    assert found(Lint(), change("a.py", "y = 2\n\n\nimport os\nx = 1\n", before)) == []
    assert found(Lint(), change("a.py", "import os\nimport sys\nx = 1\n", before)) == ["F401"]


def test_code_that_moved_to_another_file_brings_its_old_findings_along():
    assert found(Lint(), change("a.py", "x = 1\n", "import os\nx = 1\n"),
                 change("b.py", "import os\n", "")) == []  # fmt: skip


def test_an_import_for_others_is_no_finding():
    assert found(Lint(), change("pkg/__init__.py", "from pkg.a import b\n")) == []


def test_a_files_own_noqa_is_obeyed_by_lint_and_not_by_security():
    assert found(Lint(), change("a.py", "import os  # noqa: F401\n")) == []
    hidden = SHELL.replace("shell=True)", "shell=True)  # noqa: S602")
    assert found(Security(), change("a.py", hidden)) == ["S602"]
    assert found(Security(noqa=True), change("a.py", hidden)) == []


def test_every_weakness_has_a_line_on_what_would_do():
    code = "import shelve, tempfile\n\nshelve.open(str(tempfile.mktemp()))\n"
    for finding in judge(Security(), subject(change("a.py", code)), perform).findings:
        assert finding.hint
    (finding,) = judge(Lint(), subject(change("a.py", "print(nope)\n")), perform).findings
    assert finding.hint == "define it, import it, or correct the name"


def test_a_name_that_a_star_may_have_brought_is_no_finding():
    """3,308 findings in the standard library's `ast` and `tkinter`, all of them wrong."""
    assert found(Lint(), change("a.py", "from tkinter import *\n\nTk()\n")) == []


def test_a_file_in_the_encoding_that_it_declares_is_read():
    """It was "stream did not contain valid UTF-8", which is no fault of Latin-1."""
    text = "# -*- coding: latin-1 -*-\nx = 'ä'\nprint(nope)\n".encode("latin-1")
    assert found(Lint(), change("a.py", text)) == ["F821"]
    (finding,) = judge(Lint(), subject(change("a.py", b"x = '\xe4'\n")), perform).findings
    assert (finding.code, finding.hint) == ("E902", "save it as UTF-8")


def test_a_weakness_has_its_number_and_what_would_do():
    (finding,) = judge(Security(), subject(change("a.py", SHELL)), perform).findings
    assert finding.cwe == CWES[finding.code] == "CWE-78"
    assert finding.hint


def test_tests_may_take_short_cuts_that_code_may_not():
    code = 'import hashlib\n\nhashlib.md5(b"")\nopen("/tmp/x")\n'
    assert found(Security(), change("tests/test_a.py", code + SHELL)) == ["S602"]
    assert found(Security(), change("src/a.py", code)) == ["S324", "S108"]


@pytest.mark.parametrize("path", ["src/test_runner.py", "tests/a.py", "conftest.py"])
def test_what_runs_text_is_found_in_a_file_that_is_called_a_test(path):
    """`src/test_runner.py` passed with all four."""
    code = (
        "import pickle\n\nexec(x)\neval(x)\npickle.loads(x)\nq = 'SELECT a FROM t WHERE b=%s' % x\n"
    )
    assert found(Security(), change(path, code)) == ["S102", "S307", "S301", "S608"]


def test_a_team_lints_by_its_own_rules_and_its_own_packages():
    config = b'[tool.ruff.lint]\nselect = ["I", "D100"]\nper-file-ignores = {"tests/**" = ["D"]}\n'
    code = "import os\n\nimport pkg.other\n"
    more = {"files": {"pyproject.toml": config}, "paths": ("src/pkg/__init__.py", "src/pkg/a.py")}
    team = Lint("pyproject.toml")
    assert found(team, change("src/pkg/a.py", code), **more) == ["D100"]
    assert found(team, change("tests/a.py", code), **more) == []


def test_the_settings_nearest_to_a_file_hold_as_ruff_has_it():
    """The root's alone held: what a folder's own settings allow was a finding."""
    nested = {"files": {"ruff.toml": b"lint.select = ['D100']", "pk/a/ruff.toml": b"lint.ignore = ['ALL']", "pk/b/pyproject.toml": b"[project]\n"}}  # fmt: skip
    assert found(Lint(), change("pk/a/x.py", "x = 1\n"), **nested) == []
    assert found(Lint(), change("pk/b/x.py", "x = 1\n"), **nested) == ["D100"]
    assert found(Lint(), change("pk/a/x.py", "nope\n"), **nested) == ["F821"]


def test_a_file_below_no_settings_is_judged_by_ours_beside_files_that_are():
    nested = {"files": {"pk/ruff.toml": b"lint.select = ['D100']"}}
    unused = "import os\n"
    assert found(Lint(), change("pk/x.py", unused), **nested) == ["D100"]
    both = (change("pk/x.py", unused), change("y.py", unused), change("__init__.py", unused))
    assert sorted(found(Lint(), *both, **nested)) == ["D100", "F401"]


def test_a_file_is_formatted_as_the_settings_nearest_to_it_say():
    nested = {"files": {"pk/ruff.toml": b"[format]\nquote-style = 'single'\n"}}
    assert found(Format(), change("pk/x.py", "x = 'a'\n"), change("y.py", "x  = 1\n"), **nested) == []  # fmt: skip
    assert found(Format(), change("pk/x.py", 'x = "a"\n'), **nested) == ["unformatted"]


@pytest.mark.parametrize("own", ["exclude = ['gen']", "lint.exclude = ['gen/**']", "extend-exclude = ['gen']"])  # fmt: skip
@pytest.mark.parametrize("named", ["", "ruff.toml"])
def test_what_settings_exclude_is_told_and_not_counted(own, named):
    """It was "passed: 1 Python file", whatever stood in it."""
    more = {"files": {"ruff.toml": own.encode()}}
    out = subject(change("gen/x.py", "nope\n"), **more)
    result = judge(Lint(named), out, perform)
    assert (result.status, result.saw) == (
        Status.NOT_APPLICABLE,
        "no Python file to look at; 1 left out by `exclude` of ruff's settings: gen/x.py",
    )
    both = subject(change("gen/x.py", "nope\n"), change("src/dist/y.py", ""), change("z.py", "x = 1\n"), **more)  # fmt: skip
    assert judge(Lint(named), both, perform).saw.startswith("1 Python file; 1 left out by")


def test_what_formatting_excludes_is_told_and_not_counted():
    more = {"files": {"ruff.toml": b"format.exclude = ['gen/**']"}}
    both = subject(change("gen/x.py", "x  = 1\n"), change("y.py", "x = 1\n"), **more)
    assert judge(Format(), both, perform).saw.startswith("1 Python file; 1 left out by")
    assert judge(Lint(), both, perform).saw == "2 Python files"


def test_a_folder_that_ruff_leaves_out_of_its_search_is_judged_unless_settings_exclude_any():
    """`src/dist/x.py` passed in every project with settings of its own."""
    own = {"files": {"pyproject.toml": b"[tool.ruff]\n[tool.mypy]\nexclude = 'x'\n"}}
    assert found(Lint(), change("src/dist/x.py", "print(nope)\n"), **own) == ["F821"]


def test_a_ruff_that_cannot_say_what_it_leaves_out_is_a_skip():
    own = {"files": {"ruff.toml": b"exclude = ['gen']"}}
    result = judge(Lint(), subject(change("gen/x.py", "x\n"), **own), CRASHED)
    assert result.status is Status.SKIPPED


def test_settings_that_cannot_be_read_skip_the_check():
    broken = {"pyproject.toml": b'[tool.ruff.lint]\nselect = ["NO1"]\n'}
    result = judge(Lint("pyproject.toml"), subject(change("a.py", "x\n"), files=broken), perform)
    assert result.status is Status.SKIPPED
    assert "ruff ended with 2" in result.saw


FORMATS = {"files": {"ruff.toml": b"[format]\n"}}


def test_a_file_that_was_formatted_stays_so():
    assert found(Format(), change("a.py", "x  = 1\n", "x = 1\n"), **FORMATS) == ["unformatted"]
    assert found(Format(), change("a.py", "x  = 1\n", "x =  0\n"), **FORMATS) == []
    assert found(Format(), change("new.py", "x  = 1\n"), **FORMATS) == ["unformatted"]


def test_a_project_that_does_not_format_with_ruff_is_left_alone():
    asked = subject(change("a.py", "x  = 1\n"))
    assert judge(Format(), asked).status is Status.NOT_APPLICABLE
    assert found(Format(asked=True), *asked.changes) == ["unformatted"]


CHECKS = [Lint(), Security(), Format(asked=True)]
WORDLESS = Ran(RanStatus.EXITED, 0, b"done")
CRASHED = Ran(RanStatus.EXITED, 101, b"[]", b"panicked")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("ran", [*TROUBLE, WORDLESS, CRASHED], ids=lambda r: r.status + str(r.code))
def test_ruff_that_fails_is_a_skip_and_never_a_pass(check, ran):
    assert judge(check, subject(change("a.py", "x = 1\n")), ran).status is Status.SKIPPED


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_no_python_is_nothing_to_judge(check):
    assert judge(check, subject(change("a.js", "x"))).status is Status.NOT_APPLICABLE
