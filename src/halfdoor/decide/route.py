"""Verdict → plan: the permitted targets in the order in which they will be tried."""

from collections.abc import Callable

from msgspec import Struct

from halfdoor.canon.decision import Target, Verdict
from halfdoor.canon.scene import Scene, Unwell


def none_counted(_card: str) -> int:
    """Nobody asked for tokens."""
    return 0


class Situation(Struct, frozen=True):
    """What a strategy may know besides the targets.

    input_tokens: of the request, estimated for a card by its name.
    output_tokens: of its answer, a guess.
    warm: the card whose cache holds this session's last prompt, "" if none is known to.
    """

    scene: Scene
    input_tokens: Callable[[str], int] = none_counted
    output_tokens: int = 0
    warm: str = ""


# Orders permitted targets. It may drop targets, never add one.
Strategy = Callable[[tuple[Target, ...], Situation], tuple[Target, ...]]


def plan(
    verdict: Verdict, situation: Situation, strategy: Strategy, *, latched: str = ""
) -> tuple[Target, ...]:
    """Order what the verdict permits. latched: the card whose tool calls are being answered, or "".

    INVARIANT: only permitted targets are ever in a plan, whatever a strategy returns.
    INVARIANT: inside a tool loop the model that made the calls comes first (promise 7), unless it
    has just failed.
    What has just failed comes last: asked only if all others fail, too.
    """
    permitted = {target.name: target for target in verdict.permitted}
    chosen = strategy(verdict.permitted, situation)
    ordered = {t.name: permitted[t.name] for t in chosen if t.name in permitted}
    first = ordered.pop(latched, None)
    rest = _least_waiting(tuple(ordered.values()), situation.scene)
    chosen = rest if first is None else (first, *rest)
    if not situation.scene.unwell:
        return chosen
    return tuple(sorted(chosen, key=lambda target: unwell(target, situation.scene) is not None))


def _least_waiting(targets: tuple[Target, ...], scene: Scene) -> tuple[Target, ...]:
    """Those that should rather not be asked come last; the sort is stable."""
    if not scene.queues:
        return targets
    return tuple(sorted(targets, key=lambda target: bool(busy(target, scene))))


def busy(target: Target, scene: Scene) -> str:
    """How much a target's engine has to do, where others should rather be asked; else ""."""
    depth = scene.queues.get(target.backend)
    if depth is None or depth.overflow is None:
        return ""
    if depth.overflows:
        return f"{depth.waits} waiting"
    return "would swap" if depth.swaps(target.model_id) else ""


def unwell(target: Target, scene: Scene) -> Unwell | None:
    """How a target has just failed, None if it has not."""
    found = scene.unwell.get((target.backend, target.model_id))
    return found or scene.unwell.get((target.backend, ""))


def preferring(names: tuple[str, ...], strategy: Strategy, within: Strategy | None) -> Strategy:
    """A strategy that puts the named cards first, in that order or in the order of `within`."""
    places = {name: place for place, name in enumerate(names)}

    def preferred(permitted: tuple[Target, ...], situation: Situation) -> tuple[Target, ...]:
        named = tuple(target for target in permitted if target.name in places)
        named = tuple(sorted(named, key=lambda target: places[target.name]))
        rest = tuple(target for target in permitted if target.name not in places)
        return (
            *(within(named, situation) if within else named),
            *strategy(rest, situation),
        )

    return preferred
