"""`halfdoor offline`: nothing but this device is spoken to, from now on and until it is undone."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
import typer
from msgspec import Struct

from halfdoor.backends.control import authority, control_get
from halfdoor.backends.switch import LOOK_S
from halfdoor.canon.decision import ControlPermit
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Noted
from halfdoor.cli.options import ConfigOption, JsonOption, console, look_around, say_json, settings
from halfdoor.cli.running import listening
from halfdoor.config.check import SCRIPTED
from halfdoor.config.defaults import default_config
from halfdoor.config.load import Loaded
from halfdoor.config.offline import flag
from halfdoor.config.tables.backends import Backend
from halfdoor.errors import BackendError, SetupError
from halfdoor.flow.clock import SystemClock
from halfdoor.flow.writing import timestamp
from halfdoor.reading.addresses import zone_of
from halfdoor.server.address import address
from halfdoor.store.keys import LogKeys
from halfdoor.store.log import SqliteLog

app = typer.Typer(no_args_is_help=True, help="Speak to this device only, or see whether it is so.")

Running = Literal["none", "online", "offline"]

_STATES: Final[dict[Running, str]] = {
    "none": "no gateway answers on {}",
    "online": "the gateway on {} is ONLINE",
    "offline": "the gateway on {} is offline",
}


class Reach(Struct, frozen=True):
    """One backend. reachable: may it be asked as things stand? `doctor` says whether it answers."""

    backend: str
    zone: str
    host: str
    reachable: bool


class Told(Struct, frozen=True):
    """What `offline status --json` prints. since: of the flag, RFC 3339, "" without one.

    setting: where the configuration says offline, "" if it does not. gateway: what runs now.
    """

    offline: bool
    flag: bool
    since: str
    setting: str
    listen: str
    gateway: Running
    backends: tuple[Reach, ...]


@app.command()
def on(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Go offline at once, a running gateway with all its workers, too; recorded in the log."""
    loaded = settings(config)
    keys = LogKeys.load_or_create(loaded.state_dir)
    # Before the log: whatever fails from here on leaves halfdoor narrower.
    _raise_flag(flag(loaded.state_dir))
    _note(loaded.state_dir, keys, "offline-on")
    told = _told(settings(config))
    if told.gateway != "none":
        time.sleep(2 * LOOK_S)  # until the workers that serve nothing have looked, too
    _tell(told, json=json)
    if told.gateway == "online":
        raise SetupError(
            f"the gateway on {told.listen} did not go offline",
            hint="does it use another state directory? Stop it, and start it with `--offline`",
        )


@app.command()
def off(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Undo `on`, from the next start on: a gateway that runs stays offline. Recorded in the log."""
    loaded = settings(config)
    place = flag(loaded.state_dir)
    if place.exists():
        # Recorded first: loosening that cannot be recorded does not happen.
        _note(loaded.state_dir, LogKeys.load_or_create(loaded.state_dir), "offline-off")
        _lower_flag(place)
    _tell(_told(settings(config)), json=json)


@app.command()
def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Tell flag, setting, what the running gateway does, and which backends may be asked."""
    _tell(_told(settings(config)), json=json)


def _raise_flag(place: Path) -> None:
    try:
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(timestamp(SystemClock().now_ms()) + "\n")
    except FileExistsError:
        return
    except OSError as error:
        raise _unusable(place, error) from None


def _lower_flag(place: Path) -> None:
    try:
        place.unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(place, error) from None


def _unusable(place: Path, error: OSError) -> SetupError:
    hint = "check the folder's owner and permissions, or start with `serve --offline`"
    return SetupError(f"the flag cannot be changed: {error.strerror}", where=str(place), hint=hint)


def _note(state_dir: Path, keys: LogKeys, event: str) -> None:
    """One entry. Raises LogError."""
    asyncio.run(_noted(SqliteLog(state_dir, keys), event))


async def _noted(log: SqliteLog, event: str) -> None:
    clock = SystemClock()
    now_ms = clock.now_ms()
    try:
        await log.append(Noted(clock.exchange_id(now_ms), timestamp(now_ms), event, {}))
    finally:
        await log.close()


def _told(loaded: Loaded) -> Told:
    place = flag(loaded.state_dir)
    used = loaded.config if loaded.config.source else default_config(look_around())
    listen = listening(loaded)
    running = asyncio.run(_running(listen))
    offline = running == "offline" or bool(loaded.offline and running == "none")
    return Told(
        offline=offline,
        flag=place.exists(),
        since=_since(place),
        setting=loaded.config.offline,
        listen=listen,
        gateway=running,
        backends=tuple(_reach(backend, offline=offline) for backend in used.backends),
    )


def _since(place: Path) -> str:
    """What the flag's file says, if that is a time: anybody may have made the file."""
    try:
        said = place.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
    return said if len(said) == 24 and said.isascii() and said.isprintable() else ""


async def _running(listen: str) -> Running:
    url = f"http://{address(listen).asked}/healthz"
    try:
        _, body = await control_get(url, ControlPermit(authority(url), "status"))
    except BackendError:
        return "none"
    if not body.startswith(b"halfdoor"):
        return "none"
    return "offline" if body.endswith(b"offline\n") else "online"


def _reach(backend: Backend, *, offline: bool) -> Reach:
    """Offline, an address of this device is reached and a name is not: nobody is asked about it."""
    if backend.url.startswith(SCRIPTED):
        return Reach(backend.name, backend.zone, SCRIPTED, not offline or backend.zone == "device")
    host = urlsplit(backend.url).hostname or ""
    near = backend.zone == "device" and (host == "localhost" or zone_of(host) is Zone.DEVICE)
    return Reach(backend.name, backend.zone, host, near or not offline)


def _tell(told: Told, *, json: bool) -> None:
    if json:
        say_json(msgspec.to_builtins(told))
        return
    screen = console()
    for line in _lines(told):
        screen.print(line)


def _lines(told: Told) -> Iterator[str]:
    yield _STATES[told.gateway].format(told.listen)
    since = f" since {told.since}" if told.since else ""
    yield f"flag     {f'on{since}' if told.flag else 'off'}"
    yield f"setting  {f'offline, {told.setting}' if told.setting else 'online'}"
    if told.gateway == "offline" and not (told.flag or told.setting):
        yield "         it stays offline until it is started again without `--offline`"
    elif told.gateway == "offline" and told.setting and not told.flag:
        yield f"         the next start is offline, too: {told.setting} says so"
    for reach in told.backends:
        may = "may be asked" if reach.reachable else "is not asked"
        yield f"{reach.backend:<20} {reach.zone:<8} {may:<13} {reach.host}"
