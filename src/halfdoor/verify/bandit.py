"""Insecure Python, by bandit where it is installed: much of it is ruff's S rules, some is not."""

from posixpath import normpath
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.checks import Finding, Ran, Run
from halfdoor.verify.extra import Files, FileTool, Said
from halfdoor.verify.languages import is_python

NAME: Final = "bandit"
# As in `security.py`: wrong more often than right, or another check's work.
_LEFT_OUT: Final = (
    "B101,B105,B106,B107,B110,B112,B310,B311,B401,B402,B403,B404,B405,B406,B407,B408,B409,B411"
    ",B412,B413,B415,B603,B606,B607"
)

# bandit reads the Python that it runs on. Whether it is Python at all is for `syntax` to say.
_NEWER: Final = "syntax error while parsing AST from file"


class _Cwe(Struct, frozen=True):
    id: int = 0


class _Issue(Struct):
    filename: str
    issue_confidence: str
    issue_text: str
    line_number: int
    test_id: str
    col_offset: int = 0
    issue_cwe: _Cwe = _Cwe()
    more_info: str = ""


class _Trouble(Struct):
    filename: str
    reason: str


class _Report(Struct):
    results: list[_Issue]
    errors: list[_Trouble]


_REPORT: Final = msgspec.json.Decoder(_Report)


def bandit(*, asked: bool) -> FileTool:
    """The check. asked: see `FileTool`."""
    return FileTool(NAME, is_python, _run, _read, asked=asked)


def _run(files: Files, _rules: bytes) -> Run:
    # Whoever writes the code could write `nosec`, too.
    options = ("-q", "-f", "json", "--exit-zero", "--ignore-nosec", "-s", _LEFT_OUT)
    argv = (NAME, *options, *(f"./{path}" for path in files))
    return Run(argv, "bandit over changed files", dict(files), own=True, timeout_s=60.0)


def _read(ran: Ran) -> Said | None:
    try:
        report = _REPORT.decode(ran.stdout)
    except msgspec.DecodeError:
        return None
    # A file that it could not read it leaves out, and says so only here.
    if ran.code or any(each.reason != _NEWER for each in report.errors):
        return None
    found = (_finding(each) for each in report.results if each.issue_confidence != "LOW")
    return Said(tuple(found), tuple(normpath(each.filename) for each in report.errors))


def _finding(each: _Issue) -> Finding:
    path = normpath(each.filename)
    cwe = f"CWE-{each.issue_cwe.id}" if each.issue_cwe.id else ""
    hint = f"see {each.more_info}" if each.more_info else ""
    place = (path, each.line_number, each.col_offset + 1)
    return Finding(NAME, *place, each.test_id, each.issue_text, hint, cwe)
