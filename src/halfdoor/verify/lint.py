"""Lint, by ruff: names that do not exist, code that cannot work; or a team's own rules."""

from typing import Final

from halfdoor.verify.ruff import RuffCheck

NAME: Final = "lint"
# Faults, not taste: pyflakes, pylint's errors, and what of bugbear is wrong wherever it stands.
RULES: Final = "E9,F,PLE,B002,B003,B006,B012,B016,B018,B023,B025"
# What is imported there is imported for others.
_REEXPORTS: Final = ("__init__.py:F401", "*.pyi:F401")


def lint(config: str = "") -> RuffCheck:
    """The check. config: the team's own settings of ruff in place of `RULES`."""
    if config:
        return RuffCheck(NAME, ("check",), config)
    ignored = (word for each in _REEXPORTS for word in ("--per-file-ignores", each))
    return RuffCheck(NAME, ("check", "--select", RULES, *ignored))
