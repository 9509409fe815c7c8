"""`halfdoor init`: a first configuration, from what is there."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from halfdoor.cli.options import console, counted, look_around
from halfdoor.config.cards import cards
from halfdoor.config.defaults import default_config
from halfdoor.config.found import Discovered
from halfdoor.config.load import user_file
from halfdoor.config.model import Config
from halfdoor.config.writing import commented
from halfdoor.errors import SetupError


def init(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Write here, not to the user's file."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    show: Annotated[
        bool, typer.Option("--print", help="Write to standard output, and no file.")
    ] = False,
) -> None:
    """Find engines and keys, and write a configuration."""
    path = config or user_file(os.environ)
    if path.exists() and not (force or show):
        raise SetupError(
            "there is a configuration already",
            hint="look at it with `halfdoor doctor`, replace it with `--force`, or try `--print`",
            where=str(path),
        )
    told = console(stderr=True)
    with told.status("looking for engines on this machine and keys in the environment"):
        found = look_around()
    made = default_config(found)
    if show:
        typer.echo(commented(made), nl=False)
        return
    written(path, commented(made))
    for line in (*_found(found), "", f"written: {path}", *_next(made, config)):
        told.print(line)


def written(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises SetupError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise SetupError(
            f"cannot be written: {error.strerror}",
            hint="check the folder's permissions, or give another `--config`",
            where=str(path),
        ) from None


def _found(found: Discovered) -> list[str]:
    lines = [
        f"found    {engine.kind} at {engine.url}, {counted(len(engine.models), 'model')}"
        for engine in found.engines
    ]
    lines += [f"found    {p.variable}: {p.name}, in the cloud" for p in found.providers]
    return lines or ["found    no engine and no key"]


def _next(made: Config, config: Path | None) -> list[str]:
    option = f" --config {config}" if config else ""
    lines = [
        "",
        f"next     halfdoor doctor{option}    check it",
        f"         halfdoor serve{option}     start the gateway",
        "         then point a tool at it:",
        f"           ANTHROPIC_BASE_URL=http://{made.server.listen}",
        f"           OPENAI_BASE_URL=http://{made.server.listen}/v1",
    ]
    if all(card.scripted for card in cards(made)):
        lines += [
            "",
            "No real model was found: the two in this file are scripted fakes. Start an engine or",
            "set a key, for example ANTHROPIC_API_KEY, and run `halfdoor init --force` again.",
        ]
    return lines
