"""Which configured repositories a place lies in: their folders, their worktrees, their branch.

git itself is not asked: a `.git` folder or file and its `HEAD` say all that is needed.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from posixpath import dirname, normpath
from typing import Final

from halfdoor.canon.scene import Repository
from halfdoor.store.following import Walk, folded, inside

_HEAD: Final = "ref: refs/heads/"


class Checkouts:
    """Belongs to one request. home: for roots that begin with `~/`."""

    def __init__(self, repositories: tuple[Repository, ...], walk: Walk, home: str) -> None:
        self._walk = walk
        self._above: dict[str, str] = {}
        self._commons: dict[str, str] = {}
        self._repositories = [
            (each, walk.real(home + each.root[1:] if each.root.startswith("~") else each.root))
            for each in repositories
        ]

    def holding(self, places: Iterable[str]) -> tuple[str, ...]:
        """Names of the repositories that any of these absolute real paths lies in."""
        if not self._repositories:
            return ()
        folders = dict.fromkeys(
            place if self._walk.kind(place) == "folder" else dirname(place) for place in places
        )
        holding = (
            each.name
            for each, root in self._repositories
            if any(self._holds(each, root, folder) for folder in folders)
        )
        return tuple(dict.fromkeys(holding))

    def _holds(self, repository: Repository, root: str, folder: str) -> bool:
        checkout = self._checkout(folder)
        own = bool(checkout) and self._common(checkout) == self._common(root)
        if not own and not inside(folder, root):
            return False
        return self._on(repository.branch, checkout if own else self._checkout(root))

    def _on(self, branch: str, checkout: str) -> bool:
        """INVARIANT: a branch that cannot be told counts as the one that is held (fails closed)."""
        if not branch:
            return True
        head = self._walk.text(f"{self._git(checkout)}/HEAD") if checkout else None
        if head is None or not head.startswith(_HEAD):
            return True
        return fnmatchcase(head.removeprefix(_HEAD).strip(), branch)

    def _checkout(self, folder: str) -> str:
        """The nearest folder above with a `.git`, "" when there is none."""
        below, at = [], folder
        while at not in self._above:
            below.append(at)
            if self._walk.kind(f"{at.rstrip('/')}/.git"):
                self._above[at] = at
            elif at in {"/", ""}:
                self._above[at] = ""
            else:
                at = dirname(at)
        self._above.update(dict.fromkeys(below, self._above[at]))
        return self._above[at]

    def _git(self, checkout: str) -> str:
        """The folder that holds a checkout's `HEAD`: `.git` itself, or what a worktree's says."""
        git = self._walk.real(f"{checkout}/.git")
        if self._walk.kind(git) == "folder":
            return git
        said = self._walk.text(git) or ""
        return _joined(checkout, said.removeprefix("gitdir:").strip())

    def _common(self, checkout: str) -> str:
        """What all worktrees of one repository share; the folder itself where there is no git."""
        if checkout not in self._commons:
            common = checkout
            if self._walk.kind(f"{checkout}/.git"):
                git = self._git(checkout)
                shared = self._walk.text(f"{git}/commondir") or ""
                common = self._walk.real(_joined(git, shared.strip()))
            self._commons[checkout] = folded(common)
        return self._commons[checkout]


def _joined(folder: str, path: str) -> str:
    return path if path.startswith("/") else normpath(f"{folder}/{path}")
