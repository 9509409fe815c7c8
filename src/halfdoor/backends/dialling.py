"""Makes connections: looks a name up, judges every address, dials those that may be dialled.

The only file that makes sockets to elsewhere. Who calls it holds a leave of `guard`; without one,
or for an address that is wider than it, no socket is made.
"""

import asyncio
import itertools
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from halfdoor.backends import guard
from halfdoor.backends.connection import Connection
from halfdoor.backends.faults import WireError, unreachable
from halfdoor.backends.wire import Origin
from halfdoor.canon.commands import FaultKind
from halfdoor.reading.addresses import zone_of

# How long one address may be slow before the next is tried beside it (RFC 8305, section 8).
STAGGER_S: Final = 0.25

# As getaddrinfo gives it: family, kind, protocol, canonical name, socket address.
Place = tuple[int, int, int, str, tuple[Any, ...]]


def tls_context(authorities: str = "") -> ssl.SSLContext:
    """The system's trust, names checked, TLS 1.2 at least. Reads files: make it before the loop.

    authorities: a PEM file of those that are believed instead of the system's. Raises OSError.
    """
    if authorities:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it trusts nobody yet
        context.load_verify_locations(authorities)
        # Whoever pins an authority below a root means that one.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    else:
        context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(("http/1.1",))
    return context


def trusted(url: str, authorities: str = "") -> ssl.SSLContext | None:
    """Whom a backend at `url` is believed by; None for a plain one. As `tls_context`."""
    return tls_context(authorities) if url.startswith("https:") else None


async def dial(
    origin: Origin,
    tls: ssl.SSLContext | None,
    connect_s: float,
    lost: Callable[[Connection], None],
) -> Connection:
    """A connection that stands: look-up, TCP and TLS within `connect_s`.

    Raises WireError: `timeout`, `tls`, or `connect`, also where nothing may be dialled: the leave
    then says what was refused.
    """
    assert (tls is not None) == origin.tls
    try:
        async with asyncio.timeout(connect_s):
            return await _dialled(origin, tls, lost)
    except TimeoutError:
        raise WireError(FaultKind.TIMEOUT) from None
    except OSError as error:
        raise unreachable(error) from None


async def _dialled(
    origin: Origin, tls: ssl.SSLContext | None, lost: Callable[[Connection], None]
) -> Connection:
    loop = asyncio.get_running_loop()
    dialled = await _first(loop, await _places(loop, origin))
    try:
        # INVARIANT: judged again where it really ends, before the first byte goes out.
        _judge(str(dialled.getpeername()[0]))
    except BaseException:
        dialled.close()
        raise
    name = origin.host if tls is not None else None
    _, connection = await loop.create_connection(
        lambda: Connection(lost), sock=dialled, ssl=tls, server_hostname=name
    )
    return connection


async def _places(loop: asyncio.AbstractEventLoop, origin: Origin) -> list[Place]:
    """Where a host leads: an address to itself, a name wherever the system says.

    Families take turns, the system's favourite first.
    """
    host, port, kind = _asked_for(origin.host), origin.port, socket.SOCK_STREAM
    try:
        found: list[Any] = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = await loop.getaddrinfo(host, port, type=kind)
    families: dict[int, list[Place]] = {}
    for place in found:
        families.setdefault(place[0], []).append(place)
    turns = itertools.zip_longest(*families.values())
    return [place for turn in turns for place in turn if place is not None]


def _asked_for(host: str) -> str:
    """The host, or offline its number. Raises GuardRefusal for a name that nobody may look up."""
    try:
        return guard.numbered(host)
    except guard.GuardRefusal:
        if (leave := guard.held()) is not None:
            leave.refused = host
        raise


async def _first(loop: asyncio.AbstractEventLoop, places: list[Place]) -> socket.socket:
    """A socket that stands, to the first address that answers; each has a start on the next.

    Raises what the first raised when none answers.
    """
    waiting = list(places)
    begun: list[asyncio.Task[socket.socket]] = []
    won: asyncio.Task[socket.socket] | None = None
    try:
        while won is None and (waiting or not all(task.done() for task in begun)):
            if waiting:
                begun.append(loop.create_task(_connected(loop, waiting.pop(0))))
            running = [task for task in begun if not task.done()]
            pause = STAGGER_S if waiting else None
            await asyncio.wait(running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            won = next((task for task in begun if _stands(task)), None)
        return (won or begun[0]).result()
    finally:
        for task in begun:
            task.cancel()
            if task is not won and _stands(task):
                task.result().close()


def _stands(task: "asyncio.Task[socket.socket]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _connected(loop: asyncio.AbstractEventLoop, place: Place) -> socket.socket:
    dialling = _judged_socket(place)
    try:
        dialling.setblocking(False)
        dialling.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        dialling.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await loop.sock_connect(dialling, place[4])
    except BaseException:
        dialling.close()
        raise
    return dialling


def _judged_socket(place: Place) -> socket.socket:
    """A socket for one address, if the leave of the call that dials reaches that far.

    Another address of the same name may still do: the leave remembers what was refused.
    """
    family, kind, protocol, _, address = place
    _judge(str(address[0]))
    return socket.socket(family, kind, protocol)


def _judge(host: str) -> None:
    """Raise GuardRefusal for an address that is wider than the leave of the call that dials."""
    leave = guard.held()
    if leave is None or zone_of(host) > leave.widest:
        if leave is not None:
            leave.refused = leave.refused or host
        raise guard.GuardRefusal(f"{host} is wider than this call may reach")
