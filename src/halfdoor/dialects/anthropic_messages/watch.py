"""Anthropic Messages: learning from an answer that passes through unread.

Most frames of a stream are text deltas. They are recognised by what they lack: any of a few keys,
which cannot stand in a JSON string because their quotes would be escaped there.
"""

import re
from typing import Final

from msgspec.structs import replace

from halfdoor.canon.commands import Learnt
from halfdoor.canon.events import UNSIGNED, Delta, Event
from halfdoor.canon.money import Usage
from halfdoor.dialects import hearing
from halfdoor.dialects.anthropic_messages import wire as wire
from halfdoor.dialects.anthropic_messages.answer import (
    StreamParser,
    WireEvent,
    events,
    read_event,
)
from halfdoor.dialects.decoding import UNREADABLE
from halfdoor.dialects.hearing import failing
from halfdoor.dialects.watching import WATCHED_BYTES
from halfdoor.reading.framing import FRAME_LIMIT_BYTES, SseReader

_MARK: Final = re.compile(
    rb'"(?:usage|signature|tool_use|message_stop|stop_reason|redacted_thinking|error)"'
)
_STOP_MARK: Final = b'"message_stop"'


class StreamWatcher:
    """Counts and marks of a stream."""

    __slots__ = ("_calls", "_learnt", "_signatures", "_tail", "_usage")

    def __init__(self) -> None:
        self._tail = b""
        self._learnt = Learnt()
        self._usage = Usage()
        self._calls: list[str] = []
        self._signatures: list[str] = []

    def feed(self, chunk: bytes) -> bool:
        """Look at the frames that this chunk completes; True if it is whole and tells nothing."""
        if not self._tail and chunk.endswith(b"\n\n") and not _MARK.search(chunk):
            return True
        whole = self._tail + chunk if self._tail else chunk
        cut = _frames_end(whole)
        self._tail = whole[cut:] if len(whole) - cut <= FRAME_LIMIT_BYTES else b""
        if cut and _MARK.search(whole):
            self._frames(whole[:cut] + b"\n\n")
        return False

    @property
    def finished(self) -> bool:
        """`message_stop` was seen, in a whole frame."""
        return self._learnt.finished

    def learnt(self) -> Learnt:
        """What is known so far. A last frame that lacks its blank line counts as an end."""
        return replace(
            self._learnt,
            finished=self._learnt.finished or _STOP_MARK in self._tail,
            calls=tuple(self._calls),
            signatures=tuple(self._signatures),
        )

    def _frames(self, whole: bytes) -> None:
        for frame in SseReader().feed(whole):
            if _MARK.search(frame.data):
                try:
                    event = read_event(frame.data)
                except UNREADABLE:
                    continue  # it passes on as it is; the client judges it
                if event is not None:
                    self._look(event, frame.data)

    def _look(self, event: WireEvent, data: bytes) -> None:
        match event.type:
            case "message_start" | "message_delta":
                self._count(event)
            case "content_block_start":
                self._opened(event)
            case "content_block_delta":
                self._sealed(event.delta.signature if event.delta else "")
            case "message_stop":
                self._learnt = replace(self._learnt, finished=True)
            case _ if bytes(event.error) not in {b"", b"null"}:
                self._learnt = failing(self._learnt, wire.failure(data))

    def _count(self, event: WireEvent) -> None:
        counts = event.usage or (event.message.usage if event.message else None)
        if counts is not None:
            self._usage = wire.tally(self._usage, counts)
            self._learnt = replace(self._learnt, usage=self._usage)
        if event.delta and event.delta.stop_reason:
            stop = wire.stop_reason(event.delta.stop_reason).value
            self._learnt = replace(self._learnt, stop=stop)

    def _opened(self, event: WireEvent) -> None:
        try:
            block = wire.block(event.content_block)
        except UNREADABLE:
            return
        match block:
            case wire.ToolUseBlock():
                self._calls.append(block.id)
            case wire.ThinkingBlock():
                self._sealed(block.signature)
            case wire.RedactedBlock():
                self._sealed(block.data)

    def _sealed(self, signature: str | None) -> None:
        if signature and signature != UNSIGNED:
            self._signatures.append(signature)


class TextWatcher:
    """A StreamWatcher that also reads every frame, to keep the answer's texts."""

    __slots__ = ("_parser", "_size", "_texts", "_watcher")

    def __init__(self) -> None:
        self._watcher = StreamWatcher()
        self._parser = StreamParser()
        self._texts: dict[int, list[str]] = {}
        self._size = 0

    def feed(self, chunk: bytes) -> bool:
        """Read a chunk on its way; as its marks say."""
        self._size += len(chunk)
        if self._size <= WATCHED_BYTES:
            _collect(self._parser.feed(chunk), self._texts)
        return self._watcher.feed(chunk)

    @property
    def finished(self) -> bool:
        """From the marks."""
        return self._watcher.finished

    def learnt(self) -> Learnt:
        """What is known so far."""
        return replace(self._watcher.learnt(), texts=_joined(self._texts))


def body_learnt(body: bytes, *, texts: bool) -> Learnt:
    """What a whole answer was; nothing, if it is none."""
    return hearing.body_learnt(body, events, _failed, texts=texts)


def _failed(body: bytes) -> Learnt:
    return failing(Learnt(), wire.failure(body)) if wire.error_words(body)[1] else Learnt()


def _collect(told: list[Event], parts: dict[int, list[str]]) -> None:
    for event in told:
        if isinstance(event, Delta):
            parts.setdefault(event.index, []).append(event.text)


def _joined(parts: dict[int, list[str]]) -> tuple[str, ...]:
    return tuple("".join(texts) for texts in parts.values())


def _frames_end(data: bytes) -> int:
    """The offset behind the last complete frame, 0 if there is none."""
    end = data.rfind(b"\n\n") + 2
    if b"\r" in data:
        end = max(end, data.rfind(b"\n\r\n") + 3, data.rfind(b"\r\r") + 2)
    return end if end > 2 else 0
