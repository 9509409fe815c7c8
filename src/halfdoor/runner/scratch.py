"""The private folder of one run: what lies in it before, what is read from it after.

work   where the process starts: a copy of the tree, and the run's own files over it
tmp    its temporary folder, where the rung has no memory for that
root   where its root is put together
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final

from halfdoor.canon.checks import MIB

MOST_BYTES: Final = 1024 * MIB
MOST_FILES: Final = 100_000
# Not code under test, and it may hold credentials (a remote's address, hooks).
_HISTORY: Final = frozenset({".git", ".hg", ".svn", ".jj"})
_CACHES: Final = frozenset({"__pycache__", ".tox", ".nox", ".mypy_cache", ".pytest_cache"})


class Unfit(Exception):  # noqa: N818  the house's way to say it
    """The run's files cannot be laid out: why, for a person."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A new private folder, gone afterwards whatever was put in it."""
    folder = Path(tempfile.mkdtemp(prefix="halfdoor-run-")).resolve()
    try:
        for name in ("work", "tmp", "tmp/home", "root"):
            (folder / name).mkdir()
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    for here, names, _ in os.walk(folder):
        for name in names:  # a folder that its owner may not enter cannot be emptied
            place = Path(here, name)
            if not place.is_symlink():
                with suppress(OSError):
                    place.chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


def copy(tree: Path, work: Path) -> list[str]:
    """Copy what a test may need; returns folders to lend instead, relative to the tree.

    Left out: version control, caches. Lent: virtual environments, `node_modules`. Raises Unfit for
    a tree that is too large, OSError for one that cannot be read.
    """
    return _Copying(tree, work).run()


class _Copying:
    """One walk over a tree."""

    def __init__(self, tree: Path, work: Path) -> None:
        self._tree = tree
        self._work = work
        self._bytes = 0
        self._files = 0
        self._lent: list[str] = []

    def run(self) -> list[str]:
        self._folder("")
        return self._lent

    def _folder(self, within: str) -> None:
        with os.scandir(self._tree / within) as entries:
            for entry in entries:
                self._entry(entry, f"{within}{entry.name}")

    def _entry(self, entry: "os.DirEntry[str]", within: str) -> None:
        target = self._work / within
        if _is_lent(entry):
            self._lent.append(within)
        elif entry.is_symlink():
            target.symlink_to(Path(entry.path).readlink())
        elif entry.is_dir():
            self._below(entry, within, target)
        elif entry.is_file():
            self._count(entry.stat(follow_symlinks=False).st_size)
            shutil.copy2(entry.path, target, follow_symlinks=False)

    def _below(self, entry: "os.DirEntry[str]", within: str, target: Path) -> None:
        if entry.name in _HISTORY | _CACHES:
            return
        if not Path(entry.path, "CACHEDIR.TAG").is_file():
            target.mkdir()
            self._folder(f"{within}/")

    def _count(self, size: int) -> None:
        self._bytes += size
        self._files += 1
        if self._bytes > MOST_BYTES or self._files > MOST_FILES:
            raise Unfit(
                f"{self._tree} holds more than {MOST_BYTES // MIB} MiB or {MOST_FILES} files;"
                " hint: judge a smaller tree, or let the tests run elsewhere"
            )


def _is_lent(entry: "os.DirEntry[str]") -> bool:
    """Large, made by a tool, never written to by code under test; or a link to such a folder."""
    if entry.name == "node_modules":
        return entry.is_dir()
    return entry.is_dir() and Path(entry.path, "pyvenv.cfg").is_file()


def clear(names: Iterable[str], work: Path) -> None:
    """Take files out of the working folder. Raises Unfit for a path that leads out."""
    for name in names:
        target = _place(work, name)
        if target.is_symlink() or target.is_file():
            target.unlink()


def lay(files: Mapping[str, bytes], work: Path) -> None:
    """Write the run's own files over what is there. Raises Unfit for a path that leads out."""
    for name, content in files.items():
        target = _place(work, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink():
            target.unlink()
        target.write_bytes(content)


def read(names: tuple[str, ...], work: Path, most: int) -> dict[str, bytes]:
    """What files of the working folder hold; only plain ones, of at most so many bytes, no links.

    Nothing that the process left there may make us read something of ours.
    """
    found = {}
    for name in names:
        with suppress(OSError, Unfit):
            place = _inside(work, name)
            if place.parent.resolve().is_relative_to(work) and _is_plain(place, most):
                found[name] = place.read_bytes()
    return found


def _is_plain(place: Path, most: int) -> bool:
    told = place.lstat()
    return stat.S_ISREG(told.st_mode) and told.st_size <= most


def _place(work: Path, name: str) -> Path:
    """Where it is to be written; no link on the way there leads out."""
    target = _inside(work, name)
    if not target.parent.resolve().is_relative_to(work):
        raise Unfit(f"`{name}` lies behind a link that leads out of the tree")
    return target


def _inside(work: Path, name: str) -> Path:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise Unfit(f"`{name}` is no path within a tree")
    return work / pure
