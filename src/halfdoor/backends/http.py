"""The one way out: every byte that leaves for a model leaves here, after its permit was checked.

Order of a call: permit, key, then the socket. The address is judged before it is dialled; one
connection pool per permitted zone, so a kept connection never ends wider than the permit that asks
for it. Redirects, proxies, cookies and compression do not exist here.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Self

import aiohttp
from aiohttp import http_exceptions
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from halfdoor.backends import guard
from halfdoor.backends.credentials import Credentials
from halfdoor.backends.faults import RUNNING, worded
from halfdoor.backends.wire import checked_url, received_headers, sent_headers, unfit
from halfdoor.canon.commands import FaultKind, Headers, Outbound
from halfdoor.canon.decision import ControlPermit, Permit, Target
from halfdoor.canon.labels import Zone
from halfdoor.errors import BackendError
from halfdoor.reading.addresses import zone_of

CONNECTIONS_PER_POOL: Final = 512
KEEP_ALIVE_S: Final = 15.0
# What a backend's error may weigh; the rest is dropped with its connection.
ERROR_BODY_BYTES: Final = 256 * 1024
CONTROL_BODY_BYTES: Final = 4 * 1024 * 1024
_SLICE_BYTES: Final = 256 * 1024

_NO_AUTO: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_TROUBLE: Final = (aiohttp.ClientError, http_exceptions.HttpProcessingError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """connect_s: look-up, TCP and TLS. first_byte_s: from the last byte out to the status line.

    idle_s: between chunks either way; an engine may think long before it says anything.
    """

    connect_s: float = 10.0
    first_byte_s: float = 300.0
    idle_s: float = 120.0


def tls_context() -> ssl.SSLContext:
    """The system's trust, names checked, TLS 1.2 at least. Reads files: make it before the loop."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(("http/1.1",))
    return context


def authority(url: str) -> str:
    """`name:port` of a URL, as `ControlPermit.host` wants it; IPv6 in brackets."""
    parsed = URL(url)
    return f"{parsed.host_subcomponent}:{parsed.port}"


class HttpBackend:
    """A model's server behind HTTP; implements `flow.ports.Backend`.

    url: the base URL as the dialect's SDK wants it, without credentials. zone: the configuration's
    claim, or wider. seal_key: of the process's permits. tls: shared by backends, made when None.
    """

    def __init__(
        self,
        name: str,
        url: str,
        zone: Zone,
        credentials: Credentials,
        seal_key: bytes,
        *,
        timeouts: Timeouts = Timeouts(),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self.zone = zone
        self.url = checked_url(name, url)
        self.timeouts = timeouts
        self.patience = aiohttp.ClientTimeout(
            connect=timeouts.connect_s, sock_read=timeouts.first_byte_s
        )
        self._credentials = credentials
        self._seal_key = seal_key
        self._tls = (tls or tls_context()) if self.url.startswith("https") else None
        self._pools: dict[Zone, aiohttp.ClientSession] = {}
        self._urls: dict[str, URL] = {}

    def call(
        self, target: Target, outbound: Outbound, permit: Permit, client_key: str
    ) -> "HttpCall":
        """See `flow.ports.Backend.call`; nothing happens before the context is entered."""
        return HttpCall(self, target, outbound, permit, client_key)

    async def widen(self, zone: Zone) -> None:
        """The backend was found in a wider zone: what was dialled for narrower ones closes."""
        self.zone = max(self.zone, zone)
        for narrow in [known for known in self._pools if known < self.zone]:
            await self._pools.pop(narrow).close()

    async def close(self) -> None:
        """Close every connection."""
        pools = list(self._pools.values())
        self._pools.clear()
        for pool in pools:
            await pool.close()

    def permitted(self, target: Target, permit: Permit) -> Zone:
        """The widest zone to dial. Raises BackendError, kind `zone`."""
        return guard.permitted(permit, self._seal_key, target, self.zone)

    def headers(self, target: Target, outbound: Outbound, client_key: str) -> list[tuple[str, str]]:
        """What goes out: the dialect's headers, a key, and no more."""
        key = self._credentials.headers(target, client_key)
        return sent_headers(outbound.headers, key)

    def pool(self, widest: Zone) -> aiohttp.ClientSession:
        """The session whose connections all end in `widest` or nearer; made in the running loop."""
        pool = self._pools.get(widest)
        if pool is None:
            pool = self._pools[widest] = _session(self._tls)
        return pool

    def place(self, path: str) -> URL:
        """The URL of a path below the base."""
        url = self._urls.get(path)
        if url is None:
            url = URL(f"{self.url}/{path.lstrip('/')}", encoded=True)
            if "?" not in path:  # paths are a closed set; queries are the caller's
                self._urls[path] = url
        return url


class HttpCall:
    """One POST, and what came back. A context manager that is its own `flow.ports.Incoming`.

    sent_bytes: body bytes handed to the socket so far; true also after a failure or a cancellation.
    """

    def __init__(
        self, backend: HttpBackend, target: Target, outbound: Outbound, permit: Permit, key: str
    ) -> None:
        self.status = 0
        self.headers: Headers = ()
        self.sent_bytes = 0
        self._backend = backend
        self._target = target
        self._outbound = outbound
        self._permit = permit
        self._key = key
        self._response: aiohttp.ClientResponse | None = None

    async def __aenter__(self) -> Self:
        # INVARIANT: the permit is checked before anything else; without it nothing is dialled.
        widest = self._backend.permitted(self._target, self._permit)
        headers = self._backend.headers(self._target, self._outbound, self._key)
        fault: BackendError | None = None
        body = _Body(self._outbound.body, self)
        with guard.allow(self._permit, widest) as leave:
            try:
                self._response = await self._post(widest, headers, body)
            except _TROUBLE as error:
                body.abort()
                fault = self._dialling_fault(error, leave)
            except BaseException:
                body.abort()
                raise
        # Raised out here, so that no exception from below, which may hold headers, hangs on it.
        if fault is not None:
            raise fault
        self._accept(self._response)
        return self

    async def __aexit__(self, *_: object) -> None:
        response, self._response = self._response, None
        if response is not None:
            _drop(response)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Body chunks as they come. An error's body ends at `ERROR_BODY_BYTES`."""
        response = self._response
        assert response is not None
        left = ERROR_BODY_BYTES if self.status >= 400 else None
        fault: BackendError | None = None
        try:
            while chunk := await response.content.readany():
                if left is not None:
                    chunk = chunk[:left]
                    left -= len(chunk)
                yield chunk
                if left == 0:
                    return
        except _TROUBLE as error:
            fault = self._reading_fault(error)
        if fault is not None:
            raise fault

    async def _post(
        self, widest: Zone, headers: list[tuple[str, str]], body: "_Body"
    ) -> aiohttp.ClientResponse:
        return await self._backend.pool(widest).post(
            self._backend.place(self._outbound.path),
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=self._backend.patience,
        )

    def _accept(self, response: aiohttp.ClientResponse | None) -> None:
        assert response is not None
        self.status = response.status
        self.headers = received_headers(response.raw_headers)
        why = unfit(self.status, self.headers)
        if why:
            _drop(response)
            self._response = None
            raise self._said(FaultKind.PROTOCOL, *why)
        _watch_silence(response, self._backend.timeouts.idle_s)

    def _dialling_fault(self, error: BaseException, leave: guard.Leave) -> BackendError:
        times = self._backend.timeouts
        if leave.refused:
            zone = zone_of(leave.refused).name.lower()
            what = f"ends at {leave.refused}, in zone `{zone}`, which this request may not reach"
            return self._said(FaultKind.ZONE, what, "give it its true `zone` in the config")
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            what = f"could not be reached in {times.connect_s:g} s"
            return self._said(FaultKind.CONNECT, what, RUNNING)
        return self._said(*worded(error, late=f"did not answer in {times.first_byte_s:g} s"))

    def _reading_fault(self, error: BaseException) -> BackendError:
        silent_s = self._backend.timeouts.idle_s
        return self._said(*worded(error, late=f"fell silent for {silent_s:g} s in its answer"))

    def _said(self, kind: FaultKind, what: str, hint: str) -> BackendError:
        return BackendError(f"backend `{self._backend.name}` {what}", kind=kind.value, hint=hint)


class _Body(aiohttp.Payload):
    """The body's bytes, counted as they are handed to the socket, slice by slice."""

    def __init__(self, value: bytes, count: HttpCall) -> None:
        super().__init__(value)
        self._size = len(value)
        self._call = count
        self._transport: asyncio.WriteTransport | None = None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """As text; nothing in halfdoor asks for it."""
        return str(self._value, encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Hand the whole body over; a peer that stops reading is a timeout."""
        self._transport = writer.transport
        body: bytes = self._value
        if len(body) <= _SLICE_BYTES:
            self._call.sent_bytes = len(body)
            await writer.write(body)
            return
        view = memoryview(body)
        idle_s = self._call._backend.timeouts.idle_s  # noqa: SLF001  two halves of one call
        for start in range(0, len(body), _SLICE_BYTES):
            part = view[start : start + _SLICE_BYTES]
            self._call.sent_bytes += len(part)
            async with asyncio.timeout(idle_s):
                await writer.write(part)

    def abort(self) -> None:
        """Drop the connection now, with what it has not yet sent."""
        if self._transport is not None:
            self._transport.abort()


def _session(tls: ssl.SSLContext | None) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=CONNECTIONS_PER_POOL,
        keepalive_timeout=KEEP_ALIVE_S,
        ssl=tls if tls is not None else True,
        socket_factory=_judged_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_NO_AUTO,
        auto_decompress=False,
        trust_env=False,
    )


def _judged_socket(address: tuple[object, ...]) -> socket.socket:
    """A socket for one address, if the leave of the call that dials reaches that far.

    Another address of the same name may still do: the leave remembers what was refused.
    """
    family, kind, protocol, _, place = address
    leave = guard.held()
    assert isinstance(family, int) and isinstance(kind, int) and isinstance(protocol, int)  # noqa: PT018
    host = str(place[0]) if isinstance(place, tuple) else ""
    if leave is None or zone_of(host) > leave.widest:
        if leave is not None:
            leave.refused = leave.refused or host
        raise guard.GuardRefusal(f"{host} is wider than this call may reach")
    dialling = socket.socket(family, kind, protocol)
    dialling.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return dialling


def _watch_silence(response: aiohttp.ClientResponse, idle_s: float) -> None:
    """From here on the read time-out is the one between chunks."""
    connection = response.connection
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = idle_s
        connection.protocol.start_timeout()


def _drop(response: aiohttp.ClientResponse) -> None:
    """Give a finished connection back; abort an unfinished one at once, with all it has queued."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


async def control_get(
    url: str, permit: ControlPermit, timeout_s: float = 1.0, headers: Headers = ()
) -> tuple[int, bytes]:
    """GET without any request text: discovery, `ps`, `doctor`, asking a running halfdoor.

    Returns status and body (at most `CONTROL_BODY_BYTES`). permit.host must be `authority(url)`; a
    permit for a loopback address reaches no further. Raises BackendError, kind `zone` among others.
    """
    if authority(url) != permit.host:
        raise BackendError(f"no permit to ask {authority(url)}", kind="zone")
    fault: BackendError | None = None
    with guard.allow(permit, _control_zone(url)):
        try:
            return await _get(url, timeout_s, headers)
        except _TROUBLE as error:
            kind, what, hint = worded(error, late=f"did not answer in {timeout_s:g} s")
            fault = BackendError(f"{permit.host} {what}", kind=kind.value, hint=hint)
    raise fault


def _control_zone(url: str) -> Zone:
    """No wider than the address written in the URL; a name may be anywhere, but for `localhost`."""
    host = URL(url).host or ""
    return Zone.DEVICE if host == "localhost" else zone_of(host)


async def _get(url: str, timeout_s: float, headers: Headers) -> tuple[int, bytes]:
    async with (
        _session(tls_context() if URL(url).scheme == "https" else None) as session,
        session.get(
            url,
            headers=[*headers, ("accept-encoding", "identity")],
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as response,
    ):
        body = await response.content.read(CONTROL_BODY_BYTES + 1)
        while not response.content.at_eof() and len(body) <= CONTROL_BODY_BYTES:
            body += await response.content.readany()
        if len(body) > CONTROL_BODY_BYTES:
            raise aiohttp.ClientPayloadError
        return response.status, body


async def local_post(
    url: str, permit: ControlPermit, body: bytes, headers: Headers = (), timeout_s: float = 30.0
) -> tuple[int, Headers, bytes]:
    """POST to a halfdoor that runs on this device, as a tool would: `demo` is its own client.

    INVARIANT: nothing but loopback, whatever the permit says: request text goes on to a model only
    under a `Permit`. Returns status, headers and body, all of a stream. Raises BackendError.
    """
    if authority(url) != permit.host or _control_zone(url) is not Zone.DEVICE:
        raise BackendError(f"no permit to post to {authority(url)}", kind="zone")
    fault: BackendError | None = None
    with guard.allow(permit, Zone.DEVICE):
        try:
            return await _post(url, body, headers, timeout_s)
        except _TROUBLE as error:
            kind, what, hint = worded(error, late=f"did not answer in {timeout_s:g} s")
            fault = BackendError(f"{permit.host} {what}", kind=kind.value, hint=hint)
    raise fault


async def _post(
    url: str, body: bytes, headers: Headers, timeout_s: float
) -> tuple[int, Headers, bytes]:
    async with (
        _session(None) as session,
        session.post(
            url,
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as response,
    ):
        return response.status, received_headers(response.raw_headers), await response.read()
