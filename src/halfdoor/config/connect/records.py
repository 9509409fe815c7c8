"""What `connect` did, kept in the state directory until `disconnect` takes it back.

The file may hold what stood in a tool's settings before, so only its owner can read it.
"""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.config.connect.change import Change
from halfdoor.config.connect.files import Seen, seen, written
from halfdoor.errors import SetupError

FILE: Final = "connections.json"


class Connection(Struct, frozen=True):
    """One tool's file, as it was changed.

    file: as it is named, links not followed. root: the address without mark. at: RFC 3339, UTC.
    before, after: SHA-256 of the file; before is "" when it was made. backup: "" then, too.
    """

    tool: str
    file: str
    root: str
    mark: str
    at: str
    before: str
    after: str
    backup: str
    changes: tuple[Change, ...]


class _Records(Struct, frozen=True):
    connections: tuple[Connection, ...] = ()


def connections(state: Path) -> tuple[Connection, ...]:
    """All that stand. Raises SetupError for a file that cannot be read."""
    return _read(_file(state), state)


def found(state: Path, tool: str, file: Path) -> Connection | None:
    """What was done to this tool's file; None if nothing was."""
    return next((c for c in connections(state) if (c.tool, c.file) == (tool, str(file))), None)


def kept(state: Path, tool: str, file: Path, now: Connection | None) -> None:
    """Write down what was done, in the place of what was known; None forgets it."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    was = _file(state)
    others = [c for c in _read(was, state) if (c.tool, c.file) != (tool, str(file))]
    told = _Records((*others, now) if now else tuple(others))
    written(was, msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")


def _file(state: Path) -> Seen:
    return seen(state / FILE, state)


def _read(was: Seen, state: Path) -> tuple[Connection, ...]:
    if was.mode is None:
        return ()
    try:
        return msgspec.json.decode(was.data, type=_Records).connections
    except msgspec.MsgspecError as error:
        raise SetupError(
            f"cannot be read: {error}",
            hint="move it away; backups stand beside the tools' own files",
            where=str(state / FILE),
        ) from None
