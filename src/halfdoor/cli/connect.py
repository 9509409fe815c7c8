"""`halfdoor connect TOOL`: a tool's own settings point here, until `disconnect`."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from halfdoor.cli import connecting
from halfdoor.cli.options import ConfigOption, JsonOption, console, say_json, settings
from halfdoor.config.connect import steps
from halfdoor.config.connect.change import Unfit
from halfdoor.config.connect.steps import Step
from halfdoor.config.mark import marked
from halfdoor.config.model import Config
from halfdoor.config.tools.tool import Place, Tool, Wish
from halfdoor.errors import SetupError

ToolArgument = Annotated[
    str, typer.Argument(help="claude, codex, opencode, continue, aider or vscode.")
]
ScopeOption = Annotated[
    Path | None,
    typer.Option("--project", metavar="DIR", help="The tool's settings for this project only."),
]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Show the change; write nothing.")]


def connect(
    tool: ToolArgument,
    model: Annotated[str, typer.Option(help="The name that the tool asks for.")] = "auto",
    token: Annotated[
        str, typer.Option(help="Which of the configured `tokens` it shows, by name.")
    ] = "",
    dry_run: DryOption = False,
    project: ScopeOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Write halfdoor's address into a tool's own settings. `disconnect` takes it back.

    Shows what changes, keeps a copy beside the file, and changes nothing else in it.
    """
    known, place = connecting.known_tool(tool)
    loaded = settings(config)
    file, below = connecting.where(place, project)
    # Only in the person's own settings: a project's would hide their own status line.
    status = connecting.status_command(config) if project is None else ""
    wish = connecting.wish(loaded.config, model, token, status)
    try:
        step = steps.connecting(
            known,
            file,
            below,
            wish,
            loaded.state_dir,
            nonce=secrets.token_hex(4),
            now=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
    except Unfit as error:
        raise _by_hand(error, json=json) from None
    assert step.record is not None
    notes = [*_notes(place, wish), *_unanswered(known, loaded.config)]
    if not json:
        connecting.show(console(), step)
    if not dry_run:
        steps.done(step, loaded.state_dir)
    if json:
        address = marked(wish.root, step.record.mark)
        told = {"address": address, "backup": step.record.backup, "notes": notes}
        say_json(connecting.document(step, written=not dry_run and not step.idle) | told)
    else:
        _tell(step, notes, dry_run=dry_run)


def _tell(step: Step, notes: list[str], *, dry_run: bool) -> None:
    screen = console()
    for setting in () if step.idle else step.settings:
        screen.print(f"set      {'.'.join(setting.at)}: {setting.why}")
    for note in notes:
        screen.print(f"note     {note}")
    title = step.tool.title
    if step.idle:
        screen.print(f"{title} is connected already; nothing was changed")
    elif dry_run:
        screen.print("nothing was written")
    else:
        assert step.record is not None
        if step.record.backup:
            screen.print(f"kept     {step.record.backup}")
        screen.print(
            f"{title} is connected; start it anew. `halfdoor doctor` says if its turns come"
        )


def _notes(place: Place, wish: Wish) -> list[str]:
    """What the person must do besides."""
    notes = []
    if wish.env:
        said = place.no_env.replace("{env}", wish.env)
        notes.append(said or f"the tool reads its token from {wish.env}: set it where it starts")
    if not wish.keyed:
        notes.append("no key was written: a backend takes the tool's own (`credentials`)")
    return notes


def _unanswered(tool: Tool, config: Config) -> list[str]:
    """A tool that asks for names of its own gets a 400 where nobody answers to them."""
    if not tool.asks or connecting.answers_to(config, tool.asks):
        return []
    match = f"{tool.asks.partition('-')[0]}-*"
    return [f"it asks for names as `{tool.asks}`: say who answers, in `[[names]]` (`{match}`)"]


def _by_hand(error: Unfit, *, json: bool) -> SetupError:
    """What cannot be written is shown, so that a person can."""
    if json:
        return SetupError(error.message, where=error.where, hint=f"add to it: {error.hint}")
    screen = console()
    screen.print(f"add this to {error.where}:\n")
    screen.print(error.hint)
    hint = "add the lines above yourself; nothing was changed"
    return SetupError(error.message, where=error.where, hint=hint)
