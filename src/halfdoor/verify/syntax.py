"""Can the file be read as its language? Python, JSON and TOML here; others by their grammars."""

import json
import re
import tomllib
import warnings
from collections.abc import Generator, Iterable, Iterator
from typing import Final

from halfdoor.canon.checks import Change, Finding, Ran, Result, Run, Status, Subject
from halfdoor.verify import grammars
from halfdoor.verify.base import Steps, judged, nothing, skipped, unrun
from halfdoor.verify.encoding import undone
from halfdoor.verify.fresh import per_file
from halfdoor.verify.languages import LANGUAGES, Language, is_python, language_of
from halfdoor.verify.ruff import NEWEST, ruff, unreadable

NAME: Final = "syntax"

_HINT: Final = "mend it, or write the whole file again"
_TOML_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")
# JSON that its programs read with comments and trailing commas.
_WITH_COMMENTS: Final = re.compile(
    r"(?:^|/)(?:\.vscode/|\.devcontainer/|tsconfig[^/]*\.json$|jsconfig[^/]*\.json$"
    r"|\.eslintrc\.json$|devcontainer\.json$|[^/]*\.code-workspace$)"
)
# What parses and is no Python all the same: `return` outside a function.
_STRUCTURE: Final = "F7,PLE0118"
_ENCODING: Final = "encoding"


_READ: Final = frozenset(
    each.name.lower()
    for each in LANGUAGES
    if each.grammar[0] or each.name in {"Python", "JSON", "TOML"}
)


class Syntax:
    """asked: names of languages that must be judged, so that a missing grammar is a skip."""

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(self, asked: Iterable[str] = ()) -> None:
        self._asked = frozenset(name.lower() for name in asked)

    def judge(self, subject: Subject) -> Steps:
        """See `Check.judge`. ruff is asked only about Python that this interpreter cannot read."""
        here = [each for each in subject.changes if _here(each)]
        if unknown := sorted(self._asked - _READ):
            known = ", ".join(sorted(_READ))
            said = f"`languages` in [gate] asks for {', '.join(unknown)}; it reads {known}"
            return skipped(NAME, said)
        result = per_file(NAME, here, _found)
        if result.status is Status.FAILED:
            result = yield from _with_newer(result, here)
        return self._with_grammars(result, subject)

    def _with_grammars(self, result: Result, subject: Subject) -> Result:
        by_grammar = [(each, language) for each in subject.changes if (language := _sat(each))]
        read = [each for each, language in by_grammar if grammars.installed(language)]
        other = per_file(NAME, read, _by_grammar)
        lacking = {each.name for _, each in by_grammar if not grammars.installed(each)}
        return self._joined(result, other, sorted(lacking))

    def _joined(self, result: Result, other: Result, lacking: list[str]) -> Result:
        said = ", ".join(lacking)
        unread = f"{said} not read: no grammar; hint: pip install 'halfdoor[gate]'" * bool(said)
        if Status.SKIPPED in {result.status, other.status}:
            return result if result.status is Status.SKIPPED else other
        findings = result.findings + other.findings
        seen = "; ".join(each.saw for each in (result, other) if _judged(each))
        if not findings and self._asked.intersection(name.lower() for name in lacking):
            return skipped(NAME, unread)
        if not seen:
            return nothing(NAME, unread or "no file of its kind changed")
        return judged(NAME, findings, "; ".join(filter(None, (seen, unread))))


def _judged(result: Result) -> bool:
    return result.status in {Status.PASSED, Status.FAILED}


def _here(change: Change) -> bool:
    """Is it read without a grammar?"""
    path = change.path
    return path.endswith((".py", ".pyi", ".toml", ".ipynb")) or (
        path.endswith(".json") and not _WITH_COMMENTS.search(path)
    )


def _sat(change: Change) -> Language | None:
    language = language_of(change.path)
    return language if language and language.grammar[0] and change.after is not None else None


def _found(path: str, text: str) -> Iterator[Finding]:
    if is_python(path):
        fault = _python(text)
        if name := undone(text):
            said = f"by the encoding that it declares, `{name}`, it is other code than it looks"
            yield Finding(NAME, path, 1, 1, _ENCODING, said, "declare none, and save it as UTF-8")
    elif path.endswith(".toml"):
        fault = _toml(text)
    else:
        fault = _json(text)
    if fault:
        yield _finding(path, *fault)


def _python(text: str) -> tuple[int, int, str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape that is none is lint's affair
            # Compiled, too: `return` outside a function parses. Nothing is run.
            compile(text, "", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.lineno or 1, error.offset or 1, error.msg
    except ValueError as error:
        return 1, 1, str(error)
    return None


def _toml(text: str) -> tuple[int, int, str] | None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        line, column = (found[1], found[2]) if found and found[1] else (text.count("\n") + 1, 1)
        return int(line), int(column), _TOML_PLACE.sub("", str(error))
    return None


def _json(text: str) -> tuple[int, int, str] | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.lineno, error.colno, error.msg
    return None


def _by_grammar(path: str, text: str) -> Iterator[Finding]:
    language = language_of(path)
    assert language is not None
    for fault in grammars.faults(language, text.encode()):
        yield _finding(path, fault.line, fault.column, fault.message)


def _finding(path: str, line: int, column: int, message: str) -> Finding:
    return Finding(NAME, path, line, column, "syntax", message, _HINT)


def _with_newer(result: Result, changes: list[Change]) -> Generator[Run, Ran, Result]:
    """The project's Python may be newer than this one: what ruff can read is Python."""
    named = {e.path for e in result.findings if is_python(e.path) and e.code != _ENCODING}
    if not named:
        return result
    files = {each.path: each.after or b"" for each in changes if each.path in named}
    options = ("check", "--select", _STRUCTURE, "--target-version", NEWEST)
    ran = yield ruff((*options, "--output-format", "json"), files)
    if trouble := unrun(NAME, ran, "ruff"):
        return trouble
    broken = unreadable(ran, files)
    if broken is None:
        return skipped(NAME, f"ruff ended with {ran.code}")
    left = (e for e in result.findings
            if e.path in broken or e.path not in named or e.code == _ENCODING)  # fmt: skip
    return judged(NAME, tuple(left), result.saw)
