"""Formatting, by ruff, in projects that say that they format with it."""

from typing import Final

from halfdoor.canon.checks import Change, Finding, Subject
from halfdoor.verify.base import Steps, nothing
from halfdoor.verify.ruff import CONFIGS, READS, RuffCheck, formats, own_config

NAME: Final = "format"


class Format:
    """New files, and those that were formatted, are. asked: also without settings that say so."""

    name = NAME
    reads: tuple[str, ...] = READS

    def __init__(self, *, asked: bool = False) -> None:
        self._asked = asked

    def judge(self, subject: Subject) -> Steps:
        """See `Check.judge`."""
        config = own_config(subject)
        if not self._asked and not (config and formats(subject.settings[config], config)):
            return nothing(NAME, f"no `format` in {', '.join(CONFIGS)}")
        return (yield from _Formatted(config).judge(subject))


class _Formatted(RuffCheck):
    def __init__(self, config: str) -> None:
        super().__init__(NAME, ("format", "--check"), config)

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
