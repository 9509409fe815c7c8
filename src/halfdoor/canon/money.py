"""Tokens and money. Exact integers; rounded only when shown."""

from typing import Final, NewType

from msgspec import Struct

MicroUSD = NewType("MicroUSD", int)
PicoUSD = NewType("PicoUSD", int)


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
