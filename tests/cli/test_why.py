import json
from io import StringIO

import pytest
from msgspec.structs import replace
from rich.console import Console

from halfdoor.canon.record import Attempt, Chosen, Expected, Leaving, Left, Planned, TooLong
from halfdoor.cli import why
from halfdoor.errors import LogError
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from halfdoor.store.schema import FILE
from tests.cli.commands import halfdoor, settle_in
from tests.record.samples import decided, exchange_id, outcome
from tests.store.ledgers import tamper, written


@pytest.fixture
def state(tmp_path, monkeypatch):
    settle_in(monkeypatch, str(tmp_path))
    return tmp_path / "state" / "halfdoor"


def record(state, *entries):
    file = LogFile(state / FILE, LogKeys.load_or_create(state))
    file.append(entries, last=True)
    file.close()


def test_everything_that_decided_an_exchange_is_told(state):
    written(state)
    told = halfdoor("why", exchange_id(3)).stdout
    for fact in (
        exchange_id(3),
        "2026-11-21 09:30:00 UTC",
        "claude-sonnet; 12,345 bytes to /v1/messages",
        "secret (aws-access-key-id), 1 in messages[3]; by secrets",
        "no-keys: no wider than device",
        "qwen-coder (device, backend ollama)",
        "sonnet (cloud): rule no-keys, label secret",
        "qwen-coder (device): answered 200 in 1,400 ms",
        "3,000 tokens in (1,000 cached), 120 out",
        "entry 6: proven by the checkpoint of 40 entries",
    ):
        assert " ".join(fact.split()) in " ".join(told.split())
    assert max(map(len, told.splitlines())) <= 80


def test_a_model_that_was_left_out_on_its_terms_is_told_with_what_was_not_met(state):
    left = Left("sonnet", "cloud", "eu", "*", ("region", "retention_days"))
    record(state, decided(excluded=(left,)), outcome())
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert "rule eu, label *, not on its terms: region, retention_days" in told


def test_a_model_whose_window_is_too_small_is_told_with_the_numbers(state):
    small = TooLong("qwen", "device", 19_000, 4096)
    record(state, decided(plan=(), unfit=(small,), refusal="too-long"), outcome(result="refused"))
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert "qwen (device): about 19,000 tokens, and its window has 4,096" in told
    assert "it is longer than the window of every permitted model" in told


def test_a_prompt_that_its_engine_cut_off_is_told_with_the_numbers(state):
    record(state, decided(expected_tokens=19_000), outcome(notices=("truncated",)))
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert "notice the engine counted 3,000 of about 19,000 tokens" in told
    assert "truncated" in halfdoor("log", "tail").stdout


def test_it_is_found_by_its_beginning_or_as_the_last(state):
    written(state)
    assert exchange_id(19) in halfdoor("why", "last").stdout
    with pytest.raises(LogError, match="give more of"):
        halfdoor("why", "hd_")


def test_an_empty_id_is_a_usage_error_and_not_every_exchange(state):
    written(state)
    result = halfdoor("why", "")
    assert (result.exit_code, "is empty" in result.stderr) == (2, True)


def test_what_is_no_terminal_gets_no_spaces_at_the_end_of_lines(state):
    written(state)
    assert all(line == line.rstrip() for line in halfdoor("why", "last").stdout.splitlines())


def test_a_failure_is_told_at_whom_and_not_by_whom(state):
    failed = Attempt("qwen-coder", "ollama", "device", "status", 500, 9, 9, 9)
    record(state, decided(1), outcome(1, result="failed", attempts=(failed,), status=500))
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert "qwen-coder (device): answered with an error, 500, in" in told
    assert "failed at qwen-coder (device), the last one tried, in" in told


def test_programs_get_the_entries_and_the_proof(state):
    written(state)
    told = json.loads(halfdoor("why", "last", "--json").stdout)
    assert told["decided"]["rule"] == "no-keys"
    assert told["outcome"]["usage"]["input_tokens"] == 3000
    assert told["log"] == {"position": 38, "proof": "proven", "checkpoint_size": 40}


def test_a_changed_decision_is_not_explained_as_if_it_were_true(state):
    written(state)
    tamper(state, "UPDATE entries SET leaf = replace(leaf, 'no-keys', 'no_keys') WHERE seq = 6")
    result = halfdoor("why", exchange_id(3))
    assert result.exit_code == 1
    assert "entry 6: NOT what was recorded" in result.stdout


def test_without_the_key_the_explanation_stands_unproven(state):
    written(state)
    (state / "log.key").unlink()
    result = halfdoor("why", "last")
    assert result.exit_code == 1
    assert "no-keys: no wider than device" in result.stdout
    assert "log.key: the key cannot be used" in " ".join(result.stdout.split())


def test_an_exchange_without_an_outcome_counts_as_sent(state):
    record(state, decided(1))
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert "none yet; until there is one, it counts as sent to all permitted" in told


def test_a_refusal_says_why_nobody_was_permitted(state):
    refused = outcome(1, result="refused", model="", zone="", attempts=(), usage=None, status=400)
    record(state, decided(1, plan=(), refusal="rule"), refused)
    told = halfdoor("why", "last").stdout
    assert "permitted  nobody" in told
    assert "every model that could answer was forbidden by a rule" in told


def test_an_entry_newer_than_the_checkpoint_waits_for_the_next(state):
    written(state)
    tamper(state, "DELETE FROM checkpoints WHERE size = 40")
    assert "no signed checkpoint covers it yet" in halfdoor("why", "last").stdout


def test_names_with_brackets_are_shown_as_they_are(state):
    record(state, decided(1, asked="[bold]x[/bold]", plan=(Planned("[red]", "b", "device"),)))
    told = halfdoor("why", "last").stdout
    assert "[bold]x[/bold]" in told
    assert "[red] (device, backend b)" in told


def rendered(state, **how):
    shown = StringIO()
    with LogReader(state) as reader:
        found = reader.exchange(exchange_id(3))
    why._show(Console(file=shown, width=60, **how), found, why.Proof("broken", 40, "changed"), {})
    return shown.getvalue()


def test_a_terminal_gets_colour_and_no_line_beyond_its_width(state):
    written(state)
    assert "\x1b[31m" in rendered(state, force_terminal=True, color_system="standard")
    plain = rendered(state, no_color=True)
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= 60


def test_the_choice_is_told_with_its_route_and_its_numbers(state):
    costs = (Expected("qwen-coder", 0), Expected("sonnet", 1_500_000_000), Expected("gpt", None))
    choice = Chosen(
        "subagent", "test", ("go", "python"), "side-work", "cheapest", 12_345, costs, "qwen-coder"
    )
    record(state, replace(decided(1), choice=choice), outcome(1))
    told = " ".join(halfdoor("why", exchange_id(1)).stdout.split())
    assert "chosen route side-work; task test (go, python), agent subagent" in told
    assert "qwen-coder stays first: it waits for the results of its calls" in told
    assert "about 12,345 tokens, expected to cost: qwen-coder 0.00 USD, sonnet 0.0015 USD" in told
    assert "gpt unknown" in told


def test_the_number_that_decided_is_not_rounded_away(state):
    costs = (Expected("sonnet", 1_564_000_000), Expected("haiku", 1_569_000_000))
    choice = Chosen("main", "fix", (), "", "cheapest", 120, costs)
    record(state, decided(choice=choice))
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert "expected to cost: sonnet 0.00156 USD, haiku 0.00157 USD" in told


STEADY = Chosen("main", "test", route="steady", sets=("temperature 0.0", 'stop ["ZZ"]'))
ROUTES = """
[[backends]]
name = "ollama"
dialect = "openai_chat"
url = "http://127.0.0.1:9/v1"
zone = "device"
[[models]]
name = "qwen"
backend = "ollama"
id = "q"
[[routes]]
name = "steady"
set = { system = "Write pytest." }
"""


def test_what_a_route_set_is_told_with_its_values(state, tmp_path):
    config = tmp_path / "config" / "halfdoor" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(ROUTES)
    hashed = LogKeys.load_or_create(state).mac(b"Write pytest.")
    record(state, decided(choice=replace(STEADY, sets=(*STEADY.sets, f"system {hashed}"))))
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert 'set temperature 0.0 stop ["ZZ"] system "Write pytest."' in told
    config.write_text(ROUTES.replace("pytest", "unittest"))
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert f"system text that is in the configuration no more (hash {hashed[:16]})" in told


def test_an_entry_from_before_says_nothing_of_a_choice(state):
    record(state, replace(decided(1), choice=None), outcome(1))
    assert "chosen" not in halfdoor("why", exchange_id(1)).stdout


def test_a_session_that_stays_where_its_prompt_is_cached_is_told_with_the_numbers(state):
    leaving = Leaving("sonnet", "qwen", "stays", 90_000, 243 * 10**9, 45 * 10**9, 0)
    record(state, decided(choice=Chosen("main", "fix", leaving=leaving)))
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert (
        "sonnet, which answered last, stays: leaving would not pay; about 90,000 tokens in its "
        "cache are worth 0.24 USD; the turn costs 0.04 USD there and 0.00 USD at qwen"
    ) in told


def test_a_session_that_must_leave_is_told_why(state):
    leaving = Leaving("sonnet", "qwen", "unwell", 90_000)
    record(state, decided(choice=Chosen("main", "fix", leaving=leaving)))
    told = " ".join(halfdoor("why", "last").stdout.split())
    assert "sonnet, which answered last, is left for qwen: it has just failed" in told
