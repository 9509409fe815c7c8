"""Ollama streams: lines of a model → events, events → lines for a tool."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, assert_never

from halfdoor.canon.events import (
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
from halfdoor.dialects.decoding import UNREADABLE, encode, readable
from halfdoor.dialects.ollama.wire import (
    DONE_REASONS,
    ERROR_STATUS,
    Piece,
    Turn,
    arguments_of,
    call_id,
    error_body,
    pieces,
    stop_reason,
    trouble,
    usage,
)
from halfdoor.dialects.parsing import PieceParser
from halfdoor.reading.framing import LineReader

if TYPE_CHECKING:
    from halfdoor.canon.money import Usage

# There is no clock here, and clients only want a date.
_NO_TIME = "1970-01-01T00:00:00Z"


class Assembly:
    """One answer under way. Text and thinking never overlap; calls come whole."""

    __slots__ = ("_called", "_next", "_prose", "_started", "finished")

    def __init__(self) -> None:
        self._started = False
        self._prose: tuple[PartKind, int] | None = None
        self._next = 0
        self._called = 0
        self.finished = False

    def take(self, piece: Piece) -> list[Event]:
        """What one line, or a whole answer, tells."""
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Start("", piece.model or ""))
        turn = piece.message or Turn()
        self._speak(PartKind.THINKING, turn.thinking or piece.thinking, events)
        self._speak(PartKind.TEXT, turn.content or piece.response, events)
        self._calls(turn, piece, events)
        if piece.done:
            self.finished = True
            self._close(events)
            events.append(Used(usage(piece)))
            events.append(Stop(stop_reason(piece.done_reason, called=self._called > 0)))
        return events

    def _speak(self, kind: PartKind, text: str | None, events: list[Event]) -> None:
        if not text:
            return
        if self._prose is None or self._prose[0] is not kind:
            self._close(events)
            self._prose = kind, self._open(Open(self._next, kind), events)
        events.append(Delta(self._prose[1], text))

    def _calls(self, turn: Turn, piece: Piece, events: list[Event]) -> None:
        for call in turn.tool_calls or ():
            self._close(events)
            id_ = call_id(call, self._called, piece)
            self._called += 1
            opened = Open(self._next, PartKind.TOOL_CALL, id_, call.function.name)
            part = self._open(opened, events)
            events += (Delta(part, arguments_of(call.function)), Close(part))

    def _open(self, opened: Open, events: list[Event]) -> int:
        self._next += 1
        events.append(opened)
        return opened.index

    def _close(self, events: list[Event]) -> None:
        if self._prose is not None:
            events.append(Close(self._prose[1]))
            self._prose = None


class StreamParser(PieceParser[bytes]):
    """A model's stream → events. The last line says `done`; without one it was cut."""

    __slots__ = ("_assembly",)

    def __init__(self) -> None:
        super().__init__(LineReader(), b"\n")
        self._assembly = Assembly()

    def _whole(self, piece: bytes) -> bool:
        return readable(pieces, piece)

    def _take(self, piece: bytes) -> list[Event]:
        try:
            found = pieces.decode(piece)
        except UNREADABLE:
            return self._fail(Failed("the backend sent an unreadable line", "protocol"))
        if found.error is not None:
            said = trouble(piece)[1] or "the backend reported an error"
            return self._fail(Failed(said, "error", ERROR_STATUS))
        events = self._assembly.take(found)
        self._over = self._assembly.finished
        return events


class StreamEmitter:
    """Events → the stream of a tool. It ends with the batch that holds Stop or Failed.

    generated: the tool asked `/api/generate`, whose text stands beside and not in a message.
    """

    def __init__(self, *, generated: bool) -> None:
        self._generated = generated
        self._model = ""
        self._parts: dict[int, Open] = {}
        self._arguments: dict[int, list[str]] = {}
        self._usage: Usage | None = None
        self._stop: Stop | None = None
        self._over = False

    def emit(self, events: Iterable[Event]) -> bytes:
        """Lines for these events; none once the stream has ended."""
        out = [self._one(event) for event in events if not self._over]
        if self._stop is not None and not self._over:
            self._over = True
            out.append(encode(self.last(self._stop.reason)) + b"\n")
        return b"".join(out)

    def last(self, reason: StopReason) -> dict[str, object]:
        """The line that ends an answer."""
        used = self._usage
        return self._piece("content", "") | {
            "done": True,
            "done_reason": DONE_REASONS.get(reason, "stop"),
            "total_duration": 0,
            "load_duration": 0,
            "prompt_eval_count": used.input_tokens if used else 0,
            "prompt_eval_duration": 0,
            "eval_count": used.output_tokens if used else 0,
            "eval_duration": 0,
        }

    def _one(self, event: Event) -> bytes:
        match event:
            case Delta(index=index, text=text):
                return self._delta(index, text)
            case Start(model=model):
                self._model = model
            case Open(index=index):
                self._parts[index] = event
            case Close(index=index):
                return self._close(index)
            case Used(usage=usage_):
                self._usage = usage_
            case Stop():
                self._stop = event
            case Failed():
                self._over = True
                return error_body(event.message) + b"\n"
            case Signed() | Vector():
                pass  # an embedding never streams, and this protocol has no seals
            case _:
                assert_never(event)
        return b""

    def _delta(self, index: int, text: str) -> bytes:
        match self._parts[index].kind:
            case PartKind.TEXT:
                return encode(self._piece("content", text)) + b"\n"
            case PartKind.THINKING:
                return encode(self._piece("thinking", text)) + b"\n"
            case PartKind.TOOL_CALL:
                self._arguments.setdefault(index, []).append(text)
            case PartKind.REDACTED_THINKING:
                pass  # ciphertext that only its vendor reads
        return b""

    def _close(self, index: int) -> bytes:
        part = self._parts[index]
        if part.kind is not PartKind.TOOL_CALL:
            return b""
        given = arguments_object("".join(self._arguments.pop(index, [])))
        function = {"name": part.name, "arguments": given}
        piece = self._piece("content", "")
        message = {"role": "assistant", "content": ""}
        piece["message"] = message | {"tool_calls": [{"id": part.call_id, "function": function}]}
        return encode(piece) + b"\n"

    def _piece(self, field: str, text: str) -> dict[str, object]:
        head: dict[str, object] = {"model": self._model, "created_at": _NO_TIME}
        if self._generated:
            said = {"response": text if field == "content" else ""}
            return (
                head | said | ({"thinking": text} if field == "thinking" else {}) | {"done": False}
            )
        message = {"role": "assistant", "content": "", field: text}
        return head | {"message": message, "done": False}


def arguments_object(text: str) -> dict[str, object]:
    """A call's JSON arguments as an object; what is none stands under `input`."""
    try:
        given = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"input": text}
    return given if isinstance(given, dict) else {"input": given}
