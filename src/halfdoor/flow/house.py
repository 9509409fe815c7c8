"""The house: every pure thing the line needs, chosen once by `wiring.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Protocol

from halfdoor.canon.cards import Card
from halfdoor.canon.money import Budget
from halfdoor.canon.plans import Plan
from halfdoor.canon.request import Request
from halfdoor.canon.routes import Route
from halfdoor.decide.names import Names
from halfdoor.decide.route import Strategy
from halfdoor.decide.rules import RuleBook
from halfdoor.decide.strategies import STRATEGIES
from halfdoor.detect.paths import PathDetector
from halfdoor.detect.survey import Found
from halfdoor.detect.task import AskReader
from halfdoor.dialects.base import Dialect
from halfdoor.reading.prints import Prints
from halfdoor.reading.tokens import Scales


class Survey(Protocol):
    """Reads every part of a request once and says what is in it."""

    detectors_hash: str

    def survey(self, request: Request) -> Found:
        """Raises ClientError when a part is malformed; never for a detector that fails."""


@dataclass(frozen=True, slots=True)
class House:
    """names: who stands behind each name. policy_hash: hex hash of the rules in force.

    mac: keyed hash (hex) for the log.
    strategy: the name of what orders models where no route says otherwise.
    routes: rules for the choice; the first that matches holds. asks: reads what they match.
    time_zone: where the hours of routes are counted, None for the machine's own.
    paths: finds the globs of the rules in force, for paths that are no part of a block.
    hold_for: tools whose streams are held until they are complete.
    scales: what a token weighs, by model; it learns from every answer.
    """

    dialects: Mapping[str, Dialect]
    cards: tuple[Card, ...]
    names: Names
    book: RuleBook
    strategy: str
    surveyor: Survey
    paths: PathDetector
    prints: Prints
    mac: Callable[[bytes], str]
    policy_hash: str
    budgets: tuple[Budget, ...] = ()
    plans: tuple[Plan, ...] = ()
    hold_for: frozenset[str] = frozenset()
    scales: Scales = field(default_factory=Scales)
    strategies: Mapping[str, Strategy] = field(default_factory=lambda: STRATEGIES)
    routes: tuple[Route, ...] = ()
    asks: AskReader = field(default_factory=AskReader)
    time_zone: tzinfo | None = UTC
