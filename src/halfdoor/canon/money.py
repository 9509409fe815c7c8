"""Tokens and money. Exact integers; rounded only when shown."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from halfdoor.canon.plans import Standings

# 10⁻¹² USD: what one token costs at a micro-USD for a million of them.
PicoUSD: TypeAlias = int


class Rates(Struct, frozen=True, omit_defaults=True):
    """Micro-USD per million tokens, which is pico-USD per token, by kind; None where unknown.

    cached_input, cache_write, cache_write_1h: of prompt tokens read from the vendor's cache, put
        into it, and put into it for an hour. reasoning: of answer tokens that are thought only.
    """

    input: int | None = None
    output: int | None = None
    cached_input: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None


class Tier(Struct, frozen=True):
    """Rates of a whole request whose prompt has more than `above` tokens; None is as below it."""

    above: int
    rates: Rates


class Price(Rates, frozen=True, omit_defaults=True):
    """What a model costs, by kind of token and length of prompt. tiers: the shortest first."""

    tiers: tuple[Tier, ...] = ()


# Tokens that nobody bills: those of the device's own models.
FREE: Final = Price(0, 0, 0, 0, 0, 0)


class Listed(Struct, frozen=True):
    """A model in a public price list. name: the list's own, "" for one that is on no list."""

    name: str = ""
    price: Price = Price()


class Usage(Struct, frozen=True):
    """Tokens of one exchange as its backend counted them.

    input_tokens: all of the prompt; cached and cache-write tokens are *inside* it, as in OpenAI
        Chat. (Anthropic Messages states them beside it; its dialect adds and subtracts.)
    output_tokens: all of the answer; reasoning tokens are inside it.
    cache_write_1h_tokens: those of `cache_write_tokens` that are kept for an hour.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_1h_tokens: int = 0


class Budget(Struct, frozen=True):
    """How much may be spent in a period, by whom and on what.

    limit: pico-USD. period: `day`, `week` or `month`. hard: what would go beyond is not sent.
    match: (field, name) that must all hold of an exchange: `token`, `person`, `team`, `project`
        and `tool` of who asks, `model` (a glob) and `zone` of who answers; () is everything.
    each: one of those fields, each name in which has the limit to itself; "" is one for all.
    """

    name: str
    limit: PicoUSD
    period: str
    hard: bool = True
    match: tuple[tuple[str, str], ...] = ()
    each: str = ""


# One limit as it applies: its budget's name, and the name in `each`, "" for one for all.
Purse = tuple[str, str]


class Draw(Struct, frozen=True):
    """A call draws on a purse. limit: pico-USD that the purse must not go beyond; None to warn."""

    purse: Purse
    limit: PicoUSD | None


class Spending(Struct, frozen=True):
    """What has been spent and is held, now.

    taken: pico-USD by purse, in its current period. until: when a period ends, in words, by period.
    plans: how those stand that were asked for.
    """

    taken: Mapping[Purse, int] = {}
    until: Mapping[str, str] = {}
    plans: Standings = {}
