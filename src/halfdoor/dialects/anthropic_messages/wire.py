"""Anthropic Messages: what its objects look like on the wire, shared by requests and answers.

Source of the shapes: the public API reference (version 2023-06-01) and the types of the official
SDK. Fields that are not needed are not named, so unknown ones pass.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from halfdoor.canon.events import Failed, Open, PartKind, Start, Stop, StopReason
from halfdoor.canon.money import Usage
from halfdoor.dialects.decoding import MOST_TOKENS, UNREADABLE, encode, object_of

Count = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class TextBlock(Struct, tag_field="type", tag="text"):
    """Prose."""

    text: str


class Base64Source(Struct, tag_field="type", tag="base64"):
    """An image's bytes."""

    media_type: str
    data: str


class UrlSource(Struct, tag_field="type", tag="url"):
    """An image that the vendor fetches."""

    url: str


class ImageBlock(Struct, tag_field="type", tag="image"):
    """An image. Sources of other types (`file`) are for the vendor alone."""

    source: Base64Source | UrlSource


class ThinkingBlock(Struct, tag_field="type", tag="thinking"):
    """Reasoning. signature: the vendor's seal; other engines send null or nothing."""

    thinking: str
    signature: str | None = ""


class RedactedBlock(Struct, tag_field="type", tag="redacted_thinking"):
    """Reasoning as ciphertext."""

    data: str


class ToolUseBlock(Struct, tag_field="type", tag="tool_use"):
    """A tool call. input: a JSON object."""

    id: str
    name: str
    input: Raw = Raw(b"{}")


class ToolResultBlock(Struct, tag_field="type", tag="tool_result", omit_defaults=True):
    """What a tool answered."""

    tool_use_id: str
    content: str | list[Raw] | None = None
    is_error: bool | None = False


Block = TextBlock | ImageBlock | ThinkingBlock | RedactedBlock | ToolUseBlock | ToolResultBlock


class Head(Struct):
    """The least of a block: its type, and what seals it."""

    type: str = ""
    signature: object = None
    data: object = None


KNOWN: Final = frozenset(
    {"text", "thinking", "redacted_thinking", "tool_use", "tool_result"}
)  # not `image`: one with an unknown source is as opaque as an unknown block

_block: Final[msgspec.json.Decoder[Block]] = msgspec.json.Decoder(Block)
_head = msgspec.json.Decoder(Head)


def block(raw: Raw) -> Block | str:
    """A content block, or the `type` of one that only the vendor understands.

    Raises one of UNREADABLE when a known block has the wrong shape.
    """
    try:
        return _block.decode(raw)
    except msgspec.ValidationError:
        kind = head(raw).type
        if kind in KNOWN or not kind:
            raise
        return kind


def head(raw: Raw | memoryview) -> Head:
    """The head of a block. Raises one of UNREADABLE."""
    return _head.decode(raw)


def seal(raw: memoryview) -> str | None:
    """What seals a thinking block ("" when nothing does); None for every other block."""
    try:
        seen = head(raw)
    except UNREADABLE:
        return None
    match seen.type:
        case "thinking":
            return seen.signature if isinstance(seen.signature, str) else ""
        case "redacted_thinking":
            return seen.data if isinstance(seen.data, str) else ""
        case _:
            return None


def arguments(raw: Raw) -> str:
    """A tool call's input as JSON text, as it came. Raises UnicodeDecodeError."""
    return bytes(raw).decode() or "{}"


def tool_input(text: str) -> tuple[Raw, bool]:
    """A call's JSON arguments as this wire's `input`, and whether they are intact.

    The input must be an object. Models do write broken JSON; it travels as a string under one key,
    so that the tool refuses it and the model sees its own mistake.
    """
    given = object_of(text)
    if given is None:
        return Raw(encode({"malformed_arguments": text})), False
    return given, True


class OutputDetails(Struct):
    """What output tokens were used for."""

    thinking_tokens: Count | None = None


class CacheCreation(Struct):
    """For how long tokens were put into the cache."""

    ephemeral_1h_input_tokens: Count | None = None


class WireUsage(Struct):
    """Token counts. Cached tokens stand beside `input_tokens`, not inside it."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    output_tokens_details: OutputDetails | None = None
    cache_creation: CacheCreation | None = None


def tally(seen: Usage, wire: WireUsage) -> Usage:
    """Merge a usage object into what is known.

    Counts are cumulative on this wire, so the larger one holds: engines that repeat a count as 0
    or leave it out in `message_delta` do not erase what `message_start` said.
    """
    cached = max(seen.cached_tokens, wire.cache_read_input_tokens or 0)
    written = max(seen.cache_write_tokens, wire.cache_creation_input_tokens or 0)
    fresh = seen.input_tokens - seen.cached_tokens - seen.cache_write_tokens
    details, creation = wire.output_tokens_details, wire.cache_creation
    hour = (creation.ephemeral_1h_input_tokens or 0) if creation else 0
    return Usage(
        input_tokens=max(fresh, wire.input_tokens or 0) + cached + written,
        output_tokens=max(seen.output_tokens, wire.output_tokens or 0),
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=max(
            seen.reasoning_tokens, (details.thinking_tokens or 0) if details else 0
        ),
        cache_write_1h_tokens=max(seen.cache_write_1h_tokens, hour),
    )


def wire_usage(usage: Usage) -> dict[str, object]:
    """Canon's counts as this wire states them."""
    fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    counts: dict[str, object] = {
        "input_tokens": max(fresh, 0),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return counts


STOP_WORDS: Final = {
    StopReason.END: "end_turn",
    StopReason.LENGTH: "max_tokens",
    StopReason.STOP_SEQUENCE: "stop_sequence",
    StopReason.TOOL_CALLS: "tool_use",
    StopReason.REFUSAL: "refusal",
    StopReason.PAUSE: "pause_turn",
    StopReason.CONTEXT: "model_context_window_exceeded",
}
_STOPS: Final = {word: reason for reason, word in STOP_WORDS.items()}


def stop_reason(word: str) -> StopReason:
    """Canon's reason; one that is not known yet counts as a plain end."""
    return _STOPS.get(word, StopReason.END)


def stop_fields(stop: Stop) -> dict[str, object]:
    """How and on what the model stopped."""
    return {"stop_reason": STOP_WORDS[stop.reason], "stop_sequence": stop.sequence or None}


def message(start: Start, content: list[object], usage: Usage) -> dict[str, object]:
    """An answer that has not stopped yet."""
    return {
        "id": start.id,
        "type": "message",
        "role": "assistant",
        "model": start.model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": wire_usage(usage),
    }


def written(part: Open, text: str, signature: str) -> Block:
    """A part of an answer as its block. text: prose, or a call's arguments."""
    match part.kind:
        case PartKind.TEXT:
            return TextBlock(text)
        case PartKind.THINKING:
            return ThinkingBlock(text, signature)
        case PartKind.REDACTED_THINKING:
            return RedactedBlock(part.text)
        case PartKind.TOOL_CALL:
            return ToolUseBlock(part.call_id, part.name, tool_input(text)[0])


_ERROR_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
_STATUSES: Final = {name: status for status, name in _ERROR_TYPES.items()}


def error_type(status: int, code: str) -> str:
    """The vendor's word for an error. code: taken as it is when it is such a word already."""
    return code if code in _STATUSES else _ERROR_TYPES.get(status, "api_error")


def error_status(word: str) -> int:
    """The HTTP status that belongs to an error type; 502 for a word nobody knows."""
    return _STATUSES.get(word, 502)


def error_body(kind: str, message: str) -> bytes:
    """An error in the vendor's shape."""
    return encode({"type": "error", "error": {"type": kind, "message": message}})


class _Error(Struct):
    type: str | None = ""
    message: str = ""


class _ErrorBody(Struct):
    error: _Error | str


_error = msgspec.json.Decoder(_ErrorBody)


def error_words(body: bytes | Raw) -> tuple[str, str]:
    """(type, message) of an error body, ("", "") when unreadable.

    Engines that serve this path answer with their own shapes too: llama.cpp with OpenAI's (which
    has the same two fields), Ollama with a plain string.
    """
    try:
        error = _error.decode(body).error
    except UNREADABLE:
        return "", ""
    return ("", error) if isinstance(error, str) else (error.type or "", error.message)


def failure(data: bytes) -> Failed:
    """The event for an error body or frame."""
    kind, message = error_words(data)
    words = message or "the backend reported an error"
    return Failed(words, code=kind or "api_error", status=error_status(kind))
