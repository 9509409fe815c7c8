"""A disk for one state directory, that a test can fill."""

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Self

_BLOCK = b"\0" * 4096


class SmallDisk:
    """A file system of its own where this machine lets a test mount one, else a limit on files.

    real: which of the two. `fill` takes all the room there is, `free` gives it back.
    """

    def __init__(self, place: Path, mebibytes: int = 32) -> None:
        self.place = place
        self._size = f"size={mebibytes}m"
        self._ballast = place / "ballast"
        self.real = False

    def __enter__(self) -> Self:
        self.place.mkdir(parents=True, exist_ok=True)
        words = ["mount", "-t", "tmpfs", "-o", self._size, "none", str(self.place)]
        root = sys.platform == "linux" and os.geteuid() == 0
        self.real = root and not subprocess.run(words, check=False, capture_output=True).returncode
        return self

    def __exit__(self, *_: object) -> None:
        if self.real:
            subprocess.run(["umount", "--lazy", str(self.place)], check=True)

    def fill(self, pid: int) -> None:
        """No more room, for a process at least."""
        if not self.real:
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
            return
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(_BLOCK)
            except OSError:
                return

    def free(self, pid: int) -> None:
        """Room again."""
        if self.real:
            self._ballast.unlink()
        else:
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
