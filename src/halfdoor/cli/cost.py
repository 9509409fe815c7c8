"""`halfdoor cost`: what was spent, on what, by whom, and what it would have cost elsewhere."""

import csv
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Final

import typer
from msgspec import Struct

from halfdoor.canon.plans import Plan, Standing
from halfdoor.cli.comparing import ASSUMED, Reference, compared, reference
from halfdoor.cli.ledger import beginning, moment, show
from halfdoor.cli.options import (
    ConfigOption,
    JsonOption,
    console,
    counted,
    folded,
    say_json,
    settings,
)
from halfdoor.cli.plans import (
    Term,
    costed,
    daily_fees,
    document,
    standings,
    terms,
    windows,
    worded,
)
from halfdoor.cli.spending import By, Group, at_price, grouped, known, naming
from halfdoor.config.load import Loaded, cards
from halfdoor.decide.money import shown
from halfdoor.store.books import Books, Line, Sum, plus
from halfdoor.store.periods import period, zone

# What money is told in to programs.
UNIT: Final = "pico-USD"


class Account(Struct, frozen=True):
    """All that is told. start: RFC 3339, UTC. pending: exchanges without an outcome.

    terms, standings: of flat plans. where: the time zone of days.
    """

    start: str
    by: By
    groups: tuple[Group, ...]
    total: Sum
    pending: int
    other: Reference | None
    terms: tuple[Term, ...] = ()
    standings: tuple[tuple[Plan, Standing], ...] = ()
    where: tzinfo | None = None

    @property
    def fees(self) -> int:
        """Of all plans, pico-USD."""
        return sum(term.fee for term in self.terms)


def cost(
    since: Annotated[
        str, typer.Option(help="A time, or so long ago (`24h`, `30d`); left out, this month.")
    ] = "",
    by: Annotated[By, typer.Option(help="What to group by.")] = By.MODEL,
    against: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help="Say what the same tokens would cost there: a model of the configuration or of "
            "the price list; left out, the first cloud model that has a price.",
        ),
    ] = "",
    csv_: Annotated[bool, typer.Option("--csv", help="Print CSV; costs are in pico-USD.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Say what was spent, from the log: exact where backends told, and what is not known."""
    loaded = settings(config)
    other = reference(against, cards(loaded.config), loaded.config.models)
    where = zone(loaded.config.server.time_zone)
    start = beginning(since, where) if since else _this_month(where)
    now_ms = time.time_ns() // 1_000_000
    with Books(loaded.state_dir) as books:
        _catch_up(books)
        lines = list(books.lines(_ms(start)))
        pending = sum(1 for _ in books.pending(_ms(start)))
    price = other.price if other else None
    known_plans = tuple(terms(loaded, lines, (_ms(start), now_ms)))
    fees = _fees(by, loaded, known_plans, (_ms(start), now_ms))
    groups = grouped(lines, by, naming(by, loaded.config.tokens, where), price, fees)
    account = Account(
        start,
        by,
        tuple(groups),
        _total(lines),
        pending,
        other,
        known_plans,
        tuple(standings(loaded, now_ms)),
        where,
    )
    if json:
        say_json(_document(account))
    elif csv_:
        _write_csv(account)
    else:
        _show(account)


def _catch_up(books: Books) -> None:
    """A log that nobody read for weeks takes seconds: say so, where a person waits."""
    with console(stderr=True).status("reading the log") as status:
        books.catch_up(lambda seq: status.update(f"reading the log: entry {seq:,}"))


def _this_month(where: tzinfo | None) -> str:
    start_ms = period("month", time.time_ns() // 1_000_000, where).start_ms
    return beginning(datetime.fromtimestamp(start_ms / 1000, UTC).isoformat())


def _fees(
    by: By, loaded: Loaded, known: Sequence[Term], span_ms: tuple[int, int]
) -> dict[str, int]:
    """What of the fees falls on each group, where they can be told apart."""
    if by is By.PLAN:
        return {term.plan.name: term.fee for term in known}
    return daily_fees(loaded, span_ms) if by is By.DAY and known else {}


def _ms(start: str) -> int:
    return int(moment(start).timestamp() * 1000)


def _total(lines: Sequence[Line]) -> Sum:
    total = Sum()
    for line in lines:
        total = plus(total, line.sum)
    return total


def _show(account: Account) -> None:
    screen, total = console(), account.total
    screen.print(f"since {moment(account.start).astimezone(account.where):%Y-%m-%d %H:%M %Z}")
    if not account.groups and not account.terms:
        screen.print("nothing was spent: no exchange reached a model")
        return
    titles = (account.by.value.upper(), "EXCHANGES", "IN", "CACHED", "OUT", "COST")
    more = _more_titles(account)
    show(screen, (*titles, *more), [_row(each, account) for each in account.groups])
    fees = f", and {shown(account.fees)} of fees" if account.terms else ""
    screen.print(f"in all {shown(total.cost)} for {counted(total.exchanges, 'exchange')}{fees}")
    for line in _notes(account):
        screen.print(folded(line, screen, 2 if line.startswith("  ") else 0))


def _more_titles(account: Account) -> tuple[str, ...]:
    plans = ("WORTH",) if account.terms else ()
    fees = ("FEE",) if account.terms and account.by in {By.DAY, By.PLAN} else ()
    return (*plans, *fees, *((f"ON {account.other.name}",) if account.other else ()))


def _row(found: Group, account: Account) -> tuple[str, ...]:
    s = found.sum
    cells = (
        found.name or "(none)",
        f"{s.exchanges:,}",
        f"{s.input:,}",
        f"{s.cached:,}",
        f"{s.output:,}",
        known(s.cost, s.unknown),
    )
    other = "unknown" if found.elsewhere is None else shown(found.elsewhere)
    worth = known(s.worth, s.unvalued)
    values = {"WORTH": worth, "FEE": shown(found.fee)}
    return (*cells, *(values.get(title, other) for title in _more_titles(account)))


def _notes(account: Account) -> Iterator[str]:
    """What the figures do not say of themselves."""
    total, pending = account.total, account.pending
    for term, (plan, how) in zip(account.terms, account.standings, strict=True):
        yield worded(term)
        yield from (f"  {line}" for line in windows(plan, how))
    if total.unknown:
        bound = f", at most {shown(total.most)} as far as estimated" if total.most else ""
        calls = counted(total.unknown, "call")
        yield f"not in it: {calls} whose cost nobody knows (no usage told, or no price){bound}"
    if total.early:
        early = counted(total.early, "exchange")
        yield f"{early} broke off: counted with what had been told until then"
    if pending:
        yield f"{counted(pending, 'exchange')} without an outcome: under way, or cut by a kill"
    if account.other:
        yield from compared(total, account.fees, account.other)


def _document(account: Account) -> dict[str, Any]:
    other, total = account.other, account.total
    elsewhere = at_price(total, other.price) if other else None
    return {
        "since": account.start,
        "by": account.by.value,
        "unit": UNIT,
        "groups": [
            {
                "name": each.name,
                **_figures(each.sum),
                "elsewhere": each.elsewhere,
                "fee": each.fee,
            }
            for each in account.groups
        ],
        "total": {**_figures(total), "elsewhere": elsewhere, "fee": account.fees},
        "plans": [
            {**costed(term), **document(plan, how)}
            for term, (plan, how) in zip(account.terms, account.standings, strict=True)
        ],
        "pending": account.pending,
        "against": {"model": other.name, "price_from": other.source, "assumed": ASSUMED}
        if other
        else None,
    }


def _figures(total: Sum) -> dict[str, int]:
    return {name: getattr(total, name) for name in Sum.__struct_fields__}


def _write_csv(account: Account) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    titles = ("elsewhere", "fee", "unit", "against", "price_from", "assumed")
    out.writerow((account.by.value, *Sum.__struct_fields__, *titles))
    other = account.other
    # In each row, so that a row that is copied elsewhere still says what its numbers are.
    said = (UNIT, *((other.name, other.source, ASSUMED) if other else ("", "", "")))
    for each in account.groups:
        cells = _figures(each.sum).values()
        elsewhere = "" if each.elsewhere is None else each.elsewhere
        out.writerow((each.name, *cells, elsewhere, each.fee, *said))
