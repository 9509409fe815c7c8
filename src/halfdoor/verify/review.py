"""Paths that a person must look at: each commit that changes them names a reviewer.

A trailer is a claim that anybody can write, a tool too: whoever must be certain protects the branch
as well. The gate makes sure that nobody forgets.
"""

import re
from collections.abc import Iterator
from typing import Final

from halfdoor.canon.checks import Commit, Finding, Result, Subject
from halfdoor.verify.base import judged, nothing
from halfdoor.verify.fresh import counted
from halfdoor.verify.rules import Matches

NAME: Final = "review"
TRAILER: Final = "Reviewed-by"
_ADDRESS: Final = re.compile(r"<([^<>\s@]++@[^<>\s]++)>\s*+$")


class Review:
    """matches: paths that need a person, None when none do."""

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(self, matches: Matches | None = None) -> None:
        self._matches = matches

    def judge(self, subject: Subject) -> Result:
        """See `Check.judge`. Before there are commits there is nobody to have reviewed them."""
        paths = [each.path for each in subject.changes if self._wants(each.path, each.was)]
        if not paths:
            return nothing(NAME, "no path that needs a person")
        if not subject.commits:
            return nothing(
                NAME, f"a person must look at {', '.join(paths[:3])} before it is merged"
            )
        found = tuple(finding for each in subject.commits for finding in self._lacking(each))
        named = {path for each in subject.commits for path in each.paths}
        found += tuple(_unnamed(path) for path in paths if path not in named)
        return judged(NAME, found, counted(len(subject.commits), "commit"))

    def _wants(self, *paths: str) -> bool:
        return self._matches is not None and any(self._matches(path) for path in paths if path)

    def _lacking(self, commit: Commit) -> Iterator[Finding]:
        touched = [path for path in commit.paths if self._wants(path)]
        if touched and not any(_by_another(commit, *trailer) for trailer in commit.trailers):
            said = f"commit {commit.id[:12]} changes this without a person's review"
            hint = f"have somebody else look, and add `{TRAILER}: Name <address>` to its message"
            yield Finding(NAME, touched[0], 0, 0, "unreviewed", said, hint)


def _unnamed(path: str) -> Finding:
    said = "this changed, and no commit of the range says so"
    hint = "have a person look at the merges of the range"
    return Finding(NAME, path, 0, 0, "unreviewed", said, hint)


def _by_another(commit: Commit, name: str, value: str) -> bool:
    """Does this trailer name a reviewer who is not the author?"""
    found = _ADDRESS.search(value)
    return (
        name.lower() == TRAILER.lower()
        and found is not None
        and found[1].lower() != commit.author.lower()
    )
