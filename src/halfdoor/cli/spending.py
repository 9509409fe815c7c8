"""What the books say, grouped as a person asks, and what it would have cost elsewhere."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.money import Price, Usage
from halfdoor.config.tables.server import Token
from halfdoor.decide.money import cost, shown
from halfdoor.store.books import QUARTER_S, Key, Line, Sum, plus


class By(StrEnum):
    """What `cost --by` groups by. An exchange with two labels stands under each of them."""

    MODEL = "model"
    BACKEND = "backend"
    ZONE = "zone"
    PROJECT = "project"
    TOOL = "tool"
    TOKEN = "token"  # noqa: S105  a heading
    PERSON = "person"
    TEAM = "team"
    LABEL = "label"
    PLAN = "plan"
    DAY = "day"


class Group(Struct, frozen=True):
    """What was spent under one name. elsewhere: pico-USD at another model's price, None unknown.

    fee: pico-USD of flat plans that fall on it.
    """

    name: str
    sum: Sum
    elsewhere: int | None = None
    fee: int = 0


Names = Callable[[Key], Iterable[str]]


# Stands behind an amount that is not all.
UNKNOWN: Final = " + unknown"


def known(amount: int, unknown: int) -> str:
    """An amount for a person. unknown: how many more there are, of which nobody knows it."""
    return shown(amount) + (UNKNOWN if unknown else "")


def grouped(
    lines: Iterable[Line], by: By, names: Names, against: Price | None, fees: Mapping[str, int]
) -> list[Group]:
    """The lines by name: days as they came, else the dearest first. fees: by name."""
    sums: dict[str, Sum] = {name: Sum() for name, fee in fees.items() if fee}
    for line in lines:
        for name in names(line.key):
            sums[name] = plus(sums.get(name, Sum()), line.sum)
    groups = [
        Group(name, total, at_price(total, against), fees.get(name, 0))
        for name, total in sums.items()
    ]
    if by is By.DAY:
        return sorted(groups, key=lambda each: each.name)
    return sorted(
        groups, key=lambda each: (-each.sum.cost - each.fee, -each.sum.exchanges, each.name)
    )


def at_price(total: Sum, price: Price | None) -> int | None:
    """What the same tokens would cost at a price, at its rates for short prompts.

    What was read from a cache here, or put into one for its ordinary time, is taken to be so there.
    """
    if price is None:
        return None
    used = Usage(total.input, total.output, total.cached, total.written)
    return cost(used, replace(price, tiers=()))


def naming(by: By, tokens: Sequence[Token], where: tzinfo | None) -> Names:
    """How a line of the books is called under a heading.

    tokens: tell whose each one is. where: in which time zone days are, None for the machine's.
    """
    persons = {token.name: token.person for token in tokens}
    teams = {token.name: token.team for token in tokens}
    match by:
        case By.PERSON:
            return lambda key: (persons.get(key.token, ""),)
        case By.TEAM:
            return lambda key: (teams.get(key.token, ""),)
        case By.LABEL:
            return lambda key: key.labels.split(",")
        case By.DAY:
            return lambda key: (day(key.quarter * QUARTER_S, where),)
        case _:
            return lambda key: (str(getattr(key, by.value)),)


def day(time_s: int, where: tzinfo | None) -> str:
    """The day that a moment lies in, ISO."""
    return datetime.fromtimestamp(time_s, UTC).astimezone(where).date().isoformat()
