"""What flat plans cost and are worth, and how full they are: for `cost`, `budget` and `status`."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

from msgspec import Struct

from halfdoor.canon.plans import Plan, Standing
from halfdoor.cli.spending import day
from halfdoor.config.load import Loaded
from halfdoor.decide.money import shown
from halfdoor.decide.plans import shares, span
from halfdoor.store.books import QUARTER_S, Books, Line
from halfdoor.store.opening import used
from halfdoor.store.periods import period, zone
from halfdoor.store.schema import FILE as LOG
from halfdoor.store.uses import LONGEST_S, PaperUses, heard, standing


class Term(Struct, frozen=True):
    """Some time under one plan. fee: what of it fell due, worth: at list prices, both pico-USD.

    calls: those that it paid for. unvalued: of how many of them nobody knows the worth.
    exchanges: those whose last call was under it, paid for or refused.
    """

    plan: Plan
    fee: int
    calls: int
    worth: int
    unvalued: int
    exchanges: int = 0

    @property
    def pays(self) -> bool | None:
        """Was it worth more than its fee? None while nobody knows."""
        if self.worth > self.fee:
            return True
        return None if self.unvalued else False


def terms(loaded: Loaded, lines: Sequence[Line], span_ms: tuple[int, int]) -> list[Term]:
    """Each plan in the time from one moment to another. lines: of the books, in that time."""
    where, first = zone(loaded.config.server.time_zone), _first_ms(loaded)
    found = []
    for plan in loaded.config.plans:
        own = [line.sum for line in lines if line.key.plan == plan.name]
        found.append(
            Term(
                plan,
                fee(plan, (_since(plan, span_ms[0], first, where), span_ms[1]), where),
                sum(each.plan_calls for each in own),
                sum(each.worth for each in own),
                sum(each.unvalued for each in own),
                sum(each.exchanges for each in own),
            )
        )
    return found


def fee(plan: Plan, span_ms: tuple[int, int], where: tzinfo | None) -> int:
    """Pico-USD of its fee that fall on a time, by its share in each period.

    The parts of a period add up to the whole fee, to the unit.
    """
    total, (at, until_ms) = 0, span_ms
    while at < until_ms:
        now = period(plan.period, at, where)
        whole, end = now.until_ms - now.start_ms, min(now.until_ms, until_ms)
        total += plan.fee * (end - now.start_ms) // whole - plan.fee * (at - now.start_ms) // whole
        at = end
    return total


def _since(plan: Plan, start_ms: int, first_ms: int, where: tzinfo | None) -> int:
    """From when its fee falls due: without `since`, from the first exchange that is known."""
    if not plan.since:
        return max(start_ms, first_ms)
    first = datetime.fromisoformat(plan.since)
    since = first.astimezone() if where is None else first.replace(tzinfo=where)
    return max(start_ms, int(since.timestamp() * 1000))


def _first_ms(loaded: Loaded) -> int:
    """The beginning of the books, Unix milliseconds; now where they are empty."""
    with Books(loaded.state_dir) as books:
        first = books.first()
    return time.time_ns() // 1_000_000 if first is None else first * QUARTER_S * 1000


def daily_fees(loaded: Loaded, span_ms: tuple[int, int]) -> dict[str, int]:
    """All fees by day, ISO, in the configured time zone."""
    where, first = zone(loaded.config.server.time_zone), _first_ms(loaded)
    found: dict[str, int] = {}
    for plan in loaded.config.plans:
        at = _since(plan, span_ms[0], first, where)
        while at < span_ms[1]:
            end = min(period("day", at, where).until_ms, span_ms[1])
            name = day(at // 1000, where)
            found[name] = found.get(name, 0) + fee(plan, (at, end), where)
            at = end
    return found


def standings(loaded: Loaded, now_ms: int) -> list[tuple[Plan, Standing]]:
    """How each plan stands, by the log and by what its vendor said last."""
    where = zone(loaded.config.server.time_zone)
    logged = (loaded.state_dir / LOG).exists()
    found = []
    for plan in loaded.config.plans:
        uses = PaperUses()
        if logged:
            for quarter, use in used(loaded.state_dir, plan, now_ms - LONGEST_S * 1000).items():
                uses.add(use, quarter)
        uses.hear(plan.name, heard(loaded.state_dir, plan.name, now_ms))
        found.append((plan, standing(uses, plan, now_ms, where)))
    return found


def fullest(plan: Plan, how: Standing) -> str:
    """`max 42% of 5h`; "" while nobody knows."""
    found = max(shares(plan, how), key=lambda each: each[1], default=None)
    return "" if found is None else f"{plan.name} {found[1] // 10_000}% of {span(found[0])}"


def worded(term: Term) -> str:
    """What a plan cost and was worth, in a sentence."""
    plan = term.plan
    unknown = " and more that nobody knows" if term.unvalued else ""
    said = (
        f"plan {plan.name}, {shown(plan.fee)} a {plan.period}: {shown(term.fee)} fell due, and "
        f"what it paid for ({term.calls:,}) is worth {shown(term.worth)}{unknown} at list price"
    )
    difference = shown(abs(term.worth - term.fee))
    match term.pays:
        case True:
            return f"{said}: it pays, by {difference}"
        case False:
            return f"{said}: it does not pay yet, {difference} are missing"
    return said


def windows(plan: Plan, how: Standing) -> Iterator[str]:
    """How full each window is, in words."""
    for window, fill in zip(plan.windows, how.fills, strict=True):
        limits = (
            (fill.requests, window.requests, "requests"),
            (fill.tokens, window.tokens, "tokens"),
        )
        parts = [f"{use:,} of {most:,} {what}" for use, most, what in limits if most is not None]
        free = f", some is free again {fill.free}" if fill.free else ""
        yield f"{span(window.seconds)}: {' and '.join(parts)} by the log{free}"
    for each in how.told:
        yield (
            f"{span(each.window_s)}: {each.used_ppm // 10_000}% as its vendor says, "
            f"until {each.until}"
        )
    if not plan.windows and not how.told:
        yield "how full it is nobody knows: it has no `limits`, and its vendor has said nothing"


def document(plan: Plan, how: Standing) -> dict[str, Any]:
    """The same for programs; shares are in millionths."""
    fills = zip(plan.windows, how.fills, strict=True)
    return {
        "plan": plan.name,
        "beyond": plan.beyond.value,
        "windows": [
            {
                "window_s": window.seconds,
                "requests": {"used": fill.requests, "limit": window.requests},
                "tokens": {"used": fill.tokens, "limit": window.tokens},
            }
            for window, fill in fills
        ],
        "told": [
            {"window_s": t.window_s, "used_ppm": t.used_ppm, "until_ms": t.until_ms}
            for t in how.told
        ],
    }


def costed(term: Term) -> dict[str, Any]:
    """A term for programs, in pico-USD."""
    return {
        "plan": term.plan.name,
        "fee": term.fee,
        "worth": term.worth,
        "unvalued": term.unvalued,
        "calls": term.calls,
        "exchanges": term.exchanges,
        "pays": term.pays,
    }
