"""Ollama answers that are not streamed, and what an answer said in all."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

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
from halfdoor.dialects.ollama.stream import Assembly, StreamEmitter, arguments_object
from halfdoor.dialects.ollama.wire import UNREADABLE, encode, pieces, trouble
from halfdoor.errors import BackendError

if TYPE_CHECKING:
    from halfdoor.canon.money import Usage


class Heard:
    """What a sequence of events says, all of it."""

    def __init__(self) -> None:
        self.start = Start("", "")
        self.opened: dict[int, Open] = {}
        self.said: dict[int, list[str]] = {}
        self.usage: Usage | None = None
        self.stop: Stop | None = None
        self.failure = ""

    def hear(self, events: Iterable[Event]) -> None:
        """Add what these events say."""
        for event in events:
            match event:
                case Delta(index=index, text=text):
                    self.said[index].append(text)
                case Open(index=index):
                    self.opened[index], self.said[index] = event, []
                case Start():
                    self.start = event
                case Used(usage=usage):
                    self.usage = usage
                case Stop():
                    self.stop = event
                case Failed():
                    self.failure = event.message
                case _:
                    pass  # the end of a part and seals say nothing here

    def text(self, kind: PartKind) -> str:
        """All of one kind."""
        return "".join("".join(self.said[i]) for i, o in self.opened.items() if o.kind is kind)

    def learnt(self) -> Learnt:
        """As a pipe tells it, with the texts of all parts."""
        return Learnt(
            usage=self.usage,
            stop=self.stop.reason if self.stop else "",
            finished=self.stop is not None and not self.failure,
            calls=tuple(o.call_id for o in self.opened.values() if o.call_id),
            texts=tuple("".join(pieces_) for pieces_ in self.said.values()),
            failure=self.failure,
        )


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
    heard, emitter = Heard(), StreamEmitter(generated=generated)
    heard.hear(events)
    emitter.emit(events)
    answer = emitter.last(heard.stop.reason if heard.stop else StopReason.END)
    text, thinking = heard.text(PartKind.TEXT), heard.text(PartKind.THINKING)
    thought = {"thinking": thinking} if thinking else {}
    if generated:
        return encode(answer | {"response": text} | thought)
    calls = [_call(heard, i) for i, o in heard.opened.items() if o.kind is PartKind.TOOL_CALL]
    message = {"role": "assistant", "content": text, **thought}
    return encode(answer | {"message": message | ({"tool_calls": calls} if calls else {})})


def _call(heard: Heard, index: int) -> dict[str, object]:
    part, given = heard.opened[index], arguments_object("".join(heard.said[index]))
    return {"id": part.call_id, "function": {"name": part.name, "arguments": given}}
