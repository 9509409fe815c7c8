"""A gateway that runs: where it answers, what it says of itself, and how it is told to reload."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from halfdoor.backends.control import authority, control_get
from halfdoor.canon.decision import ControlPermit
from halfdoor.config.load import Loaded
from halfdoor.errors import BackendError
from halfdoor.server.address import address
from halfdoor.server.status import Shown
from halfdoor.store import live

T = TypeVar("T")

TAKEN_OVER_S: Final = 5.0


def url_of(listen: str, path: str) -> str:
    """A URL of the gateway that listens there."""
    return f"http://{address(listen).asked}{path}"


def listening(loaded: Loaded) -> str:
    """The address of the gateway that keeps its log here; as configured where none says another."""
    crew = live.look(loaded.state_dir, time.time_ns() // 1_000_000)
    return live.listening(crew, loaded.config.server.listen)


def shown(loaded: Loaded) -> Shown | None:
    """What the gateway under this configuration says of itself; None when none can be asked."""
    return told(loaded, Shown)


def told(loaded: Loaded, shape: type[T]) -> T | None:
    """The same, as far as `shape` reads it.

    Where it wants a token, the first of `[[tokens]]` whose variable is set is shown.
    """
    url = url_of(listening(loaded), "/halfdoor/status")
    tokens = [each for each in loaded.config.tokens if each.role == "tool"]
    secrets = [os.environ[each.env] for each in tokens if os.environ.get(each.env)]
    headers = tuple(("authorization", f"Bearer {secret}") for secret in secrets[:1])
    try:
        asked = control_get(url, ControlPermit(authority(url), "status"), 1.0, headers)
        status, body = asyncio.run(asked)
        return msgspec.json.decode(body, type=shape) if status == 200 else None
    except (BackendError, msgspec.MsgspecError):
        return None


def reloaded(loaded: Loaded, before: Shown) -> bool:
    """Send SIGHUP and wait until other rules are in force; False when they are not, in time."""
    pid = before.parent or before.pid
    if not hasattr(signal, "SIGHUP") or not _ours(pid):
        return False
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGHUP)
        until = time.monotonic() + TAKEN_OVER_S
        while time.monotonic() < until:
            time.sleep(0.05)
            now = shown(loaded)
            if now is not None and now.policy != before.policy:
                return True
    return False


def _ours(pid: int) -> bool:
    """Whatever answers on the port may name any process: where that can be seen, it is checked."""
    try:
        return b"halfdoor" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return pid > 1 and not Path("/proc/self").exists()
