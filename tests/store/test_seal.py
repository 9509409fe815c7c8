from array import array

import pytest

from halfdoor.store.seal import Seal, read, written


def test_what_is_sealed_opens_under_the_same_key_for_the_same_thing_only():
    sealed = Seal(b"k" * 32).close(b"id", b"text")
    assert Seal(b"k" * 32).open(b"id", sealed) == b"text"
    assert b"text" not in sealed
    for key, about, data in (
        (b"o" * 32, b"id", sealed),
        (b"k" * 32, b"di", sealed),
        (b"k" * 32, b"id", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(ValueError, match="seal"):
            Seal(key).open(about, data)


def test_shingles_are_read_as_they_were_written():
    found = array("q", [0, -1, 2**63 - 1, -(2**63)])
    assert read(written(found)) == found
    with pytest.raises(ValueError, match="multiple"):
        read(b"seven b")
