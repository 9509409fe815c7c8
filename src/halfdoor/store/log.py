"""The evidence log: on disk for service, in memory for trials. Both grow the same tree."""

import asyncio
from pathlib import Path

from halfdoor.canon.decision import Permit
from halfdoor.canon.record import Entry
from halfdoor.errors import LogError
from halfdoor.record.entry import leaf
from halfdoor.record.merkle import Frontier, leaf_hash
from halfdoor.record.permits import permit
from halfdoor.store.keys import LogKeys
from halfdoor.store.schema import FILE
from halfdoor.store.writer import Job, Writer


class SqliteLog:
    """The log in `directory`. Opening it raises LogError if it cannot be written.

    One event loop, or several; other processes may append to the same file.
    """

    def __init__(self, directory: Path, keys: LogKeys) -> None:
        self.path = directory / FILE
        self._keys = keys
        self._writer = Writer(self.path, keys)

    async def append(self, entry: Entry) -> Permit:
        """Return once the entry is flushed to the disk. Raises LogError, and tries again next time.

        A caller that is cancelled while it waits does not take its entry back.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._writer.put(Job(entry, future))
        return permit(self._keys.seal_key, entry, await future)

    @property
    def pace(self) -> tuple[int, int]:
        """See `Writer.pace`."""
        return self._writer.pace

    async def close(self) -> None:
        """Write what is queued, sign the head, fold the journal in. Appends fail from here on."""
        await asyncio.to_thread(self._writer.stop)


class MemoryLog:
    """The same tree without a disk: a shipped fake.

    entries: what was appended, in order. room: appends beyond this many fail as a full disk does;
    raise it, or set None, and service resumes.
    """

    def __init__(self, seal_key: bytes, *, room: int | None = None) -> None:
        self.entries: list[Entry] = []
        self.frontier = Frontier()
        self.room = room
        self._seal_key = seal_key
        self._closed = False

    async def append(self, entry: Entry) -> Permit:
        """Keep the entry. Raises LogError when there is no room, or the log is closed."""
        if self._closed:
            raise LogError("the evidence log is closed", where="memory")
        if self.room is not None and len(self.entries) >= self.room:
            raise LogError("the evidence log cannot grow: it is full", where="memory")
        sequence = self.frontier.size
        self.frontier = self.frontier.append(leaf_hash(leaf(entry, sequence)))
        self.entries.append(entry)
        return permit(self._seal_key, entry, sequence)

    async def close(self) -> None:
        """Appends fail from here on."""
        self._closed = True
