"""OpenAI's errors, as Chat and Responses both word them, and engines that imitate them."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from halfdoor.dialects.decoding import UNREADABLE, encode

OVERFLOW_CODE: Final = "context_length_exceeded"
_ERROR_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


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
