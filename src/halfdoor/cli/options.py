"""Options that commands share, and how they speak: JSON for programs, plain lines for people."""

import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from halfdoor.backends import guard
from halfdoor.cli.flags import ConfigOption as ConfigOption
from halfdoor.cli.flags import JsonOption as JsonOption
from halfdoor.cli.flags import ProjectOption as ProjectOption
from halfdoor.config.defaults import default_config
from halfdoor.config.found import Discovered
from halfdoor.config.load import Loaded
from halfdoor.config.load import load as read
from halfdoor.errors import SetupError

if TYPE_CHECKING:
    from rich.console import Console


def load(config: Path | None, project: Path | None = None) -> Loaded:
    """The configuration in force for `serve` and `explain`. Raises SetupError.

    Without a file it is made of the engines that answer on this machine and the keys in the
    environment. project: where to look for `.halfdoor.toml`; None is the working directory.
    """
    loaded = heeded(read(config, project_dir(project), os.environ))
    if loaded.config.source:
        return loaded
    return msgspec.structs.replace(loaded, config=default_config(look_around()))


def settings(config: Path | None) -> Loaded:
    """The configuration, for the state directory and the address; no project's file matters here.

    Raises SetupError.
    """
    return heeded(read(config, None, os.environ))


def heeded(loaded: Loaded) -> Loaded:
    """What was read, obeyed by this command, too: offline, it speaks to this device only."""
    if loaded.offline:
        guard.go_offline()
    return loaded


def project_dir(project: Path | None) -> Path:
    """Where to look for `.halfdoor.toml`. Raises SetupError: a slip must not lose its rules."""
    if project is not None and not project.is_dir():
        raise SetupError(
            "there is no such folder", where=str(project), hint="give a folder that is there"
        )
    return project or Path.cwd()


def root_of(start: Path) -> Path:
    """The project's root: the nearest folder above with a `.git`, else `start` itself."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), start)


def counted(count: int, noun: str) -> str:
    """`1 model`, `1,200 models`, `2 entries`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("y") else f"{count:,} {noun}s"


def printable(text: str) -> str:
    """Without what would steer a terminal: keys, paths and file names are others' text."""
    return "".join(c if c.isprintable() else "?" for c in text)


def look_around() -> Discovered:
    """Engines on this machine and keys in the environment, within a second."""
    import asyncio  # noqa: PLC0415  the same

    from halfdoor.backends.control import control_get  # noqa: PLC0415  the same
    from halfdoor.backends.discover import discover  # noqa: PLC0415  costs 0.1 s, seldom needed

    return asyncio.run(discover(control_get, os.environ))


def say_json(document: object) -> None:
    """One JSON document on standard output, indented. Accepts what msgspec can write."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    sys.stdout.write(text.decode() + "\n")


def folded(text: str, screen: "Console", indent: int) -> str:
    """`text` broken between words where people read it, later lines `indent` columns in.

    Where the output is no terminal a line stays one line, for programs.
    """
    if not screen.is_terminal:
        return text
    inset = " " * indent
    return textwrap.fill(
        text, screen.width, subsequent_indent=inset, break_long_words=False, break_on_hyphens=False
    )


def console(*, stderr: bool = False) -> "Console":
    """Where people read. Colours only on a terminal and without NO_COLOR; lines are never cut.

    Text is printed as it is: `[…]` in a label is no markup.
    """
    from rich.console import Console  # noqa: PLC0415  20 ms that a prompt need not pay

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
