"""Answers that are no exchange's: a page, or an error, whole."""

from typing import Final

import msgspec

from halfdoor.errors import ClientError
from halfdoor.server.body import BodyReader, Message
from halfdoor.server.sink import Send
from halfdoor.server.unpacking import CODINGS

Fields = tuple[tuple[str, str], ...]

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"


def neutral(error: ClientError) -> bytes:
    """An error on a route of no dialect: both vendors' SDKs find their fields in it."""
    told = {"type": error.code, "code": error.code, "message": f"halfdoor: {error}", "param": None}
    return msgspec.json.encode({"type": "error", "error": told})


async def refuse(send: Send, status: int, body: bytes, reader: BodyReader) -> None:
    """Answer what never became an exchange; what is still on the wire is read on, briefly."""
    fields: Fields = (("x-should-retry", "false"),)
    if status == 401:
        fields += (("www-authenticate", "Bearer"),)
    if status == 415:
        fields += (("accept-encoding", ", ".join(CODINGS)),)
    if reader.whole:
        await whole(send, status, JSON, body, fields)
        return
    await send(_head(status, JSON, len(body), (*fields, ("connection", "close"))))
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if status != 408:
        await reader.linger()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def whole(send: Send, status: int, kind: str, body: bytes, more: Fields = ()) -> None:
    """Send it. kind: its content type. more: headers."""
    await send(_head(status, kind, len(body), more))
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _head(status: int, kind: str, length: int, more: Fields) -> Message:
    fields: Fields = (("content-type", kind), ("content-length", str(length)), *more)
    raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields]
    return {"type": "http.response.start", "status": status, "headers": raw}
