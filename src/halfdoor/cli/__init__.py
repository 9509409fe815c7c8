"""The command line. One file a command, imported when it is called and not before.

Convention: `cli/NAME.py` has a function called NAME, or for a group of commands an `app`
(`typer.Typer`). Its docstring's first line is its summary in `COMMANDS`; a test holds them equal.
Options that all share are in `cli/options.py`.

Exit codes: 0 ok, 1 error, 2 usage, 3 refused by policy, 130 interrupted.
"""

import json
import os
import sys
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from halfdoor import __version__
from halfdoor.cli.light import lighten
from halfdoor.errors import HalfdoorError

ERROR: Final = 1
REFUSED: Final = 3

COMMANDS: Final = {
    "demo": "Show in a minute what halfdoor does: ten exchanges, each decision, a proven log.",
    "init": "Find engines, keys and coding tools, and write a configuration.",
    "serve": "Start the gateway.",
    "launch": "Start a coding tool that talks to halfdoor, and only that process.",
    "connect": "Write halfdoor's address into a tool's own settings. `disconnect` takes it back.",
    "disconnect": "Take back what `connect` wrote into a tool's settings, and nothing else.",
    "why": "Explain what was decided about an exchange, and prove that its record stands.",
    "explain": "Show what would be decided about a request body: labels, rule, plan. Calls nobody.",
    "policy": "Look over, test, try and draft the rules.",
    "gate": "Check what changed, before it is committed or merged.",
    "scan": "Look for secrets in a file, a folder or standard input.",
    "ps": "List what runs, what its engines have loaded, and the newest exchanges.",
    "status": "Say in one line who answered last, where, by which rule, and what today cost.",
    "cost": "Say what was spent, from the log: exact where backends told, and what is not known.",
    "budget": "Say what each budget has taken, where it is heading, and how full flat plans are.",
    "session": "List the sessions that keep labels, and lift one.",
    "log": "Verify, read and export the evidence log.",
    "offline": "Speak to this device only, or see whether it is so.",
    "doctor": "Check configuration, engines, zones, port, folders, tools, detectors and sandbox.",
}


class Commands(TyperGroup):
    """Knows its commands by summary, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        lighten(self)
        self.commands.update({name: TyperCommand(name, help=COMMANDS[name]) for name in COMMANDS})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The real command in place of its summary."""
        name, found, rest = super().resolve_command(ctx, args)
        from halfdoor.backends import guard  # noqa: PLC0415  10 ms that `--help` need not pay

        guard.install()
        return name, command(name) if name in COMMANDS else found, rest


def command(name: str) -> Any:
    """Import one command and build it as typer wants it."""
    module = import_module(f"halfdoor.cli.{name}")
    if hasattr(module, "app"):
        built: Any = typer.main.get_group(module.app)
    else:
        single = typer.Typer(add_completion=False)
        single.command(name)(getattr(module, name))
        built = typer.main.get_command(single)
    built.name = name
    for each in (built, *getattr(built, "commands", {}).values()):
        each.help = unwrapped(each.help or "")
        lighten(each)
    return built


def unwrapped(text: str) -> str:
    """A docstring's paragraphs, a line each: a screen wraps them again to its own width."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


app = typer.Typer(
    cls=Commands,
    help="A gateway between coding tools and models that decides what may leave your machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"halfdoor {__version__}")
        raise typer.Exit


def _misplaced(config: str) -> None:
    if config:
        raise typer.BadParameter("write it after the command: `halfdoor ps --config FILE`")


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show it and exit."),
    ] = False,
    config: Annotated[str, typer.Option(callback=_misplaced, hidden=True)] = "",
) -> None:
    """A gateway between coding tools and models that decides what may leave your machine."""


def main() -> None:
    """The console script: errors that a person is meant to read become one line and a code."""
    if sys.stdout is None:  # closed by the caller (`>&-`), who asks for the exit code alone
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  as long as we
    try:
        try:
            app(prog_name="halfdoor")
        finally:
            sys.stdout.flush()
    except HalfdoorError as error:
        _tell(error)
        sys.exit(ERROR)
    except OSError as error:
        if error.filename is not None:  # a bug: whoever opens a file words its errors
            raise
        _unheard(error)
        sys.exit(ERROR)


def _tell(error: HalfdoorError) -> None:
    """One line for a person; with `--json` also a document, so that a program need not guess."""
    print(f"error: {error}", file=sys.stderr)
    if "--json" in sys.argv:
        told = {"message": error.message, "hint": error.hint, "where": error.where}
        print(json.dumps({"error": told}, indent=2))


def _unheard(error: OSError) -> None:
    """Standard output was closed (a pipe into `head`), which is no news, or cannot be written."""
    if not isinstance(error, BrokenPipeError):
        print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
    # What is still buffered would fail once more when the interpreter flushes it at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
