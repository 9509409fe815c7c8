import asyncio
import json
import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from halfdoor.canon.commands import Hold, Reserve, Settle
from halfdoor.canon.plans import Plan, Told, Use
from halfdoor.cli.plans import Term, fee, worded
from halfdoor.store.ledger import Calendar, SharedLedger
from halfdoor.store.periods import period, zone
from tests.cli.commands import halfdoor
from tests.cli.test_cost import ANN, CENT, CONFIG, SONNET, logged, state  # noqa: F401  fixture

BERLIN = zone("Europe/Berlin")
# 31 October days, one of them with 25 hours.
OCTOBER = period("month", 1_761_000_000_000, BERLIN)
USD = 10**12
MAX = Plan("max", 200 * USD, "month")
BY_PLAN = SONNET.__class__(
    "sonnet",
    "anthropic",
    "cloud",
    "answered",
    200,
    10,
    10,
    5,
    cost=0,
    plan="max",
    worth=30_000 * CENT,
)
PLANS = """
[[plans]]
name = "max"
usd = 200
backends = ["anthropic"]
[[plans.limits]]
window = "5h"
requests = 4
"""


@pytest.fixture
def config(state, tmp_path):  # noqa: F811  the fixture above
    (tmp_path / "config" / "halfdoor" / "config.toml").write_text(CONFIG + PLANS)
    return state


def told(*options):
    return json.loads(halfdoor("cost", "--json", *options).stdout)


@given(st.lists(st.integers(OCTOBER.start_ms, OCTOBER.until_ms), max_size=6))
def test_the_parts_of_a_month_add_up_to_the_whole_fee_whatever_its_days_are_long(cuts):
    edges = [OCTOBER.start_ms, *sorted(cuts), OCTOBER.until_ms]
    parts = [fee(MAX, span, BERLIN) for span in pairwise(edges)]
    assert sum(parts) == MAX.fee


def test_a_fee_of_several_periods_is_that_of_each():
    span = (OCTOBER.start_ms, period("month", OCTOBER.until_ms, BERLIN).until_ms)
    assert fee(MAX, span, BERLIN) == 2 * MAX.fee


def test_a_plan_says_whether_it_pays():
    assert "it pays, by 100.00 USD" in worded(Term(MAX, 50 * USD, 9, 150 * USD, 0))
    assert "does not pay yet, 40.00 USD are missing" in worded(Term(MAX, 50 * USD, 9, 10 * USD, 0))
    unknown = worded(Term(MAX, 50 * USD, 9, 10 * USD, 1))
    assert "worth 10.00 USD and more that nobody knows" in unknown
    assert "pays" not in unknown.replace("paid", "")


def test_what_a_plan_paid_for_costs_nothing_and_its_fee_and_worth_stand_beside_it(config):
    logged(config, (ANN, BY_PLAN, {}), (ANN, SONNET, {}))
    found = told()
    assert found["total"]["cost"] == 150 * CENT
    assert found["total"]["worth"] == 30_000 * CENT
    (plan,) = found["plans"]
    assert 0 <= plan["fee"] == found["total"]["fee"] < 200 * USD
    assert plan["exchanges"] == 1
    assert plan["pays"] is (plan["worth"] > plan["fee"])
    assert plan["windows"][0]["requests"] == {"used": 1, "limit": 4}


def test_a_call_that_a_vendor_refused_is_none_that_a_plan_paid_for(config):
    refused = replace(BY_PLAN, result="status", status=429, worth=0)
    logged(config, (ANN, BY_PLAN, {}), (ANN, refused, {"usage": None, "result": "failed"}))
    (plan,) = told()["plans"]
    assert (plan["calls"], plan["exchanges"]) == (1, 2)
    assert plan["windows"][0]["requests"]["used"] == 1
    assert "what it paid for (1) is worth" in " ".join(halfdoor("cost").stdout.split())


def test_the_fee_of_each_day_is_told_by_day_and_adds_up(config, tmp_path):
    begun = (datetime.now(BERLIN) - timedelta(days=3)).date().isoformat()
    text = CONFIG + PLANS.replace("usd = 200", f'usd = 200\nsince = "{begun}"')
    text += '[server]\ntime_zone = "Europe/Berlin"\n'
    (tmp_path / "config" / "halfdoor" / "config.toml").write_text(text)
    logged(config, (ANN, BY_PLAN, {}))
    found = told("--by", "day", "--since", "60d")
    days = {group["name"]: group["fee"] for group in found["groups"]}
    assert len(days) == 4
    assert abs(sum(days.values()) - found["total"]["fee"]) < USD  # the clock went on between
    assert found["groups"][0]["name"] == begun
    assert [*days] == sorted(days)


def test_a_person_sees_fee_worth_and_windows(config):
    logged(config, (ANN, BY_PLAN, {}))
    text = halfdoor("cost").stdout
    assert "WORTH" in text
    assert "of fees" in text
    assert "plan max, 200.00 USD a month:" in text
    assert "5h: 1 of 4 requests by the log, some is free again" in text
    assert "FEE" in halfdoor("cost", "--by", "plan").stdout


def test_budget_and_status_say_how_full_a_plan_is(config):
    logged(config, (ANN, BY_PLAN, {}))
    text = halfdoor("budget").stdout
    assert "plan max; beyond it another permitted model answers" in text
    assert "1 of 4 requests by the log" in text
    assert "| max 25% of 5h" in halfdoor("status").stdout
    assert json.loads(halfdoor("status", "--json").stdout)["plans"] == ["max 25% of 5h"]
    assert json.loads(halfdoor("budget", "--json").stdout)[0]["plan"] == "max"


async def hear(directory, told):
    calendar = Calendar((), lambda: 0, BERLIN)
    ledger = await asyncio.to_thread(
        SharedLedger, directory, calendar, (), lambda _budget, _since: {}
    )
    hold = await ledger.reserve(Reserve((), 0, Use("max", 0, 0)))
    assert isinstance(hold, Hold)
    await ledger.settle(Settle(hold, None, None, (told,)))
    await ledger.close()


def test_a_vendors_word_is_told_as_its_word(config):
    logged(config, (ANN, BY_PLAN, {}))
    asyncio.run(hear(config, Told(604_800, 870_000, int(time.time() + 3_600) * 1000)))
    assert "7d: 87% as its vendor says, until" in halfdoor("budget").stdout
    assert "| max 87% of 7d" in halfdoor("status").stdout


def test_before_the_first_exchange_a_plan_without_a_first_day_has_cost_nothing(config):
    assert told()["plans"][0]["fee"] < USD
