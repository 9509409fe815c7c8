"""The whole repository before and after a change, written out when a check asks for it."""

from pathlib import Path

from msgspec import Struct

from halfdoor.canon.checks import Change
from halfdoor.store.git import Git


class Laid(Struct, frozen=True):
    """A revision, as `Git.lay` takes it, and changes on top of it."""

    revision: str
    changes: tuple[Change, ...] = ()


class Trees:
    """before, after: folders, empty until `fill` is told one of them.

    Without an `after` of its own that is the working tree itself, which is never written to.
    """

    def __init__(self, git: Git, folder: Path, before: Laid, after: Laid | None) -> None:
        self._git = git
        self.before = folder / "before"
        self.after = folder / "after" if after else git.root
        self._owed = {self.before: before, **({self.after: after} if after else {})}

    def fill(self, tree: str) -> None:
        """Write out what belongs into this folder, once; every other folder is left alone."""
        folder = Path(tree)
        laid = self._owed.pop(folder, None)
        if laid is None:
            return
        folder.mkdir()
        self._git.lay(laid.revision, folder)
        for change in laid.changes:
            _write(folder, change)


def _write(folder: Path, change: Change) -> None:
    for path in filter(None, (change.was, change.path)):
        (folder / path).unlink(missing_ok=True)
    if change.after is not None:
        file = folder / change.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(change.after)
