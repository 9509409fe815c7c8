"""An event loop in a thread of its own: servers in it outlive one test's loop and feel no test's context."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Self, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines away from the test. A thread starts with an empty context: no permit leaks in."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def run(self, work: Coroutine[object, object, T], *, timeout_s: float = 20) -> T:
        """Wait, in a thread without a running loop, for what `work` returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
