"""The list that we ship says what genai-prices says; its own arithmetic is the oracle."""

from datetime import UTC, datetime

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import data, types

from halfdoor.canon.money import Listed, Usage
from halfdoor.config.prices import listed, shipped
from halfdoor.decide.money import cost
from tests.pricelist.__main__ import FILE, text
from tests.pricelist.made import made

PICO = 10**12
LISTED = datetime.fromisoformat(shipped().date).replace(tzinfo=UTC)
# The second prompt is beyond every tier's beginning.
USED = (Usage(1_000, 300, 200), Usage(600_000, 7_000, 400_000))
URLS = {
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
    "google": "https://generativelanguage.googleapis.com/v1beta/openai",
    "mistral": "https://api.mistral.ai/v1",
    "deepseek": "https://api.deepseek.com",
    "x-ai": "https://api.x.ai/v1",
    "groq": "https://api.groq.com/openai/v1",
    "openrouter": "https://openrouter.ai/api/v1",
}
VENDORS = {each.id: each for each in data.providers}


def theirs(model, used):
    counted = TheirUsage(
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cache_read_tokens=used.cached_tokens,
    )
    return model.get_prices(LISTED).calc_price(counted)["total_price"] * PICO


def priced(vendor):
    """Models with a price for input and output that holds all day, found by their own id."""
    for model in vendor.models:
        hourly = isinstance(model.prices, list) and any(
            isinstance(each.constraint, types.TimeOfDateConstraint) for each in model.prices
        )
        stated = vars(model.get_prices(LISTED))
        both = stated.get("input_mtok") is not None and stated.get("output_mtok") is not None
        if both and not hourly and vendor.find_model(model.id) is model:
            yield model


@pytest.mark.parametrize("name", sorted(URLS))
def test_each_model_costs_what_its_vendors_list_says(name):
    compared = 0
    for model in priced(VENDORS[name]):
        ours = listed(URLS[name], model.id)
        for used in USED:
            # A rate of less than a micro-USD for a million tokens is rounded up.
            unsure = used.input_tokens + used.output_tokens
            spent = cost(used, ours.price)
            assert spent == pytest.approx(int(theirs(model, used)), abs=unsure, rel=0), model.id
            compared += 1
    assert compared > 4


def test_a_model_that_nobody_lists_has_no_rates():
    assert listed("https://api.anthropic.com", "gpt-5") == Listed()
    assert listed("http://127.0.0.1:11434/v1", "claude-opus-5-5") == Listed()


def test_the_shipped_file_is_what_make_prices_writes_from_these_figures():
    assert FILE.read_text(encoding="utf-8") == text(made(LISTED))
