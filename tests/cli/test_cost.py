import csv
import io
import json
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from halfdoor.canon.money import Usage
from halfdoor.canon.record import Attempt
from halfdoor.config.prices import anywhere
from halfdoor.decide.money import cost as price_of
from halfdoor.errors import SetupError
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.schema import FILE
from tests.cli.commands import halfdoor, settle_in
from tests.record.samples import decided, outcome

NOW = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
CENT = 10**10
SONNET = Attempt("sonnet", "anthropic", "cloud", "answered", 200, 10, 10, 5, cost=150 * CENT)
QWEN = Attempt("qwen", "ollama", "device", "answered", 200, 10, 10, 5, cost=0)
CONFIG = """
[[tokens]]
name = "ann-laptop"
env = "ANN"
person = "ann"
team = "web"
[[backends]]
name = "anthropic"
dialect = "anthropic_messages"
url = "https://api.anthropic.com"
zone = "cloud"
[[models]]
name = "sonnet"
backend = "anthropic"
id = "claude-sonnet-5-5"
"""
LOCAL = """
[[backends]]
name = "ollama"
dialect = "ollama"
url = "http://127.0.0.1:11434"
zone = "device"
[[models]]
name = "qwen"
backend = "ollama"
id = "qwen3-coder:30b"
"""


@pytest.fixture
def state(tmp_path, monkeypatch):
    settle_in(monkeypatch, str(tmp_path))
    config = tmp_path / "config" / "halfdoor" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(CONFIG)
    return tmp_path / "state" / "halfdoor"


def logged(state, *exchanges):
    """A log of exchanges: (who asked, its attempt, the rest of its outcome)."""
    file = LogFile(state / FILE, LogKeys.load_or_create(state))
    for number, (who, attempt, ending) in enumerate(exchanges):
        file.append([decided(number, time=NOW, **who)], last=False)
        if attempt:
            told = {"usage": Usage(1_000_000, 10_000)} | ending
            file.append([outcome(number, attempts=(attempt,), **told)], last=False)
    file.close()


def cost(*options):
    result = halfdoor("cost", *options)
    assert result.exit_code == 0, result.output
    return result.stdout


ANN = {"token": "ann-laptop", "project": "shop", "labels": ()}


def test_what_was_spent_stands_beside_what_it_would_have_cost_elsewhere(state):
    logged(state, (ANN, SONNET, {}), ({}, QWEN, {}), ({}, QWEN, {}))
    text = cost()
    assert "in all 1.50 USD for 3 exchanges" in text
    # A million tokens in at 2 USD and 10,000 out at 10 USD, three times.
    assert "all of it on sonnet: 6.30 USD, so this was 4.80 USD less" in text
    assert "assumed: the same tokens" in text


@pytest.mark.parametrize(
    ("by", "name"),
    [("person", "ann"), ("team", "web"), ("token", "ann-laptop"), ("project", "shop")],
)
def test_costs_are_grouped_by_whoever_asked(state, by, name):
    logged(state, (ANN, SONNET, {}), ({}, QWEN, {}))
    groups = json.loads(cost("--by", by, "--json"))["groups"]
    assert {group["name"]: group["cost"] for group in groups} == {name: 150 * CENT, "": 0}


def test_an_exchange_with_a_label_costs_under_it(state):
    logged(state, ({}, QWEN, {}), (ANN, SONNET, {}))
    groups = json.loads(cost("--by", "label", "--json"))["groups"]
    assert {group["name"]: group["exchanges"] for group in groups} == {"secret": 1, "": 1}


def test_what_nobody_knows_is_said_and_nothing_is_compared_with_it(state):
    unknown = replace(SONNET, cost=None)
    logged(state, (ANN, SONNET, {}), (ANN, unknown, {"result": "hung-up"}), (ANN, None, {}))
    text = cost()
    assert "not in it: 1 call whose cost nobody knows" in text
    assert "1 exchange broke off" in text
    assert "1 exchange without an outcome" in text
    assert "so this was" not in text


def test_the_source_of_a_price_is_told(state, tmp_path):
    logged(state, (ANN, SONNET, {}))
    assert "price from genai-prices" in cost()
    stated = "[models.usd_per_million_tokens]\ninput = 3\noutput = 15\ncache_write = 3.75\n"
    stated += "cache_write_1h = 6\n"
    (tmp_path / "config" / "halfdoor" / "config.toml").write_text(CONFIG + stated)
    assert "price from your configuration" in cost()


def test_csv_is_for_programs_and_holds_whole_numbers(state):
    logged(state, (ANN, SONNET, {}))
    (row,) = csv.DictReader(io.StringIO(cost("--csv")))
    assert (row["model"], row["cost"], row["input"]) == ("sonnet", str(150 * CENT), "1000000")
    assert row["unit"] == "pico-USD"


def test_programs_are_told_what_a_comparison_assumes_and_whose_price_it_takes(state):
    logged(state, (ANN, QWEN, {}))
    (row,) = csv.DictReader(io.StringIO(cost("--csv", "--against", "gpt-5.2")))
    against = json.loads(cost("--json", "--against", "gpt-5.2"))["against"]
    assert row["against"] == against["model"] == "gpt-5.2"
    assert row["price_from"] == against["price_from"]
    assert row["price_from"].startswith("genai-prices")
    assert row["assumed"] == against["assumed"]
    assert against["assumed"].startswith("the same tokens")


def test_a_model_of_this_device_is_no_model_of_the_price_list(state, tmp_path):
    logged(state, (ANN, SONNET, {}))
    (tmp_path / "config" / "halfdoor" / "config.toml").write_text(CONFIG + LOCAL)
    assert "price from this device, whose tokens nobody bills" in cost("--against", "qwen")


def test_all_of_it_on_the_model_that_answered_costs_what_it_cost(state):
    used = Usage(1_000_000, 10_000, cached_tokens=600_000, cache_write_tokens=300_000)
    card = anywhere("claude-sonnet-5-5")
    spent = replace(SONNET, cost=price_of(used, card.price))
    logged(state, (ANN, spent, {"usage": used}))
    (group,) = json.loads(cost("--json", "--against", "sonnet"))["groups"]
    assert group["elsewhere"] == group["cost"]


def test_a_model_without_a_price_anywhere_is_no_yardstick(state):
    with pytest.raises(SetupError, match="nobody states a price of `my-own-model`"):
        halfdoor("cost", "--against", "my-own-model")


def test_any_model_of_the_price_list_is_one(state):
    logged(state, (ANN, QWEN, {}))
    assert "all of it on gpt-5.2:" in cost("--against", "gpt-5.2")


def test_before_the_first_exchange_nothing_was_spent(state):
    assert "nothing was spent" in cost()
