"""Commits that a coding tool had a hand in name the exchange that their lines came from.

What a tool wrote is told by the trailers that tools put on their commits: halfdoor keeps no text of
answers, so it cannot know a line again by itself. A commit that hides its tool is not found.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from halfdoor.canon.checks import Commit, Finding, Result, Subject
from halfdoor.verify.base import judged, nothing
from halfdoor.verify.fresh import counted

NAME: Final = "trace"
TRAILER: Final = "Halfdoor-Exchange"
_ID: Final = re.compile(r"hd_[0-9a-hjkmnp-tv-z]{26}")
_HELPED: Final = frozenset({"co-authored-by", "assisted-by", "generated-by", "generated-with"})
# As the tools write themselves (their own commits, 2026-11).
_TOOLS: Final = re.compile(
    r"(?i)\b(?:claude|codex|copilot|cursor|aider|opencode|gemini|windsurf|devin|cline|continue"
    r"|amp|goose|qwen|jules)\b|\[bot\]"
)

# Is an exchange in the log? None where there is no log to ask.
Known = Callable[[str], bool]


class Trace:
    """required: is the trailer asked for? known: tells whether an exchange is in the log."""

    name = NAME
    reads: tuple[str, ...] = ()

    def __init__(self, *, required: bool, known: Known | None = None) -> None:
        self._required = required
        self._known = known

    def judge(self, subject: Subject) -> Result:
        """See `Check.judge`."""
        if not self._required:
            return nothing(NAME, "[gate] has no `require_trace`")
        if not subject.commits:
            return nothing(NAME, "there is no commit yet")
        found = tuple(finding for each in subject.commits for finding in self._lacking(each))
        asked = "" if self._known else "; no log here to look them up in"
        return judged(NAME, found, counted(len(subject.commits), "commit") + asked)

    def _lacking(self, commit: Commit) -> Iterator[Finding]:
        named = [value for name, value in commit.trailers if name.lower() == TRAILER.lower()]
        if not named and _helped(commit):
            said = f"commit {commit.id[:12]} had a coding tool's help and names no exchange"
            hint = f"add `{TRAILER}: ID`; `halfdoor ps` lists them"
            yield Finding(NAME, "", 0, 0, "untraced", said, hint)
        for each in named:
            if not _ID.fullmatch(each):
                said = f"commit {commit.id[:12]} names `{each[:40]}`, which is no exchange's id"
                yield Finding(NAME, "", 0, 0, "no-exchange", said, "`halfdoor ps` lists them")
            elif self._known and not self._known(each):
                said = f"commit {commit.id[:12]} names {each}, which is not in the log"
                yield Finding(NAME, "", 0, 0, "no-exchange", said, "`halfdoor ps` lists them")


def _helped(commit: Commit) -> bool:
    """Does the commit say that a tool wrote some of it?"""
    told = [value for name, value in commit.trailers if name.lower() in _HELPED]
    return any(_TOOLS.search(each) for each in (*told, commit.author))
