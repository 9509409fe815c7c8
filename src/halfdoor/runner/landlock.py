"""The rung without namespaces: Landlock for files, a call filter for sockets and signals."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from halfdoor.runner import calls

# 3 is the first that forbids truncating a file outside; 6 the first that keeps signals in.
LEAST: Final = 3
SIGNALS: Final = 6

_EXECUTE, _WRITE, _READ, _LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_ALL_OF_1: Final = (1 << 13) - 1
_REFER, _TRUNCATE, _DEVICE = 1 << 13, 1 << 14, 1 << 15
_OF_FILES: Final = _EXECUTE | _WRITE | _READ | _TRUNCATE
_READABLE: Final = _EXECUTE | _READ | _LIST
_WRITABLE: Final = _ALL_OF_1 & ~(1 << 6 | 1 << 11) | _REFER | _TRUNCATE  # no device files
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_OF_PROC: Final = ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version")


def enter(shown: Iterable[str], writable: Iterable[str]) -> None:
    """From now on only `shown` can be read and only `writable` changed. Raises OSError.

    Needs `calls.gain_nothing` first, and `landlock_version() >= LEAST`.
    """
    version = calls.landlock_version()
    if version < LEAST:
        raise OSError(f"Landlock is of version {version}, and at least {LEAST} is needed")
    rules = calls.landlock_begin(*_forbidden(version))
    try:
        for path in (*shown, *_proc()):
            _allow(rules, path, _READABLE)
        for path in writable:
            _allow(rules, path, _READABLE | _WRITABLE)
        for path in _DEVICES:
            _allow(rules, path, _READ | _WRITE)
        calls.landlock_enter(rules)
    finally:
        os.close(rules)


def _forbidden(version: int) -> tuple[int, int, int, int]:
    """Masks of files, network and scope, and the size of the structure that holds them."""
    files = _ALL_OF_1 | _REFER | _TRUNCATE | (_DEVICE if version >= 5 else 0)
    if version >= SIGNALS:
        return files, 3, 3, 24
    return (files, 3, 0, 16) if version >= 4 else (files, 0, 0, 8)


def _allow(rules: int, path: str, rights: int) -> None:
    # What is missing cannot be read either.
    with suppress(FileNotFoundError):
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            folder = stat.S_ISDIR(os.fstat(fd).st_mode)
            calls.landlock_allow(rules, fd, rights if folder else rights & _OF_FILES)
        finally:
            os.close(fd)


def _proc() -> Iterator[str]:
    """Of /proc only what names no other process."""
    yield from (f"/proc/{name}" for name in _OF_PROC)
    yield f"/proc/{os.getpid()}"
