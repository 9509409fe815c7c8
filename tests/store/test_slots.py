import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.canon.scene import Pin
from halfdoor.errors import LogError
from halfdoor.store.pins import SharedPins, SharedRatios
from halfdoor.store.slots import MOST_BYTES, SLOT_BYTES, Slots

KEY = b"k" * 16


@pytest.fixture
def path(tmp_path):
    return tmp_path / "slots.map"


def test_what_one_process_keeps_another_finds_and_a_later_one_too(path):
    one, other = Slots(path, 64), Slots(path, 64)
    one.hold(KEY, b"first", 1)
    assert other.find(KEY) == b"first"
    other.hold(KEY, b"second", 2)
    assert one.find(KEY) == b"second"
    one.close()
    assert Slots(path, 64).find(KEY) == b"second"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_row_that_is_full_forgets_what_was_written_longest_ago(path):
    slots = Slots(path, 4)
    keys = [bytes([n]) * 16 for n in range(1, 6)]
    for when, key in enumerate(keys):
        slots.hold(key, key, when + 1)
    assert [slots.find(key) for key in keys] == [None, *keys[1:]]


def test_half_a_write_is_no_value(path):
    slots = Slots(path, 4)
    slots.hold(KEY, b"whole value", 1)
    data = bytearray(path.read_bytes())
    for at in range(16, SLOT_BYTES):
        if not data[at]:
            continue
        torn = data.copy()
        torn[at] ^= 0xFF
        path.write_bytes(torn)
        assert Slots(path, 4).find(KEY) is None


def test_the_newest_counts_where_two_wrote_one_key_into_two_slots(path):
    slots = Slots(path, 4)
    slots.hold(KEY, b"old", 1)
    data = path.read_bytes()
    slots.hold(KEY, b"new", 2)
    newer = path.read_bytes()[:SLOT_BYTES]
    path.write_bytes(data[:SLOT_BYTES] + newer + data[2 * SLOT_BYTES :])
    assert Slots(path, 4).find(KEY) == b"new"


def test_what_does_not_fit_is_not_kept_and_a_file_of_another_size_is_made_to_fit(path):
    slots = Slots(path, 4)
    assert slots.hold(KEY, b"x" * MOST_BYTES, 1)
    assert not slots.hold(KEY, b"x" * (MOST_BYTES + 1), 2)
    assert Slots(path, 64).find(KEY) is None
    assert path.stat().st_size == 64 * SLOT_BYTES


@given(st.binary(max_size=4 * SLOT_BYTES))
def test_a_file_of_anything_gives_no_value_and_takes_one(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("junk") / "slots.map"
    path.write_bytes(junk.ljust(4 * SLOT_BYTES, b"k"))
    slots = Slots(path, 4)
    assert slots.find(KEY) is None
    slots.hold(KEY, b"value", 1)
    assert slots.find(KEY) == b"value"
    slots.close()


def test_a_folder_that_is_none_is_told(tmp_path):
    with pytest.raises(LogError, match=r"gone/slots\.map"):
        Slots(tmp_path / "gone" / "slots.map", 4)


# --- What is kept in them ---


def test_another_process_knows_who_answered_a_session(tmp_path):
    one, other = SharedPins(tmp_path), SharedPins(tmp_path)
    pin = Pin("sonnet", "near", 5)
    one.hold((KEY, b"o" * 16), pin)
    assert other.find((b"x" * 16, KEY)) == pin
    assert other.find((b"o" * 16,)) is None
    assert other.find(()) is None


def test_names_too_long_for_a_slot_are_known_to_their_own_process(tmp_path):
    one, other = SharedPins(tmp_path), SharedPins(tmp_path)
    pin = Pin("m" * 200, "r" * 200, 5)
    one.hold((KEY,), pin)
    assert one.find((KEY,)) == pin
    assert other.find((KEY,)) is None


def test_a_pin_too_long_for_its_slot_is_not_hidden_by_the_one_before_it(tmp_path):
    one, other = SharedPins(tmp_path), SharedPins(tmp_path)
    old, long = Pin("sonnet", "near", 5), Pin("m" * 200, "r" * 200, 6)
    older = b"o" * 16
    one.hold((older,), old)
    one.hold((KEY,), old)
    one.hold((KEY,), long)
    assert one.find((KEY, older)) == long
    assert other.find((KEY,)) is None
    other.hold((KEY,), again := Pin("sonnet", "near", 7))
    assert one.find((KEY,)) == again


def test_a_pin_too_long_for_its_slot_is_not_found_behind_a_newer_one_that_gave_way(tmp_path):
    one = SharedPins(tmp_path)
    one.hold((KEY,), Pin("m" * 200, "r" * 200, 5))
    one.hold((KEY,), Pin("sonnet", "near", 6))
    for at in range(4):  # four others of the same row
        one.hold((KEY[:15] + bytes([at]),), Pin("opus", "far", 7 + at))
    assert one.find((KEY,)) is None


def test_what_another_version_kept_is_nothing(tmp_path):
    pins = SharedPins(tmp_path)
    pins._slots.hold(KEY, b"\x81\xa1a\x01", 1)
    assert pins.find((KEY,)) is None


def test_what_one_process_learnt_of_a_models_tokens_another_finds(tmp_path):
    one, other = SharedRatios(tmp_path, lambda: 5), SharedRatios(tmp_path, lambda: 6)
    assert other.find("qwen") is None
    one.hold("qwen", 4.25)
    assert other.find("qwen") == 4.25
