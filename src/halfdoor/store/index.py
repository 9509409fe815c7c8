"""Indexes of restricted files: built from a project's folder, kept sealed in the state directory.

No text and no name of a file is kept in clear, and without the log's key an index confirms no guess
of a text. There is one for each project's root; it is stale when a restricted file has another
size or time of change, or when other files are restricted.
"""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from stat import S_ISREG
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.detect.paths import PathDetector
from halfdoor.detect.provenance import VERSION, pack, selected
from halfdoor.errors import SetupError
from halfdoor.reading import grams
from halfdoor.reading.passages import Passage
from halfdoor.store.seal import Seal

FOLDER: Final = "provenance"
MOST_FILES: Final = 50_000
# Of one file; of all restricted ones; of all others, whose text is nobody's secret.
FILE_BYTES: Final = 1_000_000
RESTRICTED_BYTES: Final = 100_000_000
PUBLIC_BYTES: Final = 16_000_000

# Other people's code and caches.
_SKIPPED: Final = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".tox"}
)
_LICENCES: Final = ("licence", "license", "copying", "notice")
_ABOUT: Final = b"provenance"


class Restricted(Struct, frozen=True):
    """What is restricted below one root. root: absolute and real.

    globs: of path rules. labels: of every file, as `repo:core`.
    """

    root: str
    globs: tuple[str, ...]
    labels: tuple[str, ...] = ()


class Built(Struct, frozen=True):
    """One index. state: sha256 (hex) over what was restricted, and each file's size and time.

    labels: those that a file has. size: of the files, in bytes. shingles: how many the index holds.
    left_out: restricted files that are too large, no text or unreadable. data: see `provenance`.
    """

    what: Restricted
    labels: tuple[str, ...]
    files: int
    size: int
    shingles: int
    left_out: int
    state: str
    data: bytes


class _File(Struct, frozen=True):
    """name: below the root."""

    name: str
    size: int
    mtime_ns: int
    labels: tuple[str, ...]


def build(what: Restricted, tell: Callable[[int, int], None] | None = None) -> Built:
    """Read every restricted file below the root: some 5 s and 300 MB for a million lines.

    tell: called with the number of files read, and of all. Raises SetupError for more than
        MOST_FILES files or RESTRICTED_BYTES bytes.
    """
    own = list(_restricted(what))
    readable = [file for file in own if file.size <= FILE_BYTES]
    if len(own) > MOST_FILES or sum(file.size for file in readable) > RESTRICTED_BYTES:
        raise SetupError(
            f"{len(own)} restricted files are too many for an index",
            where=what.root,
            hint="narrow the path rules, or give the root of one project with `--project`",
        )
    found: list[tuple[tuple[str, ...], set[int]]] = []
    for done, file in enumerate(readable):
        if tell is not None:
            tell(done, len(readable))
        if (text := _text(what, file.name)) is not None:
            found.append((file.labels, set(selected(grams.shingles((text,))))))
    public = _public(what)
    data = pack((labels, shingles - public) for labels, shingles in found)
    return Built(
        what=what,
        labels=tuple(sorted({label for labels, _ in found for label in labels})),
        files=len(found),
        size=sum(file.size for file in readable),
        shingles=sum(len(shingles) for _, shingles in found),
        left_out=len(own) - len(found),
        state=_state(what, own),
        data=data,
    )


def is_stale(
    built: Built, what: Restricted | None = None, going: Callable[[], bool] = lambda: True
) -> bool:
    """Has anything that is restricted changed? Looks at names, sizes and times only.

    what: is restricted now; None: the same as when it was built. going: asked before each file;
    once it says no, the look ends and nothing is said to have changed.
    """
    what = what or built.what
    found = list(_restricted(what, going))
    return going() and built.state != _state(what, found)


def save(built: Built, directory: Path, key: bytes) -> None:
    """Put an index beside the log, in place of the root's last one; without files, remove that.

    Raises SetupError when it cannot be written.
    """
    path = _place(directory, built.what.root, key)
    try:
        if not built.files:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_name(f".{FOLDER}.{secrets.token_hex(8)}")
        try:
            draft.touch(mode=0o600)
            draft.write_bytes(Seal(key).close(_ABOUT, msgspec.msgpack.encode(built)))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise SetupError(
            f"the index cannot be written: {error.strerror}",
            where=str(path),
            hint="check the state directory's permissions and its disk",
        ) from None


def load(directory: Path, key: bytes) -> tuple[Built, ...]:
    """All indexes beside the log. Raises SetupError for one that cannot be read."""
    folder = directory / FOLDER
    paths = sorted(folder.glob("*.idx")) if folder.is_dir() else []
    return tuple(_loaded(path, key) for path in paths)


def _loaded(path: Path, key: bytes) -> Built:
    try:
        return msgspec.msgpack.decode(Seal(key).open(_ABOUT, path.read_bytes()), type=Built)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise SetupError(
            f"an index of restricted files cannot be read: {error}",
            where=str(path),
            hint="delete it and run `halfdoor policy index` in its project",
        ) from None


def _place(directory: Path, root: str, key: bytes) -> Path:
    name = sha256(key + b"\0root\0" + root.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return directory / FOLDER / f"{name}.idx"


def _names(what: Restricted) -> Iterator[str]:
    """Every file below the root, in order."""
    for folder, folders, names in os.walk(what.root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        inside = folder[len(what.root) :].lstrip(os.sep)
        for name in sorted(names):
            yield f"{inside}{os.sep}{name}" if inside else name


def _restricted(what: Restricted, going: Callable[[], bool] = lambda: True) -> Iterator[_File]:
    """Regular files with a label. No link is followed: what it leads to is elsewhere."""
    detector = PathDetector(what.globs)
    for name in takewhile(lambda _: going(), _names(what)):
        if labels := _labels(what, detector, name):
            with contextlib.suppress(OSError):
                stat = os.lstat(f"{what.root}{os.sep}{name}")
                if S_ISREG(stat.st_mode):
                    yield _File(name, stat.st_size, stat.st_mtime_ns, labels)


def _labels(what: Restricted, detector: PathDetector, name: str) -> tuple[str, ...]:
    """Of one file. A licence has none, wherever it stands: it is everybody's text."""
    if name.rpartition(os.sep)[2].lower().startswith(_LICENCES):
        return ()
    inside = name.replace(os.sep, "/")
    paths = (inside, f"{what.root.replace(os.sep, '/')}/{inside}")
    return (*(label.name for label in detector.find(Passage("", paths=paths))), *what.labels)


def _public(what: Restricted) -> set[int]:
    """What stands in files that nobody restricts: licences, imports, what the project shares."""
    detector = PathDetector(what.globs)
    found: set[int] = set()
    left = PUBLIC_BYTES
    for name in _names(what):
        if left > 0 and not _labels(what, detector, name) and (text := _text(what, name)):
            left -= len(text)
            found.update(selected(grams.shingles((text,))))
    return found


def _text(what: Restricted, name: str) -> str | None:
    """None for what is too large, no text, no file of its own, or cannot be read."""
    path = Path(what.root, name)
    try:
        stat = path.lstat()
        if not S_ISREG(stat.st_mode) or stat.st_size > FILE_BYTES:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return None if b"\0" in data[:8192] else data.decode("utf-8", "replace")


def _state(what: Restricted, files: list[_File]) -> str:
    told = [repr((VERSION, what.root, sorted(what.globs), sorted(what.labels)))]
    told += [repr((file.name, file.size, file.mtime_ns, file.labels)) for file in files]
    return sha256("\n".join(told).encode("utf-8", "surrogateescape")).hexdigest()
