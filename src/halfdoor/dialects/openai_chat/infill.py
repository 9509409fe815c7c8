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
from halfdoor.dialects.decoding import UNREADABLE, encode, present, readable, tokens
from halfdoor.dialects.openai_errors import failure
from halfdoor.dialects.parsing import PieceParser
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


class InfillParser(PieceParser[Frame]):
    """The server's stream → events."""

    __slots__ = ("_spoke", "_started")

    def __init__(self) -> None:
        super().__init__(SseReader(), b"\n\n")
        self._started = False
        self._spoke = False

    def _whole(self, piece: Frame) -> bool:
        return readable(_pieces, piece.data)

    def _take(self, piece: Frame) -> list[Event]:
        if piece.data.strip() == b"[DONE]":
            return []
        try:
            found = _pieces.decode(piece.data)
        except UNREADABLE:
            return self._fail(Failed("the backend sent an unreadable piece", "protocol"))
        return self._fail(failure(piece.data)) if present(found.error) else self.tell(found)

    def tell(self, piece: Piece) -> list[Event]:
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
    return InfillParser().tell(piece)


def _usage(piece: Piece) -> Usage:
    return Usage(tokens(piece.tokens_evaluated), tokens(piece.tokens_predicted))


def _reason(piece: Piece) -> StopReason:
    limit = piece.stop_type == "limit" or piece.stopped_limit
    return StopReason.LENGTH if limit else StopReason.END
