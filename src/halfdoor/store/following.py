"""Follows paths through links, step by step, with every look counted and taken once."""

import errno
import os
import stat
import unicodedata
from typing import Final, Protocol

# As Linux has it; a path with more is a loop, and no program can open it.
MOST_LINKS: Final = 40
# No system opens a longer one.
PATH_CHARS: Final = 4096
_TEXT_BYTES: Final = 4096
_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_NOTHING: Final = ("", "")


class Looks(Protocol):
    """A file system, one look at a time. Paths are absolute."""

    def look(self, path: str) -> tuple[str, str]:
        """What stands at `path`: (`folder`, `file`, `link` or "" for nothing; a link's target).

        Raises OSError when that cannot be told.
        """

    def text(self, path: str) -> str | None:
        """The beginning of a file, None when it cannot be read."""


class Disk(Looks):
    """This machine's own."""

    def look(self, path: str) -> tuple[str, str]:
        """See `Looks.look`."""
        try:
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                return "link", os.readlink(path)  # noqa: PTH115  a Path a step costs more than it
        except OSError as error:
            if error.errno in _ABSENT:
                return _NOTHING
            raise
        return ("folder" if stat.S_ISDIR(mode) else "file"), ""

    def text(self, path: str) -> str | None:
        """See `Looks.text`. A pipe or a terminal is not waited for."""
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError:
            return None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return os.read(descriptor, _TEXT_BYTES).decode("utf-8", "surrogateescape")
        except OSError:
            return None
        finally:
            os.close(descriptor)


class Walk:
    """The look-ups of one request.

    root: what cannot be looked at below it is not known; elsewhere it is taken as named, since
        everybody may speak of `/srv/x`. most: look-ups.
    whole: False once something could not be followed.
    """

    def __init__(self, looks: Looks, root: str, most: int) -> None:
        self._looks = looks
        self._root = root
        self._left = most
        self._seen: dict[str, tuple[str, str]] = {}
        self.whole = True

    def real(self, path: str) -> str:
        """Where an absolute path leads. What is not there leads where its name says."""
        done, followed = "", 0
        todo = path.split("/")[::-1] if len(path) <= PATH_CHARS else []
        while todo:
            step = todo.pop()
            if step in {"", "."}:
                continue
            if step == "..":
                done = done.rpartition("/")[0]
                continue
            here = f"{done}/{step}"
            kind, target = self._look(here)
            if kind != "link":
                done = here
                continue
            followed += 1
            if followed > MOST_LINKS:
                self.whole = False
                return path
            done = "" if target.startswith("/") else done
            todo += target.split("/")[::-1]
        return done or "/"

    def kind(self, path: str) -> str:
        """What stands there, see `Looks.look`; links are not followed."""
        return self._look(path)[0]

    def text(self, path: str) -> str | None:
        """See `Looks.text`."""
        return self._looks.text(path) if self._spent() else None

    def _look(self, path: str) -> tuple[str, str]:
        seen = self._seen.get(path)
        if seen is None:
            seen = self._seen[path] = self._looked(path) if self._spent() else _NOTHING
        return seen

    def _looked(self, path: str) -> tuple[str, str]:
        try:
            return self._looks.look(path)
        except OSError:
            self.whole = self.whole and not inside(path, self._root)
        except ValueError:  # a name that no system has: a zero, half a character
            pass
        return _NOTHING

    def _spent(self) -> bool:
        """One look less. INVARIANT: what is left out for want of looks is not `whole`."""
        self._left -= 1
        if self._left < 0:
            self.whole = False
        return self._left >= 0


def folded(path: str) -> str:
    """One spelling of a name that some file systems write in several ways."""
    return path.casefold() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


def inside(path: str, folder: str) -> bool:
    """Does `path` lie in `folder`, or is it the folder? In any case of letters."""
    if not folder:
        return False
    path, folder = folded(path), folded(folder).rstrip("/")
    return path == folder or path.startswith(f"{folder}/")
