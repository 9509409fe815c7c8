"""`[[routes]]` of the user's file → routes as `decide` reads them, and what is wrong with them."""

from halfdoor.canon.asks import Agent, Task
from halfdoor.canon.routes import SEVERAL, Match, Parameters, Route
from halfdoor.config.check import glob_trouble
from halfdoor.config.model import Tables
from halfdoor.config.parse import Source
from halfdoor.config.suggest import meant
from halfdoor.config.tables.routes import MatchTable, RouteTable, SetTable
from halfdoor.reading.languages import LANGUAGES


def routes(source: Source, tables: Tables) -> tuple[Route, ...]:
    """The routes, each with its place. Raises SetupError."""
    models = [model.name for model in tables.models]
    seen: dict[str, int] = {}
    for index, route in enumerate(tables.routes):
        first = seen.setdefault(route.name, index)
        if first < index:
            raise source.error(
                ("routes", index, "name"),
                f"two `[[routes]]` are called `{route.name}`",
                f"the other stands at {source.place('routes', first)}; give one another `name`",
            )
        _check(source, index, route, models)
    return tuple(_route(source, index, table) for index, table in enumerate(tables.routes))


def _check(source: Source, index: int, route: RouteTable, models: list[str]) -> None:
    """Raise SetupError for what cannot be meant."""
    for model in route.models:
        if model not in models:
            raise source.error(
                ("routes", index, "models"),
                f"route `{route.name}` names `{model}`, which is no model",
                meant(model, models) or "add `[[models]]`",
            )
    if route.only and not route.models:
        raise source.error(
            ("routes", index, "only"),
            f"route `{route.name}` says `only` and names no model",
            "list the only ones in `models`",
        )
    if not (route.models or route.strategy or route.set != SetTable()):
        raise source.error(
            ("routes", index),
            f"route `{route.name}` changes nothing",
            "give it `models`, a `strategy` or parameters in `set`",
        )
    _match(source, index, route.match)


def _match(source: Source, index: int, match: MatchTable) -> None:
    for language in match.language:
        if language not in LANGUAGES and language != SEVERAL:
            raise source.error(
                ("routes", index, "match", "language"),
                f"`{language[:40]}` is no language that is recognised",
                meant(language, (*sorted(LANGUAGES), SEVERAL)),
            )
    for glob in match.path:
        trouble = "begins at the root" if glob.startswith(("/", "./")) else glob_trouble(glob)
        if trouble:
            raise source.error(
                ("routes", index, "match", "path"),
                f"the glob `{ascii(glob[:80])[1:-1]}` {trouble}",
                "write it relative to any folder, as `payments/**`",
            )
    over, under = match.context_over, match.context_under
    if over is not None and under is not None and over + 1 >= under:
        raise source.error(
            ("routes", index, "match", "context_under"),
            f"no request has more than {over:,} and fewer than {under:,} tokens",
            "make `context_under` the larger of the two",
        )


def _route(source: Source, index: int, table: RouteTable) -> Route:
    return Route(
        name=table.name,
        match=_matched(table.match),
        models=table.models,
        strategy=table.strategy or "",
        only=table.only,
        parameters=Parameters(
            table.set.temperature,
            table.set.top_p,
            table.set.seed,
            table.set.stop,
            table.set.system,
        ),
        source=source.place("routes", index),
    )


def _matched(table: MatchTable) -> Match:
    return Match(
        agents=tuple(map(Agent, table.agent)),
        tasks=tuple(map(Task, table.task)),
        tools=table.tool,
        languages=table.language,
        paths=table.path,
        context_over=table.context_over,
        context_under=table.context_under,
        hours=tuple(map(_hours, table.time)),
        models=table.model,
        projects=table.project,
        tokens=table.token,
    )


def _hours(written: str) -> tuple[int, int]:
    begin, _, end = written.partition("-")
    return _minute(begin), _minute(end)


def _minute(written: str) -> int:
    hour, _, minute = written.partition(":")
    return int(hour) * 60 + int(minute)
