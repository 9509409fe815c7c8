"""Who should answer, of those who may: the route, the strategy, and what they were judged by.

INVARIANT: nothing here permits anybody. A route applies to names that stand for several models and
never to one that was asked for by its own name (promise 9); inside a tool loop the route and the
model stay (promise 7).
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.asks import Ask
from halfdoor.canon.decision import Target, Verdict
from halfdoor.canon.record import Chosen, Expected
from halfdoor.canon.request import Actor, Kind, Request
from halfdoor.canon.routes import NO_PARAMETERS, Match, Parameters, Route
from halfdoor.canon.scene import Pin, Scene
from halfdoor.decide.choice import Circumstances, route_for
from halfdoor.decide.names import Candidates
from halfdoor.decide.route import Situation, Strategy, plan, preferring
from halfdoor.decide.staying import Stayed, holder
from halfdoor.decide.strategies.cheapest import cheapest, expected
from halfdoor.decide.windows import answer_tokens
from halfdoor.detect.survey import Found
from halfdoor.flow.house import House
from halfdoor.flow.steering import stated
from halfdoor.reading.tokens import Prompt

# An answer of a coding tool, where the request does not set it a shorter limit.
ANSWER_TOKENS: Final = 1000


class Choice(Struct, frozen=True):
    """What was chosen by. latched: the model that stays first, "" outside of a tool loop.

    prompt: the request's tokens, with those of the text that the route adds.
    compared: the models' costs ordered them, so they are shown.
    """

    ask: Ask
    route: Route | None
    strategy: str
    situation: Situation
    prompt: Prompt
    latched: str = ""
    compared: bool = False

    @property
    def name(self) -> str:
        """The route's, "" for none."""
        return self.route.name if self.route else ""

    @property
    def parameters(self) -> Parameters:
        """What the route sets in the request."""
        return self.route.parameters if self.route else NO_PARAMETERS


def choose(
    request: Request,
    actor: Actor,
    found: Found,
    scene: Scene,
    who: Candidates,
    house: House,
    prompt: Prompt,
) -> Choice:
    """The route and the strategy for a request; who: those whom the asked name allows."""
    ask = house.asks.read(request, found.texts.blocks if found.texts else ())
    loop = _in_loop(found)
    pin = scene.pin if loop else None
    route = None
    if house.routes and not who.explicit and request.kind is not Kind.EMBEDDING:
        about = _circumstances(request, actor, ask, scene, house, prompt)
        routes = _kept(pin, house) if pin else house.routes
        route = route_for(routes, about, who.targets)
    strategy = route.strategy if route and route.strategy and not route.models else house.strategy
    latched = (scene.latched or (pin.model if pin else "")) if loop else ""
    prompt = _with_system(prompt, request, route)
    answer = answer_tokens(request, ANSWER_TOKENS)
    situation = Situation(scene, prompt.expected, answer)
    compared = cheapest in {house.strategies[strategy], _within(route, house)}
    if compared:
        situation = replace(situation, warm=holder(situation))
    return Choice(ask, route, strategy, situation, prompt, latched, compared)


def _with_system(prompt: Prompt, request: Request, route: Route | None) -> Prompt:
    """With the text that the route adds to the request; a window and a budget must bear it."""
    if route is None or not route.parameters.system or request.kind is not Kind.CHAT:
        return prompt
    more = len(route.parameters.system.encode())
    return replace(prompt, of=replace(prompt.of, text=prompt.of.text + more))


def _kept(pin: Pin, house: House) -> tuple[Route, ...]:
    """The route by which a tool loop began, whatever has changed that it was matched by."""
    return tuple(replace(each, match=Match()) for each in house.routes if each.name == pin.route)


def _circumstances(
    request: Request,
    actor: Actor,
    ask: Ask,
    scene: Scene,
    house: House,
    prompt: Prompt,
) -> Circumstances:
    """Who will answer is not known yet: tokens are as whoever answered last counts them."""
    last = scene.pin.model if scene.pin else ""
    return Circumstances(
        ask=ask,
        asked=request.model,
        tool=actor.tool,
        token=actor.token,
        project=actor.project,
        minute=lambda: _minute(scene.now_ms, house.time_zone),
        tokens=lambda: prompt.expected(last),
    )


def allowed(who: Candidates, choice: Choice) -> Candidates:
    """The candidates that a route leaves which names the only ones."""
    route = choice.route
    if route is None or not route.only:
        return who
    return replace(who, targets=tuple(t for t in who.targets if t.name in route.models))


def worded(verdict: Verdict, choice: Choice) -> Verdict:
    """The verdict; a refusal says that a route left nobody else."""
    route = choice.route
    if route is None or not route.only or not verdict.refusal:
        return verdict
    models = ", ".join(f"`{name}`" for name in route.models)
    return replace(
        verdict,
        refusal=f"{verdict.refusal}; route `{route.name}` ({route.source}) allows only {models}",
        hint=f"{verdict.hint}, or take `only` out of the route",
    )


def ordered(verdict: Verdict, choice: Choice, house: House) -> tuple[Target, ...]:
    """The plan."""
    strategy = house.strategies[choice.strategy]
    if choice.route is not None and choice.route.models:
        strategy = preferring(choice.route.models, strategy, _within(choice.route, house))
    return plan(verdict, choice.situation, strategy, latched=choice.latched)


def told(
    choice: Choice, targets: tuple[Target, ...], stayed: Stayed, mac: Callable[[bytes], str]
) -> Chosen:
    """The choice, for the log. mac: makes keyed hashes of what may not stand there."""
    situation, ask = choice.situation, choice.ask
    costs: tuple[Expected, ...] = ()
    tokens = 0
    if choice.compared and targets:
        tokens = situation.input_tokens(targets[0].name)
        costs = tuple(Expected(target.name, expected(target, situation)) for target in targets)
    return Chosen(
        agent=ask.agent.value,
        task=ask.task.value,
        languages=ask.languages,
        route=choice.name,
        strategy=choice.strategy,
        tokens=tokens,
        expected=costs,
        kept=choice.latched if targets and targets[0].name == choice.latched else "",
        leaving=stayed.leaving,
        sets=stated(choice.parameters, mac),
    )


def _within(route: Route | None, house: House) -> Strategy | None:
    """What orders the models that a route names; None where it names them in order."""
    return house.strategies[route.strategy] if route and route.models and route.strategy else None


def _in_loop(found: Found) -> bool:
    """Does it bring results of calls that its model waits for? Some dialects give no ids."""
    if found.returning:
        return True
    for seen in reversed(found.seen):
        if seen.speaks:
            return False
        if seen.answered:
            return True
    return False


def _minute(now_ms: int, zone: tzinfo | None) -> int:
    """Minutes since midnight in a time zone, or in the machine's own."""
    now = datetime.fromtimestamp(now_ms / 1000, zone)
    return now.hour * 60 + now.minute
