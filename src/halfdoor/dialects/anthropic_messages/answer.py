"""Anthropic Messages: what a model sends, streamed or whole → events."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Raw, Struct

from halfdoor.canon.events import (
    UNSIGNED,
    Close,
    Delta,
    Event,
    Failed,
    Open,
    PartKind,
    Signed,
    Start,
    Stop,
    StopReason,
    Used,
)
from halfdoor.canon.money import Usage
from halfdoor.dialects.anthropic_messages import wire as wire
from halfdoor.dialects.decoding import UNREADABLE
from halfdoor.errors import BackendError
from halfdoor.reading.framing import SseReader


class WireDelta(Struct):
    """`delta` of a content_block_delta or a message_delta."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    signature: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class WireMessage(Struct):
    """A whole answer, or the empty one that begins a stream."""

    id: str | None = ""
    model: str | None = ""
    content: list[Raw] = []
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: wire.WireUsage | None = None


class WireEvent(Struct):
    """Any event of the stream."""

    type: str = ""
    index: int = -1
    delta: WireDelta | None = None
    content_block: Raw = Raw()
    message: WireMessage | None = None
    usage: wire.WireUsage | None = None
    error: Raw = Raw()


class _WholeAnswer(WireMessage):
    """A body must say what it is: only a message may pass as an answer."""

    type: str = ""


class _Type(Struct):
    type: str = ""


_event = msgspec.json.Decoder(WireEvent)
_type = msgspec.json.Decoder(_Type)
_whole = msgspec.json.Decoder(_WholeAnswer)

# Which field of a delta carries text, and in which kind of part it may stand.
_FRAGMENTS: Final = {
    "text_delta": ("text", PartKind.TEXT),
    "thinking_delta": ("thinking", PartKind.THINKING),
    "input_json_delta": ("partial_json", PartKind.TOOL_CALL),
    "signature_delta": ("signature", PartKind.THINKING),
}
_EVENTS: Final = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "error",
    }
)


class _BrokenError(Exception):
    """The stream breaks the protocol; the text says how. It becomes a Failed."""


class _Part(Struct):
    """A part under way. arguments: a call's own input, until fragments take its place."""

    index: int
    kind: PartKind
    signature: str = ""
    arguments: str = ""


def read_event(data: bytes) -> WireEvent | None:
    """An event; None for one that this version does not know. Raises one of UNREADABLE."""
    try:
        return _event.decode(data)
    except msgspec.ValidationError:
        if _type.decode(data).type in _EVENTS:
            raise
        return None


class StreamParser:
    """A stream → events. After a Failed or the last Stop it is deaf.

    Counts are told with the start, where the vendor states the prompt's, and again before the
    stop. The stop is told last, when the dialect's own end was seen.
    """

    __slots__ = ("_called", "_count", "_over", "_parts", "_reader", "_skipped", "_stop", "_usage")

    def __init__(self) -> None:
        self._reader = SseReader()
        self._parts: dict[int, _Part] = {}
        self._skipped: set[int] = set()
        self._count = -1  # parts opened; -1 before message_start
        self._called = False
        self._usage = Usage()
        self._stop: WireDelta | None = None
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Events completed by this chunk."""
        events: list[Event] = []
        try:
            for frame in self._reader.feed(chunk) if not self._over else ():
                if not self._over:
                    events += self._read(frame.data)
        except _BrokenError as broken:
            events.append(self._fail(str(broken), "protocol"))
        except BackendError as error:
            events.append(self._fail(error.message, "protocol"))
        except UNREADABLE:
            events.append(self._fail("the backend sent an event that cannot be read", "protocol"))
        return events

    def end(self) -> list[Event]:
        """What a last frame without its blank line says, or that the stream was cut."""
        if self._over:
            return []
        events = self.feed(b"\n\n")
        if events and isinstance(events[-1], Failed) and events[-1].code == "protocol":
            self._over = False
            events.pop()
        if not self._over:
            events.append(self._fail("the backend's answer broke off", "cut"))
        return events

    def _fail(self, message: str, code: str) -> Failed:
        self._over = True
        return Failed(message, code=code)

    def _read(self, data: bytes) -> list[Event]:
        event = read_event(data)
        if event is None:
            return []
        if event.type == "error" or bytes(event.error) not in {b"", b"null"}:
            self._over = True
            return [wire.failure(data)]
        if event.type not in _EVENTS:
            return []
        if (self._count < 0) is not (event.type == "message_start"):
            raise _BrokenError("the backend's events came out of order")
        return self._step(event)

    def _step(self, event: WireEvent) -> list[Event]:
        match event.type:
            case "content_block_delta":
                told = self._block_delta(event)
            case "content_block_start":
                told = self._block_start(event)
            case "content_block_stop":
                told = self._block_stop(event)
            case "message_start":
                told = self._message_start(event)
            case "message_delta":
                told = self._message_delta(event)
            case _:
                told = self._message_stop()
        return told

    def _message_start(self, event: WireEvent) -> list[Event]:
        message = event.message or WireMessage()
        self._count = 0
        return [Start(message.id or "", message.model or ""), *self._count_tokens(message.usage)]

    def _count_tokens(self, counts: wire.WireUsage | None) -> list[Event]:
        if counts is None:
            return []
        self._usage = wire.tally(self._usage, counts)
        return [Used(self._usage)]

    def _block_start(self, event: WireEvent) -> list[Event]:
        if event.index in self._parts or event.index < 0:
            raise _BrokenError("the backend opened a content block twice or without an index")
        block = wire.block(event.content_block)
        opened = _opened(block, self._count)
        if opened is None:
            self._skipped.add(event.index)
            return []
        part, events = opened
        self._skipped.discard(event.index)
        self._parts[event.index] = part
        self._count += 1
        self._called = self._called or part.kind is PartKind.TOOL_CALL
        return events

    def _block_delta(self, event: WireEvent) -> list[Event]:
        part, delta = self._parts.get(event.index), event.delta
        if part is None or delta is None:
            if event.index in self._skipped:
                return []
            raise _BrokenError("the backend sent a delta for no open content block")
        if delta.type not in _FRAGMENTS:
            return []
        field, kind = _FRAGMENTS[delta.type]
        text = getattr(delta, field)
        if kind is not part.kind or text is None:
            raise _BrokenError("the backend sent a delta that does not fit its content block")
        if field == "signature":
            part.signature = text
            return []
        part.arguments = "" if text else part.arguments
        return [Delta(part.index, text)] if text else []

    def _block_stop(self, event: WireEvent) -> list[Event]:
        part = self._parts.pop(event.index, None)
        if part is not None:
            return _closed(part)
        if event.index not in self._skipped:
            raise _BrokenError("the backend closed a content block that is not open")
        return []

    def _message_delta(self, event: WireEvent) -> list[Event]:
        if event.delta is not None and event.delta.stop_reason:
            self._stop = event.delta
        return self._count_tokens(event.usage)

    def _message_stop(self) -> list[Event]:
        events = [event for part in self._parts.values() for event in _closed(part)]
        self._over = True
        stop = self._stop or WireDelta()
        return [*events, _stop(stop.stop_reason, stop.stop_sequence, called=self._called)]


def events(body: bytes) -> list[Event]:
    """A whole answer → events. Raises BackendError(kind="protocol") when it is none."""
    try:
        message = _whole.decode(body)
        if message.type != "message":
            raise BackendError("the backend's answer is not a message", kind="protocol")
        parts = list(_parts(message.content))
    except UNREADABLE:
        raise BackendError("the backend's answer cannot be read", kind="protocol") from None
    called = any(isinstance(e, Open) and e.kind is PartKind.TOOL_CALL for e in parts)
    stop = _stop(message.stop_reason, message.stop_sequence, called=called)
    used = [Used(wire.tally(Usage(), message.usage))] if message.usage else []
    return [Start(message.id or "", message.model or ""), *parts, *used, stop]


def _parts(content: list[Raw]) -> Iterator[Event]:
    index = 0
    for raw in content:
        opened = _opened(wire.block(raw), index)
        if opened is not None:
            part, begun = opened
            yield from (*begun, *_closed(part))
            index += 1


def _opened(block: wire.Block | str, index: int) -> tuple[_Part, list[Event]] | None:
    """A part and what it begins with; None for a block that canon has no kind for."""
    match block:
        case wire.TextBlock(text):
            return _prose(index, PartKind.TEXT, text)
        case wire.ThinkingBlock():
            return _prose(index, PartKind.THINKING, block.thinking, block.signature or "")
        case wire.RedactedBlock(data):
            kind = PartKind.REDACTED_THINKING
            return _Part(index, kind), [Open(index, kind, text=data)]
        case wire.ToolUseBlock():
            kind = PartKind.TOOL_CALL
            part = _Part(index, kind, arguments=wire.arguments(block.input))
            return part, [Open(index, kind, call_id=block.id, name=block.name)]
        case _:
            return None


def _prose(index: int, kind: PartKind, text: str, signature: str = "") -> tuple[_Part, list[Event]]:
    begun: list[Event] = [Open(index, kind)]
    return _Part(index, kind, signature), [*begun, Delta(index, text)] if text else begun


def _closed(part: _Part) -> list[Event]:
    """A call without fragments still has arguments: those of its start, "{}" as a rule."""
    events: list[Event] = []
    if part.arguments:
        events.append(Delta(part.index, part.arguments))
    if part.signature not in {"", UNSIGNED}:
        events.append(Signed(part.index, part.signature))
    return [*events, Close(part.index)]


def _stop(word: str | None, sequence: str | None, *, called: bool) -> Stop:
    if word:
        return Stop(wire.stop_reason(word), sequence or "")
    return Stop(StopReason.TOOL_CALLS if called else StopReason.END, sequence or "")
