"""Python under any name is judged as Python, and told of by its own name."""

import pytest

from halfdoor.canon.checks import Ran, RanStatus, Status
from halfdoor.verify.formatting import Format
from halfdoor.verify.lint import Lint
from halfdoor.verify.scripts import Apart, Modules, Named
from halfdoor.verify.syntax import Syntax
from tests.helpers.checks import MISSING, change, judge, subject
from tests.verify.tools import perform

BROKEN = "x = (\n"


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("bin/run", "#!/usr/bin/python3"),
        ("bin/run", "#! /opt/python3.13/bin/python3.13 -I"),
        ("bin/run", "#!/usr/bin/env python"),
        ("bin/run", "#!/usr/bin/env -S PYTHONPATH=. python3 -u"),
        ("bin/run", "#!/usr/bin/env -S uv run --script"),
        ("app.cgi", "#!/usr/bin/pypy3"),
        ("A.PY", ""),
        ("b.pyw", ""),
    ],
)
def test_python_under_another_name_is_judged(path, first):
    """It passed with nothing judged."""
    result = judge(Named(Syntax()), subject(change(path, f"{first}\n{BROKEN}")), perform)
    assert [(each.path, each.line) for each in result.findings] == [(path, 2)]


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("bin/run", "#!/bin/sh"),
        ("bin/run", "#!/usr/bin/env perl"),
        ("bin/run", "#!/bin/sh python"),
        ("run.rb", "#!/usr/bin/python3"),
        ("bin/run", "# python"),
        ("bin/run", "#!"),
    ],
)
def test_what_is_no_python_is_not(path, first):
    result = judge(Named(Syntax()), subject(change(path, f"{first}\n{BROKEN}")))
    assert not result.findings


def test_a_script_that_was_broken_before_is_not_newly_so():
    both = change("run", f"#!/usr/bin/python3\n{BROKEN}\n", f"#!/usr/bin/python3\n{BROKEN}")
    result = judge(Named(Syntax()), subject(both), perform)
    assert result.status is Status.PASSED


def test_a_script_beside_a_module_of_its_name_is_judged_too():
    script, module = change("run", f"#!/usr/bin/python3\n{BROKEN}"), change("run.py", BROKEN)
    result = judge(Named(Syntax()), subject(script, module), perform)
    assert [(each.path, each.line) for each in result.findings] == [("run", 2), ("run.py", 1)]


def test_what_is_said_of_the_name_that_was_lent_is_left_out():
    said = b'[{"filename": "/x/run-it.py", "message": "Invalid module name", "code": "N999"}]'
    asked = subject(change("run-it", "#!/usr/bin/python3\nx = 1\n"))
    result = judge(Named(Lint()), asked, Ran(RanStatus.EXITED, 1, said))
    assert (result.status, result.findings) == (Status.PASSED, ())


SETTINGS = {"ruff.toml": b"[lint]\nselect = ['D']\n"}


def test_a_projects_own_rules_are_not_for_scripts_and_plain_faults_are():
    """`ruff check` passes over them, so what it would say of them is nobody's rule."""
    script = change("bin/run", "#!/usr/bin/python3\n\ndef f():\n    return nope\n")
    result = judge(Apart(Lint()), subject(script, files=SETTINGS), perform)
    assert [(each.path, each.code) for each in result.findings] == [("bin/run", "F821")]


def test_modules_and_scripts_of_one_change_are_both_judged():
    script = change("run", "#!/usr/bin/python3\nnope\n")
    asked = subject(script, change("a.py", "def f():\n    return 1\n"), files=SETTINGS)
    result = judge(Apart(Lint()), asked, perform)
    assert {each.path for each in result.findings} == {"run", "a.py"}
    assert result.saw == "1 Python file; 1 Python file"


@pytest.mark.parametrize("name", ["a.PY", "a.pyw", "run"])
def test_what_ruff_does_not_format_need_not_be_formatted(name):
    asked = subject(change(name, "#!/usr/bin/python3\nx  = 1\n"))
    assert judge(Modules(Format(asked=True)), asked).status is Status.NOT_APPLICABLE


def test_a_tool_that_cannot_judge_scripts_has_judged_nothing():
    def broken(run):
        return MISSING if "run.py" in run.files else perform(run)

    asked = subject(change("run", "#!/usr/bin/python3\n"), change("a.py", "x = 1\n"))
    assert judge(Apart(Lint()), asked, broken).status is Status.SKIPPED
