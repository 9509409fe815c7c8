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

from halfdoor.canon.money import Listed, Price

FILE: Final = "prices.json"
_UNLISTED: Final = Listed()


class Listing(Struct, frozen=True, array_like=True):
    """One model. pattern: a regex that its ids match, in lower case."""

    name: str
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
def listed(url: str, model_id: str) -> Listed:
    """A model's entry by its backend's base URL and its id there."""
    asked = model_id.lower()
    vendor = next((each for each in shipped().vendors if re.match(each.url, url)), None)
    return _UNLISTED if vendor is None else _find(vendor.name, asked)


def anywhere(model_id: str) -> Listed:
    """A model's entry at the first vendor that lists it, its own maker before resellers."""
    asked = model_id.lower()
    found = (_find(vendor.name, asked) for vendor in shipped().vendors)
    return next((each for each in found if each.name), _UNLISTED)


def _find(vendor: str, asked: str) -> Listed:
    found = (model for known, model in _models(vendor) if known.search(asked))
    return next(found, _UNLISTED)


@cache
def _models(vendor: str) -> tuple[tuple[re.Pattern[str], Listed], ...]:
    # Compiled when one is first asked for: `re` keeps fewer patterns than some vendors have models.
    models = next(each.models for each in shipped().vendors if each.name == vendor)
    return tuple((re.compile(each.pattern), Listed(each.name, each.price)) for each in models)
