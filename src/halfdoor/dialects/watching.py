"""What watchers of several dialects share: a whole answer, unread until somebody asks."""

from collections.abc import Callable
from typing import Final

from halfdoor.canon.commands import Learnt

# Beyond this an answer is no longer learnt from; it still passes.
WATCHED_BYTES: Final = 64 * 1024 * 1024


class BodyWatcher:
    """A whole answer, read when somebody asks what it was. read: never raises."""

    __slots__ = ("_chunks", "_learnt", "_left", "_read")

    def __init__(self, read: Callable[[bytes], Learnt]) -> None:
        self._read = read
        self._chunks: list[bytes] = []
        self._left = WATCHED_BYTES
        self._learnt: Learnt | None = None

    def feed(self, data: bytes) -> bool:
        """Keep a chunk on its way; False, since an answer has no frames."""
        self._left -= len(data)
        self._learnt = None
        if self._left >= 0:
            self._chunks.append(data)
        else:
            self._chunks.clear()
        return False

    @property
    def finished(self) -> bool:
        """The answer is whole, and one."""
        return self.learnt().finished

    def learnt(self) -> Learnt:
        """What is known so far: nothing until the answer is whole."""
        if self._learnt is None:
            self._learnt = self._read(b"".join(self._chunks))
        return self._learnt
