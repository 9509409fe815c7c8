"""Files below a folder: whatever path is named, nothing outside is read, written or taken away."""

import os

import pytest

from halfdoor.canon.checks import Barred
from halfdoor.store import beneath

LIMIT = 100


@pytest.fixture
def root(tmp_path):
    """A folder with `sub/a.py`, and links `d` (to a folder outside) and `l.py` (to a file there)."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "sub").mkdir(parents=True)
    outside.mkdir()
    (root / "sub/a.py").write_bytes(b"a")
    (outside / "k.py").write_bytes(b"theirs")
    (root / "d").symlink_to(outside)
    (root / "l.py").symlink_to(outside / "k.py")
    return root


def outside(root):
    """What lies in the folder outside."""
    return {file.name: file.read_bytes() for file in (root.parent / "outside").iterdir()}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("sub/a.py", b"a"),
        ("sub/b.py", None),
        ("no/b.py", None),
        ("sub", Barred("is a folder")),
        ("l.py", Barred("is a link")),
        ("d/k.py", Barred("lies below `d`, which is a link")),
        ("d/no/k.py", Barred("lies below `d`, which is a link")),
        ("sub/a.py/b", Barred("lies below `sub/a.py`, which is a file")),
        ("sub/pipe", Barred("is no plain file")),
        ("sub/big", Barred("is above 0 MiB and was not read")),
    ],
)
def test_what_is_at_a_path_is_told_without_following_a_link(root, path, found):
    os.mkfifo(root / "sub/pipe")
    (root / "sub/big").write_bytes(b"x" * (LIMIT + 1))
    assert beneath.stands(root, path, LIMIT) == found


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside/k.py", "sub/../../outside/k.py"])
def test_a_path_that_leads_out_is_refused_by_all(root, path):
    assert isinstance(beneath.stands(root, path, LIMIT), Barred)
    with pytest.raises(OSError, match="no step of a way down"):
        beneath.write(root, path, b"x")
    with pytest.raises(OSError, match="no step of a way down"):
        beneath.remove(root, path)
    assert outside(root) == {"k.py": b"theirs"}


@pytest.mark.parametrize("path", ["d/new.py", "d/sub/new.py", "l.py", "sub/a.py", "sub"])
def test_nothing_is_written_through_a_link_or_over_what_is_there(root, path):
    with pytest.raises(OSError, match=r"link|exists"):
        beneath.write(root, path, b"x")
    assert outside(root) == {"k.py": b"theirs"}
    assert (root / "sub/a.py").read_bytes() == b"a"


def test_folders_above_a_new_file_are_made(root):
    beneath.write(root, "new/er/b.py", b"b")
    assert (root / "new/er/b.py").read_bytes() == b"b"


def test_nothing_behind_a_link_is_taken_away_but_the_link_may_be(root):
    with pytest.raises(beneath.UnreachableError):
        beneath.remove(root, "d/k.py")
    beneath.remove(root, "l.py")
    beneath.remove(root, "d")
    assert outside(root) == {"k.py": b"theirs"}
    assert [file.name for file in root.iterdir()] == ["sub"]


def test_a_folder_goes_with_the_last_file_in_it_and_not_before(root):
    beneath.write(root, "sub/b.py", b"b")
    beneath.remove(root, "sub")
    beneath.remove(root, "sub/a.py")
    assert (root / "sub/b.py").exists()
    beneath.remove(root, "sub/b.py")
    beneath.remove(root, "sub/b.py")
    assert not (root / "sub").exists()
