"""`halfdoor log`: verify, read, export and sign off the evidence."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from halfdoor.canon.record import Decided, Entry, Noted, Outcome
from halfdoor.cli.ledger import SHORT_ID, beginning, moment, opened, show
from halfdoor.cli.options import ConfigOption, JsonOption, console, counted, say_json, settings
from halfdoor.errors import LogError, SetupError
from halfdoor.record.audit import Problem, Report, Row
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader

app = typer.Typer(no_args_is_help=True, help="Verify, read and export the evidence log.")

# Below this an audit takes less than a blink, and a bar would only flicker.
LONG: Final = 20_000


class Format(StrEnum):
    """How `export` writes: one leaf a line, exactly as it was hashed."""

    JSONL = "jsonl"


@app.command()
def verify(
    against: Annotated[
        Path | None,
        typer.Option(help="A checkpoint kept elsewhere: proves that nothing was cut off since."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Prove that no entry was changed, deleted, moved or cut off. Exit 1 if one was."""
    state_dir = settings(config).state_dir
    kept = None if against is None else _text(against)
    with LogReader(state_dir) as reader, _bar(reader.size(), quiet=json) as progress:
        key = LogKeys.load(state_dir).verifier
        report = reader.verify(key, against=kept, progress=progress)
    if json:
        say_json({"whole": not report.problem_count} | msgspec.to_builtins(report))
    else:
        show_report(console(), report)
    if report.problem_count:
        raise typer.Exit(1)


@app.command()
def tail(
    count: Annotated[
        int, typer.Option("--number", "-n", min=1, max=100_000, help="How many entries to show.")
    ] = 10,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show the newest entries, oldest first."""
    with opened(config) as reader:
        found = [(row, reader.entry(row)) for row in reader.tail(count)]
    if json:
        say_json([msgspec.json.decode(row.leaf) for row, _ in found])
        return
    screen = console()
    short = SHORT_ID if screen.is_terminal else None
    show(
        screen,
        ("ENTRY", "TIME", "EXCHANGE", "WHAT"),
        [_entry_row(row, entry, short) for row, entry in found],
    )


@app.command()
def export(
    form: Annotated[Format, typer.Option("--format", help="One entry a line.")] = Format.JSONL,
    since: Annotated[
        str, typer.Option(help="A date, a time (UTC), or how long ago: `90m`, `24h`, `7d`.")
    ] = "",
    config: ConfigOption = None,
) -> None:
    """Write the entries as they were recorded, one canonical JSON object a line."""
    assert form is Format.JSONL
    start = beginning(since)
    with opened(config) as reader:
        for row in reader.rows(since=start):
            sys.stdout.buffer.write(row.leaf.encode("utf-8", "surrogateescape") + b"\n")
        sys.stdout.buffer.flush()


@app.command()
def checkpoint(
    key: Annotated[
        bool, typer.Option("--key", help="Print the verifier key instead, for other tools.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print the newest signed head. Keep it elsewhere: `log verify --against` compares with it."""
    state_dir = settings(config).state_dir
    with LogReader(state_dir) as reader:
        note = reader.newest_checkpoint()
    vkey = LogKeys.load(state_dir).vkey
    if note is None:
        raise LogError(
            "no checkpoint has been signed yet",
            hint="one is, within a second of an entry and when the gateway stops",
        )
    if json:
        say_json({"checkpoint": note, "key": vkey})
    else:
        sys.stdout.write(f"{vkey}\n" if key else note)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SetupError(
            f"the checkpoint cannot be read: {why}",
            where=str(path),
            hint="make one with `halfdoor log checkpoint > FILE`",
        ) from None


@contextmanager
def _bar(size: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Progress on standard error, for a long log and a person who waits."""
    screen = Console(stderr=True)
    if quiet or size < LONG or not screen.is_terminal:
        yield lambda _: None
        return
    with Progress(console=screen, transient=True) as progress:
        task = progress.add_task("entries", total=size)
        yield lambda done: progress.update(task, completed=done)


def show_report(screen: Console, report: Report) -> None:
    """What an audit found."""

    def say(text: str, style: str = "") -> None:
        screen.print(text, style=style, highlight=False, markup=False)

    if report.problem_count:
        say(
            f"DAMAGED: {counted(report.problem_count, 'problem')} in {report.size:,} entries", "red"
        )
        for problem in report.problems:
            say(f"  {_place(problem)}: {problem.kind}: {problem.message}")
        if report.problem_count > len(report.problems):
            say(f"  … and {report.problem_count - len(report.problems):,} more")
        say("hint: keep a copy as evidence before you mend anything")
        return
    heads = counted(report.checkpoints, "signed checkpoint")
    say(f"whole: {counted(report.size, 'entry')}; {heads} over {report.covered:,} of them", "green")
    say(f"root {report.root}")
    if report.unfinished:
        say(f"{counted(report.unfinished, 'decision')} without an outcome: counts as sent")
    if report.against >= 0:
        say(f"it continues the checkpoint from outside ({counted(report.against, 'entry')})")
    else:
        say("a cut-off end shows only `--against` a checkpoint that you keep elsewhere")


def _place(problem: Problem) -> str:
    if problem.first == problem.last:
        return f"entry {problem.first:,}"
    return f"entries {problem.first:,} to {problem.last:,}"


def _entry_row(row: Row, entry: Entry, short: int | None) -> tuple[str, ...]:
    when = f"{moment(row.time):%Y-%m-%d %H:%M:%S}"
    return f"{row.seq}", when, row.exchange[:short], told(entry)


def told(entry: Entry) -> str:
    """An entry in a few words, on one line."""
    match entry:
        case Decided():
            return _decision(entry)
        case Outcome():
            by = f" by {entry.model} ({entry.zone})" if entry.model else ""
            notices = "".join(f"; {notice}" for notice in entry.notices)
            return f"{entry.result}{by} in {entry.ms:,} ms{notices}"
        case Noted():
            return " ".join([entry.event, *(f"{k}={_brief(v)}" for k, v in entry.facts.items())])


def _brief(fact: str) -> str:
    """A hash by its beginning; `--json` and `export` have all of it."""
    return f"{fact[:12]}…" if len(fact) == 64 else fact


def _decision(entry: Decided) -> str:
    rule = f"rule {entry.rule}; " if entry.rule else ""
    if entry.refusal:
        return f"{rule}refused: {entry.refusal}"
    if not entry.plan:
        return f"{rule}goes to nobody"
    return f"{rule}may go to {', '.join(planned.model for planned in entry.plan)}"
