"""`halfdoor policy pin`: one command keeps a repository, a branch or a folder on this machine."""

import difflib
import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from halfdoor.canon.labels import Zone
from halfdoor.cli.init import written
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    console,
    look_around,
    root_of,
    say_json,
    settings,
)
from halfdoor.cli.running import reloaded, shown
from halfdoor.config.defaults import default_config
from halfdoor.config.load import Loaded, source_of, user_config, user_file
from halfdoor.config.model import Config
from halfdoor.config.parse import Source
from halfdoor.config.pinning import Addition, Wanted, addition
from halfdoor.config.writing import commented
from halfdoor.errors import SetupError


class Ceiling(StrEnum):
    """How far a pinned repository may go."""

    DEVICE = "device"
    NETWORK = "network"


def pin(
    path: Annotated[Path, typer.Argument(help="A repository, a folder in one, or a file; `.`.")],
    ceiling: Annotated[Ceiling, typer.Option(help="The widest zone it may reach.")] = (
        Ceiling.DEVICE
    ),
    branch: Annotated[
        str, typer.Option(metavar="GLOB", help="Only while such a branch is checked out.")
    ] = "",
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What rules call it; its folder's name if left out.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Keep a repository, a branch or a folder on this machine: a rule in the user's configuration.

    A gateway that runs takes it over at once. To take it back, remove the lines again and restart.
    """
    file = (config or user_file(os.environ)).resolve()
    before, known = _text(file)
    wanted = _wanted(path, Zone[ceiling.upper()], branch, name)
    added = addition(known, wanted, _spellings(wanted.root))
    if added is None:
        taken = next(each for each in known.repositories if each.name == name)
        raise SetupError(
            f"repository `{name}` is {taken.root} already", hint="give another `--name`"
        )
    after = _appended(before, known, added)
    if after is not None:
        _checked(file, after, added)
    wrote = after is not None and not dry_run
    if not json:
        _show(file, before, after, added)
    if after is not None and wrote:
        written(file, after)
    took = _taken_over(settings(file)) if wrote else ""
    if json:
        diff = _diff(file, before, after) if after is not None else ""
        rule = {"label": added.label, "source": added.source, "gateway": took}
        say_json({"file": str(file), "written": wrote, "diff": diff, **rule})
    elif wrote:
        _tell(file, took)


def _text(file: Path) -> tuple[str | None, Config]:
    """The configuration's text; None where there is no file, and what halfdoor does without."""
    if file.exists():
        source = source_of(file)
        return source.text, user_config(source, str(file))
    return None, default_config(look_around())


def _wanted(path: Path, ceiling: Zone, branch: str, name: str) -> Wanted:
    try:
        real = path.expanduser().resolve(strict=True)
    except OSError as error:
        raise SetupError(f"cannot be pinned: {error.strerror}", where=str(path)) from None
    root = root_of(real)
    if real != root and (root / ".git").exists():
        if branch or name:
            raise SetupError(
                "a branch or a name belongs to a repository, and this lies in one",
                hint=f"pin {root}, or leave out `--branch` and `--name`",
                where=str(path),
            )
        inner = real.relative_to(root).as_posix()
        return Wanted(ceiling, glob=f"{inner}/**" if real.is_dir() else inner)
    if not real.is_dir():
        raise SetupError("is a file outside any repository", hint="pin its folder", where=str(path))
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", real.name).strip("-") or "pinned"
    return Wanted(ceiling, "", str(real), branch, name or plain[:60], given=bool(name))


def _spellings(root: str) -> tuple[str, ...]:
    home = str(Path.home())
    return (f"~{root.removeprefix(home)}",) if root.startswith(f"{home}/") else ()


def _appended(before: str | None, known: Config, added: Addition) -> str | None:
    """The new text; None when nothing is to be written."""
    if not added.text:
        return None
    base = before if before is not None else commented(known)
    gap = "" if not base or base.endswith("\n") else "\n"
    return f"{base}{gap}\n{added.text}"


def _checked(file: Path, text: str, added: Addition) -> None:
    """INVARIANT: a file that would not load, or would not hold what is pinned, is not written."""
    try:
        config = user_config(Source(file.name, text), str(file))
    except SetupError as error:
        raise SetupError(
            f"the lines cannot be appended: {error}",
            hint="write `[[rules]]` and `[[repositories]]` as tables of their own, then try again",
            where=str(file),
        ) from None
    assert any(rule.label == added.label for rule in config.rules)


def _diff(file: Path, before: str | None, after: str) -> str:
    old = (before or "").splitlines(keepends=True)
    names = (str(file) if before is not None else "/dev/null", str(file))
    return "".join(difflib.unified_diff(old, after.splitlines(keepends=True), *names))


def _show(file: Path, before: str | None, after: str | None, added: Addition) -> None:
    screen = console()
    if after is None:
        screen.print(f"nothing to do: `{added.label}` is held already ({added.source})")
        return
    if before is None:
        screen.print("there is no configuration yet; this one keeps what is found here now")
    screen.print(_diff(file, before, after).rstrip("\n"))


def _taken_over(loaded: Loaded) -> str:
    """`taken-over`, `not-taken-over`, or `none` when no gateway could be asked."""
    before = shown(loaded)
    if before is None:
        return "none"
    return "taken-over" if reloaded(loaded, before) else "not-taken-over"


def _tell(file: Path, took: str) -> None:
    screen = console()
    screen.print(f"written: {file}; to take it back, remove these lines and restart the gateway")
    match took:
        case "taken-over":
            screen.print("the gateway that runs follows it from now on")
        case "not-taken-over":
            screen.print("!! the gateway that runs did not take it over: restart it")
        case _:
            screen.print("no gateway could be asked; one that starts now follows it")
