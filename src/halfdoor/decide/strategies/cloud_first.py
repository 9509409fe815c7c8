"""`cloud_first`: wider zones first; as configured within a zone."""

from halfdoor.canon.decision import Target
from halfdoor.decide.route import Situation


def cloud_first(permitted: tuple[Target, ...], _situation: Situation) -> tuple[Target, ...]:
    """Cloud before network before device; the sort is stable."""
    return tuple(sorted(permitted, key=lambda target: -target.zone))
