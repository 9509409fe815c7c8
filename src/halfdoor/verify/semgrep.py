"""Insecure code in several languages, by semgrep's engine where installed, with rules of ours.

The registry's rules are under a licence that is not free, and fetching them needs a network. The
engine runs in the sandbox: what it would tell its maker stays there.
"""

from posixpath import splitext
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.checks import MIB, Finding, Limits, Ran, Run
from halfdoor.verify.extra import Files, FileTool, Said
from halfdoor.verify.semgrep_rules import RULES

NAME: Final = "semgrep"
_SUFFIXES: Final = frozenset({".py", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".go", ".java"})
_CONFIG: Final = ".halfdoor-semgrep.json"
_LIMITS: Final = Limits(cpu_s=240, memory_bytes=4096 * MIB)


class _Place(Struct):
    line: int
    col: int


class _Told(Struct):
    message: str
    metadata: dict[str, str] = {}


class _Issue(Struct):
    check_id: str
    path: str
    start: _Place
    extra: _Told


class _Trouble(Struct):
    level: str = ""


class _Scanned(Struct):
    scanned: list[str]


class _Report(Struct):
    results: list[_Issue]
    errors: list[_Trouble]
    paths: _Scanned


_REPORT: Final = msgspec.json.Decoder(_Report)


def semgrep(*, asked: bool, rules: str = "") -> FileTool:
    """The check. rules: the path of the team's own, beside ours; asked: see `FileTool`."""
    return FileTool(NAME, _wants, _run, _read, asked=asked or bool(rules), rules=rules)


def _wants(path: str) -> bool:
    return splitext(path)[1] in _SUFFIXES


def _run(files: Files, rules: bytes) -> Run:
    given = {_CONFIG: msgspec.json.encode({"rules": RULES})}
    if rules:
        given["team-" + _CONFIG.lstrip(".")] = rules
    options = ("scan", "--json", "--quiet", "--metrics", "off", "--disable-version-check")
    configs = tuple(word for name in given for word in ("--config", name))
    targets = (
        "--no-git-ignore",
        "--disable-nosem",
        "--max-target-bytes",
        "0",
        "--jobs",
        "1",
        "--",
        *files,
    )
    return Run(
        (NAME, *options, *configs, *targets),
        "semgrep over changed files",
        {**files, **given},
        timeout_s=120.0,
        limits=_LIMITS,
    )


def _read(ran: Ran) -> Said | None:
    try:
        report = _REPORT.decode(ran.stdout)
    except msgspec.DecodeError:
        return None
    if ran.code or any(each.level == "error" for each in report.errors):
        return None
    return Said(tuple(map(_finding, report.results)))


def _finding(each: _Issue) -> Finding:
    code = each.check_id.rpartition(".")[2]
    told = each.extra
    place = (each.path, each.start.line, each.start.col)
    hint, cwe = told.metadata.get("hint", ""), told.metadata.get("cwe", "")
    return Finding(NAME, *place, code, told.message, hint, cwe)
