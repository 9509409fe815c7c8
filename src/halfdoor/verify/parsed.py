"""Changed files read by their languages' grammars: what is new of faults, and what nobody can tell.

A grammar knows less of a language than its compiler. So a file that it could not read before the
change is not called broken after it: that is named, and neither passed nor failed.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change, Finding, Ran, Result, Run
from halfdoor.verify import grammars, shell
from halfdoor.verify.fresh import fresh, text
from halfdoor.verify.grammars import Fault, Reading
from halfdoor.verify.languages import Language, language_of

_SHELL: Final = "shell"
# What bash and the pairing of brackets say of a file holds, whatever was before.
_SURE: Final = frozenset({_SHELL, "C", "C++"})
_BEFORE: Final = "its grammar could not read it before either"


class Parsed(Struct, frozen=True):
    """faults: new ones, by path. untold: why a file was not judged, by path. judged: how many were.

    lacking: names of languages that have no grammar here.
    """

    findings: tuple[Finding, ...] = ()
    untold: dict[str, str] = {}
    judged: int = 0
    lacking: tuple[str, ...] = ()


def parsed(
    check: str, changes: Iterable[Change], hint: str
) -> Generator[Run, Ran, Parsed | Result]:
    """Read all that have a grammar; what one file had before, another may have now."""
    there = [(each, language) for each in changes if (language := _language(each))]
    by = {each.path: language for each, language in there if grammars.installed(language)}
    read = [each for each, _ in there if each.path in by]
    after = yield from _readings(check, {each.path: each.after for each in read}, by)
    if isinstance(after, Result):
        return after
    had: dict[str, Reading] = {}
    if any(each.faults for each in after.values()):
        before = yield from _readings(check, {each.path: each.before for each in read}, by)
        if isinstance(before, Result):
            return before
        had = before
    untold = {path: why for path, each in after.items() if (why := _why(path, each, had, by))}
    faulty = {path: each for path, each in after.items() if path not in untold}
    found = fresh(read, _findings(check, had, hint), _findings(check, faulty, hint))
    lacking = {language.name for each, language in there
               if each.path not in by and each.after is not None}  # fmt: skip
    return Parsed(tuple(found), untold, len(faulty), tuple(sorted(lacking)))


def _language(change: Change) -> Language | None:
    language = language_of(change.path)
    return language if language and language.grammar[0] else None


def _readings(
    check: str, files: Mapping[str, bytes | None], by: Mapping[str, Language]
) -> Generator[Run, Ran, dict[str, Reading] | Result]:
    texts = {path: text(data).encode() for path, data in files.items() if data is not None}
    read = {path: grammars.read(by[path], data) for path, data in texts.items()}
    doubts = {path: texts[path] for path, each in read.items()
              if each.faults and by[path].name == _SHELL}  # fmt: skip
    for path in doubts:
        if name := shell.other(texts[path]):
            read[path] = Reading(untold=f"a script of {name}")
    doubts = {path: data for path, data in doubts.items() if read[path].faults}
    if doubts:
        said = yield from shell.asked(check, doubts)
        if isinstance(said, Result):
            return said
        why = f"its grammar cannot read it, and {said.why}" if said.why else ""
        read |= {path: Reading(said.faults.get(path, ()), why) for path in doubts}
    return read


def _why(
    path: str, reading: Reading, had: Mapping[str, Reading], by: Mapping[str, Language]
) -> str:
    """Why nobody can tell whether the change broke this file, "" when somebody can."""
    before = had.get(path, Reading())
    if reading.faults and by[path].name not in _SURE and (before.faults or before.untold):
        return _BEFORE
    return reading.untold


def _findings(check: str, read: Mapping[str, Reading], hint: str) -> Iterator[Finding]:
    for path, each in read.items():
        for fault in each.faults:
            yield _finding(check, path, fault, hint)


def _finding(check: str, path: str, fault: Fault, hint: str) -> Finding:
    return Finding(check, path, fault.line, fault.column, "syntax", fault.message, hint)
