"""Chat Completions on the wire, as far as it is read: answers, chunks, token counts, errors.

Every field may be absent or null and unknown fields are ignored: engines differ in what they send.
A value of a wrong type is a protocol failure, never a guess.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from halfdoor.canon.events import StopReason
from halfdoor.canon.money import Usage
from halfdoor.dialects import openai_words
from halfdoor.dialects.decoding import encode, present
from halfdoor.dialects.openai_words import InputDetails, OutputDetails

_STOP_REASONS: Final = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "tool_calls": StopReason.TOOL_CALLS,
    "function_call": StopReason.TOOL_CALLS,
    "content_filter": StopReason.REFUSAL,
}
FINISH_REASONS: Final = {
    StopReason.END: "stop",
    StopReason.LENGTH: "length",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.TOOL_CALLS: "tool_calls",
    StopReason.REFUSAL: "content_filter",
    StopReason.PAUSE: "stop",
    StopReason.CONTEXT: "length",
}


class FunctionPiece(Struct):
    """A function call or a fragment of one; some engines send arguments as an object."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class CallPiece(Struct):
    """One element of `tool_calls`."""

    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None


class Said(Struct):
    """A `delta` or a `message`."""

    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[CallPiece] | None = None


class Choice(Struct):
    """One of `choices`; only index 0 is ever asked for. text: of a completion."""

    index: int | None = None
    delta: Said | None = None
    message: Said | None = None
    text: str | None = None
    finish_reason: str | None = None


class Counts(Struct):
    """`usage`. Cached tokens are inside `prompt_tokens`, as in canon."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None


class Chunk(Struct):
    """A frame of a stream, or a whole answer: they differ in `delta` and `message` only."""

    id: str | None = None
    model: str | None = None
    choices: list[Choice] | None = None
    usage: Counts | None = None
    error: Raw = Raw()


_chunks: Final = msgspec.json.Decoder(Chunk)


def chunk(data: bytes) -> Chunk:
    """A frame's data or a whole answer. Raises one of UNREADABLE."""
    return _chunks.decode(data)


def has_error(found: Chunk) -> bool:
    """Whether the chunk is an error; some engines send `"error":null` beside an answer."""
    return present(found.error)


def stop_reason(finish: str, *, called: bool) -> StopReason:
    """The neutral reason. called: the answer holds tool calls.

    A call that was forced by name ends in `stop` at the vendor, and in several engines every call
    does; a tool must still be told that it is expected to act.
    """
    reason = _STOP_REASONS.get(finish, StopReason.END)
    return StopReason.TOOL_CALLS if called and reason is StopReason.END else reason


def usage(counts: Counts) -> Usage:
    """Token counts, each within 0 and 2^40: they come from outside and become money."""
    return openai_words.usage(
        counts.prompt_tokens,
        counts.completion_tokens,
        counts.prompt_tokens_details,
        counts.completion_tokens_details,
    )


def counts_of(used: Usage) -> dict[str, object]:
    """`usage` in the vendor's shape."""
    asked, said = openai_words.details_of(used)
    return {
        "prompt_tokens": used.input_tokens,
        "completion_tokens": used.output_tokens,
        "total_tokens": used.input_tokens + used.output_tokens,
        "prompt_tokens_details": asked,
        "completion_tokens_details": said,
    }


def arguments_text(arguments: str | dict[str, Any] | None) -> str:
    """A call's arguments as JSON text, "" when there are none yet."""
    return arguments or "" if not isinstance(arguments, dict) else encode(arguments).decode()
