"""What vendors ask for their models, as their public lists say: read from a file that we ship.

`make prices` writes the file from `genai-prices`, whose figures these are; nothing is fetched here.
A price that the configuration states goes before the list's.
"""

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.money import Price

FILE: Final = "prices.json"
UNKNOWN: Final = Price()


class Listing(Struct, frozen=True, array_like=True):
    """One model. pattern: a regex that its ids match, in lower case."""

    pattern: str
    price: Price


class Vendor(Struct, frozen=True):
    """One vendor. url: a regex over a backend's base URL; models: the first match counts."""

    name: str
    url: str
    models: tuple[Listing, ...]


class PriceList(Struct, frozen=True):
    """All vendors. source: where the figures come from; date: the day they held, ISO."""

    source: str
    date: str
    vendors: tuple[Vendor, ...]


@cache
def shipped() -> PriceList:
    """The list in this package."""
    return msgspec.json.decode(files(__package__).joinpath(FILE).read_bytes(), type=PriceList)


@lru_cache(maxsize=1024)
def listed(url: str, model_id: str) -> Price:
    """A model's price by its backend's base URL and its id there; no rate for one not listed."""
    asked = model_id.lower()
    for vendor in shipped().vendors:
        if re.match(vendor.url, url):
            found = (price for known, price in _models(vendor.name) if known.search(asked))
            return next(found, UNKNOWN)
    return UNKNOWN


def anywhere(model_id: str) -> Price:
    """The price of a model at the first vendor that lists it, its own maker before resellers."""
    asked = model_id.lower()
    for vendor in shipped().vendors:
        for known, price in _models(vendor.name):
            if known.search(asked):
                return price
    return UNKNOWN


@cache
def _models(vendor: str) -> tuple[tuple[re.Pattern[str], Price], ...]:
    # Compiled when one is first asked for: `re` keeps fewer patterns than some vendors have models.
    models = next(each.models for each in shipped().vendors if each.name == vendor)
    return tuple((re.compile(each.pattern), each.price) for each in models)
