"""Licence headers that came along with copied code."""

import re
from collections.abc import Iterable, Iterator
from posixpath import basename
from typing import Final

from halfdoor.canon.checks import Change, Finding, Result, Subject
from halfdoor.verify.base import judged, nothing
from halfdoor.verify.fresh import added, counted, text
from halfdoor.verify.languages import language_of

NAME: Final = "licence"

_SPDX: Final = re.compile(r"SPDX-License-Identifier:\s*([\w.+() -]+?)\s*(?:\*/|-->|$)")
_HOLDER: Final = re.compile(
    r"(?i)^\W*(?:copyright(?:\s+\(c\)|\s+©)?|\(c\)|©)\s+(?:\d{4}[\d\s,\u2013-]*)(?:by\s+)?([^\d\W].*?)\W*$"
)
_TEXTS: Final = (
    (re.compile(r"(?i)gnu (?:affero|lesser)? ?general public license"), "GPL"),
    (re.compile(r"(?i)licensed under the apache license"), "Apache-2.0"),
    (re.compile(r"(?i)permission is hereby granted, free of charge, to any person"), "MIT"),
    (re.compile(r"(?i)redistribution and use in source and binary forms"), "BSD"),
    (re.compile(r"(?i)mozilla public license"), "MPL-2.0"),
)
# What stands in a text that a program has says nothing of the program.
_QUOTED: Final = re.compile(r"""(?i)^(?!\s*(?:#|//|/?\*|--|<!--|;))[^"'`]*["'`](?!"")""")
_SUSPECT: Final = re.compile(r"(?i)spdx-|copyright|\(c\)|©|license|permission is|redistribution")
_OWN: Final = re.compile(
    r"(?i)^(?:licen[cs]e|copying|notice|authors|copyright|(?:pyproject|cargo)\.toml$|package\.json$)"
)
_HINT: Final = "do not copy it in, or keep its licence as that asks and allow it in [gate]"


class Licence:
    """allowed: SPDX names that may come in, beside what the project's own files say."""

    name = NAME
    reads: tuple[str, ...] = (
        "LICEN[CS]E*",
        "COPYING*",
        "NOTICE*",
        "AUTHORS*",
        "pyproject.toml",
        "package.json",
        "Cargo.toml",
    )

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = tuple(each.lower() for each in allowed)

    def judge(self, subject: Subject) -> Result:
        """See `Check.judge`. Only lines that no changed file had before are looked at."""
        code = [e for e in subject.changes if e.after and language_of(e.path) and not _own(e.path)]
        if not code:
            return nothing(NAME, "no code changed")
        ours = "\n".join(_told(subject)).lower()
        had = {line for each in subject.changes for line in text(each.before).splitlines()}
        found = tuple(finding for each in code for finding in self._found(each, ours, had))
        return judged(NAME, found, counted(len(code), "file"))

    def _found(self, change: Change, ours: str, had: set[str]) -> Iterator[Finding]:
        for number, line in added(change).items():
            if line in had or not _SUSPECT.search(line):
                continue
            said = self._foreign(line, ours)
            if said:
                yield Finding(NAME, change.path, number, 1, "foreign-licence", said, _HINT)

    def _foreign(self, line: str, ours: str) -> str:
        """What is foreign about a line, "" when nothing is."""
        if _QUOTED.match(line):
            return ""
        spdx, holder = _SPDX.search(line), _HOLDER.match(line)
        if spdx:
            return "" if self._ours(spdx[1], ours) else f"code under the licence {spdx[1]}"
        if holder:
            known = holder[1].lower() in ours
            return "" if known else f"code of which `{holder[1][:60]}` holds the copyright"
        for pattern, name in _TEXTS:
            if pattern.search(line) and not (pattern.search(ours) or self._ours(name, ours)):
                return f"the text of another licence ({name})"
        return ""

    def _ours(self, name: str, ours: str) -> bool:
        """Is it a licence of the project? Of `A OR B` one is enough."""
        names = [each.strip(" ()").lower() for each in re.split(r"(?i)\bor\b", name)]
        return any(
            any(each.startswith(allowed) for allowed in self._allowed)
            or f'"{each}"' in ours
            or f'"{each.partition("-")[0]}"' in ours
            for each in names
        )


def _told(subject: Subject) -> Iterator[str]:
    """What the project says of itself: the files that it had, or brings if it had none."""
    had = [text(data) for data in subject.files.values()]
    told = had or [text(each.after) for each in subject.changes if _own(each.path)]
    for said in told:
        yield said
        yield from (f'"{name}"' for pattern, name in _TEXTS if pattern.search(said))


def _own(path: str) -> bool:
    return bool(_OWN.match(basename(path)))
