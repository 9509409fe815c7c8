"""Whether a session leaves the model whose cache holds its prompt: when that pays, or it must.

A prompt that is in a vendor's cache costs less there than anywhere else, so what a route or a
strategy would rather have is weighed against it, once an ask:

- It must leave a model that may not answer, cannot take the prompt, has just failed or is busy.
- Where the strategy itself would rather have another (it is back, or cheaper by now), leaving is
  for good: done if this one turn is cheaper there, though it reads the prompt anew. A session does
  so once; then it moves again only for a clear gain, and so never to and fro.
- Where another route matched than the one by which the session came, it will be back: done if this
  turn saves what the cache is worth, which is the price of the way back. That is then paid for.
- A cache that is worth nothing, as on this device, holds nobody.

All this is of one ask: inside a tool loop nothing moves (`route.plan`), and after `WARM_MS` without
an answer, or when the conversation was shortened, there is no cache to lose.
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.decision import Target
from halfdoor.canon.record import Leaving
from halfdoor.canon.scene import Pin, Scene
from halfdoor.decide.route import Situation, busy, unwell
from halfdoor.decide.strategies.cheapest import expected

# How long vendors keep a prompt in their caches after its last use.
WARM_MS: Final = 300_000
# A session that has moved once moves again only if the turn is cheaper by this part of its cost.
CLEARLY: Final = 0.1
# A prompt with less than this part of the tokens of the last one is another prompt.
_SHORTENED: Final = 0.5

# Why a session stayed, or did not: all that `Leaving.why` can be.
STAYS: Final = "stays"
PAYS: Final = "pays"
NOTHING_LOST: Final = "nothing-lost"
BACK: Final = "back"
UNPRICED: Final = "unpriced"
UNWELL: Final = "unwell"
BUSY: Final = "busy"
LEFT_OUT: Final = "left-out"


class Stayed(Struct, frozen=True):
    """The plan, and what is remembered of its session once it answers.

    INVARIANT: the targets are those that came; only who is first may differ.
    leaving: what was weighed, None where nobody had to choose.
    came, home: see `Pin`, of the first target. moved: had the session moved of its own will
    before? moves: it does now.
    """

    targets: tuple[Target, ...]
    leaving: Leaving | None = None
    came: str = ""
    home: str = ""
    moved: bool = False
    moves: bool = False

    def pin(self, model: str, route: str, at_ms: int, tokens: int) -> Pin:
        """Who answered, for the session's next turn."""
        if self.targets and model == self.targets[0].name:
            moved = self.moved or self.moves
            return Pin(model, route, at_ms, tokens, self.came, self.home, moved)
        return Pin(model, route, at_ms, tokens, route, moved=self.moved)


def stayed(
    targets: tuple[Target, ...], situation: Situation, route: str, *, looping: bool
) -> Stayed:
    """The plan with the session's own model first, unless the session leaves it.

    route: by which this ask goes, "" for none. looping: its model waits for results of its calls.
    """
    pin = situation.scene.pin
    if not targets or pin is None or not _recent(pin, situation.scene):
        return Stayed(targets, came=route)
    first = targets[0]
    if first.name == pin.model:
        return Stayed(targets, None, pin.came, pin.home, pin.moved)
    if looping or not holder(situation):
        return Stayed(targets, came=route, moved=looping and pin.moved)
    tokens = situation.input_tokens(pin.model)
    own = next((target for target in targets if target.name == pin.model), None)
    must = LEFT_OUT if own is None else _must(own, first, situation.scene)
    if own is None or must:
        forced = Leaving(pin.model, first.name, must, tokens)
        return Stayed(targets, forced, came=route, moved=pin.moved)
    leaving = _judged(own, first, pin, route, replace(situation, warm=pin.model))
    if leaving.why == STAYS:
        rest = tuple(target for target in targets if target is not own)
        return Stayed((own, *rest), leaving, pin.came, pin.home, pin.moved)
    return _left(targets, leaving, pin, route)


def holder(situation: Situation) -> str:
    """The card whose cache holds this session's prompt, "" if none is known to."""
    pin = situation.scene.pin
    if pin is None or not _recent(pin, situation.scene):
        return ""
    shortened = situation.input_tokens(pin.model) < pin.tokens * _SHORTENED
    return "" if shortened else pin.model


def _recent(pin: Pin, scene: Scene) -> bool:
    return scene.now_ms - pin.at_ms <= WARM_MS


def _must(own: Target, first: Target, scene: Scene) -> str:
    """Why it cannot stay, where another can do better."""
    if unwell(own, scene) and not unwell(first, scene):
        return UNWELL
    return BUSY if busy(own, scene) and not busy(first, scene) else ""


def _judged(own: Target, first: Target, pin: Pin, route: str, situation: Situation) -> Leaving:
    stay, go = expected(own, situation), expected(first, situation)
    anew = expected(own, replace(situation, warm=""))
    worth = None if stay is None or anew is None else anew - stay
    if first.name == pin.home:
        why = BACK
    elif stay is None or go is None or worth is None:
        why = STAYS if pin.moved and route == pin.came else UNPRICED
    else:
        why = _priced(stay, go, worth, visit=route != pin.came, moved=pin.moved)
    return Leaving(own.name, first.name, why, situation.input_tokens(own.name), worth, stay, go)


def _priced(stay: int, go: int, worth: int, *, visit: bool, moved: bool) -> str:
    saves = stay - go
    if visit:
        if not worth:
            return NOTHING_LOST
        return PAYS if saves >= worth else STAYS
    if moved:
        return PAYS if saves > stay * CLEARLY else STAYS
    if saves > 0:
        return PAYS
    return STAYS if worth else NOTHING_LOST


def _left(targets: tuple[Target, ...], leaving: Leaving, pin: Pin, route: str) -> Stayed:
    if route == pin.came:
        return Stayed(targets, leaving, route, moved=pin.moved, moves=True)
    # The way back is paid for only where the visit itself has saved it.
    home = pin.model if leaving.why == PAYS else ""
    return Stayed(targets, leaving, route, home, pin.moved)
