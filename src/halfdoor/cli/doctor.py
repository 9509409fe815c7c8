"""`halfdoor doctor`: is everything as it must be, and what to do where it is not."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec.structs import replace
from rich.text import Text

from halfdoor.backends.control import authority, control_get, control_post
from halfdoor.backends.dialling import trusted
from halfdoor.backends.discover import Ask
from halfdoor.canon.decision import ControlPermit
from halfdoor.canon.labels import Zone
from halfdoor.cli import checkup
from halfdoor.cli.caging import sandbox
from halfdoor.cli.checkup import Finding
from halfdoor.cli.connecting import home
from halfdoor.cli.loaded import cut_off, windows
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    ProjectOption,
    console,
    counted,
    folded,
    heeded,
    look_around,
    project_dir,
    say_json,
)
from halfdoor.cli.running import listening
from halfdoor.cli.scope import tell
from halfdoor.cli.traffic import traffic
from halfdoor.config.check import SCRIPTED
from halfdoor.config.defaults import default_config
from halfdoor.config.load import load
from halfdoor.config.model import Config
from halfdoor.errors import HalfdoorError, SetupError
from halfdoor.server.address import address, answers
from halfdoor.server.listen import bound

COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(
    config: ConfigOption = None,
    project: ProjectOption = None,
    online: Annotated[
        bool, typer.Option("--online", help="Ask backends in the cloud, too, whether they answer.")
    ] = False,
    scope: Annotated[
        bool, typer.Option("--scope", help="Show instead what the gateway cannot see, by tool.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Check configuration, engines, zones, port, folders, tools, detectors and sandbox.

    A tool that points here and whose last turn never came fails. Exit 1 when anything fails.
    """
    if scope:
        tell(json=json)
        return
    found = examined(config, project_dir(project), online=online)
    healthy = all(finding.state != "fail" for finding in found)
    if json:
        say_json({"healthy": healthy, "findings": found})
    else:
        _show(found)
    if not healthy:
        raise typer.Exit(1)


def examined(config: Path | None, project: Path, *, online: bool) -> list[Finding]:
    """All findings. A configuration that cannot be read leaves what needs none."""
    found = look_around()
    try:
        loaded = heeded(load(config, project, os.environ))
    except SetupError as error:
        said = f"{error.where}: {error.message}" if error.where else error.message
        broken = Finding("fail", "config", said, error.hint)
        return [broken, *checkup.engines(found), *checkup.detectors()]
    used = loaded.config if loaded.config.source else default_config(found)
    listen = listening(loaded)
    ask, show = trusting(used)
    asked = asyncio.run(checkup.backends(used, ask, checkup.addresses, online=online))
    return [
        *checkup.configuration(loaded),
        *checkup.models(used),
        *checkup.engines(found),
        *asked,
        *asyncio.run(checkup.admissions(used, show)),
        *asyncio.run(windows(used, ask)),
        *checkup.tokens(used, os.environ),
        _port(listen, used.server.listen),
        *(_port(apart, apart) for apart in (used.server.admin_listen,) if apart),
        *checkup.state(loaded.state_dir),
        *checkup.evidence(loaded.state_dir),
        *_readable(cut_off, loaded.state_dir),
        *traffic(f"http://{address(used.server.listen).asked}", home(), project, loaded.state_dir),
        *checkup.detectors(),
        sandbox(),
        checkup.control_calls(used, listen, online=online),
    ]


def _readable(look: Callable[[Path], Iterator[Finding]], folder: Path) -> list[Finding]:
    """A log that cannot be read is told by `checkup.evidence`, and says nothing else."""
    try:
        return list(look(folder))
    except HalfdoorError:
        return []


def trusting(config: Config) -> tuple[Ask, checkup.Show]:
    """How backends are asked: each under the certificate authorities that it is pinned to."""
    real = [b for b in config.backends if not b.url.startswith(SCRIPTED)]
    pinned = {authority(b.url): trusted(b.url, b.authorities) for b in real}

    async def ask(url: str, permit: ControlPermit) -> tuple[int, bytes]:
        return await control_get(url, permit, tls=pinned.get(permit.host))

    async def show(url: str, permit: ControlPermit, body: bytes, zone: Zone) -> tuple[int, bytes]:
        return await control_post(url, permit, body, zone, tls=pinned.get(permit.host))

    return ask, show


def _port(listen: str, configured: str) -> Finding:
    found = checkup.port(listen, running=asyncio.run(answers(address(listen))), held=_held)
    if listen == configured:
        return found
    hint = f"the file says {configured}, and so do the tools that `connect` has set up"
    return replace(found, hint=hint)


def _held(listen: str) -> None:
    bound(address(listen)).close()


def _show(found: list[Finding]) -> None:
    screen = console()
    for finding in found:
        line = folded(f"{finding.state:<5}{finding.about}: {finding.said}", screen, 5)
        screen.print(Text.assemble((line[:5], COLOURS[finding.state]), line[5:]))
        if finding.hint:
            screen.print(folded(f"     hint: {finding.hint}", screen, 11))
    failed = sum(finding.state == "fail" for finding in found)
    warned = sum(finding.state == "warn" for finding in found)
    if failed or warned:
        screen.print(f"{counted(failed, 'failure')}, {counted(warned, 'warning')}")
    else:
        screen.print("all is well")
