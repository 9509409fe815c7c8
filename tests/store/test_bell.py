import pytest

from halfdoor.errors import LogError
from halfdoor.store.bell import Bell


def test_all_hear_who_rings_and_nobody_who_does_not(tmp_path):
    one, two = Bell(tmp_path / "bell"), Bell(tmp_path / "bell")
    before = two.note()
    assert one.note() == before
    one.ring()
    assert two.note() != before
    assert two.note() == one.note()
    one.close()
    two.close()


def test_a_bell_that_cannot_be_hung_stops_the_start(tmp_path):
    with pytest.raises(LogError, match="nowhere"):
        Bell(tmp_path / "nowhere" / "bell")
