"""Tokens and money. Exact integers; rounded only when shown."""

from typing import NewType

from msgspec import Struct

MicroUSD = NewType("MicroUSD", int)
PicoUSD = NewType("PicoUSD", int)


class Price(Struct, frozen=True):
    """Micro-USD per million tokens, by kind; None where the price is unknown (never zero)."""

    input: int | None = None
    output: int | None = None
    cached_input: int | None = None
    cache_write: int | None = None


class Usage(Struct, frozen=True):
    """Tokens of one exchange as its backend counted them.

    input_tokens: all of the prompt; cached and cache-write tokens are *inside* it, as in OpenAI
        Chat. (Anthropic Messages states them beside it; its dialect adds and subtracts.)
    output_tokens: all of the answer; reasoning tokens are inside it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
