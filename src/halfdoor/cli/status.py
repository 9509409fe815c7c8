"""`halfdoor status`: who answered last and what today cost, in one line, for a prompt."""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from msgspec import Struct
from msgspec.structs import asdict

from halfdoor.cli.held import held_of, worded
from halfdoor.cli.options import ConfigOption, JsonOption, say_json, settings
from halfdoor.cli.plans import fullest, standings, terms
from halfdoor.cli.spending import known
from halfdoor.config.load import Loaded
from halfdoor.config.objectives import objectives
from halfdoor.decide.instead import instead_of
from halfdoor.decide.money import shown
from halfdoor.decide.objectives import Level
from halfdoor.errors import LogError
from halfdoor.store.books import Books
from halfdoor.store.keys import LogKeys
from halfdoor.store.periods import period, zone
from halfdoor.store.reader import Exchange, LogReader
from halfdoor.store.schema import FILE

if TYPE_CHECKING:
    from halfdoor.cli.underway import Under

_STDIN_BYTES = 1024 * 1024


class Today(Struct, frozen=True):
    """cost, fees: pico-USD. unknown: calls whose cost nobody knows, which is not among them.

    plans: how full the fullest window of each is, in words.
    """

    cost: int
    fees: int = 0
    plans: tuple[str, ...] = ()
    burning: tuple[Level, ...] = ()
    unknown: int = 0


class Runs(Struct, frozen=True):
    """What runs now. mine: the call of the newest exchange, None unless it is under way.

    waiting: all calls that wait for a slot, in their order; of one session where one is asked of.
    """

    mine: "Under | None" = None
    waiting: "tuple[Under, ...]" = ()


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
    loaded = settings(config)
    mac = _mac(loaded, session) if session else ""
    last, today = _last(loaded, session, mac), _today(loaded)
    runs = _runs(loaded, last, mac) if last is not None else Runs()
    if json:
        say_json(_document(last, today, runs))
    else:
        sys.stdout.write(_line(last, today, runs) + "\n")


def _session() -> str:
    """The session's id; "" for anything else than what Claude Code writes."""
    try:
        return msgspec.json.decode(sys.stdin.buffer.read(_STDIN_BYTES), type=_Session).session_id
    except msgspec.MsgspecError:
        return ""


def _mac(loaded: Loaded, session: str) -> str:
    """A session as the log names it, "" where nothing has been logged."""
    try:
        return LogKeys.load(loaded.state_dir).mac(session.encode("utf-8", "replace"))
    except LogError:
        return ""


def _last(loaded: Loaded, session: str, mac: str) -> Exchange | None:
    """The newest exchange, of that session if one is given; None before the first."""
    state_dir = loaded.state_dir
    if not (state_dir / FILE).exists():
        return None
    with LogReader(state_dir) as reader:
        if not session:
            return next(iter(reader.recent(1)), None)
        if not mac:
            return None
        midnight = datetime.fromtimestamp(_day(loaded)[0] / 1000, UTC)
        return reader.newest([{"session_mac": mac}], midnight.isoformat())


def _today(loaded: Loaded) -> Today:
    """All since midnight, where the team lives."""
    span_ms = _day(loaded)
    with Books(loaded.state_dir) as books:
        books.catch_up()
        lines = list(books.lines(span_ms[0]))
        levels = books.standing(objectives(loaded.config.backends), span_ms[1])
    burning = tuple(level for level in levels if level.alarm)
    cost = sum(line.sum.cost for line in lines)
    unknown = sum(line.sum.unknown for line in lines)
    if not loaded.config.plans:
        return Today(cost, burning=burning, unknown=unknown)
    fees = sum(term.fee for term in terms(loaded, lines, span_ms))
    full = (fullest(plan, how) for plan, how in standings(loaded, span_ms[1]))
    return Today(cost, fees, tuple(filter(None, full)), burning, unknown)


def _day(loaded: Loaded) -> tuple[int, int]:
    """From midnight until now, Unix milliseconds."""
    now_ms = time.time_ns() // 1_000_000
    return period("day", now_ms, zone(loaded.config.server.time_zone)).start_ms, now_ms


def _runs(loaded: Loaded, last: Exchange, mac: str) -> Runs:
    """As the processes of the house show it. mac: of the session that is asked of, "" for all."""
    from halfdoor.cli.underway import Watcher  # noqa: PLC0415  15 ms, and there is a log by now

    calls = Watcher(loaded).look(time.time_ns() // 1_000_000).calls
    mine = next((call for call in calls if call.exchange == last.decided.id), None)
    asked = (call for call in calls if not mac or mac.startswith(call.session or " "))
    waiting = sorted((c for c in asked if c.position), key=lambda call: call.position)
    return Runs(mine if last.outcome is None else None, tuple(waiting))


def _waits(runs: Runs) -> Iterator[str]:
    """Who waits for the backends that the newest exchange does not wait for itself."""
    own = runs.mine.backend if runs.mine and runs.mine.position else ""
    for backend in dict.fromkeys(call.backend for call in runs.waiting):
        calls = [call for call in runs.waiting if call.backend == backend]
        if backend != own:
            yield _stands(calls[0]) if len(calls) == 1 else f"{len(calls)} wait for {backend}"


def _stands(call: "Under") -> str:
    stands = f"waits {call.position}/{call.of}" if call.position else "under way"
    return f"{call.model} {call.zone} {stands}"


def _line(last: Exchange | None, today: Today, runs: Runs) -> str:
    said = " ".join(_told(last, runs)) if last else "nothing yet"
    fees = f" + {shown(today.fees)} of fees" if today.fees else ""
    burns = (f"{level.backend} {worded(held_of(level))}" for level in today.burning)
    spent = f"today {known(today.cost, today.unknown)}{fees}"
    return " | ".join((f"halfdoor: {said}", *_waits(runs), spent, *today.plans, *burns))


def _told(last: Exchange, runs: Runs) -> list[str]:
    decided, outcome = last.decided, last.outcome
    rule = f"(rule {decided.rule})" if decided.rule else ""
    if outcome is None:
        running = _stands(runs.mine) if runs.mine else "under way"
        stands = "refused" if decided.refusal else running
        return [each for each in (stands, rule) if each]
    called = "cost unknown" if outcome.attempts else ""
    cost = called if outcome.cost is None else shown(outcome.cost)
    answered = outcome.result == "answered"
    others = ", ".join(instead_of(decided, outcome))
    over = f"{'instead of' if answered else 'after'} {others}" if others else ""
    said = "" if answered else outcome.result
    place = f"{outcome.model} {outcome.zone}" if outcome.model else ""
    return [each for each in (place, said, rule, over, cost) if each]


def _document(last: Exchange | None, today: Today, runs: Runs) -> dict[str, Any]:
    outcome = last.outcome if last else None
    return {
        "id": last.decided.id if last else None,
        "model": outcome.model if outcome else None,
        "zone": outcome.zone if outcome else None,
        "rule": last.decided.rule if last else None,
        "result": outcome.result if outcome else None,
        "cost": outcome.cost if outcome else None,
        "instead_of": instead_of(last.decided, outcome) if last and outcome else (),
        "unwell": list(last.decided.unwell) if last else [],
        "under_way": runs.mine,
        "waiting": runs.waiting,
        "today": today.cost,
        "unknown": today.unknown,
        "fees": today.fees,
        "plans": list(today.plans),
        "burning": [
            {"backend": level.backend, **asdict(held_of(level))} for level in today.burning
        ],
        "unit": "pico-USD",
    }
