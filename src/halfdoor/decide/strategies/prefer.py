"""`prefer`: the order in which the configuration names the models."""

from halfdoor.canon.decision import Target
from halfdoor.decide.route import Situation


def prefer(permitted: tuple[Target, ...], _situation: Situation) -> tuple[Target, ...]:
    """As configured."""
    return permitted
