"""Whole trees are written out from a revision and changes, and nothing is written beside them."""

import pytest

from halfdoor.backends.guard import start_permit
from halfdoor.canon.checks import Change
from halfdoor.cli.gate.trees import Laid, Trees
from halfdoor.store.git import Git
from tests.helpers import checkouts


@pytest.fixture
def laid(tmp_path, monkeypatch, processes):
    """`laid(*changes)`: the trees over a checkout with `a.py`, `sub/b.py` and a link `d` out of it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/k.py").write_text("theirs\n")
    folder = checkouts.checkout(tmp_path / "app", monkeypatch, {"a.py": "a\n", "sub/b.py": "b\n"})
    (folder / "d").symlink_to(tmp_path / "outside")
    head = checkouts.commit(folder, "a link")

    def make(*changes):
        (tmp_path / "laid").mkdir()
        git = Git(folder, start_permit)
        return Trees(git, tmp_path / "laid", Laid(head), Laid(head, changes))

    return make


def files(folder):
    """Plain files by path."""
    found = {str(each.relative_to(folder)): each for each in folder.rglob("*")}
    return {path: file.read_text() for path, file in found.items()
            if file.is_file() and not file.is_symlink()}  # fmt: skip


@pytest.mark.parametrize(
    "change", [Change("d/k.py", b"", None), Change("d/new.py", None, b"x"), Change("a.py", b"", b"", "d/k.py")]
)  # fmt: skip
def test_a_change_below_a_link_never_reaches_what_the_link_leads_to(laid, tmp_path, change):
    """`gate --stdin` took files away outside the repository, and wrote some there."""
    trees = laid(change)
    for _ in range(2):  # half a tree is not judged the second time either
        with pytest.raises(OSError, match="link"):
            trees.fill(str(trees.after))
    assert files(tmp_path / "outside") == {"k.py": "theirs\n"}


def test_the_last_of_several_changes_of_a_file_holds(laid):
    trees = laid(
        Change("a.py", b"a\n", b"1\n"),
        Change("new.py", None, b"n\n"),
        Change("a.py", b"1\n", None),
        Change("moved.py", b"b\n", b"2\n", "sub/b.py"),
    )
    trees.fill(str(trees.after))
    trees.fill(str(trees.before))
    assert files(trees.after) == {"new.py": "n\n", "moved.py": "2\n"}
    assert files(trees.before) == {"a.py": "a\n", "sub/b.py": "b\n"}


def test_a_file_may_stand_where_a_folder_or_a_link_was(laid, tmp_path):
    trees = laid(
        Change("a.py", b"a\n", None),
        Change("a.py/x.py", None, b"x\n"),
        Change("d", b"", None),
        Change("d/k.py", None, b"ours\n"),
        Change("sub", None, b"s\n"),
        Change("sub/b.py", b"b\n", None),
    )
    trees.fill(str(trees.after))
    assert files(trees.after) == {"a.py/x.py": "x\n", "d/k.py": "ours\n", "sub": "s\n"}
    assert files(tmp_path / "outside") == {"k.py": "theirs\n"}
