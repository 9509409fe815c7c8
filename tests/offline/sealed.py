"""A network namespace with a loopback and no way out, and what was tried in it all the same."""

import fcntl
import json
import re
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
TRACED: Final = "connect,sendto,sendmsg,sendmmsg"
# `-f`: every thread and child. One file for all, so that nobody is missed.
STRACE: Final = ("strace", "-f", "-qq", "-s", "0", "-e", f"trace={TRACED}", "-e", "signal=none")
_NEAR: Final = re.compile(r'inet_addr\("127\.|"::1"|"::ffff:127\.')


def unsealable() -> str:
    """Why no such namespace can be made here, "" when one can."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "no `unshare` here"
    tried = subprocess.run(["unshare", "-rn", "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"namespaces are not permitted: {tried.stderr.strip()}"


def inside(story: str, folder: Path) -> Any:
    """Run `tests/offline/stories.py` in a namespace of its own; what it reports."""
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-m", "tests.offline.stories", story, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def loopback_up() -> None:
    """A new namespace's loopback is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh22x", b"lo", 0x1)  # SIOCSIFFLAGS, IFF_UP
        fcntl.ioctl(any_socket, 0x8914, up)


def counters() -> dict[str, int]:
    """The kernel's own count, for this namespace, of what tried to leave and what asked for names.

    A look-up is a datagram, wherever its server is; nothing in halfdoor sends any other.
    """
    told = {
        "no-route": _table("Ip", "OutNoRoutes") + _line("Ip6OutNoRoutes"),
        "datagrams": _table("Udp", "OutDatagrams") + _line("Udp6OutDatagrams"),
    }
    devices = Path("/proc/net/dev").read_text().splitlines()[2:]
    left = {
        name.strip(): rest.split() for name, _, rest in (line.partition(":") for line in devices)
    }
    return {**told, "packets": sum(int(row[9]) for name, row in left.items() if name != "lo")}


def attempts(trace: Path) -> list[str]:
    """The calls in a trace that name an internet address which is not this device's."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    return [line for line in lines if "AF_INET" in line and not _NEAR.search(line)]


def _table(protocol: str, name: str) -> int:
    rows = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()]
    titles, values = (row for row in rows if row[0] == f"{protocol}:")
    return int(values[titles.index(name)])


def _line(name: str) -> int:
    place = Path("/proc/net/snmp6")
    lines = place.read_text().splitlines() if place.exists() else []
    return sum(int(line.split()[1]) for line in lines if line.split()[0] == name)
