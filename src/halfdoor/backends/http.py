"""The one way out: every byte that leaves for a model leaves here, after its permit was checked.

Order of a call: permit, key, then the socket. The address is judged before it is dialled; one
connection pool per permitted zone, so a kept connection never ends wider than the permit that asks
for it. Redirects, proxies, cookies and compression do not exist here.
"""

import ssl
from collections.abc import AsyncIterator
from typing import Final, Self

from halfdoor.backends import guard
from halfdoor.backends.admission import Admission, Asked, show_url
from halfdoor.backends.connection import Connection  # noqa: TC001  it stands beside its kin
from halfdoor.backends.control import control_get, control_post
from halfdoor.backends.credentials import Credentials
from halfdoor.backends.dialling import tls_context
from halfdoor.backends.faults import RUNNING, WireError, worded
from halfdoor.backends.pool import Pool
from halfdoor.backends.wire import (
    checked_url,
    origin,
    request_head,
    request_line,
    sent_headers,
    target_of,
    unfit,
)
from halfdoor.canon.commands import FaultKind, Headers, Outbound
from halfdoor.canon.decision import ControlPermit, Permit, Target
from halfdoor.canon.labels import Zone
from halfdoor.config.tables.backends import Timeouts
from halfdoor.errors import BackendError
from halfdoor.reading.addresses import zone_of

# What a backend's error may weigh; the rest is dropped with its connection.
ERROR_BODY_BYTES: Final = 256 * 1024
_TIMEOUTS: Final = Timeouts()


class HttpBackend:
    """A model's server behind HTTP; implements `flow.ports.Backend`.

    url: the base URL as the dialect's SDK wants it, without credentials. zone: the configuration's
    claim, or wider. seal_key: of the process's permits. tls: shared by backends, made when None.
    admission: knows where engines really run their models; None believes every claim.
    """

    def __init__(
        self,
        name: str,
        url: str,
        zone: Zone,
        credentials: Credentials,
        seal_key: bytes,
        *,
        timeouts: Timeouts = _TIMEOUTS,
        tls: ssl.SSLContext | None = None,
        admission: Admission | None = None,
    ) -> None:
        self.name = name
        self.zone = zone
        self.url = checked_url(name, url)
        self.timeouts = timeouts
        self.admission = admission
        self.show_url = show_url(self.url)
        self._credentials = credentials
        self._seal_key = seal_key
        self._origin = origin(self.url)
        self._tls = (tls or tls_context()) if self._origin.tls else None
        self._pools: dict[Zone, Pool] = {}
        self._lines: dict[str, str] = {}

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

    def head(self, target: Target, outbound: Outbound, client_key: str) -> bytes:
        """What goes out before the body: the dialect's headers, a key, and no more.

        Raises BackendError, kind `credentials` or `protocol`.
        """
        headers = sent_headers(outbound.headers, self._credentials.headers(target, client_key))
        try:
            return request_head(self._line(outbound.path), headers, len(outbound.body))
        except ValueError:
            what = "cannot be asked: the path or a header holds what no HTTP line may hold"
            hint = "look for a line break in the tool's headers"
        raise self.fault(FaultKind.PROTOCOL, what, hint)

    async def show(self, body: bytes) -> tuple[int, bytes]:
        """See `admission.Engine.show`."""
        permit = ControlPermit(self._origin.authority, "admission")
        key = self._credentials.own()
        return await control_post(
            self.show_url, permit, body, self.zone, headers=key, tls=self._tls
        )

    async def look(self, path: str) -> tuple[int, bytes]:
        """See `residency.Engine.look`."""
        permit = ControlPermit(self._origin.authority, "residency")
        url = f"{self.url.rstrip('/').removesuffix('/v1')}{path}"
        key = self._credentials.own()
        return await control_get(url, permit, headers=key, widest=self.zone, tls=self._tls)

    async def admit(self, target: Target, widest: Zone) -> None:
        """Return once it is known that the engine keeps the model's requests within `widest`.

        Raises BackendError, kind `zone` among others.
        """
        if self.admission is not None:
            await self.admission.admit(Asked(self, target.model_id, target.name), widest)

    async def refused(self, address: str) -> BackendError:
        """An address was wider than the call may reach: later plans know it. Returns the fault."""
        if guard.is_offline():
            what = f"is at {address}, and halfdoor is offline"
            return self.fault(FaultKind.ZONE, what, "only addresses of this device are asked then")
        zone = zone_of(address)
        if self.admission is not None:
            await self.admission.met(self.name, self.zone, zone)
        what = f"ends at {address}, in zone `{zone.name.lower()}`, which this request may not reach"
        return self.fault(FaultKind.ZONE, what, "give it its true `zone` in the config")

    def pool(self, widest: Zone) -> Pool:
        """The connections that all end in `widest` or nearer; made in the running loop."""
        pool = self._pools.get(widest)
        if pool is None:
            pool = self._pools[widest] = Pool(self._origin, self._tls)
        return pool

    def fault(self, kind: FaultKind, what: str, hint: str) -> BackendError:
        """An error that names this backend."""
        return BackendError(f"backend `{self.name}` {what}", kind=kind.value, hint=hint)

    def _line(self, path: str) -> str:
        line = self._lines.get(path)
        if line is None:
            place = target_of(below(self.url, path))
            line = request_line("POST", place, self._origin.field)
            if "?" not in path:  # paths are a closed set; queries are the caller's
                self._lines[path] = line
        return line


def below(url: str, path: str) -> str:
    """A backend's base URL and `Outbound.path`, as one URL."""
    if path.startswith("../"):
        url, path = url.removesuffix("/v1"), path.removeprefix("..")
    return f"{url}/{path.lstrip('/')}"


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
        self._pool: Pool | None = None
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        # INVARIANT: the permit is checked before anything else; without it nothing is dialled.
        widest = self._backend.permitted(self._target, self._permit)
        await self._backend.admit(self._target, widest)
        head = self._backend.head(self._target, self._outbound, self._key)
        pool = self._backend.pool(widest)
        times = self._backend.timeouts
        try:
            await pool.turn(times.connect_s)
            self._pool = pool
            # Not sent again when a kept connection turns out to be closed: a server that died of
            # the request looks the same, and its model would be asked twice.
            self._connection = pool.kept()
            if self._connection is None:
                await self._dial(pool, widest)
            await self._post(head)
        except WireError as error:
            self._leave()
            late = f"did not answer in {times.first_byte_s:g} s"
            raise self._backend.fault(*worded(error, late=late)) from None
        except BaseException:
            self._leave()
            raise
        self._accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Body chunks as they come. An error's body ends at `ERROR_BODY_BYTES`."""
        connection = self._connection
        assert connection is not None
        left = ERROR_BODY_BYTES if self.status >= 400 else None
        try:
            while True:
                chunk = connection.take()
                if not chunk:
                    if connection.answer.whole:
                        return
                    await connection.more()
                    continue
                if left is not None:
                    chunk = chunk[:left]
                    left -= len(chunk)
                yield chunk
                if left == 0:
                    return
        except WireError as error:
            times = self._backend.timeouts
            late = f"fell silent for {times.idle_s:g} s in its answer"
            if connection.late:
                late = f"took longer than {times.answer_s:g} s for its answer"
            raise self._backend.fault(*worded(error, late=late)) from None

    async def _dial(self, pool: Pool, widest: Zone) -> None:
        connect_s = self._backend.timeouts.connect_s
        with guard.allow(self._permit, widest) as leave:
            try:
                self._connection = await pool.made(connect_s)
            except WireError as error:
                if not leave.refused:
                    if error.kind is not FaultKind.TIMEOUT:
                        raise
                    what = f"could not be reached in {connect_s:g} s"
                    raise self._backend.fault(FaultKind.CONNECT, what, RUNNING) from None
            else:
                return
        raise await self._backend.refused(leave.refused)

    async def _post(self, head: bytes) -> None:
        connection, times = self._connection, self._backend.timeouts
        assert connection is not None
        body = self._outbound.body
        connection.ask(
            head,
            body,
            self,
            first_byte_s=times.first_byte_s,
            idle_s=times.idle_s,
            answer_s=times.answer_s,
        )
        await connection.head()

    def _accept(self) -> None:
        assert self._connection is not None
        answer = self._connection.answer
        self.status, self.headers = answer.status, answer.headers
        why = unfit(self.status, self.headers)
        if why:
            self._leave()
            raise self._backend.fault(FaultKind.PROTOCOL, *why)

    def _leave(self) -> None:
        """End the call's turn: a connection whose answer is not whole is aborted at once."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.end(self._connection)
