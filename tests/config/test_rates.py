"""A price is written as a vendor's page says it, and one that cannot be meant stops the start."""

import pytest

from halfdoor.canon.labels import Zone
from halfdoor.canon.money import FREE, Price, Rates, Tier
from halfdoor.config.cards import cards
from halfdoor.config.load import user_config
from halfdoor.config.parse import Source
from halfdoor.config.prices import anywhere, shipped
from halfdoor.config.rates import CHEAPEST_USD, Origin, origin
from halfdoor.config.tables.models import DEAREST_USD
from halfdoor.errors import SetupError

BACKEND = '[[backends]]\nname = "b"\ndialect = "{dialect}"\nurl = "{url}"\nzone = "{zone}"\n'
MODEL = '[[models]]\nname = "m"\nbackend = "b"\nid = "{id}"\n'
TIERS = "[[models.usd_per_million_tokens.tiers]]\nabove = 200_000\n"
OWN = {"dialect": "openai_chat", "url": "http://h/v1", "zone": "cloud", "id": "x"}
CLAUDE = {
    "dialect": "anthropic_messages",
    "url": "https://api.anthropic.com",
    "zone": "cloud",
    "id": "claude-sonnet-4-5",
}
LONG = "gemini-2.5-pro"
CHAT = "input = 3\noutput = 15\n"


def read(stated, **of):
    text = (BACKEND + MODEL).format(**OWN | of)
    table = f"[models.usd_per_million_tokens]\n{stated}" if stated else ""
    return user_config(Source("c.toml", text + table), "c.toml")


def price(stated, **of):
    return cards(read(stated, **of))[0].price


def refusal(stated, **of):
    with pytest.raises(SetupError) as caught:
        read(stated, **of)
    return str(caught.value)


def test_a_price_is_written_in_dollars_and_kept_to_the_last_micro_dollar():
    assert price("input = 0.1\noutput = 2.000001\ncached_input = 0.075\n") == Price(
        100_000, 2_000_001, 75_000
    )


def test_tiers_are_sorted_and_a_kind_left_out_is_as_below():
    tiers = TIERS.replace("200", "400") + "input = 9\n" + TIERS + "input = 6\n"
    assert price(CHAT + tiers).tiers == (
        Tier(200_000, Rates(6_000_000)),
        Tier(400_000, Rates(9_000_000)),
    )


def test_nobody_bills_what_is_written_as_nothing():
    assert price("input = 0\noutput = 0\n") == Price(0, 0)


@pytest.mark.parametrize(
    ("zone", "id_", "found", "whose"),
    [
        ("device", "x", FREE, Origin.DEVICE),
        ("cloud", "x", Price(), Origin.LISTED),
        ("cloud", "claude-sonnet-4-5", anywhere("claude-sonnet-4-5").price, Origin.LISTED),
    ],
)
def test_a_price_left_out_is_the_devices_or_the_lists(zone, id_, found, whose):
    of = CLAUDE | {"zone": zone, "id": id_}
    assert price("", **of) == found
    assert origin(read("", **of).models[0], Zone[zone.upper()]) is whose


WRONG = {
    "one token's price": ("input = 3e-6\noutput = 15e-6\n", "`input` of model `m` is 0.000003 USD"),
    "an old whole number": ("input = 3_000_000\noutput = 1\n", "`input` must be <= 10000"),
    "a fraction of a micro-dollar": ("input = 0.0123456\noutput = 1\n", "whole millionths"),
    "a tier's own small rate": (CHAT + TIERS + "input = 6e-6\n", "`input` of model `m` is 0.0000"),
    "two tiers at one length": (
        CHAT + 2 * (TIERS + "input = 6\n"),
        "two tiers of model `m` begin above 200,000 tokens",
    ),
    "a tier without a rate": (CHAT + TIERS, "above 200,000 tokens has no rate"),
}


@pytest.mark.parametrize(("stated", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_price_that_cannot_be_meant_stops_the_start_with_its_unit(stated, said):
    told = refusal(stated)
    assert said in told
    assert "USD for a million" in told or "tier" in told


def test_the_price_of_a_thousand_tokens_is_seen_by_the_list():
    stated = "input = 0.003\noutput = 0.015\ncache_write = 0.00375\ncache_write_1h = 0.006\n"
    told = refusal(stated, **CLAUDE)
    assert "0.003 USD for a million tokens, and 3 USD in the price list" in told
    assert "not what a thousand do" in told


@pytest.mark.parametrize(
    ("stated", "id_", "lacking"),
    [
        (CHAT, "claude-sonnet-4-5", "`cache_write`, for which its vendor asks more than for `in"),
        (CHAT, "*", "lacks `cache_write`"),
        (CHAT + "cache_write = 3.75\n", "claude-sonnet-4-5", "lacks `cache_write_1h`"),
    ],
)
def test_what_a_vendor_bills_dearer_is_not_left_out(stated, id_, lacking):
    assert lacking in refusal(stated, **CLAUDE | {"id": id_})


def test_a_price_for_long_prompts_is_not_left_out_where_they_are_dearer():
    gemini = {"url": "https://generativelanguage.googleapis.com/v1beta/openai", "id": LONG}
    stated = "input = 2\noutput = 15\ncache_write = 4.5\n"
    assert "has no `tiers`, and its vendor asks more for prompts of more than" in refusal(
        stated, **gemini
    )
    assert price(stated + TIERS + "input = 2\n", **gemini).tiers


def test_an_engine_of_ones_own_needs_no_rate_for_its_cache():
    assert price(CHAT, dialect="anthropic_messages", zone="network").cache_write is None


def test_every_price_of_the_list_can_be_written():
    rates = [
        rate / 10**6
        for vendor in shipped().vendors
        for model in vendor.models
        for rate in (getattr(model.price, kind) for kind in Rates.__struct_fields__)
        if rate
    ]
    assert len(rates) > 1_000
    assert CHEAPEST_USD <= min(rates) <= max(rates) <= DEAREST_USD
