"""Calls that carry no request text to a model: discovery, `doctor`, asking a running halfdoor.

One connection a call, and nothing is kept. `local_post` alone carries text, and only to loopback.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

from halfdoor.backends import guard
from halfdoor.backends.connection import Connection
from halfdoor.backends.dialling import dial, tls_context
from halfdoor.backends.faults import WireError, worded
from halfdoor.backends.wire import Origin, origin, request_head, request_line, target_of
from halfdoor.canon.commands import FaultKind, Headers
from halfdoor.canon.decision import ControlPermit
from halfdoor.canon.labels import Zone
from halfdoor.errors import BackendError
from halfdoor.reading.addresses import zone_of

CONTROL_BODY_BYTES: Final = 4 * 1024 * 1024
_NO_BODY: Final = -1
_LOCAL_BODY_BYTES: Final = 64 * 1024 * 1024


def authority(url: str) -> str:
    """`name:port` of a URL, as `ControlPermit.host` wants it; IPv6 in brackets."""
    return origin(url).authority


async def control_get(
    url: str,
    permit: ControlPermit,
    timeout_s: float = 1.0,
    headers: Headers = (),
    *,
    widest: Zone | None = None,
    tls: ssl.SSLContext | None = None,
) -> tuple[int, bytes]:
    """GET without any request text.

    Returns status and body (at most `CONTROL_BODY_BYTES`). permit.host must be `authority(url)`; a
    permit for a loopback address reaches no further. widest: where it may end, else as far as the
    URL's own address is. tls: whom to trust; the system when None.
    Raises BackendError, kind `zone` among others.
    """
    asked = origin(url)
    if asked.authority != permit.host:
        raise BackendError(f"no permit to ask {asked.authority}", kind="zone")
    plain = [*headers, ("accept-encoding", "identity")]
    request = _Request(request_line("GET", target_of(url), asked.field), plain, None)
    if asked.tls and tls is None:
        tls = tls_context()
    with guard.allow(permit, _control_zone(asked) if widest is None else widest):
        status, _, body = await _once(asked, tls, request, timeout_s, CONTROL_BODY_BYTES)
    return status, body


async def control_head(url: str, permit: ControlPermit, timeout_s: float = 1.0) -> int:
    """HEAD without any request text; the status. Else as `control_get`."""
    asked = origin(url)
    if asked.authority != permit.host:
        raise BackendError(f"no permit to ask {asked.authority}", kind="zone")
    request = _Request(request_line("HEAD", target_of(url), asked.field), [], None)
    tls = tls_context() if asked.tls else None
    with guard.allow(permit, _control_zone(asked)):
        status, _, _ = await _once(asked, tls, request, timeout_s, _NO_BODY)
    return status


async def control_post(
    url: str,
    permit: ControlPermit,
    body: bytes,
    widest: Zone,
    *,
    headers: Headers = (),
    timeout_s: float = 5.0,
    tls: ssl.SSLContext | None = None,
) -> tuple[int, bytes]:
    """POST a question that holds no request text: which model, and nothing of what it is for.

    widest: where it may end, no wider than what the model's requests may. Returns and raises as
    `control_get`; kind `zone` when the address is wider.
    """
    asked = origin(url)
    if asked.authority != permit.host:
        raise BackendError(f"no permit to ask {asked.authority}", kind="zone")
    sent = [("content-type", "application/json"), ("accept-encoding", "identity"), *headers]
    request = _Request(request_line("POST", target_of(url), asked.field), sent, body)
    with guard.allow(permit, widest) as leave:
        try:
            status, _, answer = await _once(asked, tls, request, timeout_s, CONTROL_BODY_BYTES)
        except BackendError as error:
            if leave.refused:
                where = f"{asked.authority} is at {leave.refused}, which is too far"
                raise BackendError(where, kind="zone") from None
            raise error from None
    return status, answer


async def local_post(
    url: str, permit: ControlPermit, body: bytes, headers: Headers = (), timeout_s: float = 30.0
) -> tuple[int, Headers, bytes]:
    """POST to a halfdoor that runs on this device, as a tool would: `demo` is its own client.

    INVARIANT: nothing but loopback, whatever the permit says: request text goes on to a model only
    under a `Permit`. Returns status, headers and body, all of a stream. Raises BackendError.
    """
    asked = origin(url)
    if asked.authority != permit.host or _control_zone(asked) is not Zone.DEVICE or asked.tls:
        raise BackendError(f"no permit to post to {asked.authority}", kind="zone")
    request = _Request(request_line("POST", target_of(url), asked.field), list(headers), body)
    with guard.allow(permit, Zone.DEVICE):
        return await _once(asked, None, request, timeout_s, _LOCAL_BODY_BYTES)


@dataclass(slots=True)
class _Request:
    """What goes out. body: None for a GET."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes | None
    sent_bytes: int = 0


def _control_zone(asked: Origin) -> Zone:
    """No wider than the address written in the URL; a name may be anywhere, but for `localhost`."""
    return Zone.DEVICE if asked.host == "localhost" else zone_of(asked.host)


async def _once(
    asked: Origin,
    tls: ssl.SSLContext | None,
    request: _Request,
    timeout_s: float,
    most: int,
) -> tuple[int, Headers, bytes]:
    """One question and its whole answer. most: bytes of its body; more is a fault.

    most: _NO_BODY for an answer that has none, whatever its headers say.
    """
    try:
        async with asyncio.timeout(timeout_s):
            connection = await dial(asked, tls, timeout_s, lambda _: None)
            try:
                return await _answer(connection, request, timeout_s, most)
            finally:
                connection.abort()
    except WireError as error:
        late = error
    except TimeoutError:
        late = WireError(FaultKind.TIMEOUT)
    kind, what, hint = worded(late, late=f"did not answer in {timeout_s:g} s")
    raise BackendError(f"{asked.authority} {what}", kind=kind.value, hint=hint)


async def _answer(
    connection: Connection, request: _Request, timeout_s: float, most: int
) -> tuple[int, Headers, bytes]:
    body = request.body or b""
    head = request_head(request.line, request.headers, None if request.body is None else len(body))
    connection.ask(head, body, request, first_byte_s=timeout_s, idle_s=timeout_s)
    await connection.head()
    if most == _NO_BODY:
        return connection.answer.status, connection.answer.headers, b""
    answer, pieces, left = connection.answer, [connection.take()], most
    while not answer.whole:
        await connection.more()
        pieces.append(connection.take())
        left -= len(pieces[-1])
        if left < 0:
            raise WireError(FaultKind.PROTOCOL)
    return answer.status, answer.headers, b"".join(pieces)
