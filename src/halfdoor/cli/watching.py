"""`ps --watch`: the same picture again and again, until somebody has seen enough."""

import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Final

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from halfdoor.cli.held import worded
from halfdoor.cli.ledger import SHORT_ID, drawn
from halfdoor.cli.recent import TITLES, recent, row
from halfdoor.cli.underway import Now, Standing, Under, Watcher
from halfdoor.config.load import Loaded
from halfdoor.decide.money import shown

CALLS: Final = ("AGE", "BY", "CHAT", "MODEL", "ZONE", "STATE", "TOK/S", "TOKENS", "COST")
BACKENDS: Final = ("BACKEND", "ZONE", "RUNS", "WAITS", "BREAKER", "HELD TO")
_SESSION_CHARS: Final = 6
_TERMINATED: Final = 143


def live(loaded: Loaded, interval_s: float, count: int) -> None:
    """Until Ctrl-C; the terminal is then as it was. count: newest exchanges below what runs."""
    watcher = Watcher(loaded)
    before = signal.signal(signal.SIGTERM, _leave)
    screen = Console(highlight=False, markup=False, emoji=False)
    try:
        with Live(console=screen, screen=True, auto_refresh=False) as canvas:
            while True:
                now = watcher.look(time.time_ns() // 1_000_000)
                canvas.update(picture(now, loaded, screen, count), refresh=True)
                time.sleep(interval_s)
    except KeyboardInterrupt:
        pass  # that is how a person says that it is enough
    finally:
        signal.signal(signal.SIGTERM, before)


def lines(loaded: Loaded, interval_s: float) -> None:
    """One JSON document a line and a look, until Ctrl-C or until nobody reads any more."""
    watcher = Watcher(loaded)
    try:
        while True:
            now = watcher.look(time.time_ns() // 1_000_000)
            sys.stdout.write(msgspec.json.encode(now).decode() + "\n")
            sys.stdout.flush()
            time.sleep(interval_s)
    except KeyboardInterrupt:
        pass


def picture(now: Now, loaded: Loaded, screen: Console, count: int) -> RenderableType:
    """What fits on the screen: what runs first, then the newest of the log."""
    width, left = screen.width, screen.height
    parts: list[RenderableType] = [_head(now, width)]
    left -= 2
    for titles, rows in ((BACKENDS, [standing(b) for b in now.backends]), (CALLS, calls(now))):
        if rows:
            parts += [Text(""), drawn(width, titles, rows[: max(1, left - 2)])]
            left -= 2 + len(rows)
    newest = min(count, left - 2)
    if newest > 0:
        running = {call.exchange for call in now.calls}
        found = [x for x in recent(loaded, newest + len(running)) if x.decided.id not in running]
        rows = [row(each, SHORT_ID) for each in found[:newest]]
        parts += [Text(""), drawn(width, TITLES, rows)] if rows else []
    return Group(*parts)


def _head(now: Now, width: int) -> Text:
    clock = time.strftime("%H:%M:%S", time.localtime(now.at_ms / 1000))
    waits = sum(call.position > 0 for call in now.calls)
    runs = len(now.calls) + now.beyond - waits
    who = "1 process" if now.processes == 1 else f"{now.processes} processes"
    said = f"gateway on {now.listens}: {who}, {runs} under way, {waits} waiting"
    if not now.processes:
        said = "no gateway runs here; `halfdoor serve` starts one"
    room = max(1, width - len(said) - len(clock))
    return Text(f"{said}{' ' * room}{clock}", style="bold", no_wrap=True, overflow="crop")


def calls(now: Now) -> list[tuple[str, ...]]:
    """The calls under `CALLS`, the oldest first."""
    return [_call(call) for call in now.calls]


def _call(call: Under) -> tuple[str, ...]:
    streams = call.state == "streaming"
    speed = "" if call.tokens_per_s is None else f"{call.tokens_per_s:.1f}"
    return (
        _age(call.age_ms),
        " ".join(part for part in (call.tool, call.project) if part),
        call.session[:_SESSION_CHARS],
        call.model,
        call.zone,
        f"waits {call.position}/{call.of}" if call.position else call.state,
        speed,
        f"~{call.tokens:,}" if streams else "",
        "" if call.cost is None else f"~{shown(call.cost).removesuffix(' USD')}",
    )


def standing(backend: Standing) -> tuple[str, ...]:
    """One backend under `BACKENDS`."""
    slots = "" if backend.slots is None else f"/{backend.slots}"
    held = "; ".join(filter(None, map(worded, backend.objectives)))
    return (
        backend.name,
        backend.zone,
        f"{backend.running}{slots}",
        str(backend.waiting),
        ", ".join(_tripped(backend)) or "well",
        held,
    )


def _tripped(backend: Standing) -> Iterator[str]:
    for number, (said, for_ms) in enumerate(backend.tripped.items()):
        yield f"{'' if number else '!! '}{said}, {max(0, for_ms) // 1000} s"


def _age(ms: int) -> str:
    seconds = ms // 1000
    return f"{seconds}s" if seconds < 100 else f"{seconds // 60}m{seconds % 60:02}"


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(_TERMINATED)
