"""The figures of genai-prices in the shape of `config/prices.py`."""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from importlib.metadata import version

from genai_prices import data, types
from msgspec.structs import asdict

from halfdoor.canon.money import Price, Rates, Tier
from halfdoor.config.prices import Listing, PriceList, Vendor

# Vendors whose own protocol halfdoor speaks; those of many names for one host come last.
VENDORS = (
    *("anthropic", "openai", "google", "mistral", "deepseek", "x-ai", "moonshotai", "zai"),
    *("zhipuai", "minimax", "meta", "cohere", "perplexity", "voyageai", "groq", "cerebras"),
    *("together", "fireworks", "novita", "ovhcloud", "openrouter"),
)
KINDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
}


def made(now: datetime) -> PriceList:
    """The list as it holds at `now`; prices that change with the hour are given at their dearest."""
    by_name = {each.id: each for each in data.providers}
    vendors = tuple(_vendor(by_name[name], now) for name in VENDORS)
    source = f"genai-prices {version('genai-prices')}, MIT"
    return PriceList(source, now.date().isoformat(), vendors)


def _vendor(found: types.Provider, now: datetime) -> Vendor:
    models = (
        Listing(model.id, pattern(model.match), price)
        for model in found.models
        if (price := _price(model, now)).input is not None
    )
    return Vendor(found.id, found.api_pattern, tuple(models))


def pattern(clause: object) -> str:
    """One regex, for `re.search` over lower case, that finds what the clause finds."""
    match clause:
        case types.ClauseEquals():
            return rf"^{re.escape(clause.equals.lower())}\Z"
        case types.ClauseStartsWith():
            return f"^{re.escape(clause.starts_with.lower())}"
        case types.ClauseEndsWith():
            return rf"{re.escape(clause.ends_with.lower())}\Z"
        case types.ClauseContains():
            return re.escape(clause.contains.lower())
        case types.ClauseRegex():
            return clause.regex
        case types.ClauseOr():
            return "|".join(f"(?:{pattern(each)})" for each in clause.or_)
        case types.ClauseAnd():
            return "^" + "".join(f"(?=.*?(?:{pattern(each)}))" for each in clause.and_)
    raise AssertionError(f"a new kind of clause: {clause!r}")


def _price(model: types.ModelInfo, now: datetime) -> Price:
    stated = _stated(model, now)
    starts = sorted({tier.start for value in stated.values() for tier in _tiers(value)})
    tiers = tuple(Tier(start, _rates(stated, start + 1)) for start in starts)
    return Price(**asdict(_rates(stated, 0)), tiers=tiers)


def _stated(model: types.ModelInfo, now: datetime) -> dict[str, object]:
    if isinstance(model.prices, types.ModelPrice):
        return vars(model.prices)
    lasting = [
        each
        for each in model.prices
        if not isinstance(each.constraint, types.TimeOfDateConstraint)
        and (each.constraint is None or each.constraint.active(now))
    ]
    return vars((lasting or model.prices)[-1].prices)


def _rates(stated: dict[str, object], input_tokens: int) -> Rates:
    return Rates(*(_rate(stated.get(KINDS[n]), input_tokens) for n in Rates.__struct_fields__))


def _rate(value: object, input_tokens: int) -> int | None:
    """Micro-USD per million; a fraction of one is rounded up."""
    if isinstance(value, types.TieredPrices):
        reached = [tier.price for tier in value.tiers if input_tokens > tier.start]
        value = reached[-1] if reached else value.base
    if value is None:
        return None
    assert isinstance(value, Decimal)
    return int((value * 1_000_000).to_integral_value(ROUND_CEILING))


def _tiers(value: object) -> Iterable[types.Tier]:
    return value.tiers if isinstance(value, types.TieredPrices) else ()
