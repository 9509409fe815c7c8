import json
import time

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.live import Live
from halfdoor.store.schema import FILE
from tests.cli.commands import app, halfdoor, settle_in
from tests.cli.test_cost import ANN, NOW, QWEN, SONNET, logged
from tests.cli.test_underway import QWEN as NEAR
from tests.record.samples import decided, outcome


@pytest.fixture
def state(tmp_path, monkeypatch):
    settle_in(monkeypatch, str(tmp_path))
    return tmp_path / "state" / "halfdoor"


def test_one_line_says_who_answered_where_by_which_rule_and_what_today_cost(state):
    logged(state, (ANN, SONNET, {}), ({"rule": "no-keys"}, QWEN, {"model": "qwen", "cost": 0}))
    line = halfdoor("status").stdout
    assert line == "halfdoor: qwen device (rule no-keys) 0.00 USD | today 1.50 USD\n"


def test_it_says_who_was_passed_over(state):
    who = {"rule": "", "instead_of": ("sonnet: budget team", "opus: 429")}
    logged(state, (who, QWEN, {"model": "qwen", "cost": 0}))
    said = halfdoor("status").stdout
    assert "qwen device instead of sonnet: budget team, opus: 429 0.00 USD" in said
    told = json.loads(halfdoor("status", "--json").stdout)
    assert told["instead_of"] == ["sonnet: budget team", "opus: 429"]


def test_a_cost_that_nobody_knows_is_not_shown_as_nothing(state):
    unknown = replace(SONNET, cost=None)
    logged(state, ({"rule": ""}, unknown, {"model": "sonnet", "zone": "cloud", "cost": None}))
    line = halfdoor("status").stdout
    assert line == "halfdoor: sonnet cloud cost unknown | today 0.00 USD + unknown\n"
    assert json.loads(halfdoor("status", "--json").stdout)["unknown"] == 1


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


def put(state, *entries):
    file = LogFile(state / FILE, LogKeys.load_or_create(state))
    file.append(entries, last=True)
    file.close()


def test_it_says_who_failed_before_the_one_that_answered(state):
    busy = replace(SONNET, result="status", status=529, cost=0)
    put(state, decided(1, time=NOW, rule=""), outcome(1, attempts=(busy, QWEN), cost=0))
    assert "qwen-coder device instead of sonnet: 529" in halfdoor("status").stdout


def test_nobody_answered_after_whoever_was_tried(state):
    busy, down = replace(SONNET, result="status", status=529, cost=0), replace(QWEN, status=500)
    failed = outcome(1, attempts=(busy, down), cost=0, result="failed")
    put(state, decided(1, time=NOW, rule=""), failed)
    assert "qwen-coder device failed after sonnet: 529" in halfdoor("status").stdout


def test_what_waits_says_its_place_and_what_runs_that_it_does(state):
    table = Live(state, lambda: time.time_ns() // 1_000_000)
    table.called(decided(1), NEAR)
    mine = table.called(decided(2), NEAR)
    put(state, decided(1, time=NOW, rule=""), decided(2, time=NOW, rule=""))
    assert "halfdoor: qwen3-coder:30b device waits 2/2 |" in halfdoor("status").stdout
    mine.asked()
    assert "halfdoor: qwen3-coder:30b device under way |" in halfdoor("status").stdout
    mine.over()
    assert "halfdoor: under way |" in halfdoor("status").stdout


def test_who_waits_is_told_whatever_the_newest_exchange_did(state):
    table = Live(state, lambda: time.time_ns() // 1_000_000)
    table.called(decided(1, session_mac="ab12cd34ef"), NEAR)
    first = decided(1, time=NOW, rule="", session_mac="ab12cd34ef")
    put(state, first, decided(2, time=NOW, rule=""), outcome(2, attempts=(SONNET,), cost=0))
    assert "| qwen3-coder:30b device waits 1/1 | today" in halfdoor("status").stdout
    table.called(decided(3), NEAR)
    assert f"| 2 wait for {NEAR.backend} | today" in halfdoor("status").stdout
    told = json.loads(halfdoor("status", "--json").stdout)
    assert [(c["exchange"], c["position"], c["of"]) for c in told["waiting"]] == [
        (decided(1).id, 1, 2),
        (decided(3).id, 2, 2),
    ]
    assert told["under_way"] is None


def test_a_session_is_told_of_its_own_that_waits(state):
    mine = LogKeys.load_or_create(state).mac(b"mine")
    table = Live(state, lambda: time.time_ns() // 1_000_000)
    for number, mac in enumerate((mine, "ab12cd34ef")):
        table.called(decided(number, session_mac=mac), NEAR)
        put(state, decided(number, time=NOW, rule="", session_mac=mac))
    said = json.dumps({"session_id": "mine"})
    found = CliRunner().invoke(app, ["status", "--claude-code", "--json"], input=said)
    told = json.loads(found.stdout)
    assert [call["position"] for call in told["waiting"]] == [1]
    assert (told["under_way"]["model"], told["under_way"]["of"]) == ("qwen3-coder:30b", 2)


def test_a_backend_that_fails_too_often_is_told(state):
    config = state.parents[1] / "config" / "halfdoor" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        '[[backends]]\nname = "anthropic"\ndialect = "anthropic_messages"\nzone = "cloud"\n'
        'url = "https://api.anthropic.com"\n[backends.slo]\navailability = 0.9\n'
    )
    down = replace(SONNET, result="connect", cost=0)
    for number in range(3):
        failed = outcome(number, attempts=(down,), result="failed", time=NOW)
        put(state, decided(number, time=NOW), failed)
    assert halfdoor("status").stdout.endswith("| anthropic !! up: burns 10x in 6h\n")
    (told,) = json.loads(halfdoor("status", "--json").stdout)["burning"]
    assert (told["backend"], told["objective"]) == ("anthropic", "availability")
