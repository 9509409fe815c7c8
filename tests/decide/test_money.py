from hypothesis import given
from hypothesis import strategies as st

from halfdoor.canon.money import Price, Rates, Tier, Usage
from halfdoor.decide.money import apart, cost, most, shown

# Micro-USD per million tokens: 3 USD in, 15 out, .3 from the cache, 3.75 and 6 into it.
SONNET = Price(3_000_000, 15_000_000, 300_000, 3_750_000, 6_000_000)
LONG = Price(10, 20, tiers=(Tier(200_000, Rates(20, 30)), Tier(400_000, Rates(input=40))))

counts = st.integers(min_value=0, max_value=10**7)
rates = st.integers(min_value=0, max_value=10**9)
usages = st.builds(Usage, counts, counts, counts, counts, counts, counts)


def test_a_cost_is_tokens_times_rates_to_the_last_pico_usd():
    used = Usage(10_000, 500, cached_tokens=7_000, cache_write_tokens=2_000)
    each = 1_000 * 3_000_000 + 7_000 * 300_000 + 2_000 * 3_750_000 + 500 * 15_000_000
    assert cost(used, SONNET) == each


def test_an_hour_in_the_cache_has_its_own_rate():
    used = Usage(3_000, 0, cache_write_tokens=3_000, cache_write_1h_tokens=1_000)
    assert cost(used, SONNET) == 2_000 * 3_750_000 + 1_000 * 6_000_000


def test_a_rate_that_is_needed_and_unknown_makes_the_cost_unknown_and_never_nothing():
    assert cost(Usage(1, 0), Price(output=5)) is None
    assert cost(Usage(0, 1), Price(input=5)) is None


def test_cached_and_reasoning_tokens_without_a_rate_cost_what_their_kind_costs():
    used = Usage(10, 10, 4, cache_write_tokens=5, reasoning_tokens=4, cache_write_1h_tokens=2)
    assert cost(used, Price(3, 7)) == 10 * 3 + 10 * 7
    assert cost(used, Price(3, 7, reasoning=9)) == 10 * 3 + 6 * 7 + 4 * 9


def test_above_a_tier_the_whole_prompt_and_its_answer_have_the_tiers_rates():
    assert cost(Usage(200_000, 10), LONG) == 200_000 * 10 + 10 * 20
    assert cost(Usage(200_001, 10), LONG) == 200_001 * 20 + 10 * 30
    assert cost(Usage(400_001, 10), LONG) == 400_001 * 40 + 10 * 30


@given(usages, rates, rates, rates, rates)
def test_no_exchange_costs_more_than_the_most_its_tokens_can_cost(used, inp, out, write, thought):
    price = Price(inp, out, min(inp, 7), write, reasoning=thought)
    bound = most(used.input_tokens, used.output_tokens, price)
    spent = cost(used, price)
    assert bound is not None
    assert spent is not None
    assert 0 <= spent <= bound


def test_what_a_model_without_rates_can_cost_is_unknown():
    assert most(1, 1, Price()) is None
    assert most(1, 1, Price(input=1)) is None


def test_money_is_rounded_only_where_it_is_shown():
    assert shown(0) == "0.00 USD"
    assert shown(1_234_567_000_000_000) == "1,234.57 USD"
    assert shown(123_456_789) == "0.00012 USD"
    assert shown(1) == "0.000000000001 USD"


def test_amounts_beside_each_other_have_the_digits_that_tell_them_apart():
    assert apart(1_564_000_000, 1_569_000_000) == ("0.00156 USD", "0.00157 USD")
    assert apart(10_400_000_000, 10_000_000_000) == ("0.0104 USD", "0.0100 USD")
    assert apart(10**12, 10**12 + 1)[1] == "1.000000000001 USD"
    assert apart(10**12, 0, 10**12) == ("1.00 USD", "0.00 USD", "1.00 USD")
    assert apart() == ()
