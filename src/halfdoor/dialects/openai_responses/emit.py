"""Events → a Responses stream that a tool understands.

One response id from the first event to the last (the SDK demands it), a sequence number in every
event, and every item once more, whole, at its end: Codex reads nothing else.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, assert_never

from halfdoor.canon.commands import FaultKind
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
from halfdoor.dialects.decoding import encode
from halfdoor.dialects.hearing import Part
from halfdoor.dialects.openai_responses.items import (
    REDACTED,
    item_added,
    item_done,
    item_id,
    response,
    response_id,
)
from halfdoor.dialects.openai_responses.names import Names, free_text

if TYPE_CHECKING:
    from halfdoor.canon.money import Usage

# Kinds of faults that this API has no word for; a vendor's own code goes on as it came.
_OURS: Final = frozenset(kind.value for kind in FaultKind)
_TEXT_PART: Final = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}


class Under(Part):
    """A part under way: where it stands in the answer."""

    output: int = 0
    id: str = ""
    over: bool = False


class StreamEmitter:
    """The stream of a tool. It ends with the batch that holds Stop or Failed.

    names: by which calls find back to the tool's own names. `created_at` is 0: there is no clock
    here, and clients do not read it.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._start = Start("", "")
        self._sequence = 0
        self._parts: dict[int, Under] = {}
        self._items: list[dict[str, object]] = []
        self._usage: Usage | None = None
        self._stop: Stop | None = None
        self._begun = False
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
                return self._delta(self._parts[index], text)
            case Start():
                return self._begin(event)
            case Open():
                return self._open(event)
            case Signed(index=index, signature=signature):
                self._parts[index].seal = signature
            case Close(index=index):
                return self._close(self._parts[index])
            case Used(usage=usage):
                self._usage = usage
            case Stop():
                self._stop = event
            case Failed():
                return self._failed(event)
            case Vector():
                pass  # an embedding never streams
            case _:
                assert_never(event)
        return b""

    def _frame(self, kind: str, **fields: object) -> bytes:
        self._sequence += 1
        told = {"type": kind, "sequence_number": self._sequence - 1, **fields}
        return b"".join((b"event: ", kind.encode(), b"\ndata: ", encode(told), b"\n\n"))

    def _begin(self, start: Start) -> bytes:
        self._begun = True
        self._start = Start(response_id(start.id), start.model)
        so_far = response(self._start, "in_progress", [], None)
        created = self._frame("response.created", response=so_far)
        return created + self._frame("response.in_progress", response=so_far)

    def _open(self, event: Open) -> bytes:
        output = len(self._parts)
        id_ = item_id(event.kind, output, self._start.id)
        part = Under(event, output=output, id=id_)
        self._parts[event.index] = part
        item = item_added(event, part.id, self._names)
        out = self._frame("response.output_item.added", output_index=output, item=item)
        if event.kind is PartKind.TEXT:
            out += self._part_frame("response.content_part.added", part, part=_TEXT_PART)
        if event.kind is PartKind.REDACTED_THINKING:
            part.seal = REDACTED + event.text
        return out

    def _delta(self, part: Under, text: str) -> bytes:
        if not text:
            return b""
        part.pieces.append(text)
        match part.open.kind:
            case PartKind.TEXT:
                return self._part_frame("response.output_text.delta", part, delta=text, logprobs=[])
            case PartKind.THINKING:
                return self._part_frame("response.reasoning_text.delta", part, delta=text)
            case PartKind.TOOL_CALL if not self._custom(part):
                return self._item_frame("response.function_call_arguments.delta", part, delta=text)
            case _:
                return b""  # free text is known when its JSON is whole

    def _close(self, part: Under) -> bytes:
        if part.over:
            return b""
        part.over = True
        item = item_done(part.open, part.id, part.text, part.seal, self._names)
        self._items.append(item)
        said = self._said(part)
        return said + self._frame("response.output_item.done", output_index=part.output, item=item)

    def _said(self, part: Under) -> bytes:
        """What a part said, once more and whole."""
        text = part.text
        match part.open.kind:
            case PartKind.TEXT:
                whole = _TEXT_PART | {"text": text}
                told = self._part_frame("response.output_text.done", part, text=text, logprobs=[])
                return told + self._part_frame("response.content_part.done", part, part=whole)
            case PartKind.THINKING:
                return self._part_frame("response.reasoning_text.done", part, text=text)
            case PartKind.TOOL_CALL if self._custom(part):
                given = free_text(text)
                kind = "response.custom_tool_call_input"
                told = self._item_frame(f"{kind}.delta", part, delta=given)
                return told + self._item_frame(f"{kind}.done", part, input=given)
            case PartKind.TOOL_CALL:
                name = self._names.origin(part.open.name).name
                kind = "response.function_call_arguments.done"
                return self._item_frame(kind, part, arguments=text or "{}", name=name)
            case _:
                return b""

    def _custom(self, part: Under) -> bool:
        return self._names.origin(part.open.name).custom

    def _item_frame(self, kind: str, of: Under, /, **fields: object) -> bytes:
        return self._frame(kind, item_id=of.id, output_index=of.output, **fields)

    def _part_frame(self, kind: str, of: Under, /, **fields: object) -> bytes:
        return self._item_frame(kind, of, content_index=0, **fields)

    def _end(self, stop: Stop) -> bytes:
        open_parts = [part for part in self._parts.values() if not part.over]
        out = b"".join(self._close(part) for part in open_parts)
        self._over = True
        told = response(self._start, stop.reason, self._items, self._usage)
        kind = "incomplete" if told["incomplete_details"] else "completed"
        return out + self._frame(f"response.{kind}", response=told)

    def _failed(self, event: Failed) -> bytes:
        out = b"" if self._begun else self._begin(self._start)
        self._over = True
        told = response(self._start, StopReason.END, self._items, self._usage)
        code = "server_error" if event.code in _OURS else event.code
        told |= {"status": "failed", "error": {"code": code, "message": event.message}}
        return out + self._frame("response.failed", response=told)
