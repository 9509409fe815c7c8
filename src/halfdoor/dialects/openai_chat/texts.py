"""Completions, answered: events → what a tool that asked for text hears. Only text can be said."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from halfdoor.canon.events import (
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
from halfdoor.dialects.decoding import encode
from halfdoor.dialects.hearing import heard
from halfdoor.dialects.openai_chat.stream import DONE, stream_error
from halfdoor.dialects.openai_chat.wire import FINISH_REASONS, counts_of

if TYPE_CHECKING:
    from halfdoor.canon.money import Usage


class TextEmitter:
    """Events → the stream of a tool. It ends with the batch that holds Stop or Failed.

    counted: the tool asked for counts. `created` is 0: there is no clock here.
    """

    __slots__ = ("_counted", "_over", "_start", "_stop", "_texts", "_usage")

    def __init__(self, *, counted: bool) -> None:
        self._counted = counted
        self._start = Start("", "")
        self._texts: set[int] = set()
        self._usage: Usage | None = None
        self._stop: Stop | None = None
        self._over = False

    def emit(self, events: Iterable[Event]) -> bytes:
        """Bytes for these events; none once the stream has ended."""
        out = [self._one(event) for event in events if not self._over]
        if self._stop is not None and not self._over:
            self._over = True
            out.append(self._end(self._stop))
        return b"".join(out)

    def _one(self, event: Event) -> bytes:
        match event:
            case Delta(index=index, text=text) if index in self._texts and text:
                return self._said(choice(text, None))
            case Start():
                self._start = event
            case Open(index=index, kind=PartKind.TEXT):
                self._texts.add(index)
            case Used(usage=usage):
                self._usage = usage
            case Stop():
                self._stop = event
            case Failed():
                self._over = True
                return stream_error(event.status, event.code, event.message)
            case _:
                pass  # thinking and calls are no text, and ends of parts are not told
        return b""

    def _end(self, stop: Stop) -> bytes:
        out = self._said(choice("", FINISH_REASONS[stop.reason]))
        if self._counted and self._usage is not None:
            out += self._said(usage=counts_of(self._usage))
        return out + DONE

    def _said(self, *choices: dict[str, object], **more: object) -> bytes:
        return b"data: " + encode(envelope(self._start) | {"choices": choices, **more}) + b"\n\n"


def write_text(events: Iterable[Event]) -> bytes:
    """A `text_completion`."""
    told = heard(events)
    reason = told.stop.reason if told.stop else StopReason.END
    said = choice(told.text(PartKind.TEXT), FINISH_REASONS[reason])
    used = {} if told.usage is None else {"usage": counts_of(told.usage)}
    return encode(envelope(told.start) | {"choices": [said]} | used)


def envelope(start: Start) -> dict[str, object]:
    """What stands around the choices."""
    return {"id": start.id, "object": "text_completion", "created": 0, "model": start.model}


def choice(text: str, finish: str | None) -> dict[str, object]:
    """The one choice there is."""
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
