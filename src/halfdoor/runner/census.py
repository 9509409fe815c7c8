"""Everything that a process has started, wherever it went: counted, weighed, ended.

The keeper adopts orphans, so whoever leaves the process group, the session or its parent is still
found below it.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_ROUNDS: Final = 200


class Weight(NamedTuple):
    """What processes use together. memory_bytes: their own and shared memory, without files."""

    processes: int
    cpu_s: float
    memory_bytes: int


def below(root: int) -> list[int]:
    """Process ids of all descendants of `root`, parents first."""
    found: list[int] = []
    left = [root]
    while left:
        children = _children(left.pop())
        found += children
        left += children
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  read twenty times a second
            with suppress(OSError):
                told = Path(f"/proc/{pid}/task/{task}/children").read_bytes()
                found += map(int, told.split())
    return found


def weigh(root: int) -> Weight:
    """What the descendants of `root` use now; those that end meanwhile are not seen."""
    pids = below(root)
    cpu_s, memory = 0.0, 0
    for pid in pids:
        with suppress(OSError, IndexError, ValueError):
            cpu_s += _cpu_s(pid)
            memory += _memory(pid)
    return Weight(len(pids), cpu_s, memory)


def _cpu_s(pid: int) -> float:
    """Its own time and that of its children that it has waited for."""
    told = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return sum(map(int, told[11:15])) / _TICKS


def _memory(pid: int) -> int:
    told = Path(f"/proc/{pid}/status").read_bytes()
    return 1024 * sum(
        int(line.split()[1])
        for line in told.splitlines()
        if line.startswith((b"RssAnon:", b"RssShmem:", b"VmSwap:"))
    )


def end(group: int) -> bool:
    """Kill all descendants of this process, and bury them. True when none is left.

    group: the process group of what it started, 0 for none: all that is found without /proc.
    The children first: of a sandbox with process ids of its own, the kernel then ends all. After
    that all are stopped, again and again until a look finds nobody new, so that what forks faster
    than it can be killed does not outrun it.
    """
    own = os.getpid()
    with suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(group, signal.SIGKILL)
    _signal(set(_children(own)), signal.SIGKILL)
    stopped: set[int] = set()
    for _ in range(_ROUNDS):
        new = set(below(own)) - stopped
        if not new:
            break
        _signal(new, signal.SIGSTOP)
        stopped |= new
    for _ in range(_ROUNDS):
        _signal(set(below(own)), signal.SIGKILL)
        if not _bury():
            return True
        time.sleep(0.005)
    return False


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _bury() -> bool:
    """Collect who has died. True while there are children left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
