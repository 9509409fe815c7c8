"""Which route a request goes: the first that matches."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from msgspec import Struct

from halfdoor.canon.asks import Ask
from halfdoor.canon.decision import Target
from halfdoor.canon.routes import SEVERAL, Match, Route
from halfdoor.reading.languages import several


class Circumstances(Struct, frozen=True):
    """What routes are matched against.

    asked: the model name asked for. tool, token, project: see `Actor`.
    minute: of the day, where the user lives. tokens: of the request, estimated. Both when asked.
    """

    ask: Ask
    asked: str
    tool: str
    token: str
    project: str
    minute: Callable[[], int]
    tokens: Callable[[], int]


def route_for(
    routes: Iterable[Route], about: Circumstances, targets: Iterable[Target]
) -> Route | None:
    """The first route that matches and has, if it names models, one among the targets."""
    names = {target.name for target in targets}
    for route in routes:
        if (not route.models or not names.isdisjoint(route.models)) and matches(route.match, about):
            return route
    return None


def matches(match: Match, about: Circumstances) -> bool:
    """Does all that is stated hold? What costs most to know is asked last."""
    ask = about.ask
    return (
        (not match.agents or ask.agent in match.agents)
        and (not match.tasks or ask.task in match.tasks)
        and (not match.languages or _speaks(match.languages, ask.languages))
        and (not match.paths or not set(match.paths).isdisjoint(ask.globs))
        and _any(match.tools, about.tool)
        and _any(match.models, about.asked)
        and _any(match.projects, about.project)
        and _any(match.tokens, about.token)
        and (not match.hours or any(_within(about.minute(), *hours) for hours in match.hours))
        and (match.context_over is None or about.tokens() > match.context_over)
        and (match.context_under is None or about.tokens() < match.context_under)
    )


def _speaks(wanted: tuple[str, ...], languages: tuple[str, ...]) -> bool:
    """All of the ask's languages are wanted; or several are, and it has several."""
    if SEVERAL in wanted and several(languages):
        return True
    return bool(languages) and set(languages) <= set(wanted)


def _any(globs: tuple[str, ...], name: str) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


def _within(minute: int, begin: int, end: int) -> bool:
    if begin <= end:
        return begin <= minute < end
    return minute >= begin or minute < end
