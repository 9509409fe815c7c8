"""A terminal of our own, in which a tool draws what its person sees."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.clients.tools import LIMIT_S

_STEERING = re.compile(r"\x1b\[[0-9;?<>]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b\][^\x07]*\x07")
_WIDTHS = (110, 111)


class Terminal:
    """A command at work in a terminal of 40 lines. seen: what it drew lately, without steering."""

    def __init__(self, command: tuple[str, ...], folder: Path, environment: Mapping[str, str]):
        self.seen = ""
        self._raw = b""
        self._pid, self._end = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self._resize(_WIDTHS[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.kill(self._pid, signal.SIGTERM)
        os.waitpid(self._pid, 0)
        os.close(self._end)

    def types(self, text: str) -> None:
        """As from a keyboard; Enter comes a moment later, so that it is no pasted line."""
        os.write(self._end, text.encode())
        time.sleep(0.5)
        os.write(self._end, b"\r")

    def shows(self, text: str) -> bool:
        """Does it show this, within the limit? It is made to draw anew: else only changes come."""
        until, turn = time.monotonic() + LIMIT_S, 0
        self.seen = ""
        while time.monotonic() < until:
            self._read()
            if text in self.seen:
                return True
            turn += 1
            self._resize(_WIDTHS[turn % 2])
        return False

    def _read(self) -> None:
        until = time.monotonic() + 1
        while (left := until - time.monotonic()) > 0:
            if select.select([self._end], [], [], left)[0]:
                self._raw += os.read(self._end, 65536)
        self.seen += _STEERING.sub(" ", self._raw.decode("utf-8", "replace"))
        self._raw = b""

    def _resize(self, width: int) -> None:
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
