"""`prefer`: the order in which the configuration names the models."""

from halfdoor.canon.decision import Target
from halfdoor.canon.scene import Scene


def prefer(permitted: tuple[Target, ...], _scene: Scene) -> tuple[Target, ...]:
    """As configured."""
    return permitted
