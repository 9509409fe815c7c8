"""Routes, as the configuration states them: which request goes to whom, and set how."""

from typing import Final

from msgspec import Struct

from halfdoor.canon.asks import Agent, Task

# What a route's `language` may be besides a language's name: an ask that speaks of more than one.
SEVERAL: Final = "several"


class Parameters(Struct, frozen=True):
    """What a route sets in every request that goes its way; None and empty leave it as it came.

    system: stands before the request's own system text.
    """

    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    system: str = ""


NO_PARAMETERS: Final = Parameters()


class Match(Struct, frozen=True):
    """Which requests a route is for: all that is stated must hold, and of a list any one.

    tools, models, projects, tokens: globs; models over the name that was asked for.
    languages: names, or SEVERAL. paths: globs as in rules.
    context_over, context_under: tokens of the request, estimated.
    hours: (from, to) in minutes of the day; one that ends before it begins goes over midnight.
    """

    agents: tuple[Agent, ...] = ()
    tasks: tuple[Task, ...] = ()
    tools: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    context_over: int | None = None
    context_under: int | None = None
    hours: tuple[tuple[int, int], ...] = ()
    models: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


class Route(Struct, frozen=True):
    """One rule for the choice; the first that matches holds.

    models: cards that come first, in this order unless a strategy is named. only: nobody else.
    strategy: how the rest, or the models, are put in order; "" is the configuration's.
    source: where it stands, `config.toml:14`.
    """

    name: str
    match: Match = Match()
    models: tuple[str, ...] = ()
    strategy: str = ""
    only: bool = False
    parameters: Parameters = NO_PARAMETERS
    source: str = ""
