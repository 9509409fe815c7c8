"""A disk that can lose its power: what would be on it if nothing counts but what was flushed.

SIGKILL leaves the kernel's cache alone, so it proves nothing about fsync. This puts a layer under
SQLite (a VFS of its own, through the library's C interface) that sees every flush. Between two
flushes a disk may have written any part of what it was given, or none; `states` are such mixtures.
"""

import ctypes
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Self

import pytest

_MAIN_DB: Final = 0x100
_MAIN_JOURNAL: Final = 0x800
_WAL: Final = 0x80000
_WATCHED: Final = _MAIN_DB | _MAIN_JOURNAL | _WAL
_SECTOR: Final = 512
_Pointer = ctypes.c_void_p
# Names stay addresses: SQLite looks for options in the memory around them.
_Open = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, _Pointer, ctypes.c_int, _Pointer)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, ctypes.c_int)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.c_int)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("file_bytes", ctypes.c_int),
        ("path_bytes", ctypes.c_int),
        ("next", _Pointer),
        ("name", ctypes.c_char_p),
        ("data", _Pointer),
        ("open", _Open),
        ("delete", _Delete),
        ("others", _Pointer * 14),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("before", _Pointer * 4),
        ("sync", _Sync),
        ("after", _Pointer * 13),
    )


@dataclass(frozen=True, slots=True)
class State:
    """One possible disk. files: content by name. promised: entries acknowledged before it."""

    files: dict[str, bytes]
    promised: int


@dataclass
class Disk:
    """A context manager: meanwhile SQLite's files in `folder` are watched.

    promised: the test says how many entries it was promised. states: what a loss of power may
    leave, several at each flush. flushes: how many there were.
    """

    folder: Path
    chance: random.Random
    promised: int = 0
    flushes: int = 0
    states: list[State] = field(default_factory=list)
    _durable: dict[str, bytes] = field(default_factory=dict)
    _deleted: set[str] = field(default_factory=set)
    _paths: dict[int, Path] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._library = _library()
        self._system = _Vfs.from_address(self._library.sqlite3_vfs_find(None))
        self._own = _Vfs.from_buffer_copy(self._system)
        self._own.name = b"halfdoor-power"
        self._own.open = _Open(self._open)
        self._own.delete = _Delete(self._delete)
        assert self._library.sqlite3_vfs_register(ctypes.byref(self._own), 1) == 0
        return self

    def __exit__(self, *_: object) -> None:
        self._library.sqlite3_vfs_register(ctypes.byref(self._system), 1)
        self._library.sqlite3_vfs_unregister(ctypes.byref(self._own))

    def lost(self) -> State:
        """The disk if the power went now and nothing unflushed had reached it."""
        return State(dict(self._durable), self.promised)

    def _open(self, _: int, name: int, file: int, flags: int, told: int) -> int:
        code: int = self._system.open(ctypes.addressof(self._system), name, file, flags, told)
        if code == 0 and flags & _WATCHED and _path(name).parent == self.folder:
            self._paths[file] = _path(name)
            self._watch(file)
        return code

    def _delete(self, _: int, name: int, flush: int) -> int:
        code: int = self._system.delete(ctypes.addressof(self._system), name, flush)
        if code == 0:
            self._deleted.add(_path(name).name)
            if flush:
                self._flush_folder()
        return code

    def _flush_folder(self) -> None:
        """Until then, a deleted name may come back with the power."""
        for name in self._deleted:
            self._durable.pop(name, None)
        self._deleted.clear()

    def _watch(self, file: int) -> None:
        place = ctypes.cast(file, ctypes.POINTER(_Pointer))
        methods = _Methods.from_buffer_copy(_Methods.from_address(place[0]))
        # The field's own object would be a view of the field, which is about to change.
        system = ctypes.cast(methods.sync, _Pointer).value
        assert system is not None
        methods.sync = _Sync(self._sync(_Sync(system)))
        self._kept.append(methods)
        place[0] = ctypes.addressof(methods)

    def _sync(self, system: Callable[[int, int], int]) -> Callable[[int, int], int]:
        def sync(file: int, flags: int) -> int:
            path = self._paths[file]
            self.flushes += 1
            self.states += self._possible(path)
            code = system(file, flags)
            if code == 0:
                if path.name not in self._durable and path.suffix != ".db":
                    self._flush_folder()  # SQLite flushes a new journal's folder with the journal
                self._durable[path.name] = path.read_bytes()
            return code

        self._kept.append(system)
        return sync

    def _possible(self, flushed: Path) -> Iterator[State]:
        """Disks as they may be just before a flush has done its work."""
        before = dict(self._durable)
        now = {path.name: path.read_bytes() for path in set(self._paths.values()) if path.exists()}
        name = flushed.name
        was, would = before.get(name, b""), now[name]
        for others in (before, now):
            yield State({**others, name: self._torn(was, would)}, self.promised)
            yield State({**others, name: self._cut(was, would)}, self.promised)
        yield State(now, self.promised)

    def _torn(self, before: bytes, now: bytes) -> bytes:
        """Any of the new sectors, in any order."""
        sectors = range(0, len(now), _SECTOR)
        old = before.ljust(len(now), b"\0")
        return b"".join(self.chance.choice((old, now))[at : at + _SECTOR] for at in sectors)

    def _cut(self, before: bytes, now: bytes) -> bytes:
        """The new bytes up to some point, the old ones from there."""
        at = self.chance.randrange(len(now) + 1)
        return now[:at] + before[at:]


def restored(state: State, keys_from: Path, to: Path) -> Path:
    """Write a state as a state directory of its own."""
    to.mkdir(mode=0o700)
    for name in ("log.key", "mac.key"):
        shutil.copy2(keys_from / name, to / name)
    for name, content in state.files.items():
        (to / name).write_bytes(content)
        (to / name).chmod(0o600)
    return to


def _path(name: int) -> Path:
    return Path(ctypes.string_at(name).decode())


def _library() -> Any:
    """The SQLite that Python's own module uses; skips where its C interface is hidden."""
    try:
        library = ctypes.CDLL(import_module("_sqlite3").__file__)
        library.sqlite3_vfs_find.restype = _Pointer
    except (AttributeError, OSError, TypeError):
        pytest.skip(f"SQLite {sqlite3.sqlite_version} hides its C interface here: flushes not seen")
    return library
