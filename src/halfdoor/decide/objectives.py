"""How fast a backend uses up what its objective lets it fail: burn rates over several windows.

A burn rate of 1 uses the allowance up exactly by the end of whatever time the objective is meant
for; 14.4 uses 2 % of a month's in an hour. An alarm wants a long window, so that a moment's trouble
wakes nobody, and a short one with it, so that it ends soon after the trouble does.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from halfdoor.canon.objectives import Counted, Objective

# What is allowed to fail, and how much of it did: named as the configuration has them.
AVAILABILITY: Final = "availability"
FIRST_TOKEN: Final = "first_token"  # noqa: S105  what a model writes first

# Name and seconds.
WINDOWS: Final = {"5m": 300, "30m": 1_800, "1h": 3_600, "6h": 21_600, "3d": 259_200}
# One or two bad calls of a quiet hour are chance.
LEAST_BAD: Final = 3


class Pair(Struct, frozen=True):
    """An alarm: both windows must burn at least so fast. urgent: now, or on the next workday."""

    long: str
    short: str
    burn: float
    urgent: bool


# Of an allowance for 30 days these use 2 % in an hour, 5 % in six hours, 10 % in three days.
PAIRS: Final = (
    Pair("1h", "5m", 14.4, urgent=True),
    Pair("6h", "30m", 6.0, urgent=True),
    Pair("3d", "6h", 1.0, urgent=False),
)


class Level(Struct, frozen=True):
    """How one objective of a backend stands. what: `availability` or `first_token`.

    target: the share that must be good. bad, of: calls, by window.
    """

    backend: str
    what: str
    target: float
    bad: Mapping[str, int]
    of: Mapping[str, int]

    def burn(self, window: str) -> float:
        """See `burn`."""
        return burn(self.bad[window], self.of[window], self.target)

    def good(self, window: str) -> float | None:
        """The share that was good, None of no calls."""
        return 1 - self.bad[window] / self.of[window] if self.of[window] else None

    @property
    def alarm(self) -> Pair | None:
        """The most urgent pair that burns, None where all is well."""
        return next((pair for pair in PAIRS if self._burns(pair)), None)

    def _burns(self, pair: Pair) -> bool:
        fast = all(self.burn(window) >= pair.burn for window in (pair.long, pair.short))
        return fast and self.bad[pair.long] >= LEAST_BAD


def burn(bad: int, of: int, target: float) -> float:
    """The share that was bad over the share that may be; 0 of no calls. target: below 1."""
    return bad / of / (1 - target) if of else 0.0


def levels(objective: Objective, counted: Mapping[str, Counted]) -> tuple[Level, ...]:
    """What was counted in each window, against what was promised."""
    found = []
    if objective.availability is not None:
        bad = {window: each.failed for window, each in counted.items()}
        of = {window: each.calls for window, each in counted.items()}
        name = objective.backend
        found.append(Level(name, AVAILABILITY, objective.availability, bad, of))
    if objective.first_tenths is not None:
        bad = {window: each.late for window, each in counted.items()}
        of = {window: each.streamed for window, each in counted.items()}
        found.append(Level(objective.backend, FIRST_TOKEN, objective.first_share, bad, of))
    return tuple(found)
