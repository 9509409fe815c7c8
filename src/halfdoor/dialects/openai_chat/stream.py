"""Chat Completions streams: bytes of a model → events, events → bytes for a tool."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, assert_never

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
    Used,
    Vector,
)
from halfdoor.dialects.decoding import UNREADABLE, encode
from halfdoor.dialects.openai_chat.assembly import Assembly
from halfdoor.dialects.openai_chat.wire import (
    FINISH_REASONS,
    chunk,
    counts_of,
    has_error,
)
from halfdoor.dialects.openai_errors import error_body, failure
from halfdoor.errors import BackendError
from halfdoor.reading.framing import Frame, SseReader

if TYPE_CHECKING:
    from halfdoor.canon.money import Usage

DONE: Final = b"data: [DONE]\n\n"


class StreamParser:
    """A model's stream → events.

    The end is `[DONE]`, or the end of the bytes once a finish reason was seen: several engines
    close without saying more.
    """

    __slots__ = ("_assembly", "_over", "_reader")

    def __init__(self) -> None:
        self._reader = SseReader()
        self._assembly = Assembly()
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by this chunk."""
        events: list[Event] = []
        if self._over:
            return events
        try:
            for frame in self._reader.feed(data):
                if self._frame(frame, events):
                    break
        except BackendError as error:
            self._fail(Failed(error.message, code="protocol"), events)
        return events

    def end(self) -> list[Event]:
        """The backend closed: the rest, or Failed(code="cut")."""
        events: list[Event] = []
        if self._over:
            return events
        # A last frame may lack its blank line; half a frame is a cut, not a breach of protocol.
        for frame in self._reader.feed(b"\n\n"):
            if _whole(frame) and self._frame(frame, events):
                return events
        if self._assembly.finished:
            self._finish(events)
        else:
            self._fail(Failed("the answer was cut short", code="cut"), events)
        return events

    def _frame(self, frame: Frame, events: list[Event]) -> bool:
        """Read one frame; True if the answer is over with it."""
        if frame.data.strip() == b"[DONE]":
            return self._finish(events)
        try:
            found = chunk(frame.data)
        except UNREADABLE:
            return self._fail(Failed("the backend sent an unreadable chunk", "protocol"), events)
        if has_error(found) or frame.event == "error":
            return self._fail(failure(frame.data), events)
        self._assembly.take(found, events)
        return False

    def _finish(self, events: list[Event]) -> bool:
        self._over = True
        self._assembly.finish(events)
        return True

    def _fail(self, failed: Failed, events: list[Event]) -> bool:
        self._over = True
        self._assembly.fail(failed, events)
        return True


def _whole(frame: Frame) -> bool:
    try:
        return frame.data.strip() == b"[DONE]" or chunk(frame.data) is not None
    except UNREADABLE:
        return False


class StreamEmitter:
    """Events → the stream of a tool.

    The stream ends with the batch that holds Stop (counts may stand before or after it there) or
    Failed. `created` is 0: there is no clock here, and clients do not read it.
    counted: the tool asked for counts; clients that did not may index `choices[0]` of any chunk.
    """

    __slots__ = ("_calls", "_counted", "_head", "_over", "_parts", "_silent", "_stop", "_usage")

    def __init__(self, *, counted: bool) -> None:
        self._counted = counted
        self._head = _head(Start("", ""))
        self._parts: dict[int, tuple[bytes, bytes]] = {}  # what stands around a delta's text
        self._silent: set[int] = set()  # calls without arguments so far
        self._calls = 0
        self._usage: Usage | None = None
        self._stop: Stop | None = None
        self._over = False

    def emit(self, events: Iterable[Event]) -> bytes:
        """Bytes for these events; none once the stream has ended."""
        out = [self._one(event) for event in events if not self._over]
        if self._stop is not None and not self._over:
            out.append(self._end(self._stop))
        return b"".join(out)

    def _one(self, event: Event) -> bytes:
        match event:
            case Delta(index=index, text=text):
                return self._delta(index, text)
            case Start():
                return self._start(event)
            case Open():
                return self._open(event)
            case Close(index=index):
                # A call without arguments is `{}` here: clients parse the string.
                return self._delta(index, "{}") if index in self._silent else b""
            case Used(usage=usage):
                self._usage = usage
            case Stop():
                self._stop = event
            case Failed():
                return self._failed(event)
            case Signed() | Vector():
                pass  # an embedding never streams, and Chat has no seals
            case _:
                assert_never(event)
        return b""

    def _start(self, start: Start) -> bytes:
        self._head = _head(start)
        return self._said(b'{"role":"assistant","content":""}')

    def _said(self, delta: bytes, finish: bytes = b"null") -> bytes:
        return b"".join((
            self._head, b'{"index":0,"delta":', delta, b',"finish_reason":', finish, b"}]}\n\n",
        ))  # fmt: skip

    def _around(self, before: bytes, after: bytes) -> tuple[bytes, bytes]:
        mark = b"\x00"
        start, end = self._said(before + mark + after).split(mark)
        return start, end

    def _open(self, part: Open) -> bytes:
        match part.kind:
            case PartKind.TEXT:
                self._parts[part.index] = self._around(b'{"content":', b"}")
            case PartKind.THINKING:
                self._parts[part.index] = self._around(b'{"reasoning_content":', b"}")
            case PartKind.REDACTED_THINKING:
                pass  # ciphertext that only its vendor reads
            case PartKind.TOOL_CALL:
                return self._open_call(part)
            case _:
                assert_never(part.kind)
        return b""

    def _open_call(self, part: Open) -> bytes:
        slot = str(self._calls).encode()
        self._calls += 1
        self._silent.add(part.index)
        self._parts[part.index] = self._around(
            b'{"tool_calls":[{"index":' + slot + b',"function":{"arguments":', b"}}]}"
        )
        call = {
            "index": self._calls - 1,
            "id": part.call_id,
            "type": "function",
            "function": {"name": part.name, "arguments": ""},
        }
        return self._said(encode({"tool_calls": [call]}))

    def _delta(self, index: int, text: str) -> bytes:
        around = self._parts.get(index)
        if around is None or not text:
            return b""
        self._silent.discard(index)
        return around[0] + encode(text) + around[1]

    def _end(self, stop: Stop) -> bytes:
        self._over = True
        out = self._said(b"{}", encode(FINISH_REASONS[stop.reason]))
        if self._counted and self._usage is not None:
            out += self._head + b'],"usage":' + encode(counts_of(self._usage)) + b"}\n\n"
        return out + DONE

    def _failed(self, failed: Failed) -> bytes:
        self._over = True
        return stream_error(failed.status, failed.code, failed.message)


def _head(start: Start) -> bytes:
    """How every chunk of one answer begins."""
    envelope = encode(
        {
            "id": start.id,
            "object": "chat.completion.chunk",
            "created": 0,
            "model": start.model,
        }
    )
    return b"data: " + envelope[:-1] + b',"choices":['


def stream_error(status: int, code: str, message: str) -> bytes:
    """An error frame and a clean end."""
    return b"data: " + error_body(status, code, message) + b"\n\n" + DONE
