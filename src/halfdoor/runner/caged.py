"""One run through a keeper: started, heard, ended, told."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from halfdoor.canon.checks import Ran, RanStatus, Run
from halfdoor.runner import order, ordering, programs, pump
from halfdoor.runner.leave import Leave
from halfdoor.runner.order import Report
from halfdoor.runner.pump import Heard, Stop

_SOURCE: Final = str(Path(__file__).resolve().parents[2])
_KEEPER: Final = (
    "import sys; sys.path.append(sys.argv[1]); from halfdoor.runner.keeper import main;"
    " main(int(sys.argv[2]), int(sys.argv[3]))"
)
# The keeper holds to the time itself; this is for a keeper that does not.
_GRACE_S: Final = 15.0


def keep(
    run: Run, rung: str, folder: Path, lent: list[str], leave: Leave, stop: Stop | None
) -> Ran:
    """Run it on one rung, in a scratch folder that is laid out. Raises TooWide, OSError."""
    line = ordering.ordered(run, rung, folder, lent, programs.found(run.argv[0])).line()
    reading, writing = os.pipe()
    try:
        with given(run, folder) as stdin, leave(run.purpose):
            process = _start(writing, stdin.fileno())
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return _told(run, _followed(process, run, line, reading, stop))


def given(run: Run, folder: Path) -> IO[bytes]:
    """The standard input of a run, as a file."""
    file = folder / "input"
    file.write_bytes(run.stdin)
    return file.open("rb")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and its group; nothing is asked of them first."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _start(report: int, stdin: int) -> "subprocess.Popen[bytes]":
    interpreter = [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _KEEPER]
    return subprocess.Popen(  # noqa: S603  our own interpreter and our own text, no shell
        [*interpreter, _SOURCE, str(report), str(stdin)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(report, stdin),
        cwd="/",
        env={},
        start_new_session=True,
    )


def _followed(
    process: "subprocess.Popen[bytes]", run: Run, line: bytes, report: int, stop: Stop | None
) -> Heard:
    leash = process.stdin
    assert leash is not None
    try:
        with suppress(BrokenPipeError):
            leash.write(line)
            leash.flush()
        until = time.monotonic() + run.timeout_s + _GRACE_S
        most = run.limits.output_bytes
        return pump.listen(process, report, most, until, stop, lambda: pump.close(leash))
    finally:
        # Its children die with it: bubblewrap and process 1 ask the kernel for that.
        pump.close(leash, process.stdout, process.stderr)
        os.close(report)
        end(process)
        process.wait()


def _told(run: Run, heard: Heard) -> Ran:
    report = order.reported(bytes(heard.report))
    said = (bytes(heard.stdout), bytes(heard.stderr))
    if heard.cut:
        why = f"it wrote more than {run.limits.output_bytes} bytes"
        return Ran(RanStatus.KILLED, -1, *said, cut=True, why=why)
    if heard.late or report is None:
        why = "the process that watches it failed" + _last(heard.stderr)
        return Ran(RanStatus.KILLED, -1, *said, why=why)
    return _ended(report, *said)


def _ended(report: Report, stdout: bytes, stderr: bytes) -> Ran:
    # Bubblewrap has one exit status for its own failures, and says `bwrap: ` first. A program that
    # imitates it is refused too: that is no pass, and moves no rung.
    if report.code == 1 and stderr.startswith(b"bwrap: "):
        return Ran(
            RanStatus.REFUSED, -1, b"", stderr, why=stderr.decode("utf-8", "replace").strip()
        )
    return Ran(RanStatus(report.end), report.code, stdout, stderr, why=report.why)


def _last(stderr: bytearray) -> str:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return f": {lines[-1]}" if lines else ""
