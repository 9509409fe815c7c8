"""`halfdoor ps`: whether a gateway runs, what it does, what its engines have loaded."""

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer

from halfdoor.cli.ledger import SHORT_ID, show
from halfdoor.cli.options import ConfigOption, JsonOption, console, counted, say_json, settings
from halfdoor.cli.recent import TITLES, document, recent, row
from halfdoor.cli.running import told
from halfdoor.cli.underway import Now, Watcher
from halfdoor.cli.watching import BACKENDS, CALLS, calls, lines, live, standing
from halfdoor.config.load import Loaded
from halfdoor.server.address import address, answers
from halfdoor.server.status import Loaded as Resident
from halfdoor.server.status import ModelShown
from halfdoor.store.reader import Exchange


def ps(
    count: Annotated[
        int, typer.Option("--number", "-n", min=1, max=10_000, help="How many exchanges to list.")
    ] = 10,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", "-w", help="Look again and again, until Ctrl-C; once where nobody watches."
        ),
    ] = False,
    interval: Annotated[
        float, typer.Option("--interval", min=0.2, max=3600, help="Seconds between two looks.")
    ] = 1.0,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List what runs, what its engines have loaded, and the newest exchanges."""
    loaded = settings(config)
    if watch and json:
        lines(loaded, interval)
        return
    if watch and sys.stdout.isatty():
        live(loaded, interval, count)
        return
    now = Watcher(loaded).look(time.time_ns() // 1_000_000)
    runs = asyncio.run(answers(address(now.listens)))
    models = _models(loaded) if runs else ()
    wide = tuple(model for model in models if model.zone != model.claimed)
    found = recent(loaded, count)
    if json:
        exchanges = [document(x) for x in found]
        state = {"listen": now.listens, "running": runs, "widened": wide, "models": models}
        say_json({**state, "now": now, "exchanges": exchanges})
        return
    _state(models, now.listens, running=runs)
    _under_way(now)
    _show(found)


def _under_way(now: Now) -> None:
    """What runs, where anything does; and the backends that have something to say."""
    screen = console()
    told = [each for each in now.backends if each.tripped or each.objectives or each.waiting]
    for titles, rows in ((BACKENDS, [standing(b) for b in told]), (CALLS, calls(now))):
        if rows:
            show(screen, titles, rows)
            screen.print("")


class _Status(msgspec.Struct, frozen=True):
    models: tuple[ModelShown, ...] = ()


def _models(loaded: Loaded) -> tuple[ModelShown, ...]:
    """The gateway's models; none if it wants a token and none of its tokens is set here."""
    said = told(loaded, _Status)
    return said.models if said else ()


def _state(models: Sequence[ModelShown], listen: str, *, running: bool) -> None:
    screen = console()
    hint = "" if running else "; `halfdoor serve` starts one"
    answers_ = "the gateway answers" if running else "no gateway answers"
    screen.print(f"{answers_} on {listen}{hint}", highlight=False)
    for model in models:
        if model.zone != model.claimed:
            screen.print(
                f"!! {model.name} counts as {model.zone}, not {model.claimed}: `halfdoor doctor`",
                highlight=False,
            )
    for model in models:
        if model.held is not None:
            screen.print(f"{model.name}: {held(model.held)}", highlight=False)


def held(model: Resident) -> str:
    """What an engine has in its memory, in a few words, and how old that knowledge is."""
    by = f" ({model.engine}, asked {model.age_s} s ago)"
    if not model.loaded:
        return f"not loaded{by}"
    window = f", {model.context_tokens:,} tokens" if model.context_tokens else ""
    slots = f", {counted(model.slots, 'request')} at once" if model.slots else ""
    gpu = "" if model.gpu is None else f", {model.gpu:.0%} in GPU memory"
    return f"loaded{window}{slots}{gpu}{by}"


def _show(found: Sequence[Exchange]) -> None:
    screen = console()
    if not found:
        screen.print("no exchange has been recorded yet", highlight=False)
        return
    narrow = screen.is_terminal
    show(screen, TITLES, [row(x, SHORT_ID if narrow else None) for x in found])
