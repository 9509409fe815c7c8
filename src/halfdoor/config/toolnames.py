"""Names of tools where the configuration speaks of them: one that no request has would count none.

`launch` starts any program and calls it by its name, so an unknown one is only told of; another
spelling of a tool that is known stops the start.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from halfdoor.config.model import Config, Tables
from halfdoor.config.parse import Source
from halfdoor.config.places import Keys
from halfdoor.config.tools import TOOLS
from halfdoor.config.tools.agents import AGENTS, OTHER

NAMES: Final = frozenset({OTHER, *(name for _, name in AGENTS), *(tool.name for tool in TOOLS)})


def check_tools(source: Source, tables: Tables) -> None:
    """Raise SetupError for a tool that the log calls otherwise."""
    for keys, said, glob in _written(tables):
        name = "" if _known(said, glob=glob) else _meant(said)
        if name:
            raise source.error(
                keys,
                f"`{said}` is no name of a tool: the log calls it `{name}`",
                f"write `{name}`, however its requests come: launched, connected or by hand",
            )


def strangers(config: Config) -> Iterator[str]:
    """A sentence for each tool that none is known to be called."""
    routed = (name for route in config.routes for name in route.match.tools)
    held = config.server.hold_for
    counted = (name for budget in config.budgets for key, name in budget.match if key == "tool")
    exact = dict.fromkeys((*held, *counted))
    unknown = [name for name in exact if not _known(name, glob=False)]
    unknown += [name for name in dict.fromkeys(routed) if not _known(name, glob=True)]
    for name in dict.fromkeys(unknown):
        yield (
            f"no tool that halfdoor knows is called `{name}`; hint: only what `halfdoor launch` "
            f"starts under that name is; known are {', '.join(sorted(NAMES))}"
        )


def _written(tables: Tables) -> Iterator[tuple[Keys, str, bool]]:
    """Each name of a tool: where it stands, what it is, and whether it is a glob."""
    for said in tables.server.hold_for:
        yield ("server", "hold_for"), said, False
    for at, budget in enumerate(tables.budgets):
        if budget.match.tool:
            yield ("budgets", at, "match", "tool"), budget.match.tool, False
    for at, route in enumerate(tables.routes):
        for said in route.match.tool:
            yield ("routes", at, "match", "tool"), said, True


def _known(said: str, *, glob: bool) -> bool:
    return any(fnmatchcase(name, said) for name in NAMES) if glob else said in NAMES


def _meant(said: str) -> str:
    """The tool that is also called so, or matched by it where no glob is taken; "" for none."""
    asked = _plain(said)
    return next((name for other, name in _others() if fnmatchcase(other, asked)), "")


def _others() -> Iterator[tuple[str, str]]:
    """What else a tool is called, or called by itself, and its name."""
    for tool in TOOLS:
        for other in (tool.name, tool.title, tool.command):
            yield _plain(other), tool.name
    for prefix, name in AGENTS:
        yield prefix.rstrip("/"), name
        yield name, name


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "-")
