"""Where a halfdoor listens, and whether one answers there. Imports no server: commands ask, too."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from halfdoor.backends.control import authority, control_get
from halfdoor.canon.decision import ControlPermit
from halfdoor.errors import BackendError, SetupError

HINT: Final = 'write it as `listen = "127.0.0.1:4114"`'
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  asked, never bound


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. host: a name or an IP address without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Can only this device reach it? A name but `localhost` might resolve to anything."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def asked(self) -> "Address":
        """Where this device reaches it: nobody can ask `0.0.0.0`."""
        return Address(_ANYWHERE.get(self.host, self.host), self.port)


def address(listen: str) -> Address:
    """Read `host:port` or `[host]:port`. Raises SetupError."""
    host, _, port = listen.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare or (":" in bare) != (bare != host) or not (port.isascii() and port.isdigit()):
        raise SetupError(f"`{listen}` is not an address and a port to listen on", hint=HINT)
    if int(port) > 65535:
        raise SetupError(f"{port} is not a port", hint="choose one from 1 to 65535")
    return Address(bare.lower(), int(port))


async def answers(where: Address) -> bool:
    """Does a halfdoor answer there?"""
    url = f"http://{where.asked}/healthz"
    try:
        status, body = await control_get(url, ControlPermit(authority(url), "status"))
    except BackendError:
        return False
    return status == 200 and body.startswith(b"halfdoor")
