"""Reads what a process says, up to a limit and a moment, and no further."""

import os
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from subprocess import Popen

_CHUNK: Final = 65536


class Stop:
    """Ends a run from another thread: `now()`. To be closed by whoever made it."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()

    def now(self) -> None:
        """End it; again is harmless."""
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1

    def close(self) -> None:
        """Give its descriptors back, once nobody reads them."""
        self.now()
        os.close(self.reading)


@dataclass(slots=True)
class Heard:
    """What was read. cut: there was more; late: the moment came; stopped: somebody asked."""

    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    report: bytearray = field(default_factory=bytearray)
    cut: bool = False
    late: bool = False
    stopped: bool = False


def listen(
    process: "Popen[bytes]",
    report: int | None,
    most: int,
    until: float,
    stop: Stop | None,
    end: Callable[[], None],
) -> Heard:
    """Read until every pipe is closed. `end` is called once, when a bound is reached.

    most: bytes of each output. until: on the monotonic clock. report: a descriptor, or None.
    """
    heard = Heard()
    with selectors.DefaultSelector() as watched:
        for pipe, into in ((process.stdout, heard.stdout), (process.stderr, heard.stderr)):
            assert pipe is not None
            watched.register(pipe, selectors.EVENT_READ, into)
        if report is not None:
            watched.register(report, selectors.EVENT_READ, heard.report)
        open_pipes = len(watched.get_map())
        if stop is not None:
            watched.register(stop.reading, selectors.EVENT_READ, None)
        _Listening(watched, heard, most, end, open_pipes).run(until)
    return heard


class _Listening:
    def __init__(
        self,
        watched: selectors.BaseSelector,
        heard: Heard,
        most: int,
        end: Callable[[], None],
        pipes: int,
    ) -> None:
        self._watched = watched
        self._heard = heard
        self._most = most
        self._end = end
        self._pipes = pipes
        self._ended = False

    def run(self, until: float) -> None:
        while self._pipes:
            events = self._watched.select(max(until - time.monotonic(), 0) if until else None)
            if not events:
                if self._heard.late:
                    return  # whoever holds the pipe now was not ours to end
                self._heard.late = True
                self._over()
                until = time.monotonic() + 2
            for key, _ in events:
                self._ready(key)

    def _ready(self, key: selectors.SelectorKey) -> None:
        into: bytearray | None = key.data
        if into is None:
            self._heard.stopped = True
            self._watched.unregister(key.fileobj)
            self._over()
            return
        got = os.read(key.fd, _CHUNK)
        if not got:
            self._watched.unregister(key.fileobj)
            self._pipes -= 1
        room = self._most - len(into)
        into += got[:room]
        if len(got) > room:
            self._heard.cut = True
            self._over()

    def _over(self) -> None:
        if not self._ended:
            self._ended = True
            self._end()


def close(*pipes: IO[bytes] | None) -> None:
    """Close those that are there; a reader that has gone is no error."""
    for pipe in pipes:
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
