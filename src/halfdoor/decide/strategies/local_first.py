"""`local_first`: narrower zones first; as configured within a zone."""

from halfdoor.canon.decision import Target
from halfdoor.decide.route import Situation


def local_first(permitted: tuple[Target, ...], _situation: Situation) -> tuple[Target, ...]:
    """Device before network before cloud; the sort is stable."""
    return tuple(sorted(permitted, key=lambda target: target.zone))
