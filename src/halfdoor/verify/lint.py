"""Lint, by ruff: names that do not exist, code that cannot work; or a team's own rules."""

from typing import Final

from halfdoor.canon.checks import Subject
from halfdoor.verify.base import Steps, skipped
from halfdoor.verify.ruff import RuffCheck
from halfdoor.verify.ruff_settings import READS, config_above

NAME: Final = "lint"
# Faults, not taste: pyflakes, pylint's errors, and what of bugbear is wrong wherever it stands.
RULES: Final = "E9,F,PLE,B002,B003,B006,B012,B016,B025"
# An f-string without a place in it; stars, and each name that may have come by one; a bare `raise`
# in a function that handlers call; an odd hash.
LEFT_OUT: Final = "F541,F403,F405,PLE0704,PLE0309"
# What is wrong in every project, whatever rules it chose.
_ALWAYS: Final = "E9,F63,F7,F82"
# What is imported there is imported for others.
_REEXPORTS: Final = {"__init__.py": "F401", "*.pyi": "F401"}
# Names that a notebook, a type checker or gettext puts into every module.
_BUILTINS: Final = "builtins = ['get_ipython', 'reveal_type', '_']"
# The same as settings, for files that lie below none in a project that has some.
_OURS: Final = "\n".join(
    (
        _BUILTINS,
        f"lint.select = {RULES.split(',')}",
        f"lint.ignore = {LEFT_OUT.split(',')}",
        *(f"lint.per-file-ignores.'{glob}' = ['{code}']" for glob, code in _REEXPORTS.items()),
    )
).encode()


class Lint:
    """config: the path of settings of ruff in the repository; "" for its own, if it has any."""

    name = NAME

    def __init__(self, config: str = "") -> None:
        self._config = config
        self.reads: tuple[str, ...] = (*READS, config) if config else READS

    def judge(self, subject: Subject) -> Steps:
        """See `Check.judge`. A project's own rules hold in place of ours, but for plain faults."""
        config = self._config
        if config and config not in subject.settings:
            return skipped(NAME, f"`{config}`, which [gate] names, is not in the base revision")
        if config or any(any(config_above(subject, each.path)) for each in subject.changes):
            own = None if config else _OURS
            check = RuffCheck(NAME, ("check", "--extend-select", _ALWAYS), config, own)
        else:
            each = (f"{glob}:{code}" for glob, code in _REEXPORTS.items())
            ignored = (word for one in each for word in ("--per-file-ignores", one))
            chosen = ("--select", RULES, "--ignore", LEFT_OUT, "--config", _BUILTINS)
            check = RuffCheck(NAME, ("check", *chosen, *ignored))
        return (yield from check.judge(subject))
