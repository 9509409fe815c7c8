"""A team's own rules for the shape of code, by ast-grep where it is installed.

Only with a file of rules; there are none of ours. ast-grep reads code and rules and runs neither:
what it could load is named in its own settings, and those are ours.
"""

from posixpath import normpath
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.checks import Finding, Ran, Run
from halfdoor.verify.extra import Files, FileTool, Said
from halfdoor.verify.languages import language_of

NAME: Final = "ast-grep"
_CONFIG: Final = ".halfdoor-sgconfig.yml"
_FOLDER: Final = ".halfdoor-ast-grep"
# Whoever writes the code could write `ast-grep-ignore`, too. As long as it, so that no place moves.
_IGNORE, _NOT_IGNORED = b"ast-grep-ignore", b"ast-grep-ignor_"
_ERRORS_FOUND: Final = 1


class _Place(Struct):
    line: int
    column: int


class _Range(Struct):
    start: _Place


class _Match(Struct):
    file: str
    range: _Range
    rule_id: str = msgspec.field(name="ruleId")
    message: str
    note: str | None = None


_SAID: Final = msgspec.json.Decoder(list[_Match])


def ast_grep(rules: str) -> FileTool:
    """The check. rules: the path of the team's rules in the repository, YAML; "" for none."""
    return FileTool(NAME, _wants, _run, _read, asked=bool(rules), rules=rules, alone=False)


def _wants(path: str) -> bool:
    return language_of(path) is not None


def _run(files: Files, rules: bytes) -> Run:
    given = {_CONFIG: f"ruleDirs: [{_FOLDER}]\n".encode(), f"{_FOLDER}/rules.yml": rules}
    texts = {path: data.replace(_IGNORE, _NOT_IGNORED) for path, data in files.items()}
    options = ("scan", "-c", _CONFIG, "--json=compact")
    seen = tuple(word for kind in ("hidden", "dot", "vcs") for word in ("--no-ignore", kind))
    argv = (NAME, *options, *seen, "--", *files)
    return Run(argv, "ast-grep over changed files", {**texts, **given}, own=True, timeout_s=60.0)


def _read(ran: Ran) -> Said | None:
    if ran.code not in {0, _ERRORS_FOUND}:
        return None
    try:
        return Said(tuple(map(_finding, _SAID.decode(ran.stdout))))
    except msgspec.DecodeError:
        return None


def _finding(each: _Match) -> Finding:
    place = each.range.start
    hint = " ".join((each.note or "").split())[:200] or "see the rule of your own"
    path = normpath(each.file)
    return Finding(NAME, path, place.line + 1, place.column + 1, each.rule_id, each.message, hint)
