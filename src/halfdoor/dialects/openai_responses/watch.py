"""Responses streams that pass through: learnt from, never changed.

Deltas tell nothing that the end of their item does not tell again, so only the frames that carry a
mark are read; the marks are found as plain bytes.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import structs

from halfdoor.canon.commands import Learnt
from halfdoor.canon.events import Failed
from halfdoor.dialects import hearing
from halfdoor.dialects.hearing import Heard
from halfdoor.dialects.openai_errors import unanswered
from halfdoor.dialects.openai_responses.answer import read_answer
from halfdoor.dialects.openai_responses.stream import StreamParser
from halfdoor.dialects.watching import WATCHED_BYTES
from halfdoor.errors import BackendError
from halfdoor.reading.framing import Frame, SseReader

# INVARIANT: in JSON text a quote is escaped, so none of these can be part of what a model said.
_MARKS: Final = (
    b'"response.output_item.done"',
    b'"response.completed"',
    b'"response.incomplete"',
    b'"response.failed"',
    b'"error"',
    b"event: error",
)


def _marked(data: bytes) -> bool:
    return any(mark in data for mark in _MARKS)


class StreamWatcher:
    """Counts and marks of a stream. texts: also everything that it says."""

    __slots__ = ("_blind", "_heard", "_left", "_parser", "_reader", "_texts")

    def __init__(self, *, texts: bool) -> None:
        self._reader = SseReader()
        self._parser = StreamParser()
        self._heard = Heard()
        self._texts = texts
        self._left = WATCHED_BYTES
        self._blind = False

    def feed(self, data: bytes) -> bool:
        """Look at a chunk on its way; True if it was whole frames that tell nothing."""
        self._left -= len(data)
        if self._blind or self._left < 0:
            return False
        silent = not self._reader.pending and data.endswith(b"\n\n") and not _marked(data)
        if self._texts or not silent:
            try:
                self._note(self._reader.feed(data))
            except BackendError as error:
                self._heard.failed, self._blind = Failed(error.message, "protocol"), True
        return silent

    @property
    def finished(self) -> bool:
        """Its end was seen, in whole frames."""
        return self._heard.stop is not None

    def learnt(self) -> Learnt:
        """What is known so far; a last frame without its blank line counts as one."""
        return _as_sent((self._last() or self._heard).learnt(texts=self._texts))

    def _note(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if self._texts or frame.event == "error" or _marked(frame.data):
                self._heard.hear(self._parser.take(frame))

    def _last(self) -> Heard | None:
        """What the bytes behind the last whole frame say, if that is the answer's end."""
        rest = b"" if self._blind or self.finished else self._reader.pending
        if not _marked(rest):
            return None
        last = Heard()
        last.hear(StreamParser().feed(rest + b"\n\n"))
        return last if last.stop else None


def body_learnt(body: bytes, *, texts: bool) -> Learnt:
    """What a whole answer was."""
    return _as_sent(hearing.body_learnt(body, read_answer, _failed, texts=texts))


def _failed(body: bytes) -> Learnt:
    return unanswered(body)


def _as_sent(learnt: Learnt) -> Learnt:
    """With seals as a client of this dialect sends them back: without the item's id."""
    seals = tuple(seal.partition(":")[2] for seal in learnt.signatures)
    return structs.replace(learnt, signatures=seals)
