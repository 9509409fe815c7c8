"""Calls that an engine left in its text, made calls again in the events of an answer.

What may be the beginning of a leak is held back; what turns out to be prose goes on as it came, and
so does everything of an answer that has real calls. Nothing is held of other text.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec.structs import replace

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
)
from halfdoor.canon.request import ChoiceMode, Conversation, Tool
from halfdoor.reading.leaked import FENCE, Found, Offered, leaked, suspect

# A text that is held longer than this is no call, whatever it began like.
HELD_LIMIT: Final = 256 * 1024
_schema: Final = msgspec.json.Decoder(dict[str, Any])


def offered(conversation: Conversation) -> Offered:
    """The tools that a model may call; none where the client forbids it."""
    choice = conversation.tool_choice
    if choice is not None and choice.mode is ChoiceMode.NONE:
        return {}
    return {tool.name: _read(tool) for tool in conversation.tools if isinstance(tool, Tool)}


def _read(tool: Tool) -> dict[str, Any]:
    try:
        return _schema.decode(tool.schema) if tool.schema else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


class Repair:
    """Goes over one answer's events, in any chunking.

    repaired: the notations that were found, for the log.
    """

    def __init__(self, tools: Offered) -> None:
        self._tools = tools
        self._id = ""
        self._opened = 0  # parts that the client has heard of
        self._places: dict[int, int] = {}  # the answer's index of a part -> the client's
        self._text: _HeldText | None = None
        self._later: list[Event] = []
        self._called = False
        self.repaired: tuple[str, ...] = ()

    def take(self, events: Iterable[Event]) -> list[Event]:
        """What the client may hear by now."""
        return [told for event in events for told in self._event(event)]

    def end(self) -> list[Event]:
        """What is still held of an answer that never told why it ended."""
        return list(self._given_up())

    def _event(self, event: Event) -> Iterator[Event]:
        match event:
            case Start():
                self._id = event.id
                yield event
            case Open(kind=PartKind.TEXT) if self._text is None and not self._called:
                self._text = _HeldText(event)
            case Open():
                self._called = self._called or event.kind is PartKind.TOOL_CALL
                yield from self._given_up()
                yield self._open(event)
            case Delta() if self._holds(event.index):
                yield from self._heard(event)
            case Close() if self._holds(event.index):
                yield from self._closed()
            case Delta() | Signed() | Close():
                yield replace(event, index=self._places[event.index])
            case Stop():
                yield from self._ended(event)
            case Used() if self._text is not None and self._text.closed:
                self._later.append(event)
            case Failed():
                yield from self._given_up()
                yield event
            case _:
                yield event

    def _holds(self, index: int) -> bool:
        return self._text is not None and self._text.open.index == index

    def _closed(self) -> Iterator[Event]:
        assert self._text is not None
        self._text.closed = True
        if not self._text.begun:
            yield from self._given_up()

    def _open(self, event: Open) -> Open:
        place = self._places[event.index] = self._opened
        self._opened += 1
        return replace(event, index=place)

    def _heard(self, event: Delta) -> Iterator[Event]:
        assert self._text is not None
        yield from self._told(self._text.heard(event.text))

    def _told(self, text: str) -> Iterator[Event]:
        """Text of the held part; it is opened with its first letter."""
        held = self._text
        assert held is not None
        if text and held.open.index not in self._places:
            yield self._open(held.open)
        if text:
            yield Delta(self._places[held.open.index], text)

    def _given_up(self) -> Iterator[Event]:
        """What is held goes on as the text that it was."""
        if (held := self._text) is None:
            return
        if held.open.index not in self._places:
            yield self._open(held.open)
        yield from self._told(held.rest())
        if held.closed:
            yield Close(self._places[held.open.index])
        yield from self._done()

    def _done(self) -> Iterator[Event]:
        """Nothing is held any more, nor what had to wait behind it."""
        yield from self._later
        self._text, self._later = None, []

    def _ended(self, stop: Stop) -> Iterator[Event]:
        found = self._found(stop)
        if found is None:
            yield from self._given_up()
            yield stop
            return
        held = self._text
        assert held is not None
        self.repaired = (*self.repaired, found.notation)
        yield from self._told(held.rest()[: found.at].rstrip())
        if held.open.index in self._places:
            yield Close(self._places[held.open.index])
        yield from self._calls(found)
        yield from self._done()
        yield Stop(StopReason.TOOL_CALLS)

    def _found(self, stop: Stop) -> Found | None:
        held = self._text
        if held is None or not held.begun or self._called or stop.reason is not StopReason.END:
            return None
        return leaked(held.rest(), self._tools)

    def _calls(self, found: Found) -> Iterator[Event]:
        for number, call in enumerate(found.calls):
            # An id of its own for each call of each answer, which a tool sends back next turn.
            said = "\0".join((self._id, str(number), *call))
            place, self._opened = self._opened, self._opened + 1
            call_id = "call_" + sha256(said.encode()).hexdigest()[:24]
            yield Open(place, PartKind.TOOL_CALL, call_id, call.name)
            yield Delta(place, call.arguments)
            yield Close(place)


class _HeldText:
    """A part of text, from the beginning of the line that is not over yet. begun: a leak is."""

    def __init__(self, event: Open) -> None:
        self.open = event
        self.closed = False
        self.begun = False
        self._line = ""
        self._told = 0  # of `_line`
        self._first = True
        self._fenced = False

    def heard(self, text: str) -> str:
        """What may go on."""
        self._line += text
        if self.begun:
            return self._beyond_reason()
        at, self.begun = suspect(self._line, first=self._first, fenced=self._fenced)
        if self._first and not self._line[:at].strip():
            return ""  # white space before a call is not worth a text
        self._first = False
        told, self._told = self._line[self._told : at], max(self._told, at)
        if not self.begun:
            self._turn_the_page()
        return told

    def rest(self) -> str:
        """What was not told."""
        return self._line[self._told :]

    def _turn_the_page(self) -> None:
        """Lines that are told and over are not looked at again."""
        start = self._line.rfind("\n", 0, self._told) + 1
        if start:
            self._fenced ^= self._line.count(FENCE, 0, start) % 2 == 1
            self._line, self._told = self._line[start:], self._told - start

    def _beyond_reason(self) -> str:
        if len(self._line) <= HELD_LIMIT:
            return ""
        told = self.rest()
        self.begun, self._line, self._told, self._first = False, "", 0, False
        return told
