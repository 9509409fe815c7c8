"""What `docs/how-to/prove-the-log.md` promises an auditor, done as it says."""

import shutil

import pytest

from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.schema import FILE
from tests.cli.commands import halfdoor, settle_in
from tests.record.samples import decided, outcome
from tests.store.ledgers import tamper, written


@pytest.fixture
def state(tmp_path, monkeypatch):
    settle_in(monkeypatch, str(tmp_path))
    folder = tmp_path / "state" / "halfdoor"
    written(folder)
    return folder


def goes_on(state, number):
    """One more exchange, and a clean stop."""
    file = LogFile(state / FILE, LogKeys.load(state))
    file.append([decided(number), outcome(number)], last=True)
    file.close()


def test_an_older_copy_that_was_put_back_is_found_against_a_head_kept_elsewhere(state, tmp_path):
    shutil.copytree(state, tmp_path / "copy")
    goes_on(state, 77)
    kept = tmp_path / "kept.txt"
    kept.write_text(halfdoor("log", "checkpoint").stdout)
    assert halfdoor("log", "verify", "--against", str(kept)).exit_code == 0
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "copy", state)
    assert halfdoor("log", "verify").exit_code == 0
    against = halfdoor("log", "verify", "--against", str(kept))
    assert (against.exit_code, "truncated" in against.stdout) == (1, True)


def test_a_damage_stays_named_whatever_is_appended_later(state):
    tamper(state, "UPDATE entries SET leaf = replace(leaf, 'no-keys', 'no_keys') WHERE seq = 6")
    goes_on(state, 77)
    told = halfdoor("log", "verify")
    assert (told.exit_code, "entry 6: edited" in told.stdout) == (1, True)


def test_a_copy_is_read_through_a_configuration_of_its_own(state, tmp_path):
    shutil.move(state, tmp_path / "copy")
    file = tmp_path / "audit.toml"
    file.write_text(f'[server]\nstate_dir = "{tmp_path / "copy"}"\n')
    for asked in (("log", "verify"), ("why", "last")):
        assert halfdoor(*asked, "--config", str(file)).exit_code == 0
