"""Tells a waiting client to wait on: slow prefill must not look like a dead server.

One timer per call, and a flag per chunk; a task only when there is something to say.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from halfdoor.canon.scene import Place

# 11th, 12th and 13th are no exceptions to the rest of their ten.
_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}
_TEENS: Final = range(10, 20)


def waiting(ping: bytes, place: Place) -> bytes:
    """A ping that also tells a place in a queue, as a comment, which every SSE reader leaves out.

    ping: the dialect's own, whole frames; it still goes out where it is more than a comment.
    """
    at = place.position
    ending = "th" if at % 100 in _TEENS else _ENDINGS.get(at % 10, "th")
    told = f": waiting, {at}{ending} of {place.of}\n\n".encode()
    return told if ping.startswith(b":") else told + ping


async def _silent() -> None:
    """Says nothing."""


class Pinger:
    """Calls `ping` after each `every_s` seconds without a word; never with `every_s` 0.

    spoke: set it when something was sent; a ping follows one to two spans of silence.
    """

    def __init__(self, ping: Callable[[], Awaitable[None]], every_s: float) -> None:
        self.spoke = False
        self._ping = ping
        self._every_s = every_s
        self._timer: asyncio.TimerHandle | None = None
        self._pinging: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen to the silence from now on."""
        if self._every_s:
            self._timer = asyncio.get_running_loop().call_later(self._every_s, self._due)

    @property
    def stopped(self) -> bool:
        """Is there nothing more to say? The answer may have ended while a ping was under way."""
        return not self._every_s

    def stop(self) -> None:
        """Say nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self._every_s = 0.0
        # Whoever pings holds this, too: a circle would hold the request until the next collection.
        self._ping = _silent

    def _due(self) -> None:
        idle = self._pinging is None or self._pinging.done()
        if not self.spoke and idle:
            self._pinging = asyncio.create_task(self._say())
        self.spoke = False
        self.start()

    async def _say(self) -> None:
        if not self._every_s:
            return  # the answer ended in the moment when this was due
        try:
            await self._ping()
        except ConnectionError:
            self.stop()  # it has gone: whoever sends or listens next hears so
