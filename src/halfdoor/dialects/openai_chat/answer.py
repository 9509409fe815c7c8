"""Chat Completions answers that are not streamed: bytes → events, events → bytes."""

from collections.abc import Iterable

from msgspec import Struct

from halfdoor.canon.commands import Learnt
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
from halfdoor.canon.money import Usage
from halfdoor.dialects.openai_chat.assembly import Assembly
from halfdoor.dialects.openai_chat.wire import (
    FINISH_REASONS,
    Chunk,
    chunk,
    counts_of,
    failure,
    has_error,
)
from halfdoor.dialects.openai_errors import UNREADABLE, encode
from halfdoor.errors import BackendError


class Part(Struct):
    """A part with all of its text."""

    open: Open
    pieces: list[str] = []

    @property
    def text(self) -> str:
        """Prose, thinking or a call's arguments."""
        return "".join(self.pieces)


class Heard(Struct):
    """What a sequence of events says, all of it. parts: by index, in order of opening."""

    start: Start
    parts: dict[int, Part]
    usage: Usage | None = None
    stop: Stop | None = None
    failed: Failed | None = None

    def hear(self, events: Iterable[Event]) -> None:
        """Add what these events say."""
        for event in events:
            match event:
                case Delta(index=index, text=text):
                    self.parts[index].pieces.append(text)
                case Open(index=index):
                    self.parts[index] = Part(event)
                case Start():
                    self.start = event
                case Used(usage=usage):
                    self.usage = usage
                case Stop():
                    self.stop = event
                case Failed():
                    self.failed = event
                case _:
                    pass  # the end of a part and seals say nothing here

    def learnt(self) -> Learnt:
        """As a pipe tells it, with the texts of all parts."""
        calls = [part.open.call_id for part in self.parts.values() if part.open.call_id]
        return Learnt(
            usage=self.usage,
            stop=self.stop.reason if self.stop else "",
            finished=self.stop is not None and self.failed is None,
            calls=tuple(calls),
            texts=tuple(part.text for part in self.parts.values()),
            failure=self.failed.message if self.failed else "",
        )


def silence() -> Heard:
    """Nothing heard yet."""
    return Heard(Start("", ""), {})


def read_answer(body: bytes) -> list[Event]:
    """A whole answer. Raises BackendError(kind="protocol") if there is none in it."""
    found = _answer(body)
    if has_error(found):
        raise BackendError(failure(body).message, kind="protocol")
    if not found.choices or not any(c.message or c.text is not None for c in found.choices):
        raise BackendError("the backend's answer holds no message", kind="protocol")
    _number_calls(found)
    events: list[Event] = []
    assembly = Assembly()
    assembly.take(found, events)
    assembly.finish(events)
    if isinstance(failed := events[-1], Failed):
        raise BackendError(failed.message, kind="protocol")
    return events


def write_answer(events: Iterable[Event]) -> bytes:
    """A `chat.completion`; `created` is 0, as in a stream."""
    heard = silence()
    heard.hear(events)
    reason = heard.stop.reason if heard.stop else StopReason.END
    choice = {
        "index": 0,
        "message": _message(heard),
        "logprobs": None,
        "finish_reason": FINISH_REASONS[reason],
    }
    answer: dict[str, object] = {
        "id": heard.start.id,
        "object": "chat.completion",
        "created": 0,
        "model": heard.start.model,
        "choices": [choice],
    }
    if heard.usage is not None:
        answer["usage"] = counts_of(heard.usage)
    return encode(answer)


def _answer(body: bytes) -> Chunk:
    try:
        return chunk(body)
    except UNREADABLE:
        raise BackendError(
            "the backend's answer is not a chat completion",
            kind="protocol",
            hint="does its url end where this dialect's SDK wants it, in /v1?",
        ) from None


def _number_calls(found: Chunk) -> None:
    """In a whole answer a call's place is its number; engines repeat and omit ids."""
    for choice in found.choices or ():
        for number, call in enumerate((choice.message and choice.message.tool_calls) or ()):
            call.index = number


def _message(heard: Heard) -> dict[str, object]:
    text = _texts(heard, PartKind.TEXT)
    calls = [_call(part) for part in heard.parts.values() if part.open.kind is PartKind.TOOL_CALL]
    message: dict[str, object] = {
        "role": "assistant",
        "content": text if text or not calls else None,
        "refusal": None,
    }
    if thinking := _texts(heard, PartKind.THINKING):
        message["reasoning_content"] = thinking
    if calls:
        message["tool_calls"] = calls
    return message


def _texts(heard: Heard, kind: PartKind) -> str:
    return "".join(part.text for part in heard.parts.values() if part.open.kind is kind)


def _call(part: Part) -> dict[str, object]:
    return {
        "id": part.open.call_id,
        "type": "function",
        "function": {"name": part.open.name, "arguments": part.text or "{}"},
    }
