"""Responses streams of a model → events.

Parts are opened by deltas, or by whole items where an engine sends no deltas: the item's end tells
everything once more, and what was told already is not told twice.
"""

from typing import Final

from msgspec import Struct

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
)
from halfdoor.dialects.decoding import UNREADABLE, readable
from halfdoor.dialects.openai_errors import failure
from halfdoor.dialects.openai_responses.wire import (
    Item,
    Response,
    Told,
    arguments_of,
    events_told,
    failed,
    seal,
    stop_reason,
    thought,
    usage,
)
from halfdoor.dialects.parsing import PieceParser
from halfdoor.reading.framing import Frame, SseReader

CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
_PROSE: Final = frozenset({"response.output_text.delta", "response.refusal.delta"})
_THOUGHTS: Final = frozenset({
    "response.reasoning_text.delta", "response.reasoning_summary_text.delta",
})  # fmt: skip


class _Part(Struct):
    """A part under way. said: some of its text was told; over: it was closed."""

    index: int
    said: bool = False
    over: bool = False
    summary: int = 0


class Assembly:
    """One answer under way; every method appends to a list of events."""

    def __init__(self) -> None:
        self._parts: dict[tuple[int, int], _Part] = {}
        self._done: set[int] = set()
        self._started = False
        self._called = False

    def start(self, found: Response, events: list[Event]) -> None:
        """The answer has an id; told once, because clients hold on to the first."""
        if not self._started:
            self._started = True
            events.append(Start(found.id or "", found.model or ""))

    def take(self, told: Told, events: list[Event]) -> None:
        """What one event tells, but for the end."""
        at = (told.output_index, told.content_index)
        match told.type:
            case "response.created" | "response.in_progress" if told.response is not None:
                self.start(told.response, events)
            case "response.output_item.added" if told.item and told.item.type == "function_call":
                self._call(told.output_index, told.item, events)
            case "response.output_item.done" if told.item is not None:
                self.item(told.output_index, told.item, events)
            case "response.function_call_arguments.delta":
                self._more((told.output_index, 0), PartKind.TOOL_CALL, told.delta, events)
            case kind if kind in _PROSE:
                self._more(at, PartKind.TEXT, told.delta, events)
            case kind if kind in _THOUGHTS:
                self._think(told, events)
            case _:
                pass  # the rest repeats what these tell

    def item(self, output: int, item: Item, events: list[Event]) -> None:
        """A whole item: what its deltas left out, and its end."""
        if output in self._done:
            return
        self._done.add(output)
        if item.type in CALLS:
            part = self._call(output, item, events)
            self._whole(part, arguments_of(item), events)
        elif item.type == "reasoning":
            self._reasoned(output, item, events)
        else:
            for at, content in enumerate(item.content or ()):
                text = content.text or content.refusal or ""
                known = self._parts.get((output, at))
                if text or known:
                    part = known or self._open((output, at), PartKind.TEXT, events)
                    self._whole(part, text, events)

    def finish(self, found: Response, events: list[Event]) -> None:
        """The answer is complete: items that no event told, what is open, counts, the reason."""
        self.start(found, events)
        for at, item in enumerate(found.output or ()):
            self.item(at, item, events)
        self.close(events)
        if found.usage is not None:
            events.append(Used(usage(found.usage)))
        events.append(Stop(stop_reason(found, called=self._called)))

    def close(self, events: list[Event]) -> None:
        """Close what is open."""
        for part in self._parts.values():
            self._over(part, events)

    def _reasoned(self, output: int, item: Item, events: list[Event]) -> None:
        sealed, said = seal(item), thought(item)
        part = self._parts.get((output, 0))
        if part is None and not sealed and not said:
            return
        part = part or self._open((output, 0), PartKind.THINKING, events)
        if not part.said and said:
            events.append(Delta(part.index, said))
        if sealed:
            events.append(Signed(part.index, sealed))
        self._over(part, events)

    def _call(self, output: int, item: Item, events: list[Event]) -> _Part:
        known = self._parts.get((output, 0))
        if known is not None:
            return known
        self._called = True
        return self._open((output, 0), PartKind.TOOL_CALL, events, item)

    def _think(self, told: Told, events: list[Event]) -> None:
        known = self._parts.get((told.output_index, 0))
        if known is not None and known.summary != told.summary_index:
            known.summary = told.summary_index
            events.append(Delta(known.index, "\n\n"))
        self._more((told.output_index, 0), PartKind.THINKING, told.delta, events)

    def _more(self, at: tuple[int, int], kind: PartKind, text: object, events: list[Event]) -> None:
        if not isinstance(text, str) or not text:
            return
        part = self._parts.get(at)
        if part is None:
            if kind is PartKind.TOOL_CALL:
                return  # a call without a beginning is told by its item
            part = self._open(at, kind, events)
        part.said = True
        events.append(Delta(part.index, text))

    def _open(
        self, at: tuple[int, int], kind: PartKind, events: list[Event], item: Item | None = None
    ) -> _Part:
        part = self._parts[at] = _Part(len(self._parts))
        call_id = (item.call_id or item.id or f"call_{part.index}") if item else ""
        name = (item.name or "") if item else ""
        events.append(Open(part.index, kind, call_id=call_id, name=name))
        return part

    def _whole(self, part: _Part, text: str, events: list[Event]) -> None:
        if not part.said and text:
            events.append(Delta(part.index, text))
        self._over(part, events)

    def _over(self, part: _Part, events: list[Event]) -> None:
        if not part.over:
            part.over = True
            events.append(Close(part.index))


class StreamParser(PieceParser[Frame]):
    """A model's stream → events. It ends with one of three events; without one it was cut."""

    __slots__ = ("_assembly",)

    def __init__(self) -> None:
        super().__init__(SseReader(), b"\n\n")
        self._assembly = Assembly()

    def _whole(self, piece: Frame) -> bool:
        return readable(events_told, piece.data)

    def _take(self, piece: Frame) -> list[Event]:
        if piece.data.strip() == b"[DONE]":
            return []  # some engines say it behind the end
        try:
            told = events_told.decode(piece.data)
        except UNREADABLE:
            return self._fail(Failed("the backend sent an unreadable event", "protocol"))
        kind = told.type or piece.event
        if kind == "error":
            return self._fail(failure(piece.data))
        if kind in _ENDS and told.response is not None:
            return self._end(told.response)
        events: list[Event] = []
        self._assembly.take(told, events)
        return events

    def _end(self, found: Response) -> list[Event]:
        broken = failed(found)
        if broken is not None:
            return self._fail(broken)
        self._over = True
        events: list[Event] = []
        self._assembly.finish(found, events)
        return events
