"""Responses answers that are not streamed: bytes → events, events → bytes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from halfdoor.canon.commands import Learnt
from halfdoor.canon.events import Delta, Event, Failed, Open, PartKind, Signed, Start, Stop, Used
from halfdoor.dialects.openai_errors import UNREADABLE, encode
from halfdoor.dialects.openai_responses.items import (
    REDACTED,
    item_done,
    item_id,
    response,
    response_id,
)
from halfdoor.dialects.openai_responses.names import Names
from halfdoor.dialects.openai_responses.stream import Assembly
from halfdoor.dialects.openai_responses.wire import Response, failed, responses
from halfdoor.errors import BackendError

if TYPE_CHECKING:
    from halfdoor.canon.money import Usage


class Part(Struct):
    """A part with all of its text. signature: of thinking."""

    open: Open
    pieces: list[str] = []
    signature: str = ""

    @property
    def text(self) -> str:
        """Prose, thinking or a call's arguments."""
        return "".join(self.pieces)


class Heard:
    """What a sequence of events says, all of it. parts: by index, in order of opening."""

    def __init__(self) -> None:
        self.start = Start("", "")
        self.parts: dict[int, Part] = {}
        self.usage: Usage | None = None
        self.stop: Stop | None = None
        self.failed: Failed | None = None

    def hear(self, events: Iterable[Event]) -> None:
        """Add what these events say."""
        for event in events:
            match event:
                case Delta(index=index, text=text):
                    self.parts[index].pieces.append(text)
                case Open(index=index):
                    hidden = event.kind is PartKind.REDACTED_THINKING
                    self.parts[index] = Part(
                        event, signature=REDACTED + event.text if hidden else ""
                    )
                case Signed(index=index, signature=signature):
                    self.parts[index].signature = signature
                case Start():
                    self.start = event
                case Used(usage=usage):
                    self.usage = usage
                case Stop():
                    self.stop = event
                case Failed():
                    self.failed = event
                case _:
                    pass  # the end of a part says nothing here

    def learnt(self) -> Learnt:
        """As a pipe tells it, with the texts of all parts."""
        parts = self.parts.values()
        return Learnt(
            usage=self.usage,
            stop=self.stop.reason if self.stop else "",
            finished=self.stop is not None and self.failed is None,
            calls=tuple(part.open.call_id for part in parts if part.open.call_id),
            signatures=tuple(_ciphertext(p.signature) for p in parts if p.signature),
            texts=tuple(part.text for part in parts),
            failure=self.failed.message if self.failed else "",
        )


def _ciphertext(seal: str) -> str:
    """What a client of this dialect sends back: the seal without the item's id."""
    return seal.partition(":")[2]


def heard(body: bytes) -> Heard:
    """All that a whole answer says. Raises BackendError(kind="protocol") if there is none in it."""
    told = Heard()
    told.hear(read_answer(body))
    return told


def read_answer(body: bytes) -> list[Event]:
    """A whole answer. Raises BackendError(kind="protocol") if there is none in it."""
    found = _answer(body)
    broken = failed(found)
    if broken is not None:
        raise BackendError(broken.message, kind="protocol")
    if found.output is None:
        raise BackendError("the backend's answer holds no output", kind="protocol")
    events: list[Event] = []
    Assembly().finish(found, events)
    return events


def write_answer(events: Iterable[Event], names: Names) -> bytes:
    """A `response` object. The events hold no Failed."""
    told = Heard()
    told.hear(events)
    start = Start(response_id(told.start.id), told.start.model)
    items = [
        item_done(
            part.open, item_id(part.open.kind, at, start.id), part.text, part.signature, names
        )
        for at, part in enumerate(told.parts.values())
    ]
    ended = told.stop.reason if told.stop else "completed"
    return encode(response(start, ended, items, told.usage))


def _answer(body: bytes) -> Response:
    try:
        return responses.decode(body)
    except UNREADABLE:
        raise BackendError(
            "the backend's answer is not a response",
            kind="protocol",
            hint="does its url end where this dialect's SDK wants it, in /v1?",
        ) from None
