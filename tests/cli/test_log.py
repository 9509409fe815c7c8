import json

import pytest

from halfdoor.cli.log import told
from halfdoor.errors import LogError, SetupError
from halfdoor.record.entry import read
from tests.cli.commands import halfdoor, settle_in
from tests.record.samples import decided, entries_of
from tests.store.ledgers import tamper, written


@pytest.fixture
def state(tmp_path, monkeypatch):
    settle_in(monkeypatch, str(tmp_path))
    return tmp_path / "state" / "halfdoor"


@pytest.fixture
def kept(state, tmp_path):
    """A log, and its head kept elsewhere."""
    written(state)
    path = tmp_path / "kept.checkpoint"
    path.write_text(halfdoor("log", "checkpoint").stdout)
    return path


def test_a_whole_log_is_told_in_few_lines(state, kept):
    result = halfdoor("log", "verify")
    assert result.exit_code == 0
    assert "whole: 40 entries; 5 signed checkpoints over 40 of them" in result.stdout
    assert "`--against` a checkpoint that you keep elsewhere" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_a_log_that_continues_a_kept_checkpoint_says_so(state, kept):
    result = halfdoor("log", "verify", "--against", str(kept))
    assert "it continues the checkpoint from outside (40 entries)" in result.stdout


def test_damage_is_named_and_fails_the_command(state, kept):
    tamper(state, "UPDATE entries SET leaf = replace(leaf, '12345', '12344') WHERE seq = 12")
    result = halfdoor("log", "verify")
    assert result.exit_code == 1
    assert "DAMAGED: 1 problem in 40 entries" in result.stdout
    assert "entry 12: edited: its text is not what was recorded" in result.stdout


def test_a_report_for_programs_says_the_same(state, kept):
    tamper(state, "DELETE FROM entries WHERE seq IN (3, 4)")
    result = halfdoor("log", "verify", "--against", str(kept), "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["whole"], report["against"]) == (1, False, 40)
    assert report["problems"][0] == {
        "kind": "missing",
        "first": 3,
        "last": 4,
        "message": "deleted",
    }


def test_a_kept_checkpoint_that_cannot_be_read_is_named(state, kept, tmp_path):
    with pytest.raises(SetupError, match=r"nowhere: the checkpoint cannot be read"):
        halfdoor("log", "verify", "--against", str(tmp_path / "nowhere"))
    kept.write_text("not a checkpoint\n")
    with pytest.raises(LogError, match="this is not a checkpoint"):
        halfdoor("log", "verify", "--against", str(kept))


def test_export_writes_the_leaves_as_they_were_hashed(state, kept):
    lines = halfdoor("log", "export", "--format", "jsonl").stdout.splitlines()
    assert [read(line).entry for line in lines] == entries_of(20)
    assert entries_of(1)[0].id in lines[0]


@pytest.mark.parametrize(
    ("since", "count"),
    [("2026-11-21", 40), ("2026-11-21T09:30:01Z", 20), ("2026-11-22", 0), ("99999d", 40)],
)
def test_export_can_begin_later(state, kept, since, count):
    assert len(halfdoor("log", "export", "--since", since).stdout.splitlines()) == count


def test_a_since_that_is_no_time_is_a_usage_error(state, kept):
    result = halfdoor("log", "export", "--since", "yesterday")
    assert result.exit_code == 2
    assert "is no time" in result.stderr


def test_tail_shows_what_happened_last(state, kept):
    lines = halfdoor("log", "tail", "-n", "2").stdout.splitlines()
    assert lines[1].split()[0] == "38"
    assert "rule no-keys; may go to qwen-coder" in lines[1]
    assert "answered by qwen-coder (device) in 1,400 ms" in lines[2]


def test_a_decision_that_nobody_is_asked_for_names_nobody():
    counting = decided(plan=(), rule="secret", refusal="")
    assert told(counting) == "rule secret; goes to nobody"


def test_tail_for_programs_gives_the_entries(state, kept):
    entries = json.loads(halfdoor("log", "tail", "-n", "3", "--json").stdout)
    assert [entry["seq"] for entry in entries] == [37, 38, 39]


def test_the_checkpoint_and_its_key_are_printed_for_other_tools(state, kept):
    origin, size, *_ = kept.read_text().split("\n")
    key = halfdoor("log", "checkpoint", "--key").stdout
    assert size == "40"
    assert key.startswith(f"{origin}+")
    both = json.loads(halfdoor("log", "checkpoint", "--json").stdout)
    assert both == {"checkpoint": kept.read_text(), "key": key.strip()}


@pytest.mark.parametrize("command", ["verify", "tail", "export", "checkpoint"])
def test_a_log_that_does_not_exist_yet_is_told(state, command):
    with pytest.raises(LogError, match="no exchange has been recorded yet; hint:"):
        halfdoor("log", command)


def test_a_log_without_its_key_cannot_be_verified_and_says_why(state, kept):
    (state / "log.key").unlink()
    with pytest.raises(SetupError, match="hint: restore it"):
        halfdoor("log", "verify")
