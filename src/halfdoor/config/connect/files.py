"""A tool's settings file on disk: found, read and replaced whole, with a copy kept beside it."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from stat import S_IMODE
from typing import Final

from msgspec import Struct

from halfdoor.config.connect.change import Unfit
from halfdoor.config.tools.tool import Place
from halfdoor.errors import SetupError

# No honest settings file comes near this.
LIMIT_BYTES: Final = 1024 * 1024
SUFFIX: Final = ".before-halfdoor"
_MODE: Final = 0o600


class Seen(Struct, frozen=True):
    """A file as it was read. path: where it really is. mode: None when there is no file."""

    path: Path
    data: bytes
    mode: int | None

    @property
    def text(self) -> str:
        """Raises Unfit for what is not UTF-8."""
        try:
            return self.data.decode("utf-8")
        except UnicodeDecodeError:
            raise Unfit("it is not UTF-8", where=str(self.path)) from None


def settings_file(place: Place, home: Path, project: Path | None) -> Path:
    """Where the tool keeps its settings: for its user, or for one project."""
    if project is not None:
        if not place.project:
            raise SetupError(
                "this tool has no settings for one project", hint="leave `--project` out"
            )
        return project / place.project
    found = [home / name for name in place.files]
    known = [file for file in found if file.exists() or file.is_symlink()]
    folders = [file for file in found if file.parent.is_dir()]
    return (known or folders or found)[0]


def seen(file: Path, root: Path) -> Seen:
    """Read a file that is below `root`, links followed. Raises SetupError.

    INVARIANT: nothing outside `root` is read or written: a clone may bring a link to anywhere.
    """
    try:
        path = file.resolve()
        within = path.is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        raise SetupError("is a link that leads in a circle", where=str(file)) from None
    if not within:
        hint = "put a file in its place, or write the settings there yourself"
        raise SetupError(f"leads out of {root}, to {path}", hint=hint, where=str(file))
    return _read(path)


def written(was: Seen, data: bytes) -> None:
    """Put `data` in the file's place, whole or not at all, under its own mode. Raises SetupError.

    A file that has changed since it was read is not touched.
    """
    if _read(was.path) != was:
        raise SetupError("has just been changed by another", hint="again", where=str(was.path))
    _put(was.path, data, _MODE if was.mode is None else was.mode)


def backed_up(was: Seen) -> Path:
    """Keep a copy of a file beside it, under its own mode. Raises SetupError."""
    kept = was.path.with_name(was.path.name + SUFFIX)
    _put(kept, was.data, _MODE if was.mode is None else was.mode)
    return kept


def removed(path: Path) -> None:
    """Remove a file that may be gone. Raises SetupError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def digest(data: bytes) -> str:
    """SHA-256, hex."""
    return sha256(data).hexdigest()


def _read(path: Path) -> Seen:
    if not path.exists():
        return Seen(path, b"", None)
    if not path.is_file():
        # Not opened: a pipe would hold the command for ever.
        raise SetupError("is not a regular file", hint="remove it", where=str(path))
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
            mode = S_IMODE(os.fstat(file.fileno()).st_mode)
    except OSError as error:
        hint = "check its permissions"
        raise SetupError(f"cannot be read: {error.strerror}", hint=hint, where=str(path)) from None
    if len(data) > LIMIT_BYTES:
        raise SetupError("is larger than 1 MiB", hint="is it the right file?", where=str(path))
    return Seen(path, data, mode)


def _put(path: Path, data: bytes, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(mode)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> SetupError:
    hint = "check the permissions of its folder"
    return SetupError(f"cannot be written: {error.strerror}", hint=hint, where=str(path))
