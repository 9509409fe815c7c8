"""What changed, as git tells it: working tree, index, revisions; and git runs nothing of theirs."""

import pytest

from halfdoor.backends.guard import start_permit
from halfdoor.canon.checks import Change
from halfdoor.errors import SetupError
from halfdoor.store import git
from halfdoor.store.git import Git
from tests.helpers import checkouts
from tests.helpers.checkouts import commit
from tests.helpers.checkouts import git as run

FILES = {"a.py": "x = 1\n" * 5, "sub/b.py": "y = 1\n", ".gitignore": "made/\n"}


@pytest.fixture
def checkout(tmp_path, monkeypatch, processes):
    """A repository with one commit: `a.py` and `sub/b.py`."""
    return checkouts.checkout(tmp_path, monkeypatch, FILES)


def write(folder, path, text):
    checkouts.write(folder, {path: text})


def reader(folder):
    return Git(folder, start_permit)


def test_the_working_tree_is_read_with_its_untracked_files_and_without_ignored_ones(checkout):
    write(checkout, "a.py", "x = 2\n")
    write(checkout, "new one.py", "z\n")
    write(checkout, "made/c.py", "w\n")
    (checkout / "sub/b.py").unlink()
    found = reader(checkout / "sub").working()
    assert found.changes == (
        Change("a.py", b"x = 1\n" * 5, b"x = 2\n"),
        Change("new one.py", None, b"z\n"),
        Change("sub/b.py", b"y = 1\n", None),
    )
    assert set(found.paths) == {"a.py", "new one.py", ".gitignore"}
    assert found.base == run(checkout, "rev-parse", "HEAD")


def test_the_index_is_read_as_it_is_and_not_the_working_tree(checkout):
    write(checkout, "a.py", "x = 2\n")
    run(checkout, "add", "a.py")
    write(checkout, "a.py", "x = 3\n")
    write(checkout, "untracked.py", "")
    (change,) = reader(checkout).staged().changes
    assert change.after == b"x = 2\n"


def test_a_renamed_file_is_one_change(checkout):
    run(checkout, "mv", "a.py", "c.py")
    (change,) = reader(checkout).staged().changes
    assert (change.path, change.was, change.before == change.after) == ("c.py", "a.py", True)


def test_between_two_revisions_only_what_the_head_brought_is_told(checkout):
    run(checkout, "checkout", "-q", "-b", "topic")
    write(checkout, "t.py", "t\n")
    head = commit(checkout, "topic\n\nHalfdoor-Exchange: hd_1\nReviewed-by: Bo <bo@example.org>")
    run(checkout, "checkout", "-q", "main")
    write(checkout, "m.py", "m\n")
    main = commit(checkout, "main moves on")
    found = reader(checkout).between("main", "topic")
    assert [each.path for each in found.changes] == ["t.py"]
    assert (found.settings, found.after) == (main, head)
    (only,) = found.commits
    assert only.trailers == (("Halfdoor-Exchange", "hd_1"), ("Reviewed-by", "Bo <bo@example.org>"))
    assert (only.author, only.paths) == ("ada@example.org", ("t.py",))


def test_texts_of_a_revision_are_those_it_had(checkout):
    write(checkout, "a.py", "x = 2\n")
    assert reader(checkout).texts("HEAD", ["a.py", "none.py"]) == {"a.py": b"x = 1\n" * 5}


def test_a_revision_is_laid_out_elsewhere(checkout, tmp_path_factory):
    folder = tmp_path_factory.mktemp("laid") / "tree"
    folder.mkdir()
    write(checkout, "a.py", "changed\n")
    reader(checkout).lay("HEAD", folder)
    assert (folder / "sub/b.py").read_text() == "y = 1\n"
    assert (folder / "a.py").read_text() == "x = 1\n" * 5
    assert run(checkout, "status", "--porcelain") == "M a.py"


def test_before_the_first_commit_everything_is_new(tmp_path, processes):
    run(tmp_path, "init", "-q")
    write(tmp_path, "a.py", "x\n")
    assert reader(tmp_path).working().changes == (Change("a.py", None, b"x\n"),)


def test_links_hold_no_text_and_large_files_are_named(checkout, monkeypatch):
    (checkout / "link").symlink_to("/etc/passwd")
    write(checkout, "big.py", "x" * 100)
    monkeypatch.setattr(git, "FILE_LIMIT_BYTES", 50)
    found = reader(checkout).working()
    assert {each.path: each.after for each in found.changes} == {"link": b"", "big.py": b""}
    assert found.unread == ("big.py (above 16 MiB)",)


def test_names_that_are_no_plain_text_are_kept(checkout):
    write(checkout, "ü \"q'\t.py", "x\n")
    run(checkout, "add", "-A")
    assert reader(checkout).staged().changes[0].path == "ü \"q'\t.py"


def test_a_repositorys_own_programs_are_not_run(checkout, tmp_path_factory):
    trace = tmp_path_factory.mktemp("trace") / "ran"
    run(checkout, "config", "core.fsmonitor", f"touch {trace}")
    run(checkout, "config", "diff.external", f"touch {trace}")
    run(checkout, "config", "diff.x.textconv", f"touch {trace};")
    write(checkout, ".gitattributes", "*.py diff=x\n")
    write(checkout, "a.py", "x = 2\n")
    reader(checkout).working()
    assert not trace.exists()


@pytest.mark.parametrize("name", ["nowhere", "--output=/tmp/x", "HEAD~9"])
def test_a_revision_that_is_none_is_told(checkout, name):
    with pytest.raises(SetupError, match="revision"):
        reader(checkout).between(name, "HEAD")


def test_a_folder_without_git_is_told(tmp_path, processes):
    with pytest.raises(SetupError, match="not a git repository"):
        reader(tmp_path).working()


def test_a_file_that_is_not_merged_was_not_read_and_is_no_deletion(checkout):
    """`--staged` took a conflict for a file that is gone, and passed."""
    run(checkout, "checkout", "-qb", "side")
    write(checkout, "a.py", "side\n")
    commit(checkout, "side")
    run(checkout, "checkout", "-q", "-")
    write(checkout, "a.py", "main\n")
    commit(checkout, "main")
    with pytest.raises(Exception, match="merge"):
        run(checkout, "merge", "side")
    found = reader(checkout).staged()
    assert (found.changes, found.unread) == ((), ("a.py (not merged)",))


def test_a_merge_names_the_files_that_only_it_changed(checkout):
    base = run(checkout, "rev-parse", "HEAD")
    run(checkout, "checkout", "-qb", "side")
    write(checkout, "s.py", "side\n")
    commit(checkout, "side")
    run(checkout, "checkout", "-q", "-")
    write(checkout, "m.py", "main\n")
    commit(checkout, "main")
    run(checkout, "merge", "-q", "--no-commit", "side")
    write(checkout, "evil.py", "x\n")
    commit(checkout, "merge")
    found = reader(checkout).between(base, "HEAD")
    assert [each.paths for each in found.commits][-1] == ("evil.py",)


def test_a_shallow_clone_without_a_common_commit_is_refused(checkout, tmp_path):
    """What the base alone has would be told as what the change took away."""
    for number in (1, 2):
        write(checkout, "a.py", f"x = {number}\n")
        commit(checkout, f"{number}")
    run(checkout, "branch", "base", "HEAD~1")
    clone = tmp_path / "clone"
    clone.mkdir()
    run(clone, "init", "-q")
    for name in ("base", "HEAD"):
        run(
            clone,
            "fetch",
            "-q",
            "--depth",
            "1",
            checkout.as_uri(),
            f"{name}:refs/heads/{name.lower()}1",
        )
    with pytest.raises(SetupError, match="shallow"):
        reader(clone).between("base1", "head1")


def test_a_folder_of_git_alone_is_no_checkout(checkout):
    with pytest.raises(SetupError) as said:
        reader(checkout / ".git")
    assert "run the gate in a checkout" in str(said.value)
