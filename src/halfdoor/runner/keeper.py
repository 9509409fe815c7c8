"""The process between halfdoor and what it runs: sets the sandbox up, watches, ends everything.

It is a process of its own because a gateway must neither fork with threads alive nor adopt orphans.
Standard input is a leash: one line, the order, and when it closes, halfdoor is gone and all ends.
"""

import os
import platform
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from halfdoor.runner import calls, census, filters, landlock, namespaces, order
from halfdoor.runner.order import Order, Report

LOOK_S: Final = 0.05
_DESCRIPTORS: Final = 512
# A task is a process or a thread; the kernel counts them together, `processes` counts processes.
_TASKS_EACH: Final = 8
_FAILED: Final = 125
_PRIVATE: Final = ("work", "tmp")
_UNUSED_USERS: Final = 0x7F000000


def main(report_fd: int, input_fd: int) -> None:
    """Read the order from standard input, run it, report.

    Two descriptors: the report goes to one, the other is the program's own standard input.
    """
    calls.adopt_orphans()
    calls.hide(yes=True)
    _before_others()
    wanted = order.read(_line())
    keeping = _Keeping(wanted, input_fd)
    try:
        report = keeping.run()
    except OSError as error:
        report = Report("killed", why=f"it could not be watched: {error}")
    if not census.end(keeping.group):
        report = Report("killed", why="something that it started could not be ended")
    os.write(report_fd, report.line())


def _before_others() -> None:
    """What it watches must not outrun it by numbers. Root may have that; others have a limit."""
    if sys.platform != "linux":
        return
    with suppress(OSError):
        first = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, first, os.sched_param(1))


def _line() -> bytes:
    told = b""
    while not told.endswith(b"\n"):
        more = os.read(0, 65536)
        if not more:
            sys.exit(_FAILED)
        told += more
    return told


class _Keeping:
    """One program from its start to its end."""

    def __init__(self, wanted: Order, input_fd: int) -> None:
        self._order = wanted
        self._input = input_fd
        self.group = 0
        self._begun = time.monotonic()
        self._free = _free(wanted.scratch)
        self._laid = _held(wanted.scratch)
        self._deaf = select.poll()
        self._deaf.register(0, select.POLLIN | select.POLLHUP)

    def run(self) -> Report:
        """Start it and wait; what it left behind still lives afterwards."""
        trouble, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(trouble)
            _become(self._order, self._input, told)
        self.group = pid
        os.close(told)
        with os.fdopen(trouble, "rb") as heard:
            ready, _, _ = select.select([trouble, 0], [], [], self._order.timeout_s)
            why = heard.read() if trouble in ready else b"it took too long"
        if why:
            return Report("refused", why=order.NO_PRIVILEGE + why.decode("utf-8", "replace"))
        # Else who keeps reading would wait for descriptors that are this process's own.
        for fd in (1, 2, self._input):
            os.close(fd)
        return self._wait(pid)

    def _wait(self, pid: int) -> Report:
        while True:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return _ended(os.waitstatus_to_exitcode(status), self._order)
            if why := self._too_much():
                return why
            if self._deaf.poll(_pause_ms(time.monotonic() - self._begun)):
                return Report("killed", why="halfdoor asked for its end")

    def _too_much(self) -> Report | None:
        limits = self._order
        if time.monotonic() - self._begun > limits.timeout_s:
            return Report("timed out", why=f"after {limits.timeout_s:g} s")
        used = census.weigh(os.getpid())
        if used.processes > limits.processes + _own_processes(limits.rung):
            return Report("killed", why=f"more than {limits.processes} processes at once")
        if used.memory_bytes > limits.memory_bytes:
            return Report("killed", why=f"more than {_mib(limits.memory_bytes)} of memory")
        if used.cpu_s > limits.cpu_s:
            return Report("killed", why=f"more than {limits.cpu_s} s of processor time")
        if self._written() > limits.disk_bytes:
            return Report("killed", why=f"more than {_mib(limits.disk_bytes)} written")
        return None

    def _written(self) -> int:
        """A walk is dear, so it is made only when the disk as a whole has lost as much."""
        if self._free - _free(self._order.scratch) < self._order.disk_bytes:
            return 0
        return _held(self._order.scratch) - self._laid


def _pause_ms(age_s: float) -> float:
    """Short programs are answered soon, long ones watched seldom."""
    return 1000 * min(LOOK_S, 0.002 + age_s / 10)


def _own_processes(rung: str) -> int:
    """How many of those below the keeper are the sandbox itself."""
    return {order.BUBBLEWRAP: 2, order.NAMESPACES: 2}.get(rung, 0)


def _ended(code: int, wanted: Order) -> Report:
    """Where a process 1 stands between, a signal arrives as 128 and its number, as in a shell."""
    if code < 0:
        return _signalled(-code, wanted)
    apart = wanted.rung in {order.BUBBLEWRAP, order.NAMESPACES}
    if apart and code in {128 + signal.SIGXCPU, 128 + signal.SIGKILL, 128 + signal.SIGXFSZ}:
        return _signalled(code - 128, wanted)
    return Report("exited", code)


def _signalled(number: int, wanted: Order) -> Report:
    if number == signal.SIGXCPU:
        return Report("killed", why=f"more than {wanted.cpu_s} s of processor time")
    if number == signal.SIGXFSZ:
        return Report("killed", why=f"a file of more than {_mib(wanted.file_bytes)}")
    return Report("killed", why=f"by {signal.Signals(number).name}")


def _become(wanted: Order, input_fd: int, told: int) -> None:
    """In the child: into the rung, then into the program. What fails is told, and nothing runs."""
    try:
        os.setsid()
        calls.die_with_parent(signal.SIGKILL)
        calls.hide(yes=False)  # else the files of its own /proc were root's
        os.dup2(input_fd, 0)
        os.closerange(3, told)
        os.closerange(told + 1, _DESCRIPTORS)
        _limit(wanted)
        _enter(wanted, told)
    except Exception as error:  # noqa: BLE001  a forked child: whatever it is, it goes to the keeper
        with suppress(OSError):
            os.write(told, str(error).encode())
    finally:
        os._exit(_FAILED)


def _enter(wanted: Order, told: int) -> None:
    if wanted.rung == order.NAMESPACES:
        namespaces.leave()
        _as_first(wanted, told)
    elif wanted.rung == order.BUBBLEWRAP:
        _wrap(wanted)
    else:
        _among(wanted)


def _as_first(wanted: Order, told: int) -> None:
    """The keeper's child waits for process 1; process 1 starts the program."""
    first = os.fork()
    if first:
        os.close(told)
        _, status = os.waitpid(first, 0)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)
    namespaces.follow_parent()
    namespaces.furnish(wanted)
    _renounce(filters.apart(platform.machine()))
    calls.hide(yes=True)
    child = os.fork()
    if child:
        os.close(told)
        os._exit(namespaces.be_first(child))
    os.setsid()
    _tasks(wanted, 0)
    _execute(wanted)


def _wrap(wanted: Order) -> None:
    """Bubblewrap reads the filter from a descriptor."""
    reading, writing = os.pipe()
    os.write(writing, filters.apart(platform.machine()))
    os.close(writing)
    os.set_inheritable(reading, True)
    _tasks(wanted, _mine())
    command = [*wanted.wrapped]
    command[command.index("FILTER")] = str(reading)
    os.execve(command[0], command, {})  # noqa: S606  no shell is the point


def _among(wanted: Order) -> None:
    os.chdir(wanted.at)
    if wanted.rung == order.SEATBELT:
        os.execve(wanted.wrapped[0], wanted.wrapped, wanted.environment)  # noqa: S606  no shell
    _tasks(wanted, _mine() if os.getuid() else 0)
    if wanted.rung == order.LANDLOCK:
        signals = calls.landlock_version() >= landlock.SIGNALS
        root = os.geteuid() == 0
        if root:
            _be_counted()
        calls.gain_nothing()
        landlock.enter([outside for outside, _ in wanted.shown], _writable(wanted))
        _renounce(filters.among(platform.machine(), signals=signals, root=root))
    _execute(wanted)


def _be_counted() -> None:
    """The kernel limits the tasks of every user but root, and asks for the real one.

    So root takes a real number that nobody has, and stays effective: what it owns, it may read.
    """
    os.setresuid(_UNUSED_USERS + os.getpid(), 0, 0)


def _writable(wanted: Order) -> Iterator[str]:
    yield from (f"{wanted.scratch}/{name}" for name in _PRIVATE)


def _renounce(program: bytes) -> None:
    calls.drop_capabilities()
    calls.gain_nothing()
    calls.filter_calls(program)


def _execute(wanted: Order) -> None:
    os.chdir(wanted.at)
    os.execve(wanted.argv[0], wanted.argv, wanted.environment)  # noqa: S606  no shell is the point


def _limit(wanted: Order) -> None:
    """What the kernel itself holds each single process to; the keeper watches the sum."""
    for which, most in (
        (resource.RLIMIT_CPU, wanted.cpu_s),
        (resource.RLIMIT_DATA, wanted.memory_bytes),
        (resource.RLIMIT_FSIZE, wanted.file_bytes),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(which)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (least, least))


def _tasks(wanted: Order, already: int) -> None:
    """Root is exempt from this one; the keeper's count is not."""
    most = already + _TASKS_EACH * wanted.processes
    hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_NPROC, (least, least))


def _mine() -> int:
    """Tasks of this user now, which the kernel counts with those to come."""
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.stat().st_uid == os.getuid():
                found += sum(1 for _ in (folder / "task").iterdir())
    return found


def _free(folder: str) -> int:
    told = os.statvfs(folder)
    return told.f_bavail * told.f_frsize


def _held(scratch: str) -> int:
    """Bytes on disk in the folders that the program may write to."""
    found = 0
    for folder in _PRIVATE:
        for here, _, names in os.walk(f"{scratch}/{folder}"):
            for name in names:
                with suppress(OSError):
                    found += 512 * os.lstat(f"{here}/{name}").st_blocks
    return found


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:g} MiB"
