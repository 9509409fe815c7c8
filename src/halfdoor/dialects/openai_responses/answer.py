"""Responses answers that are not streamed: bytes → events, events → bytes."""

from collections.abc import Iterable

from halfdoor.canon.events import Event, PartKind, Start
from halfdoor.dialects.decoding import UNREADABLE, encode
from halfdoor.dialects.hearing import Part, heard
from halfdoor.dialects.openai_responses.items import (
    REDACTED,
    item_done,
    item_id,
    response,
    response_id,
)
from halfdoor.dialects.openai_responses.names import Names
from halfdoor.dialects.openai_responses.stream import Assembly
from halfdoor.dialects.openai_responses.wire import Response, failed, responses
from halfdoor.errors import BackendError


def read_answer(body: bytes) -> list[Event]:
    """A whole answer. Raises BackendError(kind="protocol") if there is none in it."""
    found = _answer(body)
    broken = failed(found)
    if broken is not None:
        raise BackendError(broken.message, kind="protocol")
    if found.output is None:
        raise BackendError("the backend's answer holds no output", kind="protocol")
    events: list[Event] = []
    Assembly().finish(found, events)
    return events


def write_answer(events: Iterable[Event], names: Names) -> bytes:
    """A `response` object. The events hold no Failed."""
    told = heard(events)
    start = Start(response_id(told.start.id), told.start.model)
    items = [
        item_done(part.open, item_id(part.open.kind, at, start.id), part.text, _sealed(part), names)
        for at, part in enumerate(told.parts.values())
    ]
    ended = told.stop.reason if told.stop else "completed"
    return encode(response(start, ended, items, told.usage))


def _sealed(part: Part) -> str:
    hidden = part.open.kind is PartKind.REDACTED_THINKING
    return REDACTED + part.seal if hidden else part.seal


def _answer(body: bytes) -> Response:
    try:
        return responses.decode(body)
    except UNREADABLE:
        raise BackendError(
            "the backend's answer is not a response",
            kind="protocol",
            hint="does its url end where this dialect's SDK wants it, in /v1?",
        ) from None
