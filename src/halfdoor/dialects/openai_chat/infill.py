"""llama.cpp's `/infill`: what stands before a gap and behind it → what fills it.

It stands at the server's root, beside the `/v1`. Source of the shapes: the server's own README. The
last piece says `stop`, and no `[DONE]` follows.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from halfdoor.canon.decision import Target
from halfdoor.canon.events import (
    Close,
    Delta,
    Event,
    Failed,
    Open,
    PartKind,
    Start,
    Stop,
    StopReason,
    Used,
)
from halfdoor.canon.money import Usage
from halfdoor.canon.request import Fill
from halfdoor.dialects.base import Written
from halfdoor.dialects.decoding import UNREADABLE, encode, present, tokens
from halfdoor.dialects.openai_chat.wire import failure
from halfdoor.dialects.rendering import Fields, stated
from halfdoor.errors import BackendError
from halfdoor.reading.framing import Frame, SseReader

PATH: Final = "../infill"


class Piece(Struct):
    """A frame of a stream, or a whole answer. stopped_limit: of servers before `stop_type`."""

    content: str | None = None
    stop: bool = False
    model: str | None = None
    tokens_evaluated: int | None = None
    tokens_predicted: int | None = None
    stop_type: str | None = None
    stopped_limit: bool | None = None
    error: Raw = Raw()


_pieces: Final = msgspec.json.Decoder(Piece)


def write_fill(fill: Fill, target: Target) -> Written:
    """Everything of it can be said here but what its own dialect lost."""
    options = fill.options
    body: Fields = {
        "model": target.model_id,
        "input_prefix": fill.prefix,
        "input_suffix": fill.suffix,
        "input_extra": [{"filename": name, "text": text} for name, text in fill.context] or None,
        "n_predict": options.max_tokens,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "top_k": options.top_k,
        "stop": list(options.stop) or None,
        "stream": fill.stream,
    }
    return Written(PATH, encode(stated(body)), fill.lost, InfillParser, read_answer)


class InfillParser:
    """The server's stream → events."""

    __slots__ = ("_over", "_reader", "_spoke", "_started")

    def __init__(self) -> None:
        self._reader = SseReader()
        self._started = False
        self._spoke = False
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by this chunk."""
        try:
            frames = self._reader.feed(data) if not self._over else []
        except BackendError as error:
            return self._fail(Failed(error.message, code="protocol"))
        return [event for frame in frames for event in self._take(frame)]

    def end(self) -> list[Event]:
        """The server closed: a last frame without its blank line, or Failed(code="cut")."""
        rest = self._reader.feed(b"\n\n") if not self._over else []
        # Half a frame is a cut, not a breach of protocol.
        events = [event for frame in rest if _whole(frame) for event in self._take(frame)]
        return events if self._over else [*events, *self._fail(Failed("the answer was cut short"))]

    def take(self, piece: Piece) -> list[Event]:
        """What one frame, or a whole answer, tells."""
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Start("", piece.model or ""))
        if piece.content:
            events += () if self._spoke else (Open(0, PartKind.TEXT),)
            self._spoke = True
            events.append(Delta(0, piece.content))
        if piece.stop:
            self._over = True
            events += (Close(0),) if self._spoke else ()
            events += (Used(_usage(piece)), Stop(_reason(piece)))
        return events

    def _take(self, frame: Frame) -> list[Event]:
        if self._over or frame.data.strip() == b"[DONE]":
            return []
        try:
            piece = _pieces.decode(frame.data)
        except UNREADABLE:
            return self._fail(Failed("the backend sent an unreadable piece", "protocol"))
        return self._fail(failure(frame.data)) if present(piece.error) else self.take(piece)

    def _fail(self, failed: Failed) -> list[Event]:
        self._over = True
        return [failed]


def _whole(frame: Frame) -> bool:
    try:
        return _pieces.decode(frame.data) is not None
    except UNREADABLE:
        return False


def read_answer(body: bytes) -> list[Event]:
    """A whole answer. Raises BackendError(kind="protocol") if there is none in it."""
    try:
        piece = _pieces.decode(body)
    except UNREADABLE:
        raise BackendError(
            "the backend's answer is not one of llama.cpp's `/infill`",
            kind="protocol",
            hint="is it a llama.cpp server? Its backend says `fim`",
        ) from None
    if present(piece.error) or piece.content is None:
        raise BackendError(failure(body).message, kind="protocol")
    piece.stop = True
    return InfillParser().take(piece)


def _usage(piece: Piece) -> Usage:
    return Usage(tokens(piece.tokens_evaluated), tokens(piece.tokens_predicted))


def _reason(piece: Piece) -> StopReason:
    limit = piece.stop_type == "limit" or piece.stopped_limit
    return StopReason.LENGTH if limit else StopReason.END
