"""What the commands that read the log share: where it is, and how its facts are worded."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from halfdoor.canon.money import Usage
from halfdoor.cli.options import settings
from halfdoor.store.reader import LogReader

STYLES: Final = {
    "device": "green",
    "network": "yellow",
    "cloud": "cyan",
    "answered": "green",
    "refused": "yellow",
    "failed": "red",
    "hung-up": "magenta",
}
_AGO: Final = re.compile(r"(\d{1,5})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# `hd_`, ten digits of time and three of chance: enough for `why`, and it fits a narrow screen.
SHORT_ID: Final = 16
# What a narrow screen does without, first to last; and how far the long ones may be cut.
SPARE: Final = ("CHAT", "MS", "TOKENS", "AGE", "TIME", "BY", "RULE", "MODEL")
_NUMBERS: Final = frozenset(
    {
        *("TOKENS", "TOK/S", "RUNS", "WAITS", "MS", "AGE"),
        *("ENTRY", "EXCHANGES", "IN", "CACHED", "OUT", "COST", "WORTH", "FEE"),
    }
)
SHRINKS: Final = {
    "BY": 12,
    "MODEL": 12,
    "RULE": 12,
    "WHAT": 30,
    "BACKEND": 12,
    "BREAKER": 14,
    "HELD TO": 20,
}


def opened(config: Path | None) -> LogReader:
    """The configured log. Raises SetupError, or LogError if nothing has been recorded yet."""
    return LogReader(settings(config).state_dir)


def moment(time: str) -> datetime:
    """The time of an entry."""
    return datetime.fromisoformat(time)


def beginning(text: str, where: tzinfo | None = UTC) -> str:
    """What `--since` says, as the entries have it: RFC 3339 in UTC; "" for the beginning.

    where: in which time zone a day is that says none, None for the machine's.
    """
    if not text:
        return ""
    if ago := _AGO.fullmatch(text):
        start = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        start = _stated(text, where)
    return start.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stated(text: str, where: tzinfo | None) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"`{text}` is no time; try 2026-11-21, 2026-11-21T09:30Z or 24h", param_hint="--since"
        ) from None
    if found.tzinfo:
        return found
    return found.astimezone() if where is None else found.replace(tzinfo=where)


def age(time: str, now: datetime | None = None) -> str:
    """How long ago, in one unit: `8s`, `3m`, `5h`, `12d`."""
    seconds = max(0, int(((now or datetime.now(UTC)) - moment(time)).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def tokens(usage: Usage | None) -> str:
    """Tokens in and out, `3,000+120`; "" when the backend did not say."""
    return "" if usage is None else f"{usage.input_tokens:,}+{usage.output_tokens:,}"


def show(console: Console, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns: a table on a terminal; elsewhere plain text that is never cut, for programs."""
    rows = list(rows)
    if console.is_terminal:
        console.print(drawn(console.width, titles, rows))
    else:
        _plain(console, [titles, *rows])


def drawn(width: int, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """The table as a terminal of that width shows it."""
    titles, rows = _fitted(width, titles, rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        number = title in _NUMBERS or title.startswith("ON ")
        table.add_column(title, justify="right" if number else "left", overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell, style=_style(cell), no_wrap=True) for cell in row))
    return table


def _style(cell: str) -> str:
    return "red" if cell.startswith("!!") else STYLES.get(cell, "")


def _fitted(
    width: int, titles: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Without the columns that a narrow screen can spare, so that the others can be read."""
    kept = list(range(len(titles)))
    needed = [
        min(SHRINKS.get(title, 99), max(len(row[at]) for row in (titles, *rows)))
        for at, title in enumerate(titles)
    ]
    for spare in (at for title in SPARE for at in kept if titles[at] == title):
        if sum(needed[at] + 2 for at in kept) <= width:
            break
        kept.remove(spare)
    return [titles[at] for at in kept], [[row[at] for at in kept] for row in rows]


def _plain(console: Console, rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line = "  ".join(cells).rstrip()
        console.print(line, markup=False, highlight=False, soft_wrap=True)
