"""Reads a request's body: whole, unpacked, within limits of size and patience."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from halfdoor.errors import ClientError
from halfdoor.server.unpacking import CODINGS, unpacked

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
RawHeaders = list[tuple[bytes, bytes]]

_LINGER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """body_bytes: of one request. idle_s: between pieces of a body. body_s: for all of it.

    stuck_s: how long a client may take nothing of its answer.
    """

    body_bytes: int = 64 * 1024 * 1024
    idle_s: float = 30.0
    body_s: float = 300.0
    stuck_s: float = 60.0


class HungUpError(Exception):
    """The caller left before its request was whole; nobody is there to be answered."""


class BodyReader:
    """Reads one request's body.

    whole: nothing of it is left on the wire. coding: what it was packed in, "" for plain.
    """

    def __init__(self, receive: Receive, headers: RawHeaders, limits: Limits) -> None:
        self._receive = receive
        self._headers = headers
        self._limits = limits
        self.whole = False
        self.coding = ""

    async def read(self) -> bytes:
        """The whole body, unpacked. Raises ClientError (415, 413, 408, 400), or HungUpError."""
        _check(self._headers, self._limits)
        self.coding = _coding(self._headers)
        body = await self._all()
        return await unpacked(self.coding, body, self._limits.body_bytes) if self.coding else body

    async def _all(self) -> bytes:
        loop = asyncio.get_running_loop()
        latest = loop.time() + self._limits.body_s
        parts: list[bytes] = []
        left = self._limits.body_bytes
        try:
            async with asyncio.timeout(self._limits.idle_s) as patience:
                while True:
                    parts.append(await self._piece())
                    left -= len(parts[-1])
                    if left < 0:
                        raise _too_large(self._limits)
                    if self.whole:
                        break
                    patience.reschedule(min(loop.time() + self._limits.idle_s, latest))
        except TimeoutError:
            raise ClientError(
                "the request's body did not arrive in time",
                status=408,
                code="request_timeout",
                hint="send it again on a new connection",
            ) from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def linger(self) -> None:
        """Read on for a moment what nobody wants: a caller still sending then hears its answer."""
        try:
            async with asyncio.timeout(_LINGER_S):
                while not self.whole:
                    await self._piece()
        except (TimeoutError, HungUpError):
            return

    async def _piece(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise HungUpError
        self.whole = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece


def _check(headers: RawHeaders, limits: Limits) -> None:
    """Judge what is announced, before anything is read."""
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value[:20]) > limits.body_bytes:
            raise _too_large(limits)


def _coding(headers: RawHeaders) -> str:
    """The one coding that the body is packed in, "" for none."""
    told = [value for name, value in headers if name == b"content-encoding"]
    named = [value.strip().lower().decode("latin-1") for value in told]
    if not any(named) or named == ["identity"]:
        return ""
    if len(named) == 1 and named[0] in CODINGS:
        return named[0]
    # What is scanned must be what is sent: of two codings, two readers could undo one each.
    raise ClientError(
        "this content-encoding of a request's body is not read",
        status=415,
        code="unsupported_content_encoding",
        hint=f"send plain JSON, or one of {', '.join(CODINGS)}",
    )


def _too_large(limits: Limits) -> ClientError:
    return ClientError(
        f"the request's body is larger than {limits.body_bytes} bytes",
        status=413,
        code="request_too_large",
        hint="send less, or raise `body_limit_bytes` under `[server]`",
    )
