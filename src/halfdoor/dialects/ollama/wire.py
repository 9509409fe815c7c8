"""Ollama's own protocol on the wire: requests, answers, counts, errors.

Every field may be absent or null and unknown fields are ignored. Arguments of calls are objects
here, not text; a stream is one JSON object a line; errors are one string.
"""

import hashlib
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from halfdoor.canon.events import StopReason
from halfdoor.canon.money import Usage
from halfdoor.dialects.decoding import UNREADABLE, encode, tokens

_STOP_REASONS: Final = {"stop": StopReason.END, "length": StopReason.LENGTH}
DONE_REASONS: Final = {StopReason.LENGTH: "length", StopReason.CONTEXT: "length"}


# An error inside a stream says no kind; the engine answers so where it has not begun.
ERROR_STATUS: Final = 500


class Function(Struct):
    """A call's name and arguments, or a tool's definition."""

    name: str = ""
    arguments: dict[str, Any] | str | None = None
    description: str | None = None
    parameters: Raw = Raw()


class Call(Struct):
    """One element of `tool_calls`; older engines give no id."""

    id: str | None = None
    function: Function = msgspec.field(default_factory=Function)


class Turn(Struct):
    """A message, of a request or an answer. images: base64, without addresses."""

    role: str = ""
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[Call] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class ToolEntry(Struct):
    """One element of `tools`."""

    type: str = "function"
    function: Function | None = None


class EngineOptions(Struct):
    """`options`, as far as other dialects can hear them."""

    num_ctx: int | None = None
    seed: Any = None
    num_predict: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] | str | None = None


class Body(Struct):
    """A request's body: of `/api/chat` with messages, of `/api/generate` with a prompt."""

    messages: list[Turn] | None = None
    prompt: str | None = None
    system: str | None = None
    suffix: str | None = None
    template: str | None = None
    context: Any = None
    raw: bool | None = None
    images: list[str] | None = None
    tools: list[ToolEntry] | None = None
    format: Raw = Raw()
    options: EngineOptions | None = None
    think: bool | str | None = None
    stream: bool | None = None


class Piece(Struct):
    """One line of a stream, or a whole answer; `response` and `thinking` are generate's."""

    model: str | None = None
    created_at: str | None = None
    message: Turn | None = None
    response: str | None = None
    thinking: str | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None


bodies: Final = msgspec.json.Decoder(Body)
pieces: Final = msgspec.json.Decoder(Piece)
_troubles: Final = msgspec.json.Decoder(Piece)


def trouble(body: bytes) -> tuple[str, str]:
    """("", message) of an error body; ("", "") when it holds none that can be read."""
    try:
        found = _troubles.decode(body).error
    except UNREADABLE:
        return "", ""
    if isinstance(found, dict):  # engines that answer in OpenAI's shape
        found = found.get("message")
    return "", found if isinstance(found, str) else ""


def error_body(message: str) -> bytes:
    """An error in the engine's shape."""
    return encode({"error": message})


def stop_reason(done: str | None, *, called: bool) -> StopReason:
    """Why it ended. called: the answer holds calls, so its tool is expected to act."""
    reason = _STOP_REASONS.get(done or "stop", StopReason.END)
    return StopReason.TOOL_CALLS if called and reason is StopReason.END else reason


def usage(found: Piece) -> Usage:
    """Token counts, each within 0 and 2^40: they come from outside and become money."""
    return Usage(tokens(found.prompt_eval_count), tokens(found.eval_count))


def call_id(call: Call, number: int, piece: Piece) -> str:
    """The engine's id, or one made of what it said and when: ids are matched across turns."""
    if call.id:
        return call.id
    said = encode([piece.created_at, number, call.function.name, call.function.arguments])
    return f"call_{hashlib.sha256(said).hexdigest()[:24]}"


def arguments_of(function: Function) -> str:
    """A call's arguments as JSON text."""
    given = function.arguments
    return given if isinstance(given, str) else encode(given or {}).decode()
