"""Responses on the wire, as far as it is read: answers, stream events, token counts.

Every field may be absent or null and unknown fields are ignored: engines differ in what they send.
A value of a wrong type is a protocol failure, never a guess.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from halfdoor.canon.events import Failed, StopReason
from halfdoor.canon.money import Usage
from halfdoor.dialects import openai_words
from halfdoor.dialects.decoding import encode, present
from halfdoor.dialects.openai_errors import failure
from halfdoor.dialects.openai_words import InputDetails, OutputDetails

# How an answer that is not `completed` says why, and what that is called here.
INCOMPLETE: Final = {
    StopReason.LENGTH: "max_output_tokens",
    StopReason.CONTEXT: "max_output_tokens",
    StopReason.REFUSAL: "content_filter",
}
_INCOMPLETE_READ: Final = {
    "max_output_tokens": StopReason.LENGTH,
    "max_tokens": StopReason.LENGTH,
    "content_filter": StopReason.REFUSAL,
}


class Content(Struct):
    """A part of a message, of a summary or of reasoning."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None


class Item(Struct):
    """One item of an answer's `output`."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    input: str | None = None
    content: list[Content] | None = None
    summary: list[Content] | None = None
    encrypted_content: str | None = None


class Why(Struct):
    """`incomplete_details`."""

    reason: str | None = None


class Counts(Struct):
    """`usage`. Cached tokens are inside `input_tokens`, as in canon."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


class Response(Struct):
    """An answer: whole, or as an event of a stream tells it so far."""

    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[Item] | None = None
    usage: Counts | None = None
    incomplete_details: Why | None = None
    error: Raw = Raw()


class Told(Struct):
    """One event of a stream. delta: text, or whatever an event that is not read calls so."""

    type: str = ""
    response: Response | None = None
    item: Item | None = None
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    delta: Any = None
    text: str | None = None


responses: Final = msgspec.json.Decoder(Response)
events_told: Final = msgspec.json.Decoder(Told)


def failed(found: Response) -> Failed | None:
    """The failure that a response tells, None if it is none; many send `"error": null`."""
    raw = bytes(found.error)
    if not present(found.error) and found.status != "failed":
        return None
    return failure(b'{"error":' + raw + b"}" if raw else b"{}")


def stop_reason(found: Response, *, called: bool) -> StopReason:
    """Why it ended. called: the answer holds calls, so its tool is expected to act."""
    if found.status == "incomplete" or found.incomplete_details is not None:
        why = (found.incomplete_details or Why()).reason or ""
        return _INCOMPLETE_READ.get(why, StopReason.LENGTH)
    return StopReason.TOOL_CALLS if called else StopReason.END


def usage(counts: Counts) -> Usage:
    """Token counts, each within 0 and 2^40: they come from outside and become money."""
    return openai_words.usage(
        counts.input_tokens,
        counts.output_tokens,
        counts.input_tokens_details,
        counts.output_tokens_details,
    )


def counts_of(used: Usage) -> dict[str, object]:
    """`usage` in the vendor's shape."""
    asked, said = openai_words.details_of(used)
    return {
        "input_tokens": used.input_tokens,
        "input_tokens_details": asked,
        "output_tokens": used.output_tokens,
        "output_tokens_details": said,
        "total_tokens": used.input_tokens + used.output_tokens,
    }


def arguments_of(item: Item) -> str:
    """A call's arguments as JSON text; a custom tool's free text stands under `input`."""
    if item.type == "custom_tool_call":
        return encode({"input": item.input or ""}).decode()
    if isinstance(item.arguments, dict):
        return encode(item.arguments).decode()
    return item.arguments or ""


def thought(item: Item) -> str:
    """What a reasoning item says: its summary, or its own text where there is none."""
    said = item.summary or item.content or ()
    return "\n\n".join(part.text for part in said if part.text)


def seal(item: Item) -> str:
    """A reasoning item's ciphertext with its id: one goes back only with the other; "" for none."""
    return f"{item.id or ''}:{item.encrypted_content}" if item.encrypted_content else ""
