"""Ollama answers that are not streamed, and what an answer said in all."""

from collections.abc import Iterable

from halfdoor.canon.events import Event, PartKind, StopReason
from halfdoor.dialects.decoding import UNREADABLE, encode
from halfdoor.dialects.hearing import Part, heard
from halfdoor.dialects.ollama.stream import Assembly, StreamEmitter, arguments_object
from halfdoor.dialects.ollama.wire import pieces, trouble
from halfdoor.errors import BackendError


def read_answer(body: bytes) -> list[Event]:
    """A whole answer. Raises BackendError(kind="protocol") if there is none in it."""
    try:
        found = pieces.decode(body)
    except UNREADABLE:
        raise BackendError(
            "the backend's answer is not one of Ollama's",
            kind="protocol",
            hint="its url is the engine's root, without `/v1` or `/api`",
        ) from None
    if found.error is not None:
        raise BackendError(trouble(body)[1] or "it reported an error", kind="protocol")
    if not found.done:
        raise BackendError("the backend's answer does not say that it is done", kind="protocol")
    return Assembly().take(found)


def write_answer(events: Iterable[Event], *, generated: bool) -> bytes:
    """One object. generated: see `stream.StreamEmitter`."""
    events = list(events)
    told, emitter = heard(events), StreamEmitter(generated=generated)
    emitter.emit(events)
    answer = emitter.last(told.stop.reason if told.stop else StopReason.END)
    text, thinking = told.text(PartKind.TEXT), told.text(PartKind.THINKING)
    thought = {"thinking": thinking} if thinking else {}
    if generated:
        return encode(answer | {"response": text} | thought)
    calls = [_call(part) for part in told.of(PartKind.TOOL_CALL)]
    message = {"role": "assistant", "content": text, **thought}
    return encode(answer | {"message": message | ({"tool_calls": calls} if calls else {})})


def _call(part: Part) -> dict[str, object]:
    function = {"name": part.open.name, "arguments": arguments_object(part.text)}
    return {"id": part.open.call_id, "function": function}
