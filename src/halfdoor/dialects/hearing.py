"""What an answer said in all: for whoever writes it whole, or learns from it."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from halfdoor.canon.commands import Learnt
from halfdoor.canon.events import (
    UNSAID,
    Delta,
    Event,
    Failed,
    Open,
    PartKind,
    Signed,
    Start,
    Stop,
    Used,
)
from halfdoor.errors import BackendError

if TYPE_CHECKING:
    from halfdoor.canon.money import Usage


class Part(Struct):
    """A part with all of its text. seal: of thinking; hidden thinking is its ciphertext."""

    open: Open
    pieces: list[str] = []
    seal: str = ""

    @property
    def text(self) -> str:
        """Prose, thinking or a call's arguments."""
        return "".join(self.pieces)


class Heard:
    """What a sequence of events says, all of it. parts: by index, in order of opening."""

    __slots__ = ("failed", "parts", "start", "stop", "usage")

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
                    self.parts[index] = Part(event, seal=event.text)
                case Signed(index=index, signature=signature):
                    self.parts[index].seal = signature
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

    def of(self, kind: PartKind) -> list[Part]:
        """The parts of one kind."""
        return [part for part in self.parts.values() if part.open.kind is kind]

    def text(self, kind: PartKind) -> str:
        """All that the parts of one kind say."""
        return "".join(part.text for part in self.of(kind))

    def learnt(self, *, texts: bool = True) -> Learnt:
        """As a pipe tells it. texts: with those of all parts that say something."""
        parts = self.parts.values()
        learnt = Learnt(
            usage=self.usage,
            stop=self.stop.reason if self.stop else "",
            finished=self.stop is not None and self.failed is None,
            calls=tuple(part.open.call_id for part in parts if part.open.call_id),
            signatures=tuple(part.seal for part in parts if part.seal),
            texts=tuple(text for part in parts if (text := part.text)) if texts else (),
        )
        return learnt if self.failed is None else failing(learnt, self.failed)


def failing(learnt: Learnt, failed: Failed) -> Learnt:
    """What was learnt, and that it broke off."""
    code = "" if failed.code in UNSAID else failed.code
    status = failed.status if code else 0
    return replace(learnt, failure=failed.message, failure_code=code, failure_status=status)


def heard(events: Iterable[Event]) -> Heard:
    """All that these events say."""
    told = Heard()
    told.hear(events)
    return told


def body_learnt(
    body: bytes,
    read: Callable[[bytes], list[Event]],
    failed: Callable[[bytes], Learnt],
    *,
    texts: bool,
) -> Learnt:
    """What a whole answer was. failed: what to learn of a body that `read` cannot read."""
    try:
        return heard(read(body)).learnt(texts=texts)
    except BackendError:
        return failed(body)
