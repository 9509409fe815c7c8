"""OpenAI's errors, as Chat and Responses both word them, and engines that imitate them."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from halfdoor.canon.commands import Learnt
from halfdoor.canon.events import Failed
from halfdoor.dialects.decoding import UNREADABLE, encode
from halfdoor.dialects.hearing import failing

OVERFLOW_CODE: Final = "context_length_exceeded"
_ERROR_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_STATUSES: Final = {
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    OVERFLOW_CODE: 400,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "server_is_overloaded": 503,
    "overloaded_error": 529,
    **{name: status for status, name in _ERROR_TYPES.items()},
}
_STATUS_DIGITS: Final = 3


class Trouble(Struct):
    """An error object, in the vendor's shape or an engine's variation of it."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class TroubleBody(Struct):
    """A body that holds an error: nested, as a plain string, or flat."""

    error: Trouble | str | None = None
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    detail: Any = None


_troubles: Final = msgspec.json.Decoder(TroubleBody)


def trouble(body: bytes) -> tuple[str, str]:
    """(code, message) of an error body or frame; ("", "") when it holds none that can be read."""
    try:
        found = _troubles.decode(body)
    except UNREADABLE:
        return "", ""
    if isinstance(found.error, str):
        return "", found.error
    inner = found.error or Trouble(found.message, found.type, found.code)
    message = inner.message or (found.detail if isinstance(found.detail, str) else "")
    return str(inner.code or inner.type or "") if message else "", message


def failure(body: bytes) -> Failed:
    """The event for an error body or frame."""
    code, message = trouble(body)
    status = error_status(code)
    return Failed(message or "the backend reported an error", code or "server_error", status)


def unanswered(body: bytes) -> Learnt:
    """What a body tells that is no answer; nothing where it holds no error."""
    return failing(Learnt(), failure(body)) if trouble(body)[1] else Learnt()


def error_status(code: str) -> int:
    """The HTTP status that belongs to a code or type; some engines and brokers give it as code."""
    if code.isascii() and code.isdigit() and len(code) == _STATUS_DIGITS:
        return max(int(code), 400)
    return _STATUSES.get(code, 502)


def error_type(status: int) -> str:
    """The vendor's name for a kind of error."""
    return _ERROR_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def error_body(status: int, code: str, message: str) -> bytes:
    """An error in the vendor's shape."""
    kind = error_type(status)
    return encode({"error": {"message": message, "type": kind, "param": None, "code": code}})


def overflow_body(tokens: int, window: int, why: str) -> bytes:
    """A prompt that is too long, in the vendor's words and under its code; 0: not known."""
    said = "The messages exceed this model's maximum context length."
    if tokens and window:
        said = (
            f"This model's maximum context length is {window} tokens. However, your messages "
            f"resulted in {tokens} tokens."
        )
    said += f" Please reduce the length of the messages. ({why})"
    return error_body(400, OVERFLOW_CODE, said)
