import errno
import os

import pytest

from halfdoor.errors import LogError
from halfdoor.store.mapped import mapped


@pytest.mark.parametrize("there", [b"", b"of five", b"x" * 200_000])
def test_a_file_of_any_size_has_the_one_that_was_asked_and_keeps_what_fits(tmp_path, there):
    (tmp_path / "map").write_bytes(there)
    made = mapped(tmp_path / "map", 100_000, "nothing is shared")
    assert made[:] == there[:100_000].ljust(100_000, b"\0")
    made.close()


def test_who_maps_a_file_takes_nothing_from_those_who_have_it(tmp_path):
    first = mapped(tmp_path / "map", 100, "nothing is shared")
    first[:5] = b"first"
    second = mapped(tmp_path / "map", 100, "nothing is shared")
    second[5:8] = b"two"
    assert first[:8] == second[:8] == b"firsttwo"


def test_a_full_disk_is_told_and_leaves_no_hole(tmp_path, monkeypatch):
    """A page that has no place on the disk would end the process that touches it (SIGBUS)."""

    def pwrite(descriptor, data, at):
        if at >= 70_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[: 70_000 - at], at)

    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(LogError, match=r"nothing is shared.*No space left"):
        mapped(tmp_path / "map", 100_000, "nothing is shared")
    assert (tmp_path / "map").stat().st_size == 70_000


def test_a_file_that_cannot_be_opened_is_told_with_its_place(tmp_path):
    with pytest.raises(LogError, match="nowhere"):
        mapped(tmp_path / "nowhere" / "map", 8, "nothing is shared")
