"""Can the file be read as its language? Python, JSON and TOML here; others by their grammars."""

import warnings
from collections.abc import Generator, Iterable, Iterator
from typing import Final

from msgspec import structs

from halfdoor.canon.checks import Change, Finding, Ran, Result, Run, Status, Subject
from halfdoor.verify.base import Steps, judged, nothing, skipped, unrun
from halfdoor.verify.data import fault, is_data, stays_commented, stray
from halfdoor.verify.encoding import undone
from halfdoor.verify.fresh import counted, per_file, text
from halfdoor.verify.grammars import Fault
from halfdoor.verify.languages import LANGUAGES, is_python, language_of
from halfdoor.verify.parsed import Parsed, parsed
from halfdoor.verify.ruff import NEWEST, ruff, unreadable

NAME: Final = "syntax"

_HINT: Final = "mend it, or write the whole file again"
# In a path that a project's template gives to the projects that are made of it.
_MADE: Final = "{{"
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
        if unknown := sorted(self._asked - _READ):
            known = ", ".join(sorted(_READ))
            said = f"`languages` in [gate] asks for {', '.join(unknown)}; it reads {known}"
            return skipped(NAME, said)
        made = [each for each in subject.changes if _MADE not in each.path]
        here = [each for each in made if is_python(each.path) or is_data(each.path)]
        result = per_file(NAME, here, _found)
        if result.status is Status.FAILED:
            result = _without_commented(result, here)
        if result.status is Status.FAILED:
            result = yield from _with_newer(result, here)
        if result.status is Status.SKIPPED:
            return result
        others = yield from parsed(NAME, made, _HINT)
        if isinstance(others, Result):
            return others
        named = [each.path for each in subject.changes if _MADE in each.path and each.after]
        untold = {**others.untold, **dict.fromkeys(named, "a template")}
        return self._joined(result, structs.replace(others, untold=untold), _strays(here))

    def _joined(self, result: Result, others: Parsed, strays: tuple[Finding, ...]) -> Result:
        findings = (*result.findings, *strays, *others.findings)
        unread = [f"{path} not judged: {why}" for path, why in others.untold.items()]
        if others.lacking:
            hint = "hint: pip install 'halfdoor[gate]'"
            unread.append(f"{', '.join(others.lacking)} not read: no grammar; {hint}")
        languages = {language_of(path) for path in others.untold}
        open_ = {each.name for each in languages if each} | set(others.lacking)
        if not findings and self._asked.intersection(name.lower() for name in open_):
            return skipped(NAME, "; ".join(unread))
        seen = [result.saw] if result.status is not Status.NOT_APPLICABLE else []
        seen += [counted(others.judged, "file") + " by grammar"] if others.judged else []
        if not seen:
            return nothing(NAME, "; ".join(unread) or "no file of its kind changed")
        return judged(NAME, findings, "; ".join((*seen, *unread)))


def _found(path: str, said: str) -> Iterator[Finding]:
    if is_python(path):
        if found := _python(said):
            yield _finding(path, found)
        if name := undone(said):
            why = f"by the encoding that it declares, `{name}`, it is other code than it looks"
            yield Finding(NAME, path, 1, 1, _ENCODING, why, "declare none, and save it as UTF-8")
    elif found := fault(path, said):
        yield _finding(path, found)


def _without_commented(result: Result, changes: Iterable[Change]) -> Result:
    data = [(each.path, text(each.before), text(each.after)) for each in changes
            if each.before and is_data(each.path)]  # fmt: skip
    kept = {path for path, before, after in data if stays_commented(path, before, after)}
    return judged(NAME, tuple(e for e in result.findings if e.path not in kept), result.saw)


def _strays(changes: Iterable[Change]) -> tuple[Finding, ...]:
    """Data in another encoding than it must be in, where that is the change's doing."""
    data = [each for each in changes if each.after and is_data(each.path)]
    new = [each for each in data if not (each.before and stray(each.before))]
    found = ((each.path, stray(each.after or b"")) for each in new)
    return tuple(_finding(path, fault, "save it as UTF-8") for path, fault in found if fault)


def _python(text: str) -> Fault | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape that is none is lint's affair
            # Compiled, too: `return` outside a function parses. Nothing is run.
            compile(text, "", "exec", dont_inherit=True)
    except SyntaxError as error:
        return Fault(error.lineno or 1, error.offset or 1, error.msg)
    except ValueError as error:
        return Fault(1, 1, str(error))
    return None


def _finding(path: str, found: Fault, hint: str = _HINT) -> Finding:
    return Finding(NAME, path, found.line, found.column, "syntax", found.message, hint)


def _with_newer(result: Result, changes: list[Change]) -> Generator[Run, Ran, Result]:
    """The project's Python may be newer than this one: what ruff can read is Python."""
    named = {e.path for e in result.findings if is_python(e.path) and e.code != _ENCODING}
    if not named:
        return result
    files = {each.path: each.after or b"" for each in changes if each.path in named}
    # Whoever breaks a file could write `noqa`, too.
    options = ("check", "--select", _STRUCTURE, "--target-version", NEWEST, "--ignore-noqa")
    ran = yield ruff((*options, "--output-format", "json"), files)
    if trouble := unrun(NAME, ran, "ruff"):
        return trouble
    broken = unreadable(ran, files)
    if broken is None:
        return skipped(NAME, f"ruff ended with {ran.code}")
    left = (e for e in result.findings
            if e.path in broken or e.path not in named or e.code == _ENCODING)  # fmt: skip
    return judged(NAME, tuple(left), result.saw)
