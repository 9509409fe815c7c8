"""Chat Completions answers that are not streamed: bytes → events, events → bytes."""

from collections.abc import Iterable

from halfdoor.canon.events import Event, Failed, PartKind, StopReason
from halfdoor.dialects.decoding import UNREADABLE, encode
from halfdoor.dialects.hearing import Heard, Part, heard
from halfdoor.dialects.openai_chat.assembly import Assembly
from halfdoor.dialects.openai_chat.wire import (
    FINISH_REASONS,
    Chunk,
    chunk,
    counts_of,
    has_error,
)
from halfdoor.dialects.openai_errors import failure
from halfdoor.errors import BackendError


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
    told = heard(events)
    reason = told.stop.reason if told.stop else StopReason.END
    choice = {
        "index": 0,
        "message": _message(told),
        "logprobs": None,
        "finish_reason": FINISH_REASONS[reason],
    }
    answer: dict[str, object] = {
        "id": told.start.id,
        "object": "chat.completion",
        "created": 0,
        "model": told.start.model,
        "choices": [choice],
    }
    if told.usage is not None:
        answer["usage"] = counts_of(told.usage)
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


def _message(told: Heard) -> dict[str, object]:
    text = told.text(PartKind.TEXT)
    calls = [_call(part) for part in told.of(PartKind.TOOL_CALL)]
    message: dict[str, object] = {
        "role": "assistant",
        "content": text if text or not calls else None,
        "refusal": None,
    }
    if thinking := told.text(PartKind.THINKING):
        message["reasoning_content"] = thinking
    if calls:
        message["tool_calls"] = calls
    return message


def _call(part: Part) -> dict[str, object]:
    return {
        "id": part.open.call_id,
        "type": "function",
        "function": {"name": part.open.name, "arguments": part.text or "{}"},
    }
