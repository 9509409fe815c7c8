"""New pins of versions with known advisories, from OSV data that a person has brought here.

Without data of a pin's ecosystem the answer is unknown, and says so.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Change, Finding, Result, Subject
from halfdoor.verify.base import judged, nothing, skipped
from halfdoor.verify.fresh import counted, lines_of, text
from halfdoor.verify.pins import Pin, is_lock, is_strange, pins

NAME: Final = "vulnerable"
_PART: Final = re.compile(r"\d+|[a-z]+")
# What may follow, in rising order: tags of what came before the release, its end, what came after.
_TAGS: Final = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "c": -1, "rc": -1, "pre": -1}
_END, _AFTER, _NUMBER = 0, 1, 2


class Range(Struct, frozen=True, array_like=True):
    """Versions from `introduced` on, up to below `fixed`, or `last` itself; "" for no end."""

    introduced: str
    fixed: str = ""
    last: str = ""


class Advisory(Struct, frozen=True, array_like=True):
    """One advisory about one package. versions: listed one by one; ranges: beside them."""

    id: str
    summary: str
    versions: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()


class Known(Struct, frozen=True):
    """What this machine holds. ecosystems: those whose advisories are all here, as OSV names them.

    about: advisories about (ecosystem, name).
    """

    ecosystems: frozenset[str]
    about: Callable[[str, str], Iterable[Advisory]]


class Vulnerable:
    """look: gives what is known. asked: what is unknown is a skip, not left out."""

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(self, look: Callable[[], Known], *, asked: bool = False) -> None:
        self._look = look
        self._asked = asked

    def judge(self, subject: Subject) -> Result:
        """See `Check.judge`. Only pins that the change brought."""
        new = [(each, pin) for each in subject.changes for pin in _new(each)]
        strange = [each.path for each in subject.changes if each.after and is_strange(each.path)]
        if not new:
            return self._left(strange) if strange else nothing(NAME, "no new pin of a version")
        known = self._look()
        held = [(each, pin) for each, pin in new if pin.ecosystem in known.ecosystems]
        found = tuple(
            _finding(change, pin, advisory)
            for change, pin in held
            for advisory in known.about(pin.ecosystem, pin.name)
            if affects(advisory, pin.version)
        )
        unknown = _unknown([pin for _, pin in new], known.ecosystems)
        if not found and (not held or (self._asked and (unknown or strange))):
            return self._left(strange, unknown)
        saw = (counted(len(held), "new pin"), unknown, _unread(strange))
        return judged(NAME, found, "; ".join(filter(None, saw)))

    def _left(self, strange: list[str], unknown: str = "") -> Result:
        """INVARIANT: what nothing here can tell has not passed."""
        said = "; ".join(filter(None, (unknown, _unread(strange))))
        return skipped(NAME, said) if self._asked else nothing(NAME, said)


def affects(advisory: Advisory, version: str) -> bool:
    """Is this version among those that the advisory names?"""
    return version in advisory.versions or any(_within(each, version) for each in advisory.ranges)


def order(version: str) -> tuple[tuple[int, int], ...]:
    """A key by which versions sort: numbers, then tags below a release, `post` above it.

    Close to PEP 440 and SemVer for versions that were published; epochs and local parts are not
    weighed.
    """
    parts = _PART.findall(version.lower().partition("+")[0].removeprefix("v"))
    numbers = len(list(takewhile(str.isdigit, parts)))
    release = [int(part) for part in parts[:numbers]]
    while release and not release[-1]:
        release.pop()
    plain = ((_NUMBER, number) for number in release)
    return (*plain, *(_part(part) for part in parts[numbers:]), (_END, 0))


def _part(part: str) -> tuple[int, int]:
    return (_NUMBER, int(part)) if part.isdigit() else (_TAGS.get(part, _AFTER), 0)


def _within(span: Range, version: str) -> bool:
    at = order(version)
    if span.introduced not in {"", "0"} and at < order(span.introduced):
        return False
    if span.fixed:
        return at < order(span.fixed)
    return not span.last or at <= order(span.last)


def _unknown(new: list[Pin], ecosystems: frozenset[str]) -> str:
    """Which pins nothing is known about, "" when there are none."""
    lacking = sorted({pin.ecosystem for pin in new} - ecosystems)
    if not lacking:
        return ""
    pins = counted(sum(pin.ecosystem in lacking for pin in new), "new pin")
    hint = "hint: `halfdoor gate sync FILE`"
    return f"unknown: {pins}, no advisories of {', '.join(lacking)} are here; {hint}"


def _unread(strange: list[str]) -> str:
    hint = "hint: ask a scanner that knows them"
    return f"{', '.join(strange)} not read: a form that is not known here; {hint}" * bool(strange)


def _new(change: Change) -> Iterator[Pin]:
    if not is_lock(change.path) or not change.after:
        return
    had = set(pins(change.path, text(change.before)))
    for pin in dict.fromkeys(pins(change.path, text(change.after))):
        if pin not in had:
            yield pin


def _finding(change: Change, pin: Pin, advisory: Advisory) -> Finding:
    lines = lines_of(text(change.after))
    line = next((n for n, said in enumerate(lines, 1) if pin.name in said.lower()), 1)
    ends = [each.fixed for each in advisory.ranges if each.fixed and _within(each, pin.version)]
    hint = f"use {ends[0]} or later" if ends else "use a version that it does not name, or another"
    said = f"{pin.name} {pin.version} is known to be vulnerable: {advisory.id} {advisory.summary}"
    return Finding(NAME, change.path, line, 1, advisory.id, said.strip(), hint, "CWE-1395")
