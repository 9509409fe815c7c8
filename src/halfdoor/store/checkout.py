"""Where named paths lead on this machine, and which of the configured repositories they lie in.

A path is followed step by step, as the system does: `..` after a link goes up from where the link
leads. Looks are counted; a request that would need more than its share is not `whole`, and counts
as not scanned. A tool may have read a file before, or read it after a link was moved: what is
found holds for the moment of looking (docs/how-to/pin-a-repository.md says what that means).
"""

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from posixpath import join, normpath
from typing import Final

from halfdoor.canon.scene import Placed, Repository
from halfdoor.store.following import Disk, Looks, Walk, folded, inside
from halfdoor.store.repositories import Checkouts

MOST_LOOKS: Final = 20_000
# A share on a network that does not answer must not hold a request for longer.
PATIENCE_S: Final = 1.0
# Requests that a tool sends at once name the same files.
KEPT_S: Final = 1.0
_KEPT: Final = 64
# A relative name is also tried under the folders named last: a tool may have gone there.
_FOLDERS: Final = 16

_UNKNOWN: Final = Placed(whole=False)


class Checkout:
    """Implements `flow.ports.Files` over this machine's own file system.

    repositories: as configured. looks: the file system. home: for `~`. ticks_s: monotonic.
    most: looks that one request may take.
    """

    def __init__(
        self,
        repositories: tuple[Repository, ...],
        *,
        looks: Looks | None = None,
        home: str = "",
        ticks_s: Callable[[], float] = time.monotonic,
        most: int = MOST_LOOKS,
    ) -> None:
        self._repositories = repositories
        self._looks = looks or Disk()
        self._home = home or os.path.expanduser("~")  # noqa: PTH111  text, as all paths here
        self._ticks_s = ticks_s
        self._most = most
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="halfdoor-files")
        self._kept: OrderedDict[tuple[str, tuple[str, ...]], tuple[float, Placed]] = OrderedDict()

    async def place(self, root: str, paths: tuple[str, ...]) -> Placed:
        """See `flow.ports.Files.place`."""
        until_s, placed = self._kept.get((root, paths), (0.0, _UNKNOWN))
        if self._ticks_s() < until_s:
            return placed
        asked = asyncio.get_running_loop().run_in_executor(self._threads, self.find, root, paths)
        try:
            placed = await asyncio.wait_for(asked, PATIENCE_S)
        except (TimeoutError, OSError):
            return _UNKNOWN
        self._kept[root, paths] = (self._ticks_s() + KEPT_S, placed)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return placed

    def find(self, root: str, paths: tuple[str, ...]) -> Placed:
        """The same at once; blocks for as long as the file system does."""
        if root and not root.startswith("/"):  # a system whose paths are not followed here
            return _UNKNOWN
        walk = Walk(self._looks, root, self._most)
        named = list(dict.fromkeys(self._spelled(path) for path in paths))
        led = _led(walk, root, named)
        plain = {folded(normpath(join(root, name))) for name in named}
        real = tuple(dict.fromkeys(path for path in led if folded(path) not in plain))
        places = [*([walk.real(root)] if root else []), *led, *filter(_absolute, named)]
        found = Checkouts(self._repositories, walk, self._home).holding(map(normpath, places))
        return Placed(real, found, walk.whole)

    def _spelled(self, path: str) -> str:
        return self._home + path[1:] if path == "~" or path.startswith("~/") else path


def _led(walk: Walk, root: str, named: list[str]) -> list[str]:
    """Every real path that a name may mean: from the root, or from a folder that was named."""
    led: list[str] = []
    strays: dict[str, None] = {}
    folders: dict[str, None] = {}
    for name in named:
        if not _absolute(name) and not root:
            continue
        real = walk.real(join(root, name))
        led.append(real)
        kind = walk.kind(real)
        if kind == "folder" and inside(real, root):
            folders[real] = None
        if not _absolute(name) and (not kind or name.startswith("../")):
            strays[name] = None
    return [*led, *_below(walk, list(folders)[-_FOLDERS:], strays)]


def _below(walk: Walk, folders: list[str], strays: Iterable[str]) -> Iterator[str]:
    for name in strays:
        for folder in folders:
            real = walk.real(join(folder, name))
            if walk.kind(real):
                yield real


def _absolute(path: str) -> bool:
    return path.startswith("/")


class PaperFiles(Looks):
    """A file system on paper, for trials. files: absolute paths; their folders are there too.

    links: targets by absolute path. texts: what some of the files hold.
    """

    def __init__(
        self,
        files: Iterable[str] = (),
        links: dict[str, str] | None = None,
        texts: dict[str, str] | None = None,
    ) -> None:
        self._links = links or {}
        self._texts = texts or {}
        self._files = {*files, *self._texts}
        paths = (*self._files, *self._links)
        self._folders = {path[:at] for path in paths for at, c in enumerate(path) if c == "/"}

    def look(self, path: str) -> tuple[str, str]:
        """See `Looks.look`."""
        if path in self._links:
            return "link", self._links[path]
        if path in self._files:
            return "file", ""
        return ("folder" if path in self._folders else ""), ""

    def text(self, path: str) -> str | None:
        """See `Looks.text`."""
        return self._texts.get(path)
