"""The rung of namespaces of one's own: what bubblewrap does, by system calls.

Used where bubblewrap is not installed and the kernel lets an ordinary user make namespaces.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from halfdoor.runner import calls
from halfdoor.runner.order import PRIVATE, Order

_DEVICES: Final = ("null", "zero", "full", "random", "urandom")
_LINKS: Final = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_OWN: Final = calls.NOSUID | calls.NODEV


def leave() -> None:
    """Into new namespaces, as oneself; the next child is the first process of them."""
    user, group = os.geteuid(), os.getegid()
    calls.leave_namespaces(calls.NEW_NAMESPACES)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def furnish(order: Order) -> None:
    """The root as the order wants it: only what is shown, read-only; private memory to write to."""
    root = f"{order.scratch}/root"
    calls.mount("none", "/", "", calls.RECURSIVE | calls.PRIVATE)
    calls.mount("tmpfs", root, "tmpfs", _OWN, "mode=755,size=1m")
    _private(root, order.disk_bytes)
    _kernel(root)
    for outside, inside in order.shown:
        if not inside.startswith(f"{order.at}/"):
            _show(outside, root + inside)
    _bind(f"{order.scratch}/work", root + order.at)
    for outside, inside in order.shown:
        if inside.startswith(f"{order.at}/"):
            _show(outside, root + inside)
    for place, target in order.links:
        Path(root + place).symlink_to(target)
    calls.raise_loopback()
    calls.change_root(root)
    calls.make_read_only("/", recursive=False)


def _private(root: str, size: int) -> None:
    for place, mode in ((PRIVATE, "1777"), ("/dev", "755"), ("/dev/shm", "1777")):  # noqa: S108  the inner root's own
        Path(root + place).mkdir(parents=True, exist_ok=True)
        room = "64k" if place == "/dev" else str(size)
        calls.mount("tmpfs", root + place, "tmpfs", _OWN, f"mode={mode},size={room}")
    Path(f"{root}{PRIVATE}/home").mkdir()


def _kernel(root: str) -> None:
    """The few devices that programs expect, and a /proc that shows only what lives here."""
    for name in _DEVICES:
        Path(f"{root}/dev/{name}").touch()
        calls.mount(f"/dev/{name}", f"{root}/dev/{name}", "", calls.BIND)
    for name, target in _LINKS.items():
        Path(f"{root}/dev/{name}").symlink_to(target)
    Path(f"{root}/proc").mkdir()
    calls.mount("proc", f"{root}/proc", "proc", _OWN | calls.NOEXEC)


def _show(outside: str, inside: str) -> None:
    _bind(outside, inside)
    calls.make_read_only(inside)


def _bind(outside: str, inside: str) -> None:
    if Path(outside).is_dir():
        Path(inside).mkdir(parents=True, exist_ok=True)
    else:
        Path(inside).parent.mkdir(parents=True, exist_ok=True)
        Path(inside).touch()
    calls.mount(outside, inside, "", calls.BIND | calls.RECURSIVE)


def be_first(child: int) -> int:
    """What process 1 does: bury the dead until `child` ends; its exit status, 128 + a signal.

    When process 1 ends, the kernel kills everything else that lives in the namespace.
    """
    while True:
        with suppress(InterruptedError):
            pid, status = os.waitpid(-1, 0)
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code


def follow_parent() -> None:
    """Process 1 dies with the keeper, and everything in the namespace with process 1."""
    calls.die_with_parent(signal.SIGKILL)
