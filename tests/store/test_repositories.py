"""Folders, worktrees and branches as git lays them out, without git."""

import pytest

from halfdoor.canon.scene import Repository
from halfdoor.store.checkout import Checkout, PaperFiles

GIT = {
    "/r/core/.git/HEAD": "ref: refs/heads/main\n",
    "/r/core/src/a.py": "x",
    "/r/core/trees/in/.git": "gitdir: /r/core/.git/worktrees/in\n",
    "/r/core/.git/worktrees/in/HEAD": "ref: refs/heads/draft/in\n",
    "/r/core/.git/worktrees/in/commondir": "../..\n",
    "/w/tree/.git": "gitdir: ../../r/core/.git/worktrees/tree\n",
    "/r/core/.git/worktrees/tree/HEAD": "ref: refs/heads/draft/tree\n",
    "/r/core/.git/worktrees/tree/commondir": "../..\n",
    "/w/tree/src/b.py": "x",
    "/r/core/vendor/sub/.git": "gitdir: ../../.git/modules/sub\n",
    "/r/core/.git/modules/sub/HEAD": "ref: refs/heads/other\n",
    "/r/corexx/.git/HEAD": "ref: refs/heads/main\n",
    "/r/mono/.git/HEAD": "ref: refs/heads/draft/x\n",
    "/r/mono/pay/a.py": "x",
    "/r/odd/.git/HEAD": "0123abcd\n",
    "/r/blind/.git/index": "x",
}
LINKS = {"/home/u/core": "/r/core", "/r/mono/link": "../core/src/a.py"}


def holding(*paths, root="", name="core", folder="/r/core", branch=""):
    looks = PaperFiles(texts=GIT, links=LINKS)
    files = Checkout((Repository(name, folder, branch),), looks=looks, home="/home/u")
    return files.find(root, paths).repositories == (name,)


INSIDE = ["/r/core", "/r/core/src", "/r/core/.git", "/w/tree", "/w/tree/src", "/r/core/trees/in"]


@pytest.mark.parametrize("root", [*INSIDE, "/r/core/vendor/sub", "/r/core/not/there"])
def test_a_project_in_the_folder_or_in_a_worktree_counts(root):
    assert holding(root=root)
    assert holding(root=root, folder="~/core")


@pytest.mark.parametrize("root", ["/r", "/r/corexx", "/r/mono", "/w", "/", ""])
def test_a_project_elsewhere_does_not(root):
    assert not holding(root=root)


@pytest.mark.parametrize(
    "path", ["/r/core/src/a.py", "/r/mono/link", "~/core/new.py", "/w/tree/src/b.py", "/R/Core/x"]
)
def test_a_path_into_it_counts_whoever_asks(path):
    assert holding(path)
    assert holding(path, root="/r/mono")


def test_a_relative_path_counts_from_the_root():
    assert holding("../core/src/a.py", root="/r/mono")
    assert holding("link", root="/r/mono")
    assert not holding("pay/a.py", "and/or", root="/r/mono")
    assert not holding("../core/src/a.py")


def test_a_folder_of_a_checkout_is_held_alone():
    assert holding(root="/r/mono/pay", folder="/r/mono/pay")
    assert holding("pay/a.py", root="/r/mono", folder="/r/mono/pay")
    assert not holding(root="/r/mono", folder="/r/mono/pay")
    assert holding(root="/r/mono/pay", folder="/r/mono/pay", branch="draft/*")
    assert not holding(root="/r/mono/pay", folder="/r/mono/pay", branch="main")


@pytest.mark.parametrize(
    ("root", "branch", "held"),
    [
        ("/r/core", "main", True), ("/r/core", "draft/*", False), ("/w/tree", "draft/*", True),
        ("/w/tree", "main", False), ("/r/core/trees/in", "draft/in", True),
        ("/r/core/trees/in", "main", False), ("/r/core/src", "m*", True),
    ],
)  # fmt: skip
def test_the_branch_is_that_of_the_worktree(root, branch, held):
    assert holding(root=root, branch=branch) == held


@pytest.mark.parametrize("folder", ["/r/odd", "/r/blind", "/r/none"])
def test_a_branch_that_cannot_be_told_counts_as_the_one_that_is_held(folder):
    assert holding(f"{folder}/x", folder=folder, branch="draft/*")


def test_real_folders_are_read_as_paper_is(tmp_path):
    for path, text in GIT.items():
        file = tmp_path / path.strip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("gitdir: /", f"gitdir: {tmp_path}/"))
    core = (Repository("core", str(tmp_path / "r/core"), "draft/*"),)
    found = [
        Checkout(core).find(str(tmp_path / root), ()).repositories
        for root in ("w/tree", "r/core/trees/in", "r/core", "r/mono")
    ]
    assert found == [("core",), ("core",), (), ()]
