"""`local_first`: narrower zones first; as configured within a zone."""

from halfdoor.canon.decision import Target
from halfdoor.canon.scene import Scene


def local_first(permitted: tuple[Target, ...], _scene: Scene) -> tuple[Target, ...]:
    """Device before network before cloud; the sort is stable."""
    return tuple(sorted(permitted, key=lambda target: target.zone))
