"""The whole repository before and after a change, written out when a check asks for it."""

from pathlib import Path

from msgspec import Struct

from halfdoor.canon.checks import Change
from halfdoor.store.beneath import remove, write
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
        self._half: dict[Path, OSError] = {}

    def fill(self, tree: str) -> None:
        """Write out what belongs into this folder, once; every other folder is left alone.

        Raises OSError for a change that has no place in the tree, each time it is told it.
        """
        folder = Path(tree)
        laid = self._owed.pop(folder, None)
        if laid is not None:
            folder.mkdir()
            self._git.lay(laid.revision, folder)
            try:
                _change(folder, laid.changes)
            except OSError as error:
                self._half[folder] = error
        # INVARIANT: half a tree is never judged.
        if folder in self._half:
            raise self._half[folder]


def _change(folder: Path, changes: tuple[Change, ...]) -> None:
    """All that goes, then all that comes: a file may stand where a folder was, and a folder so."""
    last: dict[str, bytes | None] = {}
    for change in changes:
        if change.was:
            last[change.was] = None
        last[change.path] = change.after
    for path in sorted(last):
        remove(folder, path)
    for path, data in last.items():
        if data is not None:
            write(folder, path, data)
