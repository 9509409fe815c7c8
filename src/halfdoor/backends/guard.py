"""The audit hook: no connection and no process without leave, whoever asks.

`install()` once, early, in production and in tests. Afterwards the interpreter refuses, from any
module and any thread, `socket.connect`, datagrams to a stated address and process starts, unless
the code that runs holds a `Leave`. A leave is given for one permit, covers addresses up to one
zone, is held by context (never by thread) and dies with its `with`: tasks that inherited the
context find it dead.

Offline (`go_offline`, one way until the process ends) no leave reaches beyond loopback, and no name
is looked up: `numbered` is where `localhost` becomes an address then.

What the hook cannot see: uvloop's own `create_connection` and `getaddrinfo` (they raise no audit
event, so a lint bans them), `_posixsubprocess.fork_exec` called directly, and native code.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from ipaddress import ip_address
from typing import Final, Self

from halfdoor.canon.decision import ControlPermit, Permit, Target
from halfdoor.canon.labels import Zone
from halfdoor.errors import BackendError
from halfdoor.reading.addresses import zone_of
from halfdoor.record.permits import covers

_TALKS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKS: Final = frozenset(
    {
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.getnameinfo",
    }
)
_STARTS: Final = frozenset(
    {
        "subprocess.Popen",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.startfile/2",
        "os.system",
        "pty.spawn",
    }
)
_GUARDED: Final = _TALKS | _LOOKS | _STARTS


class GuardRefusal(PermissionError):  # noqa: N818  a refusal, as the house words it
    """Something tried to open a connection or to start a process without leave."""


class Leave:
    """Leave to connect to addresses no wider than `widest`, while its `with` lasts.

    refused: the first address that was wider and therefore not dialled, "" if none was.
    """

    __slots__ = ("_token", "live", "refused", "widest")

    def __init__(self, widest: Zone) -> None:
        self.widest = widest
        self.live = False
        self.refused = ""
        self._token: Token[Leave | None] | None = None

    def __enter__(self) -> Self:
        self.live = True
        self._token = _held.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.live = False
        if self._token is not None:
            _held.reset(self._token)


_starting: Final[ContextVar[bool]] = ContextVar("halfdoor_starting", default=False)
_held: Final[ContextVar[Leave | None]] = ContextVar("halfdoor_leave", default=None)


class _Installed:
    """What the process's one hook knows. The hook is global by nature, so its state is too."""

    __slots__ = ("hooked", "loopback", "offline", "processes", "testing")

    def __init__(self) -> None:
        self.hooked = False
        self.testing = False
        self.offline = False
        self.loopback = 0
        self.processes = 0


_installed: Final = _Installed()


def install(*, testing: bool = False) -> None:
    """Put the hook in place; again is harmless, and it can never be taken out.

    testing: nothing but loopback can be reached, with leave or without, and test permits exist.
    """
    _installed.testing = _installed.testing or testing
    if not _installed.hooked:
        _installed.hooked = True
        sys.addaudithook(_hook)


def allow(permit: Permit | ControlPermit, widest: Zone) -> Leave:
    """Give leave for what `permit` covers, to be held around the dialling alone.

    The caller has checked the permit (`permitted`); the type keeps anyone without one from asking.
    """
    assert isinstance(permit, Permit | ControlPermit)
    return Leave(Zone.DEVICE if _installed.offline else widest)


def go_offline() -> None:
    """From now on nothing but loopback is dialled and no name is looked up, whoever asks.

    INVARIANT: there is no way back but the end of the process.
    """
    _installed.offline = True


def is_offline() -> bool:
    """Has this process gone offline?"""
    return _installed.offline


def numbered(host: str) -> str:
    """The address to use for `host` offline: itself if it is one, 127.0.0.1 for `localhost`.

    Online, the host as it is. Raises GuardRefusal for a name, offline: nobody is asked about it.
    """
    if not _installed.offline or _is_literal(host):
        return host
    if host == "localhost":
        return "127.0.0.1"
    raise GuardRefusal("halfdoor is offline and looks no name up")


def held() -> Leave | None:
    """The leave of the code that runs now."""
    leave = _held.get()
    return leave if leave is not None and leave.live else None


def permitted(permit: Permit, key: bytes, target: Target, backend: Zone) -> Zone:
    """The widest zone in which `target` may be dialled.

    backend: where the target's backend is known to be. Raises BackendError, kind `zone`.
    """
    zone = max(target.zone, backend)
    if not covers(permit, key, target, zone):
        raise BackendError(
            f"no recorded decision permits `{target.name}` in zone `{zone.name.lower()}`",
            kind="zone",
            hint="ask again; if this stays, its backend's zone has changed: `halfdoor doctor`",
        )
    if _installed.offline and zone > Zone.DEVICE:
        raise BackendError(
            f"halfdoor has gone offline, and `{target.name}` is in zone `{zone.name.lower()}`",
            kind="zone",
            hint="ask again: models on this device answer; `halfdoor offline status`",
        )
    return max(widest for name, widest in permit.targets if name == target.name)


@contextmanager
def loopback_test_permit() -> Iterator[None]:
    """A test's own clients may reach 127.0.0.0/8 and ::1, from every thread."""
    _only_in_tests()
    _installed.loopback += 1
    try:
        yield
    finally:
        _installed.loopback -= 1


@contextmanager
def process_test_permit() -> Iterator[None]:
    """A test may start processes, from every thread."""
    _only_in_tests()
    _installed.processes += 1
    try:
        yield
    finally:
        _installed.processes -= 1


@contextmanager
def start_permit(_purpose: str) -> Iterator[None]:
    """Leave to start a process, for the code inside alone: `launch` starts a person's own tool.

    _purpose: what is started and why, for whoever reads the call.
    """
    token = _starting.set(True)
    try:
        yield
    finally:
        _starting.reset(token)


def _only_in_tests() -> None:
    if not _installed.testing:
        raise GuardRefusal("a test permit was asked for outside tests")


def _hook(event: str, args: tuple[object, ...]) -> None:
    if event not in _GUARDED:
        return
    if event in _STARTS:
        _judge_start(event)
    elif event in _LOOKS:
        _judge_look(args[0] if args else None)
    else:
        _judge_talk(event, *args[:2])


def _judge_start(event: str) -> None:
    if _installed.processes == 0 and not _starting.get():
        raise GuardRefusal(f"halfdoor refuses to start a process without leave ({event})")


def _judge_look(asked: object) -> None:
    """A name look-up leaves the device, or may. A number asks nobody."""
    if not _installed.offline or asked is None:
        return
    host = asked[0] if isinstance(asked, tuple) and asked else asked
    text = host.decode("latin-1") if isinstance(host, bytes) else host
    if not isinstance(text, str) or (text and not _is_literal(text)):
        raise GuardRefusal("halfdoor is offline and looks no name up")


def _is_literal(host: str) -> bool:
    try:
        ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def _judge_talk(event: str, sock: object, address: object) -> None:
    if address is None:  # a datagram on a connected socket: its connect was judged
        return
    host = _host(sock, address)
    if zone_of(host) is Zone.DEVICE:
        if _installed.loopback:
            return
    elif _installed.testing:
        raise GuardRefusal(f"the network is shut in tests: {event} to {address!r}")
    elif _installed.offline:
        raise GuardRefusal(f"halfdoor is offline: {event} to {address!r}")
    leave = held()
    if leave is None or not host or zone_of(host) > leave.widest:
        raise GuardRefusal(f"halfdoor refuses to connect without leave: {address!r}")


def _host(sock: object, address: object) -> str:
    """The host of an internet address; "" for a path or another family: those are never dialled."""
    inet = getattr(sock, "family", None) in {socket.AF_INET, socket.AF_INET6}
    return str(address[0]) if inet and isinstance(address, tuple) and address else ""
