import multiprocessing
import stat

import pytest

from halfdoor.errors import SetupError
from halfdoor.record.checkpoint import read_vkey, verify
from halfdoor.store.keys import LogKeys


def test_keys_stay_the_same_between_starts(tmp_path):
    first, second = (LogKeys.load_or_create(tmp_path / "state") for _ in range(2))
    assert first.vkey == second.vkey
    assert first.mac(b"text") == second.mac(b"text")
    assert first.seal_key != second.seal_key


def test_only_the_owner_can_read_them(tmp_path):
    directory = tmp_path / "state"
    LogKeys.load_or_create(directory)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert modes == {"log.key": 0o600, "mac.key": 0o600}


@pytest.mark.parametrize("name", ["log.key", "mac.key"])
def test_a_key_that_others_can_read_stops_start_up(tmp_path, name):
    LogKeys.load_or_create(tmp_path)
    (tmp_path / name).chmod(0o640)
    with pytest.raises(SetupError, match=f"{name}: others can read the key; hint: chmod 600"):
        LogKeys.load_or_create(tmp_path)


def test_a_directory_that_others_can_write_stops_start_up(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o770)
    with pytest.raises(SetupError, match="hint: chmod 700"):
        LogKeys.load_or_create(tmp_path / "state")


def test_a_truncated_key_is_named(tmp_path):
    LogKeys.load_or_create(tmp_path)
    (tmp_path / "mac.key").write_bytes(b"short")
    with pytest.raises(SetupError, match=r"mac.key: the key has 5 bytes instead of 32"):
        LogKeys.load_or_create(tmp_path)


def test_a_state_directory_that_is_a_file_is_named(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(SetupError, match="state directory cannot be made"):
        LogKeys.load_or_create(tmp_path / "state")


def _vkey_of(directory):
    return LogKeys.load_or_create(directory).vkey


def test_processes_that_start_together_agree_on_the_keys(tmp_path, processes):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        vkeys = pool.map(_vkey_of, [tmp_path / "state"] * 8)
    assert len(set(vkeys)) == 1
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["log.key", "mac.key"]


def test_what_they_sign_their_verifier_key_verifies(tmp_path):
    keys = LogKeys.load_or_create(tmp_path)
    head = verify(keys.sign(3, b"r" * 32), read_vkey(keys.vkey))
    assert (head.origin, head.size, head.root) == (keys.origin, 3, b"r" * 32)


def test_the_keyed_hash_differs_between_logs(tmp_path):
    one, other = (LogKeys.load_or_create(tmp_path / name) for name in "ab")
    assert one.mac(b"text") != other.mac(b"text")
    assert len(one.mac(b"text")) == 64


def test_a_reader_never_makes_a_key(tmp_path):
    with pytest.raises(SetupError, match=r"log.key: .*hint: restore it from a copy"):
        LogKeys.load(tmp_path)
    made = LogKeys.load_or_create(tmp_path)
    assert LogKeys.load(tmp_path).vkey == made.vkey
