"""Verdict → plan: the permitted targets in the order in which they will be tried."""

from collections.abc import Callable

from halfdoor.canon.decision import Target, Verdict
from halfdoor.canon.scene import Scene, Unwell

# Orders permitted targets. It may drop targets, never add one.
Strategy = Callable[[tuple[Target, ...], Scene], tuple[Target, ...]]


def plan(
    verdict: Verdict, scene: Scene, strategy: Strategy, *, latched: str = ""
) -> tuple[Target, ...]:
    """Order what the verdict permits. latched: the card whose tool calls are being answered, or "".

    INVARIANT: only permitted targets are ever in a plan, whatever a strategy returns.
    INVARIANT: inside a tool loop the model that made the calls comes first (promise 7), unless it
    has just failed.
    What has just failed comes last: asked only if all others fail, too.
    """
    permitted = {target.name: target for target in verdict.permitted}
    chosen = strategy(verdict.permitted, scene)
    ordered = {t.name: permitted[t.name] for t in chosen if t.name in permitted}
    first = ordered.pop(latched, None)
    rest = _least_waiting(tuple(ordered.values()), scene)
    chosen = rest if first is None else (first, *rest)
    if not scene.unwell:
        return chosen
    return tuple(sorted(chosen, key=lambda target: unwell(target, scene) is not None))


def _least_waiting(targets: tuple[Target, ...], scene: Scene) -> tuple[Target, ...]:
    """Those whose queue is longer than it should be come last; the sort is stable."""
    if not scene.queues:
        return targets
    over = {name for name, depth in scene.queues.items() if depth.overflows}
    return tuple(sorted(targets, key=lambda target: target.backend in over))


def unwell(target: Target, scene: Scene) -> Unwell | None:
    """How a target has just failed, None if it has not."""
    found = scene.unwell.get((target.backend, target.model_id))
    return found or scene.unwell.get((target.backend, ""))
