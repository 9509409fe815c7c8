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


def test_what_is_above_the_limit_is_named_alike_wherever_it_lies(checkout, monkeypatch):
    """Only files of the working tree had a limit: what was staged or committed was read whole."""
    monkeypatch.setattr(git, "FILE_LIMIT_BYTES", 50)
    base = run(checkout, "rev-parse", "HEAD")
    write(checkout, "big.py", "x" * 100)
    (checkout / "film.mp4").write_bytes(b"\0\1\2\xff" * 30)
    (checkout / "nul.txt").write_bytes(b"\0" + b"text " * 30)
    for judged in ("untracked", "staged", "committed"):
        found = reader(checkout)
        told = {"untracked": found.working, "staged": found.staged,
                "committed": lambda f=found: f.between(base, "HEAD")}[judged]()  # fmt: skip
        assert {each.path for each in told.changes} == {"big.py", "film.mp4", "nul.txt"}
        assert not any(each.after for each in told.changes)
        assert told.unread == ("big.py (above 16 MiB)", "nul.txt (above 16 MiB)")
        assert told.aside == ("film.mp4 was not looked at: no text, and above 16 MiB",)
        run(checkout, "add", "-A")
        if judged == "staged":
            commit(checkout, "large")


@pytest.mark.parametrize(
    ("path", "target", "out"),
    [
        ("k", "/etc/passwd", True),
        ("sub/k", "../../elsewhere", True),
        ("sub/k", "../.GIT/config", True),
        ("sub/k", "../a.py", False),
        ("k", "sub", False),
    ],
)
def test_a_link_out_of_the_repository_was_not_looked_at_and_one_within_is(
    checkout, path, target, out
):
    """Whatever it led to passed."""
    (checkout / path).symlink_to(target)
    base = run(checkout, "rev-parse", "HEAD")
    expected = (f"{path} (a link out of the repository, to {target})",) * out
    assert reader(checkout).working().unread == expected
    run(checkout, "add", "-A")
    found = reader(checkout).staged()
    assert (found.unread, found.changes[0].after) == (expected, b"")
    commit(checkout, "link")
    assert reader(checkout).between(base, "HEAD").unread == expected
    assert reader(checkout).working().unread == ()
    (checkout / path).unlink()
    (checkout / path).symlink_to("/usr")
    assert reader(checkout).working().unread == (f"{path} (a link out of the repository, to /usr)",)


def test_a_repository_inside_this_one_is_named(checkout):
    """It was an empty file by the name of its folder."""
    inner = checkout / "inner"
    inner.mkdir()
    run(inner, "init", "-q")
    write(inner, "x.py", "import nowhere\n")
    commit(inner, "first")
    found = reader(checkout).working()
    assert (found.changes, "inner/" in found.paths) == ((), False)
    assert found.aside == ("inner/ was not looked at: a repository of its own",)
    run(checkout, "add", "inner")
    assert reader(checkout).staged().aside[0].startswith("inner was not looked at: a submodule")
    commit(checkout, "added")
    # Such settings would hide what a change brings.
    module = '[submodule "inner"]\npath = inner\nurl = ./inner\nignore = all\n'
    write(checkout, ".gitmodules", module)
    run(checkout, "config", "diff.ignoreSubmodules", "all")
    commit(checkout, "ignored")
    write(inner, "x.py", "import elsewhere\n")
    assert reader(checkout).working().aside == ()
    commit(inner, "second")
    assert reader(checkout).working().aside[0].startswith("inner was not looked at: a submodule")


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_was_told_not_to_look_at_is_looked_at(checkout, mark):
    run(checkout, "update-index", mark, "a.py", "sub/b.py")
    (checkout / "sub/b.py").write_bytes(b"y = 1\r\n")
    assert reader(checkout).working().changes == ()
    write(checkout, "a.py", "x = 2\n")
    assert reader(checkout).working().changes == (Change("a.py", b"x = 1\n" * 5, b"x = 2\n"),)


def test_what_a_sparse_checkout_leaves_out_is_no_deletion(checkout):
    run(checkout, "update-index", "--skip-worktree", "a.py")
    (checkout / "a.py").unlink()
    assert reader(checkout).working().changes == ()


def test_before_the_first_commit_a_repository_may_hash_by_sha_256(tmp_path, processes):
    """The empty tree has another name there: `bad revision`."""
    run(tmp_path, "init", "-q", "--object-format=sha256")
    write(tmp_path, "a.py", "x\n")
    assert reader(tmp_path).working().changes == (Change("a.py", None, b"x\n"),)


def test_a_commit_holds_what_it_wrote_and_a_later_one_took_back(checkout):
    base = run(checkout, "rev-parse", "HEAD")
    for text in ("key\n", "key\nmore\n", "done\n"):
        write(checkout, "sub/b.py", text)
        commit(checkout, text)
    write(checkout, "gone.py", "other key\n")
    commit(checkout, "gone")
    write(checkout, "gone.py", None)
    commit(checkout, "back")
    made = reader(checkout).between(base, "HEAD").commits
    assert [each.passed for each in made] == [
        (Change("sub/b.py", b"y = 1\n", b"key\n"),),
        (Change("sub/b.py", b"key\n", b"key\nmore\n"),),
        (),
        (Change("gone.py", None, b"other key\n"),),
        (),
    ]


def test_what_a_commit_puts_back_is_not_what_it_wrote(checkout):
    base = run(checkout, "rev-parse", "HEAD")
    for text in ("x = 2\n", "x = 1\n" * 5):
        write(checkout, "a.py", text)
        commit(checkout, text)
    found = reader(checkout).between(base, "HEAD").commits
    assert [bool(each.passed) for each in found] == [True, False]


def test_what_commits_took_back_is_named_where_it_is_too_much_to_read(checkout, monkeypatch):
    monkeypatch.setattr(git, "PASSED_LIMIT_BYTES", 3)
    base = run(checkout, "rev-parse", "HEAD")
    for text in ("key\n", "done\n"):
        write(checkout, "a.py", text)
        commit(checkout, text)
    found = reader(checkout).between(base, "HEAD")
    assert found.unread == ("what 2 commits wrote and took back (above 128 MiB)",)
    assert [each.passed for each in found.commits] == [(), ()]


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


def test_a_signature_is_not_looked_at_with_a_program_that_a_repository_names(checkout, tmp_path):
    """`log.showSignature` ran `gpg.program`, and what that said stood among the commits."""
    script = tmp_path / "gpg"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    base = run(checkout, "rev-parse", "HEAD")
    made = commit_object(checkout, run(checkout, "cat-file", "commit", "HEAD"), base)
    run(checkout, "config", "log.showSignature", "true")
    run(checkout, "config", "gpg.program", str(script))
    (only,) = reader(checkout).between(base, made).commits
    assert (only.id, (tmp_path / "ran").exists()) == (made, False)


def commit_object(folder, text, parent):
    """The id of a commit like this one that says that it is signed."""
    head, _, message = text.partition("\n\n")
    tree, _, people = head.partition("\n")
    signed = f"{tree}\nparent {parent}\n{people}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n"
    (folder.parent / "commit").write_text(f"{signed} -----END PGP SIGNATURE-----\n\n{message}\n")
    return run(folder, "hash-object", "-t", "commit", "-w", str(folder.parent / "commit"))


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


def test_files_that_speak_of_a_word_are_named_and_a_failure_is_no_empty_answer(checkout):
    asked = reader(checkout)
    head = run(checkout, "rev-parse", "HEAD")
    assert asked.mentions(head, ["y", "nowhere"], "*.py") == ["sub/b.py"]
    assert asked.mentions(head, ["made"], "*.py") == []
    with pytest.raises(SetupError, match="git grep failed"):
        asked.mentions("0" * 40, ["y"], "*.py")
