"""`halfdoor session`: which sessions keep labels, since when and until when; and lifting one."""

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from halfdoor.backends.control import authority, local_post
from halfdoor.canon.decision import ControlPermit
from halfdoor.cli.ledger import show
from halfdoor.cli.options import ConfigOption, JsonOption, console, say_json, settings
from halfdoor.cli.running import listening, url_of
from halfdoor.config.model import Config
from halfdoor.errors import BackendError, SetupError
from halfdoor.server.admin import LIFT, REASON_CHARS, Lift, Lifted
from halfdoor.store.floors import Standing, read

app = typer.Typer(no_args_is_help=True, help="List the sessions that keep labels, and lift one.")

TITLES = ("SESSION", "LABELS", "TOOL", "PROJECT", "TOKEN", "SINCE", "UNTIL")

KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="A session's short name, or its beginning.")
]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded in the log.")
]


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the sessions whose answered requests carried labels: their later ones do, too."""
    found = _sessions(config)
    if json:
        say_json([_document(each) for each in found])
        return
    screen = console()
    if not found:
        screen.print("no session keeps a label")
        return
    show(screen, TITLES, [_row(each) for each in found])


@app.command("show")
def show_(key: KeyArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show one session, and how it is lifted."""
    found = _one(_sessions(config), key)
    if json:
        say_json(_document(found))
        return
    screen = console()
    for title, cell in zip(TITLES, _row(found), strict=True):
        screen.print(f"{title.lower():<8} {cell}")
    screen.print(f'lift     halfdoor session lift {found.session} --reason "…"')


@app.command()
def lift(
    key: KeyArgument, reason: ReasonOption, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Take a session's floor away, as an admin, through the gateway that runs.

    What labelled text is still in the conversation is recognised as before.
    """
    asked = _asked(key, reason)
    loaded = settings(config)
    secret = _admin(loaded.config)
    url = url_of(loaded.config.server.admin_listen or listening(loaded), LIFT)
    headers = (("authorization", f"Bearer {secret}"), ("content-type", "application/json"))
    body = msgspec.json.encode(asked)
    permit = ControlPermit(authority(url), "lift")
    try:
        status, _, answer = asyncio.run(local_post(url, permit, body, headers, 10.0))
    except BackendError as error:
        raise SetupError(
            f"the gateway cannot be asked: {error.message}", hint="is `halfdoor serve` running?"
        ) from None
    if status != 200:
        raise SetupError(_said(answer))
    lifted = msgspec.json.decode(answer, type=Lifted)
    if json:
        say_json(lifted)
        return
    labels = ", ".join(lifted.labels)
    console().print(f"lifted: session {lifted.session} keeps {labels} no more; it is in the log")


def _asked(key: str, reason: str) -> Lift:
    try:
        return msgspec.convert({"session": key, "reason": reason}, Lift)
    except msgspec.ValidationError as error:
        if "reason" in str(error):
            said = f"a reason has 3 to {REASON_CHARS} characters"
            raise typer.BadParameter(said, param_hint="--reason") from None
        said = "give 4 to 12 characters of its name, as `halfdoor session list` shows it"
        raise typer.BadParameter(said, param_hint="KEY") from None


def _admin(config: Config) -> str:
    admins = [token for token in config.tokens if token.role == "admin"]
    secret = next((os.environ[each.env] for each in admins if os.environ.get(each.env)), "")
    if secret:
        return secret
    if admins:
        raise SetupError("no admin token is at hand", hint=f"set `{admins[0].env}` and try again")
    raise SetupError(
        "lifting needs an admin token, and none is configured",
        hint='add `[[tokens]]` with `name`, `role = "admin"` and `env`, and restart the gateway '
        "with that variable set; never set it where a tool runs",
    )


def _said(answer: bytes) -> str:
    try:
        told = msgspec.json.decode(answer)["error"]["message"]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return "the gateway refused, and did not say why"
    return str(told).removeprefix("halfdoor: ")


def _sessions(config: Path | None) -> list[Standing]:
    """One for each session; its marks differ in nothing that is shown."""
    floors = read(settings(config).state_dir, time.time_ns() // 1_000_000)
    return list({floor.session: floor for floor in floors}.values())


def _one(found: Sequence[Standing], key: str) -> Standing:
    fitting = [each for each in found if key and each.session.startswith(key)]
    if len(fitting) != 1:
        what = f"{len(fitting)} sessions begin with `{key}`" if fitting else f"no session `{key}`"
        raise SetupError(what, hint="`halfdoor session list` names them")
    return fitting[0]


def _row(each: Standing) -> tuple[str, ...]:
    labels = ", ".join(_plain(each.labels))
    times = (_time(each.since_ms), _time(each.until_ms))
    return (each.session, labels, each.tool, each.project, each.token, *times)


def _document(each: Standing) -> dict[str, Any]:
    return {
        "session": each.session,
        "labels": list(_plain(each.labels)),
        "tool": each.tool,
        "project": each.project,
        "token": each.token,
        "since": _time(each.since_ms),
        "until": _time(each.until_ms),
    }


def _plain(labels: Iterable[str]) -> Iterable[str]:
    return (name.removeprefix("derived:") for name in labels)


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
