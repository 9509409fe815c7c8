"""What happens to an answer on its way to the client. Pure: bytes in, bytes out.

| backend and tool speak | streamed       | whole                |
|------------------------|----------------|----------------------|
| the same dialect       | Through        | Whole (bytes as are) |
| two dialects           | Translated     | Whole (translated)   |
"""

from collections.abc import Callable
from typing import Final, Protocol

from msgspec.structs import replace

from halfdoor.canon.commands import Fault, Headers, Learnt
from halfdoor.canon.events import UNSAID, Delta, Event, Failed, Open, PartKind, Signed, Stop, Used
from halfdoor.canon.request import Request
from halfdoor.dialects.base import Dialect, Emitter, Filter, Parser, Reads, Watcher
from halfdoor.dialects.hearing import failing
from halfdoor.errors import BackendError
from halfdoor.flow.repair import Repair
from halfdoor.reading.naming import fit

# Header names that tell a client about limits and requests; the rest is the backend's own affair.
_KEPT: Final = ("retry-after", "retry-after-ms", "request-id", "x-request-id", "x-should-retry")
_KEPT_PREFIXES: Final = ("anthropic-", "x-ratelimit-", "openai-")

# A frame longer than this is passed on in pieces rather than held.
HELD_LIMIT_BYTES: Final = 256 * 1024
_SHORTEST_END: Final = 4
_BLANK_LINE: Final = b"\n\n"

_PAGE: Final = "text/html"
_JSON: Final = ("content-type", "application/json")

# A whole answer larger than this is an attack or a fault.
ANSWER_LIMIT_BYTES: Final = 64 * 1024 * 1024


class Names(Protocol):
    """Tool names that were made fit for the way there."""

    def back(self, events: list[Event]) -> list[Event]:
        """Events with the names that the tool knows."""


def kept_headers(headers: Headers) -> Headers:
    """The headers of a backend's answer that its client may see."""
    return tuple(
        (name, value) for name, value in headers if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    )


def _kept_of_an_answer(headers: Headers) -> Headers:
    """The same of a 2xx. What stands before an engine answers so when it is gone: with a page."""
    if any(name == "content-type" and value.startswith(_PAGE) for name, value in headers):
        raise BackendError(
            "a web page came in place of a model's answer",
            kind="protocol",
            hint="check the backend's `url`; is something else listening there?",
        )
    return kept_headers(headers)


def through(
    request: Request, dialect: Dialect, about: Headers, *, texts: bool
) -> "Through | Whole":
    """A pipe between two ends of one dialect. about: halfdoor's own headers for the client."""
    watcher = dialect.watcher(stream=request.stream, texts=texts)
    if request.stream:
        return Through(_stream_of(dialect, about), dialect, watcher, dialect.filter(request))

    def unchanged(body: bytes) -> bytes:
        watcher.feed(body)
        return body

    return Whole((_JSON, *about), unchanged, watcher.learnt)


def translated(
    request: Request,
    near: Dialect,
    far: Reads,
    about: Headers,
    *,
    texts: bool,
    names: Names | None = None,
    repair: Repair | None = None,
) -> "Translated | Whole":
    """A pipe from a backend whose answer is read by `far` to a tool that speaks `near`.

    names: gives the tool's own names back. repair: finds calls that the engine left in its text.
    """
    notes = Notes(texts=texts, repair=repair)
    if request.stream:
        parser = far.parser() if repair is None else _Repaired(far.parser(), repair)
        emitter = near.emitter(request)
        return Translated(near, _stream_of(near, about), parser, emitter, notes, names)

    def translate(body: bytes) -> bytes:
        events = far.events(body)
        if repair is not None:
            events = [*repair.take(events), *repair.end()]
        events = _fitting(events)
        notes.take(events)
        return near.answer(events if names is None else names.back(events), request)

    return Whole((_JSON, *about), translate, notes.learnt)


def _stream_of(dialect: Dialect, about: Headers) -> Headers:
    return (
        ("content-type", dialect.content_type_stream),
        ("cache-control", "no-cache"),
        ("x-accel-buffering", "no"),
        *about,
    )


class WholeFrames:
    """Lets bytes through up to the last frame's end, so that a cut never leaves half a frame.

    end: what ends a frame, see `Dialect.frame_end`.
    """

    def __init__(self, end: bytes) -> None:
        self.rest = b""
        self._end = end

    def feed(self, chunk: bytes) -> bytes:
        """Whole frames, byte for byte; `rest` holds what follows them."""
        data = self.rest + chunk if self.rest else chunk
        if data.endswith(self._end):
            self.rest = b""
            return data
        end = data.rfind(self._end) + len(self._end)
        if self._end == _BLANK_LINE:  # whatever the line ends are
            end = max(end, data.rfind(b"\r\n\r\n") + 4, data.rfind(b"\r\r") + 2)
        if end < _SHORTEST_END:
            end = len(data) if len(data) > HELD_LIMIT_BYTES else 0
        self.rest = data[end:]
        return data[:end]


class Through:
    """A stream whose bytes pass unchanged; it is only watched."""

    def __init__(
        self, head: Headers, dialect: Dialect, watcher: Watcher, only: Filter | None
    ) -> None:
        self.ping = dialect.ping
        self._head = head
        self._dialect = dialect
        self._watcher = watcher
        self._filter = only
        self._frames = WholeFrames(dialect.frame_end)
        self._idle = True  # nothing is held of what came before
        self._begun = False
        self._broken = ""

    @property
    def finished(self) -> bool:
        """From the watcher."""
        return self._watcher.finished

    def head(self, headers: Headers) -> Headers:
        """The client's headers. Raises BackendError for a web page."""
        return (*self._head, *_kept_of_an_answer(headers))

    def feed(self, chunk: bytes) -> bytes:
        """The chunk itself, less a frame that the client did not ask for."""
        if self._watcher.feed(chunk) and self._idle:
            self._begun = True
            return chunk
        out = chunk if self._filter is None else self._filter.feed(chunk)
        out = self._frames.feed(out)
        if not self._begun and self._watcher.finished:
            self._broken = _broken_at_once(self._dialect, out)
        self._begun = self._begun or bool(out)
        self._idle = not self._frames.rest and (self._filter is None or self._filter.idle)
        return out

    def end(self) -> bytes:
        """Nothing, or the error event when the stream's own end never came."""
        learnt = self._watcher.learnt()
        held = self._frames.feed(b"" if self._filter is None else self._filter.end())
        if learnt.finished or learnt.failure:
            return held + self._frames.rest
        if not self._begun:
            raise BackendError("the stream ended before it began", kind="cut")
        self._broken = "the stream ended early"
        return held + self._dialect.stream_error("cut", f"halfdoor: {self._broken}")

    def unsaid(self, out: bytes) -> bool:
        """No part of an answer is opened."""
        return _opens_nothing(self._dialect, out)

    def broken(self, fault: Fault) -> bytes:
        """The error event, in place of what is held of an unfinished frame."""
        self._broken = fault.message
        return self._dialect.stream_error(fault.kind.value, f"halfdoor: {fault.message}")

    def learnt(self) -> Learnt:
        """From the watcher, and what broke."""
        learnt = self._watcher.learnt()
        return _failed(learnt, self._broken) if self._broken else learnt


def _opens_nothing(dialect: Dialect, out: bytes) -> bool:
    return not any(isinstance(event, Open) for event in dialect.parser().feed(out))


def _broken_at_once(dialect: Dialect, out: bytes) -> str:
    """Why a stream that ends in its first bytes is none at all, "" if it can be one."""
    events = dialect.parser().feed(out)
    first = events[0] if events else None
    return first.message if isinstance(first, Failed) else ""


class _Repaired:
    """A parser whose events are gone over."""

    def __init__(self, parser: Parser, repair: Repair) -> None:
        self._parser = parser
        self._repair = repair

    def feed(self, chunk: bytes) -> list[Event]:
        return self._repair.take(self._parser.feed(chunk))

    def end(self) -> list[Event]:
        return [*self._repair.take(self._parser.end()), *self._repair.end()]


class Translated:
    """A stream read in one dialect and written in another."""

    def __init__(
        self,
        near: Dialect,
        head: Headers,
        parser: Parser,
        emitter: Emitter,
        notes: "Notes",
        names: Names | None,
    ) -> None:
        self.ping = near.ping
        self._near = near
        self._head = head
        self._parser = parser
        self._emitter = emitter
        self._notes = notes
        self._names = names
        self._begun = False

    @property
    def finished(self) -> bool:
        """From the events."""
        return self._notes.finished

    def head(self, headers: Headers) -> Headers:
        """The client's headers. Raises BackendError for a web page."""
        return (*self._head, *_kept_of_an_answer(headers))

    def feed(self, chunk: bytes) -> bytes:
        """Whatever the events in this chunk say in the client's dialect."""
        return self._emit(self._parser.feed(chunk))

    def end(self) -> bytes:
        """The rest, or an error event."""
        return self._emit(self._parser.end())

    def unsaid(self, out: bytes) -> bool:
        """No part of an answer is opened."""
        return _opens_nothing(self._near, out)

    def broken(self, fault: Fault) -> bytes:
        """An error event that names the fault. A keep-alive may be all that went out before."""
        self._begun = True
        return self._emit([Failed(f"halfdoor: {fault.message}", fault.kind.value)])

    def learnt(self) -> Learnt:
        """From the events."""
        return self._notes.learnt()

    def _emit(self, events: list[Event]) -> bytes:
        if not events:
            return b""
        first = events[0]
        if not self._begun and isinstance(first, Failed) and first.code in UNSAID:
            # Nothing is out yet: another target may still answer. What the backend says itself
            # is told as it says it, if a keep-alive is out.
            raise BackendError(
                first.message, kind="protocol" if first.code == "protocol" else "cut"
            )
        events = _fitting(events)
        self._notes.take(events)
        out = self._emitter.emit(events if self._names is None else self._names.back(events))
        self._begun = self._begun or bool(out)
        return out


def _fitting(events: list[Event]) -> list[Event]:
    """Calls under ids that every vendor takes back: the session may go on at another's.

    Kimi's are `functions.read:0`, which Anthropic refuses.
    """
    for at, event in enumerate(events):
        if (
            isinstance(event, Open)
            and event.call_id
            and (id_ := fit(event.call_id)) != event.call_id
        ):
            events[at] = replace(event, call_id=id_)
    return events


class Whole:
    """An answer that is not streamed: it reaches the client complete or not at all."""

    ping = b""

    def __init__(
        self, head: Headers, turn: Callable[[bytes], bytes], learnt: Callable[[], Learnt]
    ) -> None:
        self._head = head
        self._turn = turn
        self._learnt = learnt
        self._chunks: list[bytes] = []
        self._size = 0

    @property
    def finished(self) -> bool:
        """Nothing passes before the end."""
        return False

    def head(self, headers: Headers) -> Headers:
        """The client's headers. Raises BackendError for a web page."""
        return (*self._head, *_kept_of_an_answer(headers))

    def feed(self, chunk: bytes) -> bytes:
        """Nothing yet."""
        self._size += len(chunk)
        if self._size > ANSWER_LIMIT_BYTES:
            raise BackendError("the answer exceeds 64 MiB", kind="protocol")
        self._chunks.append(chunk)
        return b""

    def end(self) -> bytes:
        """The whole body. Raises BackendError when it is no answer."""
        if not self._chunks:
            raise BackendError("the answer is empty", kind="cut")
        return self._turn(b"".join(self._chunks))

    def unsaid(self, _out: bytes) -> bool:
        """A body that holds an error is no answer."""
        return True

    def broken(self, _fault: Fault) -> bytes:
        """Never after commit: a whole answer commits with its last byte."""
        return b""

    def learnt(self) -> Learnt:
        """From the body."""
        return self._learnt()


class Notes:
    """Learns from neutral events."""

    def __init__(self, *, texts: bool, repair: Repair | None = None) -> None:
        self._texts = texts
        self._repair = repair
        self._parts: dict[int, list[str]] = {}
        self._calls: list[str] = []
        self._signatures: list[str] = []
        self._learnt = Learnt()

    @property
    def finished(self) -> bool:
        """A stop was told."""
        return self._learnt.finished

    def take(self, events: list[Event]) -> None:
        """Note what these events tell."""
        for event in events:
            match event:
                case Delta():
                    if self._texts:
                        self._parts.setdefault(event.index, []).append(event.text)
                case Open(kind=PartKind.TOOL_CALL):
                    self._calls.append(event.call_id)
                case Open(kind=PartKind.REDACTED_THINKING):
                    self._signatures.append(event.text)
                case Signed():
                    self._signatures.append(event.signature)
                case Used():
                    self._learnt = _with(self._learnt, usage=event.usage)
                case Stop():
                    self._learnt = _with(self._learnt, stop=event.reason.value, finished=True)
                case Failed():
                    self._learnt = failing(self._learnt, event)
                case _:
                    pass

    def learnt(self) -> Learnt:
        """What is known so far."""
        return _with(
            self._learnt,
            calls=tuple(self._calls),
            signatures=tuple(self._signatures),
            texts=tuple("".join(parts) for parts in self._parts.values()),
            repaired=self._repair.repaired if self._repair else (),
        )


def _with(learnt: Learnt, **changes: object) -> Learnt:
    return replace(learnt, **changes)


def _failed(learnt: Learnt, message: str) -> Learnt:
    return _with(learnt, failure=message)
