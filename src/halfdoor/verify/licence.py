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

# INVARIANT: each of these is linear in a line, which anybody may have written.
_SPDX: Final = re.compile(r"SPDX-License-Identifier:([\w.+() \t-]++)")
# What stands before a holder's name, in any order and number.
_CLAIM: Final = re.compile(
    r"(?i)[^\w(©]*+((?:copyright\b|copr\.|\(c\)|©|&copy;|by\b|\d{4}\b|[\s,:\u2013-]++)*+)"
)
_YEAR: Final = re.compile(r"\d{4}")
_BODY: Final = re.compile(
    r"(?i)\b(?:inc|llc|ltd|gmbh|ag|corp|corporation|company|foundation|authors|contributors"
    r"|affiliates|all rights reserved)\b"
)
_RESERVED: Final = re.compile(r"(?i)\.?\s*+all rights reserved.*")
_TEXTS: Final = (
    (re.compile(r"(?i)gnu general public license"), "GPL"),
    (re.compile(r"(?i)gnu lesser general public license"), "LGPL"),
    (re.compile(r"(?i)gnu affero general public license"), "AGPL"),
    (re.compile(r"(?i)licensed under the apache license"), "Apache-2.0"),
    (re.compile(r"(?i)permission is hereby granted, free of charge, to any person"), "MIT"),
    (re.compile(r"(?i)redistribution and use in source and binary forms"), "BSD"),
    (re.compile(r"(?i)mozilla public license"), "MPL-2.0"),
)
_NAMES: Final = (
    r"(mit|[al]?gpl|bsd|apache|mpl|mozilla|isc|epl|eclipse|cc0|cc[- ]by|unlicense|zlib|boost|bsl"
    r"|wtfpl|sspl|artistic|proprietary)(?!(?!v\d)[a-z])[ -]?(?:v(?:ersion )?)?(\d(?:\.\d)?)?"
)
# Other ways to name one: `License: GPLv3`, `licensed under the MIT license`.
_NAMED: Final = re.compile(
    rf"(?i)^\W*+@?licen[cs]e(?: ?:|(?<=@licen[cs]e)) *+(?:the )?(?:gnu )?{_NAMES}"
    rf"|\b(?:licen[cs]ed|released|(?:re)?distributed|available) under (?:the )?(?:terms of )?"
    rf"(?:the )?(?:gnu )?{_NAMES}"
)
_FAMILIES: Final = {"mozilla": "mpl", "eclipse": "epl", "boost": "bsl"}
# What stands in a text that a program has says nothing of the program.
_QUOTED: Final = re.compile(r"""(?i)^(?!\s*(?:#|//|/?\*|--|<!--|;))[^"'`]*["'`](?!"")""")
_SUSPECT: Final = re.compile(
    r"(?i)spdx-|copyright|copr\.|\(c\)|©|&copy;|licen[cs]e|permission is|redistribut|released"
    r"|available"
)
_QUOTED_NAME: Final = re.compile(r'"([^"\n]{1,200})"')
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
        ours = _Ours(_told(subject), self._allowed)
        had = {line for each in subject.changes for line in text(each.before).splitlines()}
        found = tuple(finding for each in code for finding in _found(each, ours, had))
        return judged(NAME, found, counted(len(code), "file"))


class _Ours:
    """What the project says of itself. allowed: SPDX names beside it, lower case."""

    def __init__(self, told: Iterable[str], allowed: Iterable[str]) -> None:
        told = tuple(told)
        said = (
            name for each in told for found in _QUOTED_NAME.findall(each) for name in _of(found)
        )
        self._text = "\n".join(told).lower()
        self._allowed = tuple(allowed)
        self._names = {*said, *allowed}
        self._names |= {name.lower() for pattern, name in _TEXTS if pattern.search(self._text)}
        self._families = set(map(_family, self._names))

    def licence(self, name: str) -> bool:
        """Is it a licence of the project? Of `A OR B` one is enough; without a version, any."""
        return any(
            each.startswith(self._allowed or ("\0",))
            or each in self._names
            or _family(each) in self._names
            or (each == _family(each) and each in self._families)
            for each in _of(name)
        )

    def holder(self, name: str) -> bool:
        """Does the project name this holder?"""
        return name.lower() in self._text


def _found(change: Change, ours: _Ours, had: set[str]) -> Iterator[Finding]:
    for number, line in added(change).items():
        if line not in had and _SUSPECT.search(line) and (said := _foreign(line, ours)):
            yield Finding(NAME, change.path, number, 1, "foreign-licence", said, _HINT)


def _foreign(line: str, ours: _Ours) -> str:
    """What is foreign about a line, "" when nothing is."""
    if _QUOTED.match(line):
        return ""
    if spdx := _SPDX.search(line):
        name = spdx[1].removesuffix("--").strip()
        return "" if ours.licence(name) or not name else f"code under the licence {name}"
    if holder := _holder(line):
        return "" if ours.holder(holder) else f"code of which `{holder[:60]}` holds the copyright"
    for pattern, name in _TEXTS:
        if pattern.search(line):
            return "" if ours.licence(name) else f"the text of another licence ({name})"
    if named := _NAMED.search(line):
        name, version = (named[1], named[2]) if named[1] else (named[3], named[4])
        said = f"{name}-{version}" if version else name
        return "" if ours.licence(name) else f"code under the licence {said}"
    return ""


def _holder(line: str) -> str:
    """Who a line says holds the copyright, "" for nobody.

    Without a year it takes the word and a sign, or the name of a body: people also speak of
    copyright.
    """
    claim = _CLAIM.match(line)
    head = claim[1].lower() if claim else ""
    name = line[claim.end() :] if claim else ""
    word, sign = "cop" in head, "(c)" in head or "©" in head or "&copy;" in head
    if not (word or sign) or not name[:1].isalpha():
        return ""
    dated = bool(_YEAR.search(head))
    named = not name[0].islower() and ((word and sign) or "©" in head or bool(_BODY.search(name)))
    return _bare(_RESERVED.sub("", name)) if dated or (named and word) else ""


def _bare(name: str) -> str:
    """Without what is no letter at its end: years, points, the end of a comment."""
    end = len(name)
    while end and not name[end - 1].isalpha():
        end -= 1
    return name[:end]


def _of(names: str) -> Iterator[str]:
    """Single names of an SPDX expression, lower case."""
    for each in re.split(r"(?i)\bor\b", names):
        yield each.strip(" ()\t").lower()


def _family(name: str) -> str:
    """`gpl` of `gpl-3.0-only`."""
    first = name.partition("-")[0]
    return _FAMILIES.get(first, first)


def _told(subject: Subject) -> Iterator[str]:
    """What the project says of itself: the files that it had, or brings if it had none."""
    had = [text(data) for path, data in subject.files.items() if _own(path)]
    yield from had or [text(each.after) for each in subject.changes if _own(each.path)]


def _own(path: str) -> bool:
    return bool(_OWN.match(basename(path)))
