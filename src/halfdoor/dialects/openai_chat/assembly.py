"""Chat Completions answers → events: pieces come in, parts are opened, filled and closed."""

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from halfdoor.canon.events import Close, Delta, Event, Failed, Open, PartKind, Start, Stop, Used
from halfdoor.dialects.openai_chat.wire import (
    CallPiece,
    Choice,
    Chunk,
    FunctionPiece,
    Said,
    arguments_text,
    stop_reason,
    usage,
)

if TYPE_CHECKING:
    from halfdoor.canon.money import Usage

# Ids that we make must be taken by every vendor: OpenAI allows 40 characters, Anthropic these.
_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9_-]")
_ANSWER_ID_TAIL: Final = 24


class _Call(Struct):
    """A tool call under way. part is -1 until its name is known; `held` waits for that.

    number: 0, 1, 2 … in order of appearance. id: the wire's own, "" if it gives none.
    """

    number: int
    id: str = ""
    name: str = ""
    part: int = -1
    held: str = ""


class Assembly:
    """One answer under way. `take` its pieces, then `finish`; both append to a list of events.

    Text and thinking never overlap; tool calls stay open until the finish reason, because their
    fragments may interleave. Counts are told once, just before the stop.
    """

    __slots__ = (
        "_answer_id",
        "_called",
        "_finish",
        "_nameless",
        "_next_part",
        "_open_calls",
        "_prose",
        "_slots",
        "_usage",
    )

    def __init__(self) -> None:
        self._answer_id: str | None = None  # None until Start was told
        self._called = 0
        self._open_calls: list[_Call] = []
        self._slots: dict[int, _Call] = {}  # the open calls, by the wire's index
        self._nameless = False
        self._prose: tuple[PartKind, int] | None = None
        self._next_part = 0
        self._finish: str | None = None
        self._usage: Usage | None = None

    @property
    def finished(self) -> bool:
        """A finish reason was seen."""
        return self._finish is not None

    def take(self, chunk: Chunk, events: list[Event]) -> None:
        """One chunk, or one whole answer."""
        if chunk.usage is not None:
            self._usage = usage(chunk.usage)
        # Some vendors begin with a chunk that has neither choices nor the answer's id.
        for choice in chunk.choices or ():
            # Of several completions all count: what they say is followed, not passed on from here.
            if not choice.index or choice.text:
                self._start(chunk, events)
                self._choice(choice, events)

    def finish(self, events: list[Event]) -> None:
        """The answer is complete: what is open closes, then counts and stop."""
        self._start(Chunk(), events)
        self._close_all(events)
        if self._nameless:
            self.fail(Failed("a tool call came without a name", code="protocol"), events)
            return
        self._count(events)
        events.append(Stop(stop_reason(self._finish or "stop", called=self._called > 0)))

    def fail(self, failed: Failed, events: list[Event]) -> None:
        """The answer broke off; what was counted so far is still told."""
        self._count(events)
        events.append(failed)

    def _start(self, chunk: Chunk, events: list[Event]) -> None:
        if self._answer_id is None:
            self._answer_id = chunk.id or ""
            events.append(Start(self._answer_id, chunk.model or ""))

    def _count(self, events: list[Event]) -> None:
        if self._usage is not None:
            events.append(Used(self._usage))

    def _choice(self, choice: Choice, events: list[Event]) -> None:
        said = choice.delta or choice.message
        if said is not None:
            self._said(said, events)
        if choice.text:
            self._speak(PartKind.TEXT, choice.text, events)
        if choice.finish_reason:
            self._finish = choice.finish_reason
            self._close_all(events)

    def _said(self, said: Said, events: list[Event]) -> None:
        # Engines that send both names send the same text twice.
        if thinking := said.reasoning_content or said.reasoning:
            self._speak(PartKind.THINKING, thinking, events)
        if said.content:
            self._speak(PartKind.TEXT, said.content, events)
        if said.refusal:
            self._speak(PartKind.TEXT, said.refusal, events)
        for piece in said.tool_calls or ():
            self._piece(piece, events)

    def _speak(self, kind: PartKind, text: str, events: list[Event]) -> None:
        if self._prose is None or self._prose[0] is not kind:
            self._close_prose(events)
            self._prose = kind, self._open(events, kind)
        events.append(Delta(self._prose[1], text))

    def _piece(self, piece: CallPiece, events: list[Event]) -> None:
        function = piece.function or FunctionPiece()
        name = function.name or ""
        call = self._call(piece, name)
        call.id = call.id or piece.id or ""
        call.name = call.name or name
        call.held += arguments_text(function.arguments)
        if call.part < 0 and call.name:
            self._close_prose(events)
            call_id = call.id or self._made_id(call.number)
            call.part = self._open(events, PartKind.TOOL_CALL, call_id, call.name)
        if call.part >= 0 and call.held:
            events.append(Delta(call.part, call.held))
            call.held = ""

    def _call(self, piece: CallPiece, name: str) -> _Call:
        """The call that a fragment belongs to, maybe a new one."""
        known = self._known(piece.index)
        if known is None or _begins_another(known, piece, name):
            known = _Call(number=self._called)
            self._called += 1
            self._open_calls.append(known)
        if piece.index is not None:
            self._slots[piece.index] = known
        return known

    def _known(self, index: int | None) -> _Call | None:
        if index is not None:
            return self._slots.get(index)
        return self._open_calls[-1] if self._open_calls else None

    def _made_id(self, number: int) -> str:
        """The same for every chunking, different in every answer: ids are matched across turns."""
        tail = _NOT_IN_IDS.sub("", self._answer_id or "")[-_ANSWER_ID_TAIL:]
        return f"call_{number}_{tail}" if tail else f"call_{number}"

    def _open(self, events: list[Event], kind: PartKind, call_id: str = "", name: str = "") -> int:
        part, self._next_part = self._next_part, self._next_part + 1
        events.append(Open(part, kind, call_id=call_id, name=name))
        return part

    def _close_prose(self, events: list[Event]) -> None:
        if self._prose is not None:
            events.append(Close(self._prose[1]))
            self._prose = None

    def _close_all(self, events: list[Event]) -> None:
        self._close_prose(events)
        for call in self._open_calls:
            if call.part < 0:
                self._nameless = True
            else:
                events.append(Close(call.part))
        self._open_calls, self._slots = [], {}


def _begins_another(known: _Call, piece: CallPiece, name: str) -> bool:
    """Some engines give every call the index 0, or none at all; a new id with a name then tells."""
    if not name or not known.name:
        return False
    if piece.index is None:
        return not piece.id or piece.id != known.id
    return bool(piece.id and known.id and piece.id != known.id)
