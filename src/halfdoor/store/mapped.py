"""A file of one size that processes of one machine share by mapping it into their memory."""

import mmap
import os
from pathlib import Path
from typing import Final

from halfdoor.errors import LogError

_AT_ONCE: Final = 64 * 1024


def mapped(path: Path, size: int, without: str) -> mmap.mmap:
    """`size` bytes of the file, made of zeros where it does not have them yet.

    without: what does not work without it, for the error. Raises LogError, for a full disk too.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _filled(descriptor, size)
            return mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise LogError(
            f"{without}: {error}",
            where=str(path),
            hint="check the folder and its file system; the file may be deleted",
        ) from None


def _filled(descriptor: int, size: int) -> None:
    """Written out, not only made long: a full disk would end whoever writes into a hole (SIGBUS).

    What is there stays: another process may have it mapped.
    """
    at = os.fstat(descriptor).st_size
    if at > size:
        os.ftruncate(descriptor, size)
    while at < size:  # what is left of a disk takes a part of a write, and refuses the next
        at += os.pwrite(descriptor, bytes(min(_AT_ONCE, size - at)), at)
