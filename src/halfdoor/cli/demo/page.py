"""The demo on a screen: one column of exchanges on 80 columns, a table with reasons on 120."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from halfdoor.cli.demo.story import Side, Story, Told
from halfdoor.cli.ledger import STYLES
from halfdoor.cli.log import show_report

# From here on the reasons fit beside the exchanges.
WIDE: Final = 120
_TITLE: Final = 43
_NAME: Final = 14
_COUNT: Final = 8
# All columns but the requests', with a space after each.
_FIGURES: Final = 2 + _NAME + 2 * _COUNT + 4


def show(screen: Console, story: Story) -> None:
    """All of it, in the order in which it should be read."""
    for part in (_intro(story), _exchanges(screen, story), _refusals(story), _door(story)):
        screen.print(part, soft_wrap=False)
        screen.print()
    _log(screen, story)
    screen.print()
    _end(screen, story)


def _intro(story: Story) -> RenderableType:
    table = _grid()
    for name, zone, what in (
        ("qwen-local", "device", "a model: stands for an engine here, say Ollama"),
        ("claude-cloud", "cloud", "a model: stands for a vendor's"),
        ("secret", "device", "a rule: text with this label goes no wider; built in"),
        ("path:payments/**", "device", "a rule: files below payments/ go no wider; yours"),
    ):
        table.add_row(f"  {name}", _zone(zone), what)
    claim = "halfdoor decides for each request what may leave this machine, and proves it."
    where = f"Here it runs, on {story.url}, between pretended tools and models."
    return Group(Text(claim, "bold"), Text(where), table)


def _exchanges(screen: Console, story: Story) -> RenderableType:
    wide = screen.width >= WIDE
    return Group(
        _title("What is asked, who answers, and how many bytes crossed or stayed"),
        _beside(story.exchanges) if wide else _below(story.exchanges, screen.width),
    )


def _beside(exchanges: Sequence[Told]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("request", no_wrap=True)
    table.add_column("answered by", no_wrap=True)
    table.add_column("crossed", justify="right", no_wrap=True)
    table.add_column("stayed", justify="right", no_wrap=True)
    table.add_column("why")
    for told in exchanges:
        table.add_row(*_cells(told), Text(told.reason, style="dim"))
    return table


def _below(exchanges: Sequence[Told], width: int) -> Group:
    """Each reason under its exchange. On a narrow screen the requests give way, not the figures."""
    title = max(_NAME, min(_TITLE, width - _FIGURES))
    parts: list[RenderableType] = [_row(title, "", "request", "answered by", "crossed", "stayed")]
    for told in exchanges:
        parts += [
            _row(title, *_cells(told)),
            Padding(Text(told.reason, style="dim"), (0, 0, 0, 3)),
        ]
    return Group(*parts)


def _row(title: int, *cells: str | Text) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=2, justify="right")
    table.add_column(width=title)
    table.add_column(width=_NAME)
    for _ in ("crossed", "stayed"):
        table.add_column(width=_COUNT, justify="right")
    table.add_row(*cells, style="" if isinstance(cells[0], Text) else "dim")
    return table


def _cells(told: Told) -> tuple[Text, ...]:
    who = Text(told.model, STYLES[told.zone]) if told.model else _refused(told.status)
    return (
        Text(str(told.number)),
        Text(told.title, "bold"),
        who,
        _bytes(told.crossed, "cloud"),
        _bytes(told.stayed, "device"),
    )


def _refused(status: int) -> Text:
    return Text(f"refused: {status}", STYLES["refused"])


def _bytes(count: int, zone: str) -> Text:
    return Text(f"{count:,}", STYLES[zone]) if count else Text("-", "dim")


def _zone(zone: str) -> Text:
    return Text(zone, STYLES[zone])


def _refusals(story: Story) -> RenderableType:
    table = _grid()
    table.add_column(justify="right", width=2)
    table.add_column()
    for told in story.exchanges:
        if told.refusal:
            table.add_row(str(told.number), Text(told.refusal))
    return Group(_title("What a refused tool is told, in its own error shape"), table)


def _door(story: Story) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for title in ("calls", "bytes, says the log", "bytes, say the models"):
        table.add_column(title, justify="right")
    for side in story.sides:
        table.add_row(*_side(side))
    table.add_row(Text("went nowhere", STYLES["refused"]), "0", f"{story.held:,}", "0")
    calls = {side.zone: side.heard_calls for side in story.sides}
    lines = [
        Text.assemble(
            f"{planted.what}: in {planted.device} of {calls['device']} calls to the device, ",
            (f"in {planted.cloud} of {calls['cloud']} to the cloud", "bold"),
        )
        for planted in story.planted
    ]
    return Group(_title("What crossed the door, and what stayed"), table, *lines)


def _side(side: Side) -> tuple[Text | str, ...]:
    what = "crossed to the cloud" if side.zone == "cloud" else "stayed on the device"
    return Text(what, STYLES[side.zone]), f"{side.calls}", f"{side.logged:,}", f"{side.heard:,}"


def _log(screen: Console, story: Story) -> None:
    tampered = story.tampered
    screen.print(_title("What proves it: halfdoor log verify"), soft_wrap=False)
    show_report(screen, story.log)
    screen.print()
    screen.print(_title("One byte changed in a copy, to hide what left"), soft_wrap=False)
    place = f"exchange {story.tampered_exchange}, byte {tampered.offset:,} of log.db"
    screen.print(f"{place}: {tampered.before} -> {tampered.after}")
    show_report(screen, tampered.report)


def _end(screen: Console, story: Story) -> None:
    if story.failures:
        screen.print("NOT AS IT MUST BE", style="red")
        for failure in story.failures:
            screen.print(f"  {failure}")
        return
    for text in (
        "All of this was checked as it ran: answers, bytes, planted texts, and the log.",
        "Now yours: `halfdoor serve`, then point a tool at http://127.0.0.1:4114",
    ):
        screen.print(Text(text), soft_wrap=False)


def _title(text: str) -> Rule:
    return Rule(Text(text, "bold"), align="left", style="dim")


def _grid() -> Table:
    return Table.grid(padding=(0, 2))
