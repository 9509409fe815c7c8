"""Commits that a coding tool had a hand in name the exchange that their lines came from.

What a tool wrote is told by how tools sign their commits (`signed.py`). An exchange that is named
is looked up: it is in the log, it was over before the commit, and it gave an answer. The log keeps
no text of answers, nor hashes of them, so it cannot tell whether these lines were in it, and a
commit that hides its tool is not found.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from halfdoor.canon.checks import Commit, Finding, Result, Subject
from halfdoor.verify.base import judged, nothing, skipped
from halfdoor.verify.fresh import counted
from halfdoor.verify.signed import is_tool

NAME: Final = "trace"
TRAILER: Final = "Halfdoor-Exchange"
_ID: Final = re.compile(r"hd_[0-9a-hjkmnp-tv-z]{26}")
_HELPED: Final = frozenset({"co-authored-by", "assisted-by", "generated-by", "generated-with"})
# Without an answer, and so without lines that could have come from it.
_NO_ANSWER: Final = frozenset({"refused", "failed", "counted"})


class Traced(Struct, frozen=True):
    """What the log holds of an exchange.

    time: when it was decided, RFC 3339, UTC. result: as in its outcome, "" while it has none.
    """

    time: str
    result: str = ""


# What the log holds of an exchange, None when it has none of this id.
Look = Callable[[str], Traced | None]


class Trace:
    """required: is the trailer asked for? look: None where there is no log to ask."""

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(self, *, required: bool, look: Look | None = None) -> None:
        self._required = required
        self._look = look

    def judge(self, subject: Subject) -> Result:
        """See `Check.judge`. What was named and could not be looked up was not judged."""
        if not self._required:
            return nothing(NAME, "[gate] has no `require_trace`")
        if not subject.commits:
            return nothing(NAME, "there is no commit yet")
        found = tuple(finding for each in subject.commits for finding in self._lacking(each))
        named = sum(len(_named(each)) for each in subject.commits)
        said = f"{counted(len(subject.commits), 'commit')}, {counted(named, 'exchange')} named"
        if named and not found and self._look is None:
            return skipped(NAME, f"{said}, and there is no log here to look them up in")
        return judged(NAME, found, f"{said}; that their answers held these lines is not kept")

    def _lacking(self, commit: Commit) -> Iterator[Finding]:
        named = _named(commit)
        if not named and _helped(commit):
            said = "had a coding tool's help and names no exchange"
            hint = f"add `{TRAILER}: ID`; `halfdoor ps` lists them"
            yield _finding(commit, "untraced", said, hint)
        for each in named:
            if not _ID.fullmatch(each):
                said = f"names `{each[:40]}`, which is no exchange's id"
                yield _finding(commit, "no-exchange", said)
            elif self._look and (said := _unlike(commit, each, self._look(each))):
                yield _finding(commit, "no-exchange", said)


def _named(commit: Commit) -> tuple[str, ...]:
    return tuple(value for name, value in commit.trailers if name.lower() == TRAILER.lower())


def _unlike(commit: Commit, exchange: str, held: Traced | None) -> str:
    """Why the commit's lines cannot have come from this exchange, "" when they can."""
    if held is None:
        return f"names {exchange}, which is not in the log"
    if held.result in _NO_ANSWER:
        return f"names {exchange}, which gave no answer ({held.result})"
    # Git's clock counts in whole seconds.
    if commit.time and held.time[:19] > commit.time[:19]:
        return f"names {exchange}, which began after the commit was made"
    return ""


def _finding(
    commit: Commit, code: str, said: str, hint: str = "`halfdoor ps` lists them"
) -> Finding:
    return Finding(NAME, "", 0, 0, code, f"commit {commit.id[:12]} {said}", hint)


def _helped(commit: Commit) -> bool:
    """Does the commit say that a tool wrote some of it?"""
    told = [value for name, value in commit.trailers if name.lower() in _HELPED]
    return any(is_tool(each) for each in (*told, commit.author))
