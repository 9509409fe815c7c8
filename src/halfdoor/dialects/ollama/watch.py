"""Ollama streams that pass through: learnt from, never changed."""

from typing import Final

from halfdoor.canon.commands import Learnt
from halfdoor.canon.events import Failed
from halfdoor.dialects import hearing
from halfdoor.dialects.hearing import Heard, failing, heard
from halfdoor.dialects.ollama.answer import read_answer
from halfdoor.dialects.ollama.embed import read_vectors
from halfdoor.dialects.ollama.stream import StreamParser
from halfdoor.dialects.ollama.wire import ERROR_STATUS, trouble
from halfdoor.dialects.watching import WATCHED_BYTES
from halfdoor.errors import BackendError

# INVARIANT: in JSON text a quote is escaped, so none of these can be part of what a model said.
_MARKS: Final = (b'"done":true', b'"done": true', b'"tool_calls"', b'"error"')


class StreamWatcher:
    """Counts and marks of a stream. texts: also everything that it says."""

    __slots__ = ("_heard", "_left", "_parser", "_pending", "_texts")

    def __init__(self, *, texts: bool) -> None:
        self._parser = StreamParser()
        self._heard = Heard()
        self._texts = texts
        self._left = WATCHED_BYTES
        self._pending = False

    def feed(self, data: bytes) -> bool:
        """Look at a chunk on its way; True if it was whole lines that tell nothing."""
        self._left -= len(data)
        if self._left < 0:
            return False
        whole = data.endswith(b"\n")
        silent = whole and not self._pending and not any(mark in data for mark in _MARKS)
        self._pending = not whole
        if self._texts or not silent:
            self._heard.hear(self._parser.feed(data))
        return silent

    @property
    def finished(self) -> bool:
        """Its last line was seen, whole."""
        return self._heard.stop is not None

    def learnt(self) -> Learnt:
        """What is known so far."""
        return self._heard.learnt(texts=self._texts)


def body_learnt(body: bytes, *, texts: bool) -> Learnt:
    """What a whole answer was."""
    return hearing.body_learnt(body, read_answer, _failed, texts=texts)


def _failed(body: bytes) -> Learnt:
    """What is no message: numbers, with what they cost; or an error."""
    try:
        return heard(read_vectors(body)).learnt()
    except BackendError:
        message = trouble(body)[1]
        failed = Failed(message, "error", ERROR_STATUS)
        return failing(Learnt(), failed) if message else Learnt()
