"""A model's stream → events, piece by piece: what parsers of several dialects share."""

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from halfdoor.canon.events import Event, Failed
from halfdoor.errors import BackendError

T = TypeVar("T")


class Reader(Protocol[T]):
    """Bytes in any chunking → whole pieces: `reading/framing.py` has one for each kind."""

    @property
    def pending(self) -> bytes:
        """Bytes of a piece whose end has not come."""

    def feed(self, chunk: bytes, /) -> list[T]:
        """Pieces completed by this chunk. Raises BackendError beyond a limit."""


class PieceParser(ABC, Generic[T]):
    """A parser (see `base.Parser`) that reads one piece after the other. T: a frame, or a line.

    It is over with the stream's own end, or a failure; without either it was cut. end: what the
    last piece may lack.
    """

    __slots__ = ("_last", "_over", "_reader")

    def __init__(self, reader: Reader[T], end: bytes) -> None:
        self._reader = reader
        self._last = end
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by this chunk."""
        try:
            pieces = self._reader.feed(data) if not self._over else []
        except BackendError as error:
            return self._fail(Failed(error.message, code="protocol"))
        return [event for piece in pieces for event in self.take(piece)]

    def end(self) -> list[Event]:
        """The backend closed: a last piece without its end, or Failed(code="cut")."""
        ended = self._over or not self._reader.pending.strip()
        rest = [] if ended else self._reader.feed(self._last)
        # Half a piece is a cut, not a breach of protocol.
        events = [event for piece in rest if self._whole(piece) for event in self.take(piece)]
        return events if self._over else [*events, *self._fail(Failed("the answer was cut short"))]

    def take(self, piece: T) -> list[Event]:
        """Events that one piece tells; none once the answer is over."""
        return [] if self._over else self._take(piece)

    @abstractmethod
    def _take(self, piece: T) -> list[Event]: ...

    @abstractmethod
    def _whole(self, piece: T) -> bool:
        """Can it be read? A stream may break off inside one."""

    def _fail(self, failed: Failed) -> list[Event]:
        self._over = True
        return [failed]
