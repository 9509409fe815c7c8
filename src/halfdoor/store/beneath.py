"""Files below a folder, reached one step at a time: no step of the way is ever a link.

INVARIANT: a path that somebody else wrote names nothing outside the folder. Each step is opened
from the one before it and refused when it is a link, so that no link put there meanwhile helps.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ELOOP, ENOTDIR
from pathlib import Path
from typing import Final

from halfdoor.canon.checks import MIB, Barred, Stood

# Windows has none of these, and opens nothing from a folder either: there all is refused.
_SAFE: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _SAFE
_READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _SAFE
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE


class UnreachableError(OSError):
    """A step of the way is no folder. filename: that step, relative. strerror: what it is."""


def stands(root: Path, path: str, most: int) -> Stood:
    """What is at a path: a plain file's content of at most so many bytes, None for nothing."""
    try:
        with _way(root, path) as (folder, name):
            return _content(folder, name, most)
    except UnreachableError as error:
        return Barred(f"lies below `{error.filename}`, which is {error.strerror}")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, NotImplementedError) as error:
        return Barred(f"cannot be read: {getattr(error, 'strerror', '') or error}")


def write(root: Path, path: str, data: bytes) -> None:
    """Make a file that is not there, and the folders above it.

    Raises OSError: UnreachableError, or FileExistsError for whatever is at the path, a link too.
    """
    with (
        _way(root, path, make=True) as (folder, name),
        open(os.open(name, _NEW, 0o666, dir_fd=folder), "wb") as file,  # noqa: PTH123  a descriptor
    ):
        file.write(data)


def remove(root: Path, path: str) -> None:
    """Take away a file, a link (not what it leads to) or an empty folder, and what that empties.

    Nothing happens where nothing is. Raises UnreachableError.
    """
    with suppress(FileNotFoundError):
        while path:
            with _way(root, path) as (folder, name):
                if not _removed(folder, name):
                    return
            path = path.rpartition("/")[0]


@contextmanager
def _way(root: Path, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """The folder that holds what is at a path, open, and its name there."""
    *steps, name = path.split("/")
    if not {"", ".", ".."}.isdisjoint((*steps, name)):
        raise UnreachableError(ENOTDIR, "no step of a way down", path)
    folder = os.open(root, _FOLDER)
    try:
        for depth, step in enumerate(steps, 1):
            if make:
                with suppress(FileExistsError):
                    os.mkdir(step, dir_fd=folder)
            deeper = _entered(folder, step, "/".join(steps[:depth]))
            os.close(folder)
            folder = deeper
        yield folder, name
    finally:
        os.close(folder)


def _entered(folder: int, step: str, so_far: str) -> int:
    try:
        return os.open(step, _FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno not in {ELOOP, ENOTDIR}:
            raise
        raise UnreachableError(ENOTDIR, _word(_mode(folder, step)), so_far) from None


def _content(folder: int, name: str, most: int) -> bytes | Barred:
    mode = _mode(folder, name)
    if not stat.S_ISREG(mode):
        return Barred(f"is {_word(mode)}")
    with open(os.open(name, _READ, dir_fd=folder), "rb") as file:  # noqa: PTH123  a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return Barred("is no plain file")
        data = file.read(most + 1)
    return data if len(data) <= most else Barred(f"is above {most // MIB} MiB and was not read")


def _removed(folder: int, name: str) -> bool:
    if not stat.S_ISDIR(_mode(folder, name)):
        os.unlink(name, dir_fd=folder)
        return True
    with suppress(OSError):  # it holds something
        os.rmdir(name, dir_fd=folder)
        return True
    return False


def _mode(folder: int, name: str) -> int:
    return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode


def _word(mode: int) -> str:
    for known, word in ((stat.S_ISLNK, "a link"), (stat.S_ISDIR, "a folder")):
        if known(mode):
            return word
    return "a file" if stat.S_ISREG(mode) else "no plain file"
