"""What an exchange costs: tokens times rates, in exact integers."""

from decimal import Decimal
from typing import Final

from halfdoor.canon.commands import REFUSALS
from halfdoor.canon.money import PicoUSD, Price, Rates, Usage

# No call has more tokens; so many times this still fit into a sum.
TOKENS_LIMIT: Final = 2**40
_CENT: Final = Decimal("0.01")
# Decimal places of a pico-USD.
_EXACT: Final = 12


def cost(usage: Usage, price: Price) -> PicoUSD | None:
    """Pico-USD of what was used; None when a rate of it is unknown: unknown is never free.

    Where a vendor states no rate of its own: tokens read from its cache or put into it cost as much
    as fresh ones, reasoning as the answer, and an hour in the cache as its ordinary time. A price
    that the configuration states leaves none out that its vendor bills dearer (`config/rates.py`).
    """
    rates = rates_at(usage.input_tokens, price)
    cached = min(usage.cached_tokens, usage.input_tokens)
    written = min(usage.cache_write_tokens, usage.input_tokens - cached)
    hour = min(usage.cache_write_1h_tokens, written)
    thought = min(usage.reasoning_tokens, usage.output_tokens)
    write = _stated(rates.cache_write, rates.input)
    parts = (
        (usage.input_tokens - cached - written, rates.input),
        (cached, _stated(rates.cached_input, rates.input)),
        (written - hour, write),
        (hour, _stated(rates.cache_write_1h, write)),
        (usage.output_tokens - thought, rates.output),
        (thought, _stated(rates.reasoning, rates.output)),
    )
    total = 0
    for tokens, rate in parts:
        if tokens and rate is None:
            return None
        total += tokens * (rate or 0)
    return total


def most(input_tokens: int, output_tokens: int, price: Price) -> PicoUSD | None:
    """The most that so many tokens can cost, whatever the cache does; None when unknown."""
    rates = rates_at(input_tokens, price)
    if rates.input is None or rates.output is None:
        return None
    written = (rates.cache_write, rates.cache_write_1h)
    dearest = max(rates.input, *(rate or 0 for rate in written))
    answer = max(rates.output, _stated(rates.reasoning, rates.output) or 0)
    return input_tokens * dearest + output_tokens * answer


def shown(cost: int) -> str:
    """Pico-USD for a person: cents, or two digits that say something where there are none."""
    return _to(cost, 0)


def apart(*costs: int) -> tuple[str, ...]:
    """Amounts that stand beside each other, as `shown`, to so many digits that none look alike."""
    tried = (tuple(_to(cost, more) for cost in costs) for more in range(_EXACT + 1))
    return next(texts for texts in tried if len(set(texts)) == len(set(costs)))


def _to(cost: int, more: int) -> str:
    usd = Decimal(cost).scaleb(-_EXACT)
    places = 2 if abs(usd) >= _CENT or not cost else 1 - usd.adjusted()
    return f"{usd:,.{min(_EXACT, places + more)}f} USD"


def billed(result: str, sent_bytes: int, usage: Usage | None) -> bool:
    """Does a vendor bill a call? result: as `Attempt.result`. usage: what its backend told.

    One that was never sent, or that was answered with an error, is not billed.
    """
    return usage is not None or (sent_bytes > 0 and result not in REFUSALS)


def rates_at(input_tokens: int, price: Price) -> Rates:
    """The rates of a prompt of that length; the whole prompt has them, not only what is above."""
    found: Rates = price
    for tier in price.tiers:
        if input_tokens > tier.above:
            found = _over(found, tier.rates)
    return found


def _over(below: Rates, tier: Rates) -> Rates:
    return Rates(*(_stated(getattr(tier, n), getattr(below, n)) for n in Rates.__struct_fields__))


def _stated(rate: int | None, otherwise: int | None) -> int | None:
    return otherwise if rate is None else rate
