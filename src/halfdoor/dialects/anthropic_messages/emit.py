"""Anthropic Messages: events → what a tool hears, streamed or whole."""

from collections.abc import Iterable
from typing import Final

import msgspec

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
    Vector,
)
from halfdoor.canon.money import Usage
from halfdoor.dialects.anthropic_messages import wire as wire

encode: Final = msgspec.json.Encoder().encode

_DELTAS: Final = {
    PartKind.TEXT: b'"text_delta","text":',
    PartKind.THINKING: b'"thinking_delta","thinking":',
    PartKind.TOOL_CALL: b'"input_json_delta","partial_json":',
}

# A backend that tells its counts last leaves the first ones unknown. Tools read zero as an answer
# that cost nothing, so they get the least there can be; message_delta has the true ones.
_UNKNOWN_COUNTS: Final = Usage(input_tokens=1, output_tokens=1)


def frame(name: str, data: bytes) -> bytes:
    """One server-sent event."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


class StreamEmitter:
    """Events → a stream. Blocks never overlap on this wire: one that opens early waits its turn.

    Nothing follows a Failed. The end is written with the batch that holds the Stop, so counts may
    come on either side of it. A text opens with its first letter: the API refuses blank text when
    it comes back, and engines like to begin a call with two empty lines.
    """

    __slots__ = (
        "_begun",
        "_blank",
        "_current",
        "_kind",
        "_next",
        "_over",
        "_signed",
        "_start",
        "_stop",
        "_usage",
        "_waiting",
    )

    def __init__(self) -> None:
        self._start: Start | None = None
        self._begun = False
        self._current: int | None = None  # canon's index of the block that is open on the wire
        self._kind = PartKind.TEXT  # of that block
        self._signed = False  # that block
        self._blank: list[Event] | None = None  # a text's beginning, while nothing stands in it
        self._next = 0  # index on the wire
        self._waiting: dict[int, list[Event]] = {}
        self._usage: Usage | None = None
        self._stop: Stop | None = None
        self._over = False

    def emit(self, events: Iterable[Event]) -> bytes:
        """Bytes for these events, maybe none."""
        out: list[bytes] = []
        for event in events:
            if not self._over:
                self._take(event, out)
        if self._start is not None and not self._over:
            self._begin(out)
        if self._stop is not None and not self._over:
            self._finish(self._stop, out)
        return b"".join(out)

    def _take(self, event: Event, out: list[bytes]) -> None:
        match event:
            case Delta(index=index) if index == self._current:
                self._write(event, out)
            case Start():
                self._start = event
            case Used():
                self._usage = event.usage
            case Stop():
                self._stop = event
            case Vector():
                pass  # an embedding never streams
            case Failed():
                self._over = True
                kind = wire.error_type(event.status, event.code)
                out.append(frame("error", wire.error_body(kind, event.message)))
            case _:
                self._begin(out)
                self._turn(event, out)

    def _begin(self, out: list[bytes]) -> None:
        if self._begun:
            return
        self._begun = True
        start, self._start = self._start or Start("", ""), None
        message = wire.message(start, [], self._usage or _UNKNOWN_COUNTS)
        out.append(frame("message_start", encode({"type": "message_start", "message": message})))

    def _turn(self, event: Open | Delta | Signed | Close, out: list[bytes]) -> None:
        """Write what belongs to the open block; let the rest wait behind it."""
        if self._current is None and isinstance(event, Open):
            self._open(event, out)
        elif event.index == self._current:
            self._write(event, out)
        elif isinstance(event, Open):
            self._waiting[event.index] = [event]
        elif event.index in self._waiting:
            self._waiting[event.index].append(event)
        while self._current is None and self._waiting:
            first = next(iter(self._waiting))
            for held in self._waiting.pop(first):
                self._write(held, out)

    def _write(self, event: Event, out: list[bytes]) -> None:
        if self._blank is not None and not self._shown(event, out):
            return
        match event:
            case Delta(text=text) if self._kind in _DELTAS:
                out.append(self._delta(_DELTAS[self._kind], text))
            case Open():
                self._open(event, out)
            case Signed(signature=signature):
                self._signed = True
                out.append(self._delta(b'"signature_delta","signature":', signature))
            case Close():
                self._close(out)
            case _:
                pass

    def _shown(self, event: Event, out: list[bytes]) -> bool:
        """Is there a block on the wire that this event goes on with?"""
        assert self._blank is not None
        if isinstance(event, Close):
            self._blank, self._current = None, None
            return False
        self._blank.append(event)
        if isinstance(event, Delta) and event.text and not event.text.isspace():
            held, self._blank = self._blank, None
            for each in held:
                self._begun_with(each, out)
        return False

    def _begun_with(self, event: Event, out: list[bytes]) -> None:
        if isinstance(event, Open):
            self._put(event, out)
        elif isinstance(event, Delta):
            out.append(self._delta(_DELTAS[self._kind], event.text))

    def _open(self, event: Open, out: list[bytes]) -> None:
        self._current, self._kind, self._signed = event.index, event.kind, False
        if event.kind is PartKind.TEXT:
            self._blank = [event]
        else:
            self._put(event, out)

    def _put(self, event: Open, out: list[bytes]) -> None:
        data = {
            "type": "content_block_start",
            "index": self._next,
            "content_block": wire.written(event, "", ""),
        }
        out.append(frame("content_block_start", encode(data)))

    def _delta(self, head: bytes, text: str) -> bytes:
        return (
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":%d,"delta":{"type":%b%b}}\n\n'
            % (self._next, head, encode(text))
        )

    def _close(self, out: list[bytes]) -> None:
        if self._kind is PartKind.THINKING and not self._signed:
            out.append(self._delta(b'"signature_delta","signature":', UNSIGNED))
        data = {"type": "content_block_stop", "index": self._next}
        out.append(frame("content_block_stop", encode(data)))
        self._current = None
        self._next += 1

    def _finish(self, stop: Stop, out: list[bytes]) -> None:
        self._begin(out)
        while self._current is not None:
            self._turn(Close(self._current), out)
        self._over = True
        delta = {
            "type": "message_delta",
            "delta": wire.stop_fields(stop),
            "usage": wire.wire_usage(self._usage or Usage()),
        }
        out.append(frame("message_delta", encode(delta)))
        out.append(frame("message_stop", b'{"type":"message_stop"}'))


def answer(events: Iterable[Event]) -> bytes:
    """A whole answer. The events hold no Failed; deltas may interleave."""
    whole = _Whole()
    for event in events:
        whole.take(event)
    return encode(whole.message())


class _Whole:
    """A whole answer under way."""

    def __init__(self) -> None:
        self._start = Start("", "")
        self._usage = Usage()
        self._stop: Stop | None = None
        self._opened: dict[int, Open] = {}
        self._texts: dict[int, list[str]] = {}
        self._signatures: dict[int, str] = {}

    def take(self, event: Event) -> None:
        match event:
            case Start():
                self._start = event
            case Open():
                self._opened[event.index] = event
            case Delta():
                self._texts.setdefault(event.index, []).append(event.text)
            case Signed():
                self._signatures[event.index] = event.signature
            case Used():
                self._usage = event.usage
            case Stop():
                self._stop = event
            case Close() | Failed():
                pass

    def message(self) -> dict[str, object]:
        return {
            **wire.message(self._start, self._blocks(), self._usage),
            **wire.stop_fields(self._stop or Stop(self._end())),
        }

    def _blocks(self) -> list[object]:
        """The API refuses blank text when it comes back, so there is none."""
        return [
            wire.written(part, text, self._signatures.get(index, UNSIGNED))
            for index, part in self._opened.items()
            if (text := "".join(self._texts.get(index, ()))).strip()
            or part.kind is not PartKind.TEXT
        ]

    def _end(self) -> StopReason:
        called = any(part.kind is PartKind.TOOL_CALL for part in self._opened.values())
        return StopReason.TOOL_CALLS if called else StopReason.END
