import json

import pytest
from typer.testing import CliRunner

from halfdoor.store.keys import LogKeys
from tests.cli.commands import app, halfdoor, settle_in
from tests.cli.test_cost import ANN, QWEN, SONNET, logged


@pytest.fixture
def state(tmp_path, monkeypatch):
    settle_in(monkeypatch, str(tmp_path))
    return tmp_path / "state" / "halfdoor"


def test_one_line_says_who_answered_where_by_which_rule_and_what_today_cost(state):
    logged(state, (ANN, SONNET, {}), ({"rule": "no-keys"}, QWEN, {"model": "qwen", "cost": 0}))
    line = halfdoor("status").stdout
    assert line == "halfdoor: qwen device (rule no-keys) 0.00 USD | today 1.50 USD\n"


def test_it_says_who_was_passed_over(state):
    logged(state, ({"rule": "", "unwell": ("sonnet: 429",)}, QWEN, {"model": "qwen", "cost": 0}))
    assert "qwen device instead of sonnet: 429" in halfdoor("status").stdout


def test_claude_codes_session_is_the_one_spoken_of(state):
    mine = LogKeys.load_or_create(state).mac(b"mine")
    logged(
        state,
        (
            {"session_mac": mine, "rule": ""},
            SONNET,
            {"model": "sonnet", "zone": "cloud", "cost": 7},
        ),
        (ANN, QWEN, {}),
    )
    said = json.dumps({"session_id": "mine", "model": {"id": "x"}, "cost": {}})
    found = CliRunner().invoke(app, ["status", "--claude-code", "--json"], input=said)
    assert json.loads(found.stdout)["model"] == "sonnet"
    garbage = CliRunner().invoke(app, ["status", "--claude-code"], input="no json at all")
    assert garbage.exit_code == 0


def test_before_the_first_exchange_there_is_nothing_to_say(state):
    assert halfdoor("status").stdout == "halfdoor: nothing yet | today 0.00 USD\n"
