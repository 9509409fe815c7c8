"""`halfdoor budget`: what each budget has taken, where it is heading, and how full plans are."""

import time
from typing import Any, Final

from msgspec import Struct

from halfdoor.canon.money import Budget
from halfdoor.canon.plans import Beyond
from halfdoor.cli.ledger import show
from halfdoor.cli.options import ConfigOption, JsonOption, console, folded, say_json, settings
from halfdoor.cli.plans import document, standings, windows
from halfdoor.cli.spending import UNKNOWN
from halfdoor.config.load import Loaded
from halfdoor.decide.money import apart
from halfdoor.store.opening import Taken, taken
from halfdoor.store.periods import Period, period, zone

BEYOND: Final = {
    Beyond.FALLBACK: "another permitted model answers",
    Beyond.STOP: "nobody answers in its place",
    Beyond.PAY: "list prices are paid",
}
TITLES = ("BUDGET", "FOR", "TAKEN", "OF", "USED", "FORECAST", "UNTIL")


class Purse(Struct, frozen=True):
    """One limit as it stands. taken, forecast: pico-USD; forecast is at this period's end.

    unknown: calls that are in neither, because nobody knows a price.
    """

    budget: Budget
    key: str
    taken: int
    forecast: int
    period: Period
    unknown: int = 0


def budget(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Say what each budget has taken, where it is heading, and how full flat plans are."""
    loaded = settings(config)
    now_ms = time.time_ns() // 1_000_000
    found, plans = _purses(loaded, now_ms), standings(loaded, now_ms)
    if json:
        say_json([*map(_document, found), *(document(plan, how) for plan, how in plans)])
        return
    screen = console()
    if found:
        show(screen, TITLES, [_row(each) for each in found])
        screen.print("taken: settled and held, by the log; forecast: if it goes on as it began")
        if any(each.forecast > each.budget.limit for each in found):
            screen.print("!: beyond the limit")
        if any(each.unknown for each in found):
            screen.print("unknown: calls of which nobody knows a price, not in the figures")
    else:
        screen.print("no budget is set; `[[budgets]]` in the configuration sets one")
    for plan, how in plans:
        screen.print(f"plan {plan.name}; beyond it {BEYOND[plan.beyond]}")
        for line in windows(plan, how):
            screen.print(folded(f"  {line}", screen, 2))


def _purses(loaded: Loaded, now_ms: int) -> list[Purse]:
    where = zone(loaded.config.server.time_zone)
    owners = {each.name: (each.person, each.team) for each in loaded.config.tokens}
    found = []
    for each in loaded.config.budgets:
        current = period(each.period, now_ms, where)
        purses = taken(loaded.state_dir, owners, each, current.start_ms) or {"": Taken()}
        found += [
            Purse(each, key, t.amount, forecast(t.amount, current, now_ms), current, t.unknown)
            for key, t in sorted(purses.items(), key=lambda item: (-item[1].amount, item[0]))
        ]
    return found


def forecast(taken: int, current: Period, now_ms: int) -> int:
    """What a period that goes on as it began will have taken at its end, pico-USD.

    Within its first hundredth nothing is foretold but what was taken.
    """
    whole = current.until_ms - current.start_ms
    gone = now_ms - current.start_ms
    return taken if gone * 100 < whole else taken * whole // gone


def _row(found: Purse) -> tuple[str, ...]:
    limit = found.budget.limit
    taken, _ = apart(found.taken, limit)
    foretold, most = apart(found.forecast, limit)
    return (
        found.budget.name,
        _whom(found),
        taken + (UNKNOWN if found.unknown else ""),
        f"{most} a {found.budget.period}{'' if found.budget.hard else ', warns'}",
        f"{100 * found.taken // limit}%" if limit else "",
        foretold + (" !" if found.forecast > limit else ""),
        found.period.until,
    )


def _whom(found: Purse) -> str:
    """Whose limit it is, and what it counts."""
    field = found.budget.each
    nobody = "each " + field if not (found.taken or found.unknown) else f"{field} (none)"
    each = [f"{field} {found.key}" if found.key else nobody] if field else []
    counted = [f"{field} {value}" for field, value in found.budget.match]
    return ", ".join((*each, *counted)) or "all"


def _document(found: Purse) -> dict[str, Any]:
    return {
        "budget": found.budget.name,
        "each": found.budget.each,
        "key": found.key,
        "match": dict(found.budget.match),
        "mode": "hard" if found.budget.hard else "warn",
        "unit": "pico-USD",
        "limit": found.budget.limit,
        "taken": found.taken,
        "left": max(0, found.budget.limit - found.taken),
        "unknown": found.unknown,
        "forecast": found.forecast,
        "period": found.budget.period,
        "until_ms": found.period.until_ms,
    }
