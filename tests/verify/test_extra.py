"""bandit, semgrep and ast-grep: what they say is read, and what they do not do is not taken for done."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from halfdoor.canon.checks import Ran, RanStatus, Status
from halfdoor.verify.ast_grep import ast_grep
from halfdoor.verify.bandit import bandit
from halfdoor.verify.semgrep import semgrep
from halfdoor.verify.semgrep_rules import RULES
from tests.helpers.checks import TROUBLE, change, codes, judge, subject
from tests.verify.tools import perform

ABSENT = Ran(RanStatus.REFUSED, why="it is not installed", absent=True)
SHELL = "import subprocess\n\n\ndef f(x):\n    subprocess.call(x, shell=True)\n"
CHANGE = subject(change("pkg/a.py", SHELL, "import subprocess\n"), change("b.js", "eval(x)\n"))

BANDIT: dict[str, object] = {"errors": [], "results": [{"filename": "././pkg/a.py", "issue_confidence": "HIGH", "issue_cwe": {"id": 78}, "issue_text": "shell", "line_number": 5, "col_offset": 4, "test_id": "B602", "more_info": "https://b602"}]}  # fmt: skip
SEMGREP: dict[str, object] = {"errors": [], "paths": {"scanned": ["b.js"]}, "results": [{"check_id": "tmp.js-eval", "path": "b.js", "start": {"line": 1, "col": 1}, "extra": {"message": "eval", "metadata": {"cwe": "CWE-95", "hint": "do not"}}}]}  # fmt: skip
TOOLS: dict[str, tuple[Any, dict[str, object]]] = {
    "bandit": (bandit, BANDIT),
    "semgrep": (semgrep, SEMGREP),
}
tools = pytest.mark.parametrize("name", TOOLS)


def said(report, code=0):
    return Ran(RanStatus.EXITED, code, json.dumps(report).encode())


def only_after(report):
    """The finding in the files as they are, none in those that were."""
    empty = report | {"results": []}

    def run(wanted):
        now = any(text in {SHELL.encode(), b"eval(x)\n"} for text in wanted.files.values())
        return said(report if now else empty)

    return run


@tools
def test_a_finding_that_the_change_brought_is_told_with_its_weakness(name):
    make, report = TOOLS[name]
    result = judge(make(asked=False), CHANGE, only_after(report))
    assert codes(result) == [{"bandit": "B602", "semgrep": "js-eval"}[name]]
    assert result.findings[0].cwe == {"bandit": "CWE-78", "semgrep": "CWE-95"}[name]
    assert result.findings[0].path in {"pkg/a.py", "b.js"}


@tools
def test_a_finding_that_was_there_is_not(name):
    make, report = TOOLS[name]
    same = subject(change("pkg/a.py", SHELL + "\n", SHELL), change("b.js", "eval(x)\n\n", "eval(x)\n"))  # fmt: skip
    assert judge(make(asked=False), same, said(report)).status is Status.PASSED


@tools
@pytest.mark.parametrize("ran", [*TROUBLE, Ran(RanStatus.EXITED, 2), Ran(RanStatus.EXITED, 0, b"{}")])  # fmt: skip
def test_a_tool_that_did_not_do_its_work_is_skipped(name, ran):
    assert judge(TOOLS[name][0](asked=False), CHANGE, ran).status is Status.SKIPPED


@tools
def test_a_tool_that_left_a_file_out_is_skipped(name):
    make, report = TOOLS[name]
    trouble = [{"filename": "a.py", "reason": "syntax error", "level": "error"}]
    empty = report | {"results": [], "errors": trouble}
    assert judge(make(asked=False), CHANGE, said(empty)).status is Status.SKIPPED


@tools
def test_a_tool_that_is_not_installed_is_planned_only_where_it_is_asked_for(name):
    make = TOOLS[name][0]
    assert judge(make(asked=False), CHANGE, ABSENT).status is Status.NOT_APPLICABLE
    assert judge(make(asked=True), CHANGE, ABSENT).status is Status.SKIPPED


@tools
def test_a_tool_has_nothing_to_do_with_other_files(name):
    other = subject(change("a.md", "x"))
    assert judge(TOOLS[name][0](asked=True), other).status is Status.NOT_APPLICABLE


# bandit says the same of what is newer than the Python that it runs on.
NEWER = "type X = (\n"


def test_python_that_is_newer_than_bandit_is_told_and_stops_nobody_who_did_not_ask():
    """Good code ended with 4 wherever halfdoor ran on 3.11: "bandit ended with 0: no report"."""
    new = subject(change("new.py", NEWER))
    result = judge(bandit(asked=False), new, perform)
    assert (result.status, result.saw) == (Status.NOT_APPLICABLE, "bandit cannot read new.py")
    assert judge(bandit(asked=True), new, perform).status is Status.SKIPPED
    both = subject(*new.changes, change("a.py", "x = 1\n"))
    result = judge(bandit(asked=False), both, perform)
    assert (result.status, result.saw) == (Status.PASSED, "1 file; bandit cannot read new.py")


def test_what_bandit_finds_beside_a_file_that_it_cannot_read_is_told():
    both = subject(change("new.py", NEWER), change("a.py", SHELL))
    for asked in (False, True):
        assert codes(judge(bandit(asked=asked), both, perform)) == ["B602"]


def test_a_teams_rules_for_semgrep_go_beside_ours():
    asked = []

    def run(wanted):
        asked.append(wanted)
        return said(SEMGREP | {"results": []})

    with_rules = msgspec.structs.replace(CHANGE, settings={"rules/s.yml": b"rules: []"})
    judge(semgrep(asked=False, rules="rules/s.yml"), with_rules, run)
    assert asked[0].argv.count("--config") == 2
    assert b"rules: []" in asked[0].files.values()
    assert not asked[0].own


def test_every_rule_of_semgrep_names_a_weakness_and_what_to_do():
    assert len({rule["id"] for rule in RULES}) == len(RULES) >= 15
    assert all(rule["metadata"]["cwe"] and rule["metadata"]["hint"] for rule in RULES)


@pytest.mark.parametrize("check", [semgrep(asked=False, rules="r.yml"), ast_grep("r.yml")])
def test_rules_that_are_not_there_are_a_skip_and_not_a_pass(check):
    assert judge(check, CHANGE).status is Status.SKIPPED


def test_without_rules_of_a_teams_own_ast_grep_has_nothing_to_do():
    assert judge(ast_grep(""), CHANGE).status is Status.NOT_APPLICABLE


RULES_OF_A_TEAM = b"""
id: no-eval
language: javascript
severity: error
message: no eval
note: read JSON
rule: {pattern: eval($X)}
---
id: no-print
language: python
message: no print
rule: {pattern: print($$$A)}
"""
IGNORING = "x = 1\n# ast-grep-ignore\nprint(x)\n"


def by_ast_grep(*changes, rules=RULES_OF_A_TEAM):
    if not shutil.which("ast-grep", path=str(Path(sys.executable).parent)):
        pytest.skip("ast-grep is not installed beside halfdoor")
    asked = subject(*changes, files={"r.yml": rules})
    return judge(ast_grep("r.yml"), asked, perform)


def test_a_teams_rules_for_ast_grep_are_asked_and_what_was_there_is_not_told():
    result = by_ast_grep(change("a.js", "f()\neval(x)\neval(y)\n", "eval(x)\n"))
    (finding,) = result.findings
    assert (finding.path, finding.line, finding.code, finding.hint) == ("a.js", 3, "no-eval", "read JSON")  # fmt: skip


def test_code_cannot_silence_the_rules_of_a_team_and_cannot_bring_settings():
    """Settings of ast-grep may name libraries that it loads."""
    settings = change("sgconfig.yml", "customLanguages: {x: {libraryPath: x.so}}\n")
    result = by_ast_grep(change(".hidden/a.py", IGNORING), settings)
    assert [(each.path, each.line) for each in result.findings] == [(".hidden/a.py", 3)]


def test_rules_that_ast_grep_cannot_read_are_a_skip():
    result = by_ast_grep(change("a.js", "eval(x)\n"), rules=b"id: [")
    assert (result.status, "ended with 8" in result.saw) == (Status.SKIPPED, True)


@pytest.mark.parametrize("ran", [*TROUBLE, ABSENT, Ran(RanStatus.EXITED, 2), Ran(RanStatus.EXITED, 0, b"{}")])  # fmt: skip
def test_ast_grep_that_did_not_do_its_work_is_skipped(ran):
    asked = subject(change("a.js", "eval(x)\n"), files={"r.yml": RULES_OF_A_TEAM})
    assert judge(ast_grep("r.yml"), asked, ran).status is Status.SKIPPED


VULNERABLE = {
    "b.js": "eval(x)\nel.innerHTML = y\ncp.exec('ls ' + z)\n",
    "c.go": 'package m\n\nimport "os/exec"\n\nfunc f(x string) { exec.Command("sh", "-c", x) }\n',
    "D.java": 'class D { void f(java.sql.Statement s, String x) { s.executeQuery("a" + x); } }\n',
    "e.py": "import pickle\n\n\ndef f(c, x):\n    c.execute(f'select {x}')\n    return pickle.loads(x)\n",
}


@pytest.mark.parametrize(("tool", "expected"), [("bandit", {"B301"}), ("semgrep", {"js-eval", "js-html", "js-shell", "go-shell", "java-sql", "py-format-sql"})])  # fmt: skip
def test_the_real_tool_finds_real_weaknesses(sandbox, tool, expected):
    if not shutil.which(tool, path=str(Path(sys.executable).parent)):
        pytest.skip(f"{tool} is not installed beside halfdoor")
    asked = subject(*(change(path, text) for path, text in VULNERABLE.items()))
    result = judge(TOOLS[tool][0](asked=True), asked, sandbox.run)
    assert set(codes(result)) >= expected, result
