"""`halfdoor init`: a first configuration, from what is there."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins
from msgspec.structs import replace

from halfdoor.cli.options import JsonOption, console, counted, look_around, say_json
from halfdoor.config.cards import cards
from halfdoor.config.defaults import default_config
from halfdoor.config.found import Discovered
from halfdoor.config.load import user_file
from halfdoor.config.model import Config
from halfdoor.config.presets import PRESETS, Preset
from halfdoor.config.suggest import meant
from halfdoor.config.tools import TOOLS
from halfdoor.config.tools.tool import Tool
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
    json: JsonOption = False,
    preset: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Begin with a bundle of rules and routes: " + ", ".join(PRESETS) + ".",
        ),
    ] = "",
) -> None:
    """Find engines, keys and coding tools, and write a configuration."""
    path = config or user_file(os.environ)
    if path.exists() and not (force or show):
        raise SetupError(
            "there is a configuration already",
            hint="look at it with `halfdoor doctor`, replace it with `--force`, or try `--print`",
            where=str(path),
        )
    bundle = _bundle(preset)
    told = console(stderr=True)
    with told.status("looking for engines on this machine and keys in the environment"):
        found = look_around()
    if bundle is not None and not bundle.keys:
        found = replace(found, providers=())
    made = default_config(found)
    tools, text = installed(), commented(made, bundle)
    if not show:
        written(path, text)
    if json:
        say_json(_document(found, tools, text, None if show else path))
    elif show:
        typer.echo(text, nl=False)
    else:
        for line in (*_found(found), "", f"written: {path}", *_next(made, tools, config)):
            told.print(line)


def installed() -> list[Tool]:
    """The coding tools on the PATH that `connect` can point here."""
    return [tool for tool in TOOLS if tool.place and shutil.which(tool.command)]


def _bundle(name: str) -> Preset | None:
    if name and name not in PRESETS:
        raise SetupError(
            f"there is no preset `{name[:40]}`", hint=meant(name, PRESETS), where="--preset"
        )
    return PRESETS.get(name)


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


def _document(
    found: Discovered, tools: list[Tool], text: str, path: Path | None
) -> dict[str, object]:
    """The same for programs. written: null where `--print` was given."""
    return {
        "engines": [
            {**to_builtins(engine), "models": len(engine.models)} for engine in found.engines
        ],
        "keys": [provider.variable for provider in found.providers],
        "tools": [tool.name for tool in tools],
        "written": str(path) if path else None,
        "config": text,
    }


def _next(made: Config, tools: list[Tool], config: Path | None) -> list[str]:
    option = f" --config {config}" if config else ""
    lines = [
        "",
        f"next     halfdoor doctor{option}    check it",
        f"         halfdoor serve{option}     start the gateway",
        "         then point a tool at it:",
        *(f"           halfdoor connect {tool.name}{option}    {tool.title}" for tool in tools),
        f"           ANTHROPIC_BASE_URL=http://{made.server.listen}",
        f"           OPENAI_BASE_URL=http://{made.server.listen}/v1",
    ]
    if _untold(made):
        lines += [
            "",
            "note     Untold, Ollama loads a model with 4,096 tokens (below 24 GB of GPU memory).",
            "         Coding tools send more: state `context_tokens` beside each model.",
        ]
    if all(card.scripted for card in cards(made)):
        lines += [
            "",
            "No real model was found: the two in this file are scripted fakes. Start an engine or",
            "set a key, for example ANTHROPIC_API_KEY, and run `halfdoor init --force` again.",
        ]
    return lines


def _untold(made: Config) -> bool:
    """Is there a model that its engine will load with a window of its own choice?"""
    native = {backend.name for backend in made.backends if backend.dialect == "ollama"}
    return any(m.backend in native and m.context_tokens is None for m in made.models)
