"""`make prices`: write the price list that halfdoor ships, from the figures of genai-prices."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from halfdoor.config.prices import PriceList, Vendor
from tests.pricelist.made import made

FILE = Path(__file__).parents[2] / "src/halfdoor/config/prices.json"


def main() -> None:
    """Write the file."""
    FILE.write_text(text(made(datetime.now(UTC))), encoding="utf-8")


def text(prices: PriceList) -> str:
    """As JSON, a model a line, so that a change of price is a change of one line."""
    vendors = ",\n".join(_vendor(vendor) for vendor in prices.vendors)
    source, date = json.dumps(prices.source), json.dumps(prices.date)
    return f'{{"source": {source}, "date": {date}, "vendors": [\n{vendors}\n]}}\n'


def _vendor(vendor: Vendor) -> str:
    models = ",\n".join(msgspec.json.encode(each).decode() for each in vendor.models)
    name, url = json.dumps(vendor.name), json.dumps(vendor.url)
    return f'{{"name": {name}, "url": {url}, "models": [\n{models}\n]}}'


if __name__ == "__main__":
    main()
