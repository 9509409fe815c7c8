"""Formatting, by ruff, in projects that say that they format with it."""

from typing import Final

from msgspec.structs import replace

from halfdoor.canon.checks import Change, Finding, Subject
from halfdoor.verify.base import Steps, nothing
from halfdoor.verify.languages import is_python
from halfdoor.verify.ruff import RuffCheck
from halfdoor.verify.ruff_settings import CONFIGS, READS, config_above, formats

NAME: Final = "format"


class Format:
    """New files, and those that were formatted, are. asked: also without settings that say so."""

    name = NAME
    reads: tuple[str, ...] = READS

    def __init__(self, *, asked: bool = False) -> None:
        self._asked = asked

    def judge(self, subject: Subject) -> Steps:
        """See `Check.judge`."""
        changes = tuple(
            each for each in subject.changes if self._asked or _formatted(subject, each.path)
        )
        if not changes:
            return nothing(NAME, f"no `format` in {', '.join(CONFIGS)}")
        own = any(any(config_above(subject, each.path)) for each in changes)
        return (yield from _Formatted(own=own).judge(replace(subject, changes=changes)))


def _formatted(subject: Subject, path: str) -> bool:
    """Do settings above a file say how it is formatted?"""
    above = config_above(subject, path) if is_python(path) else ()
    return any(formats(subject.settings[each], each) for each in above)


class _Formatted(RuffCheck):
    def __init__(self, *, own: bool) -> None:
        super().__init__(NAME, ("format", "--check"), own=b"" if own else None)

    def _new(
        self, _changes: list[Change], had: tuple[Finding, ...], found: tuple[Finding, ...]
    ) -> tuple[Finding, ...]:
        """A file that was not formatted need not be after the change."""
        loose = {each.path for each in had}
        return tuple(
            Finding(NAME, each.path, each.line, each.column, each.code, _SAID, _HINT)
            for each in found
            if each.path not in loose
        )


_SAID: Final = "the file is not formatted, from here on"
_HINT: Final = "run `ruff format`"
