"""`halfdoor policy check`: the rules that load and yet cannot be meant."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from halfdoor.canon.cards import Alias
from halfdoor.cli import ERROR
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    ProjectOption,
    console,
    counted,
    folded,
    project_dir,
    say_json,
)
from halfdoor.cli.policy.findings import Finding
from halfdoor.cli.policy.lint import Policy, look_over
from halfdoor.config.load import (
    PROJECT_FILE,
    Loaded,
    aliases,
    cards,
    load_project,
    rules_in_force,
    source_of,
)
from halfdoor.config.load import load as read
from halfdoor.errors import SetupError

PATHS_LIMIT: Final = 200_000


def check(
    file: Annotated[
        Path | None, typer.Argument(help="A configuration, or a project's `.halfdoor.toml`.")
    ] = None,
    config: ConfigOption = None,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Look over the rules: shadowed or idle ones, ceilings and terms that nobody can meet.

    Reads the user's configuration and the project's file. Exit 1 if there is an error; warnings
    and notes are shown and change nothing.
    """
    if file is not None and file.name != PROJECT_FILE:
        config = file
    try:
        if file is not None and file.name == PROJECT_FILE:
            load_project(file)  # a file that is not there must not be taken for one further up
            project = file.parent
        loaded = read(config, project_dir(project), os.environ)
        found = look_over(_policy(loaded, project))
    except SetupError as error:
        loaded = None
        found = [Finding("error", error.where, "unreadable", error.message, error.hint)]
    if json:
        say_json(found)
    else:
        _show(found, loaded)
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(ERROR)


def _policy(loaded: Loaded, given: Path | None) -> Policy:
    """given: the project if it was named: then the user's own globs are meant for it too."""
    config = loaded.config
    stated = bool(config.source)
    root = Path(loaded.project).parent if loaded.project else given
    return Policy(
        rules=rules_in_force(loaded),
        user=config.rules,
        project=loaded.project_rules,
        cards=cards(config) if stated else None,
        names=tuple(_names(loaded)) if stated else (),
        paths=paths_below(root) if root else None,
        sought=(*(config.rules if given else ()), *loaded.project_rules),
    )


def _names(loaded: Loaded) -> Iterator[tuple[Alias, str]]:
    source = source_of(Path(loaded.config.source))
    for index, alias in enumerate(aliases(loaded.config)):
        yield alias, source.place("names", index)


def paths_below(root: Path) -> tuple[str, ...] | None:
    """Every path below `root`, relative; no link is followed. None beyond 200,000 of them."""
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        inside = os.path.relpath(folder, root)
        names = [name for name in (*folders, *files) if "\n" not in name]
        found += [name if inside == "." else f"{inside}/{name}" for name in names]
        if len(found) > PATHS_LIMIT:
            return None
    return tuple(found)


def _show(found: list[Finding], loaded: Loaded | None) -> None:
    screen = console()
    for finding in found:
        hint = f"; hint: {finding.hint}" if finding.hint else ""
        place = f"{finding.where}: " if finding.where else ""
        screen.print(folded(f"{place}{finding.level}: {finding.message}{hint}", screen, 4))
    if loaded is not None and not loaded.config.source:
        screen.print("note: there is no configuration, so models and names were not looked at")
    levels = [finding.level for finding in found]
    errors, warnings = levels.count("error"), levels.count("warning")
    screen.print(f"{counted(errors, 'error')}, {counted(warnings, 'warning')}")
