"""`halfdoor doctor --scope`, and `docs/reference/scope.md`: what the gateway cannot see.

`python -m halfdoor.cli.scope` prints the page; a test holds the two equal.
"""

import os
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from halfdoor.cli.options import console, say_json
from halfdoor.config.scope import CHANNELS, LIMITS, Channel, State, closing, state

SAID: Final[dict[State, str]] = {
    "closed": "closed",
    "open": "OPEN",
    "unknown": "setting",
    "never": "never",
}
STYLES: Final[dict[State, str]] = {"closed": "green", "open": "yellow", "unknown": "", "never": ""}
LEGEND: Final = """\
closed, OPEN: as the variables of this environment say. setting: a file of the tool says it, which
halfdoor does not read. never: no switch of the tool closes it; a firewall does.
"""

HEAD: Final = """\
# What halfdoor cannot see

*Generated from `src/halfdoor/config/scope.py`; change it there.*

halfdoor decides about the requests that tools send to *it*. The same tools talk to others, too.
`halfdoor doctor --scope` prints this list with what is closed in the environment it is run in.
Hosts and switches were measured, or taken from the tools' own documentation, in November 2026,
with Claude Code 2.1.197, Codex 0.169.0, OpenCode 1.18.33, Continue 1.5.47, Cline 3.0.65, Aider
0.86.2 and llm 0.36; a later version may do otherwise. A tool's own switch is a promise of its
maker. Where that is not enough, let the machine reach the gateway's backends and nothing else.

| tool | what | where | what closes it |
|---|---|---|---|
"""
BETWEEN: Final = """
halfdoor itself has no telemetry and checks for no updates; `tests/offline/` counts what it tries.

## Where its own recognition ends

"""
FOOT: Final = """
More: [what is scanned](../explanation/what-is-scanned.md), [architecture](../../ARCHITECTURE.md).
"""


def page() -> str:
    """The whole page, Markdown."""
    rows = "".join(_row(channel) for channel in CHANNELS)
    limits = "".join(f"- **{limit.about}**: {limit.said}\n" for limit in LIMITS)
    return f"{HEAD}{rows}{BETWEEN}{limits}{FOOT}"


def tell(env: Mapping[str, str] = os.environ, *, json: bool) -> None:
    """Show it for this environment."""
    if json:
        say_json(_document(env))
    else:
        _show(console(), env)


def _row(channel: Channel) -> str:
    closed = closing(channel) or "nothing of its own; a firewall"
    return f"| {channel.tool} | {channel.what} | {channel.where} | {closed} |\n"


def _document(env: Mapping[str, str]) -> dict[str, Any]:
    channels = [
        msgspec.to_builtins(channel) | {"state": state(channel, env)} for channel in CHANNELS
    ]
    return {"channels": channels, "limits": msgspec.to_builtins(LIMITS)}


def _show(screen: Console, env: Mapping[str, str]) -> None:
    screen.print(Text("What tools send past the gateway", style="bold"))
    for tool in dict.fromkeys(channel.tool for channel in CHANNELS):
        screen.print(Text(f"\n{tool}"))
        _rows(screen, [_told(each, state(each, env)) for each in CHANNELS if each.tool == tool])
    screen.print(f"\n{' '.join(LEGEND.split())}", soft_wrap=not screen.is_terminal)
    screen.print(Text("\nWhere halfdoor's own recognition ends", style="bold"))
    _rows(screen, [(Text(limit.about), Text(limit.said)) for limit in LIMITS])


def _told(channel: Channel, found: State) -> tuple[Text, Text]:
    how = closing(channel).replace("`", "")
    told = Text(f"{channel.what} → {channel.where}")
    if how:
        told.append(f"\nclose it: {how}", "dim")
    return Text(SAID[found], STYLES[found]), told


def _rows(screen: Console, rows: list[tuple[Text, Text]]) -> None:
    """Two columns that a terminal wraps; elsewhere a line stays one line, for programs."""
    if not screen.is_terminal:
        for first, second in rows:
            screen.print(f"  {first.plain:<13} {second.plain.replace(chr(10), '; ')}")
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=15)
    table.add_column(overflow="fold")
    for first, second in rows:
        table.add_row(Padding(first, (0, 0, 0, 2)), second)
    screen.print(table, soft_wrap=False)


if __name__ == "__main__":
    print(page(), end="")
