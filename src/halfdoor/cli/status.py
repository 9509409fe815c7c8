"""`halfdoor status`: who answered last and what today cost, in one line, for a prompt."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Struct

from halfdoor.cli.ledger import settings
from halfdoor.cli.options import ConfigOption, JsonOption, say_json
from halfdoor.decide.money import shown
from halfdoor.errors import LogError
from halfdoor.store.books import Books
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import Exchange, LogReader
from halfdoor.store.schema import FILE

_STDIN_BYTES = 1024 * 1024


class _Session(Struct):
    """What Claude Code tells its status line, as far as it matters here."""

    session_id: str = ""


def status(
    claude_code: Annotated[
        bool,
        typer.Option(
            "--claude-code",
            help="Read from standard input what Claude Code tells its status line, and speak of "
            "that session.",
        ),
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Say in one line who answered last, where, by which rule, and what today cost."""
    session = _session() if claude_code else ""
    state_dir = settings(config).state_dir
    last, today = _last(state_dir, session), _today(state_dir)
    if json:
        say_json(_document(last, today))
    else:
        sys.stdout.write(_line(last, today) + "\n")


def _session() -> str:
    """The session's id; "" for anything else than what Claude Code writes."""
    try:
        return msgspec.json.decode(sys.stdin.buffer.read(_STDIN_BYTES), type=_Session).session_id
    except msgspec.MsgspecError:
        return ""


def _last(state_dir: Path, session: str) -> Exchange | None:
    """The newest exchange, of that session if one is given; None before the first."""
    if not (state_dir / FILE).exists():
        return None
    with LogReader(state_dir) as reader:
        if not session:
            return next(iter(reader.recent(1)), None)
        try:
            mac = LogKeys.load(state_dir).mac(session.encode("utf-8", "replace"))
        except LogError:
            return None
        return reader.newest([{"session_mac": mac}], _midnight().isoformat())


def _today(state_dir: Path) -> int:
    """Pico-USD since midnight, where this machine is."""
    with Books(state_dir) as books:
        books.catch_up()
        return sum(line.sum.cost for line in books.lines(int(_midnight().timestamp() * 1000)))


def _midnight() -> datetime:
    return datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)


def _line(last: Exchange | None, today: int) -> str:
    if last is None:
        return f"halfdoor: nothing yet | today {shown(today)}"
    return f"halfdoor: {' '.join(_told(last))} | today {shown(today)}"


def _told(last: Exchange) -> list[str]:
    decided, outcome = last.decided, last.outcome
    rule = f"(rule {decided.rule})" if decided.rule else ""
    if outcome is None:
        waits = "refused" if decided.refusal else "under way"
        return [each for each in (waits, rule) if each]
    cost = "" if outcome.cost is None else shown(outcome.cost)
    passed = f"instead of {', '.join(decided.unwell)}" if decided.unwell else ""
    said = outcome.result if outcome.result != "answered" else ""
    place = f"{outcome.model} {outcome.zone}" if outcome.model else ""
    return [each for each in (place, said, rule, passed, cost) if each]


def _document(last: Exchange | None, today: int) -> dict[str, Any]:
    outcome = last.outcome if last else None
    return {
        "id": last.decided.id if last else None,
        "model": outcome.model if outcome else None,
        "zone": outcome.zone if outcome else None,
        "rule": last.decided.rule if last else None,
        "result": outcome.result if outcome else None,
        "cost": outcome.cost if outcome else None,
        "unwell": list(last.decided.unwell) if last else [],
        "today": today,
        "unit": "pico-USD",
    }
