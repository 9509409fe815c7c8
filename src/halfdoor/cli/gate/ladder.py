"""The checks that settings ask for, in the order in which they are climbed: the cheapest first."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from halfdoor.canon.checks import Result
from halfdoor.cli.gate.local import advisories, exchanges, restricted
from halfdoor.config.tables.gate import Gate
from halfdoor.reading.engine import NATIVE, Engine
from halfdoor.reading.globs import matcher
from halfdoor.verify.applies import Applies
from halfdoor.verify.ast_grep import ast_grep
from halfdoor.verify.bandit import NAME as BANDIT
from halfdoor.verify.bandit import bandit
from halfdoor.verify.base import Check, nothing
from halfdoor.verify.complete import Complete
from halfdoor.verify.examples import Examples
from halfdoor.verify.formatting import Format
from halfdoor.verify.imports import Imports
from halfdoor.verify.licence import Licence
from halfdoor.verify.lint import Lint
from halfdoor.verify.review import Review
from halfdoor.verify.rules import Rules, Template, is_test
from halfdoor.verify.scripts import Apart, Modules, Named
from halfdoor.verify.secrets import Secrets
from halfdoor.verify.security import Security
from halfdoor.verify.semgrep import NAME as SEMGREP
from halfdoor.verify.semgrep import semgrep
from halfdoor.verify.syntax import Syntax
from halfdoor.verify.tests import ProjectTests
from halfdoor.verify.trace import Look, Trace
from halfdoor.verify.types import Types
from halfdoor.verify.vulnerable import NAME as VULNERABLE
from halfdoor.verify.vulnerable import Vulnerable

# From here on hyperscan's 0.3 s are soon won back.
_LARGE_BYTES: Final = 400_000


class Engines:
    """Gives the one engine of a run, made when somebody first has something to scan.

    For a small change RE2 alone: compiling the table for hyperscan takes longer than to read it.
    """

    def __init__(self) -> None:
        self._made: Engine | None = None

    def __call__(self, size: int) -> Engine:
        """size: of what is to be scanned, in bytes; that of the first who asks decides."""
        from halfdoor.reading.secret_formats import FORMATS  # noqa: PLC0415  only when text changed

        if self._made is None:
            self._made = Engine(FORMATS, native=NATIVE and size > _LARGE_BYTES)
        return self._made


def ladder(
    settings: Gate, state_dir: Path, engine: Callable[[int], Engine]
) -> tuple[tuple[Check, ...], tuple[Result, ...]]:
    """The checks to make, and a result for each that the settings leave out.

    state_dir: halfdoor's own, for what this machine knows; it need not exist. engine: as `Engines`.
    """
    all_: tuple[Check, ...] = (
        Applies(),
        Named(Complete()),
        Named(Syntax(settings.languages)),
        (Named if settings.lint else Apart)(Lint(settings.lint)),
        Modules(Format(asked=settings.format)),
        Named(Security(noqa=settings.noqa)),
        Named(Imports(settings.allow_imports)),
        Secrets(engine, lambda: restricted(state_dir)),
        Named(Licence(settings.licences)),
        Vulnerable(lambda: advisories(state_dir), asked=VULNERABLE in settings.ask),
        _rules(settings),
        Review(matcher(each.match for each in settings.paths if each.review)),
        Trace(required=settings.require_trace, look=_log(settings, state_dir)),
        *_slower(settings),
    )
    off = frozenset(settings.off)
    left = tuple(nothing(each.name, "off in [gate]") for each in all_ if each.name in off)
    return tuple(each for each in all_ if each.name not in off), left


def _slower(settings: Gate) -> Iterator[Check]:
    """Those that need a tool of their own, or run the project's code."""
    ask = frozenset(settings.ask)
    yield Types(asked=Types.name in ask)
    yield Named(bandit(asked=BANDIT in ask))
    yield Named(semgrep(asked=SEMGREP in ask, rules=settings.semgrep))
    yield Named(ast_grep(settings.ast_grep))
    yield Examples(asked=Examples.name in ask)
    helps = matcher(settings.tests)
    yield ProjectTests(asked=ProjectTests.name in ask, suite=settings.suite, helps=helps)


def _log(settings: Gate, state_dir: Path) -> Look | None:
    return exchanges(state_dir) if settings.require_trace else None


def _rules(settings: Gate) -> Rules:
    templates = (Template(matcher([each.match]), each.lines) for each in settings.templates)
    tested = matcher(settings.require_tests) if settings.require_tests else None
    return Rules(settings.forbid_imports, tested, is_test(settings.tests), templates)
