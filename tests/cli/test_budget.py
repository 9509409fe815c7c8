import json

import pytest
from msgspec.structs import replace

from halfdoor.canon.money import Budget
from halfdoor.cli.budget import Purse, _row, forecast
from halfdoor.store.periods import Period
from tests.cli.commands import halfdoor
from tests.cli.test_cost import ANN, CENT, CONFIG, QWEN, SONNET, logged, state  # noqa: F401  fixture

BUDGETS = """
[[budgets]]
name = "team"
limit_usd = 100
[[budgets]]
name = "person"
limit_usd = 1
period = "day"
mode = "warn"
each = "person"
match = { zone = "cloud" }
"""


@pytest.fixture
def config(state, tmp_path):  # noqa: F811  the fixture above
    (tmp_path / "config" / "halfdoor" / "config.toml").write_text(CONFIG + BUDGETS)
    return state


def told():
    result = halfdoor("budget", "--json")
    return {(one["budget"], one["key"]): one for one in json.loads(result.stdout)}


def test_each_purse_says_what_it_took_and_what_is_left(config):
    logged(config, (ANN, SONNET, {}), ({}, QWEN, {}))
    found = told()
    assert found["team", ""]["taken"] == 150 * CENT
    assert found["team", ""]["left"] == (10_000 - 150) * CENT
    assert found["person", "ann"]["taken"] == 150 * CENT
    assert found["person", "ann"]["left"] == 0


def test_a_person_sees_the_budgets_in_dollars(config):
    logged(config, (ANN, SONNET, {}))
    text = halfdoor("budget").stdout
    assert "1.50 USD" in text
    assert "100.00 USD a month" in text
    assert "150%" in text
    assert "person ann, zone cloud" in text
    assert "!: beyond the limit" in text


def test_a_forecast_beyond_the_limit_does_not_look_like_the_limit():
    month = Period(0, 1_000, "")
    found = Purse(Budget("b", CENT, "month"), "", CENT // 3, CENT + CENT // 25, month)
    assert _row(found)[2:6] == ("0.0033 USD", "0.0100 USD a month", "33%", "0.0104 USD !")


def test_what_nobody_knows_the_price_of_is_not_shown_as_nothing(config):
    logged(config, (ANN, replace(SONNET, cost=None), {"cost": None}))
    found = told()
    assert (found["team", ""]["taken"], found["team", ""]["unknown"]) == (0, 1)
    text = halfdoor("budget").stdout
    assert "0.00 USD + unknown" in text
    assert "unknown: calls of which nobody knows a price" in text


def test_without_budgets_it_says_how_to_set_one(state):  # noqa: F811  the fixture above
    assert "`[[budgets]]` in the configuration sets one" in halfdoor("budget").stdout


def test_a_forecast_goes_on_as_the_period_began():
    month = Period(0, 1_000, "")
    assert forecast(30, month, 250) == 120
    assert forecast(30, month, 5) == 30
