"""Which sandboxes work here, and what a person can do about those that do not."""

import platform
import shutil
import sys
from pathlib import Path
from typing import Final

from halfdoor.runner import calls, filters, landlock
from halfdoor.runner.order import BUBBLEWRAP, LANDLOCK, NAMESPACES, SEATBELT

LINUX: Final = (BUBBLEWRAP, NAMESPACES, LANDLOCK)
MACOS: Final = (SEATBELT,)

_KERNEL: Final = Path("/proc/sys")
_APPARMOR: Final = "kernel/apparmor_restrict_unprivileged_userns"
_DEBIAN: Final = "kernel/unprivileged_userns_clone"
_MOST: Final = "user/max_user_namespaces"


def here() -> tuple[str, ...]:
    """The rungs of this system, strongest first; () where there is none (Windows)."""
    return {"linux": LINUX, "darwin": MACOS}.get(sys.platform, ())


def bubblewrap() -> str:
    """Where it is; "" when it is not installed."""
    # A name in the project's own folder must never be taken for it.
    return (
        shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin:/run/current-system/sw/bin") or ""
    )


def missing(rung: str) -> str:
    """Why a rung cannot even be tried, "" when it can."""
    if rung == SEATBELT:
        return "" if Path("/usr/bin/sandbox-exec").exists() else "there is no sandbox-exec"
    if not filters.known(platform.machine()):
        return f"halfdoor has no system-call filter for {platform.machine()}"
    if rung == BUBBLEWRAP and not bubblewrap():
        return "bwrap is not installed; hint: install the package `bubblewrap`"
    if rung == LANDLOCK and calls.landlock_version() < landlock.LEAST:
        return (
            f"this kernel has Landlock {calls.landlock_version()}, not {landlock.LEAST} (Linux 6.2)"
        )
    return ""


def explained(rung: str, said: str, kernel: Path = _KERNEL) -> str:
    """What a rung said when it was tried, and why that is so here."""
    if rung not in {BUBBLEWRAP, NAMESPACES}:
        return said
    return f"{said}; {_why(kernel)}"


def _why(kernel: Path) -> str:
    if _setting(kernel, _APPARMOR) == "1":
        return (
            "AppArmor refuses user namespaces to programs without a profile"
            " (kernel.apparmor_restrict_unprivileged_userns is 1, as Ubuntu sets it since 24.04);"
            " hint: load the profile `bwrap-userns-restrict` of the package `apparmor-profiles`"
            " into /etc/apparmor.d, which gives them to bwrap alone"
        )
    if _setting(kernel, _DEBIAN) == "0":
        return "user namespaces are off; hint: sudo sysctl kernel.unprivileged_userns_clone=1"
    if _setting(kernel, _MOST) == "0":
        return "no user namespace may be made; hint: sudo sysctl user.max_user_namespaces=15000"
    return (
        "the kernel or the container around halfdoor refuses user namespaces;"
        " hint: in a container, let its seccomp profile allow `unshare` and `mount`"
    )


def _setting(kernel: Path, name: str) -> str:
    try:
        return (kernel / name).read_text("ascii").strip()
    except OSError:
        return ""
