"""The checks that settings ask for, in the order in which they are climbed: the cheapest first."""

from halfdoor.canon.checks import Result
from halfdoor.config.model import Gate
from halfdoor.reading.engine import Engine
from halfdoor.reading.globs import matcher
from halfdoor.verify.applies import Applies
from halfdoor.verify.base import Check, nothing
from halfdoor.verify.complete import Complete
from halfdoor.verify.formatting import Format
from halfdoor.verify.imports import Imports
from halfdoor.verify.licence import Licence
from halfdoor.verify.lint import Lint
from halfdoor.verify.review import Review
from halfdoor.verify.rules import Rules, Template
from halfdoor.verify.secrets import Secrets
from halfdoor.verify.security import Security
from halfdoor.verify.syntax import Syntax


def ladder(settings: Gate) -> tuple[tuple[Check, ...], tuple[Result, ...]]:
    """The checks to make, and a result for each that the settings leave out."""
    all_ = (
        Applies(),
        Complete(),
        Syntax(settings.languages),
        Lint(settings.lint),
        Format(asked=settings.format),
        Security(noqa=settings.noqa),
        Imports(settings.allow_imports),
        Secrets(_engine),
        Licence(settings.licences),
        _rules(settings),
        Review(matcher(each.match for each in settings.paths if each.review)),
    )
    off = frozenset(settings.off)
    left = tuple(nothing(each.name, "off in [gate]") for each in all_ if each.name in off)
    return tuple(each for each in all_ if each.name not in off), left


def _rules(settings: Gate) -> Rules:
    templates = (Template(matcher([each.match]), each.lines) for each in settings.templates)
    tested = matcher(settings.require_tests) if settings.require_tests else None
    return Rules(settings.forbid_imports, tested, matcher(settings.tests), templates)


def _engine() -> Engine:
    """RE2 alone: compiling the whole table for hyperscan costs more than a change is long."""
    from halfdoor.reading.secret_formats import FORMATS  # noqa: PLC0415  only when text changed

    return Engine(FORMATS, native=False)
