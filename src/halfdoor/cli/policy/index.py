"""`halfdoor policy index`: fingerprints of restricted files, to know their text anywhere."""

import os
import time
from typing import Annotated, Final

import typer
from msgspec import Struct
from rich.progress import Progress

from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    ProjectOption,
    console,
    counted,
    project_dir,
    say_json,
)
from halfdoor.cli.restricted import restricted
from halfdoor.config.load import load as read
from halfdoor.store.index import Built, Restricted, build, is_stale, load, save
from halfdoor.store.keys import LogKeys

STALE: Final = 3

CheckOption = Annotated[
    bool, typer.Option("--check", help="Only say whether the index is there and up to date.")
]


class Indexed(Struct, frozen=True):
    """What `--json` prints. state: `fresh`, `stale` or `missing`."""

    root: str
    state: str
    labels: tuple[str, ...]
    files: int
    bytes: int
    shingles: int
    left_out: int
    seconds: float = 0.0


def index(
    config: ConfigOption = None,
    project: ProjectOption = None,
    check: CheckOption = False,
    json: JsonOption = False,
) -> None:
    """Fingerprint the files that path rules restrict, so that their text is known without a path.

    Reads the project's files; keeps no text and no names in clear. `serve` loads the index when it
    starts and on SIGHUP. Exit 3 with `--check`: there is none, or files or rules have changed.
    """
    loaded = read(config, project_dir(project), os.environ)
    what = restricted(loaded, project_dir(project))
    keys = LogKeys.load_or_create(loaded.state_dir)
    before = [
        built for built in load(loaded.state_dir, keys.prints_key) if built.what.root == what.root
    ]
    begun = time.monotonic()
    if check:
        told = (
            _told(before[0], "stale" if is_stale(before[0], what) else "fresh")
            if before
            else _none(what)
        )
    else:
        built = _built(what, quiet=json)
        save(built, loaded.state_dir, keys.prints_key)
        told = _told(built, "fresh", round(time.monotonic() - begun, 1))
    if json:
        say_json(told)
    else:
        _show(told)
    if check and told.state != "fresh":
        raise typer.Exit(STALE)


def _built(what: Restricted, *, quiet: bool) -> Built:
    screen = console(stderr=True)
    with Progress(console=screen, transient=True, disable=quiet or not screen.is_terminal) as shown:
        task = shown.add_task("reading", total=None)
        return build(what, lambda done, of: shown.update(task, completed=done, total=of))


def _told(built: Built, now: str, seconds: float = 0.0) -> Indexed:
    counts = (built.files, built.size, built.shingles, built.left_out)
    return Indexed(built.what.root, now, built.labels, *counts, seconds)


def _none(what: Restricted) -> Indexed:
    return Indexed(what.root, "missing", (), 0, 0, 0, 0)


def _show(told: Indexed) -> None:
    say = console().print
    if told.state == "missing":
        say(f"{told.root}: no index; run `halfdoor policy index` there")
        return
    if not told.files:
        say(f"{told.root}: no rule restricts a file here, so there is nothing to index")
        return
    files, size = counted(told.files, "file"), f"{told.bytes / 1e6:,.1f} MB"
    say(f"{told.root}: {told.state}, {files}, {size}, {counted(told.shingles, 'fingerprint')}")
    for label in told.labels:
        say(f"  {label}")
    if told.left_out:
        say(f"!! {counted(told.left_out, 'file')} left out: above 1 MB, no text, or unreadable")
