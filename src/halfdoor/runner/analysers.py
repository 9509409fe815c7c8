"""halfdoor's own analysers over given files: they run no code of the project, so no sandbox."""

import subprocess
import time
from pathlib import Path

from halfdoor.canon.checks import Ran, RanStatus, Run
from halfdoor.runner import caged, ordering, programs, pump, scratch
from halfdoor.runner.leave import Leave
from halfdoor.runner.pump import Heard, Stop


def run_own(run: Run, folder: Path, leave: Leave, stop: Stop | None) -> Ran:
    """Run one of them in a scratch folder. Raises Unfit, OSError."""
    program = programs.beside(run.argv[0])
    if not program:
        why = f"`{run.argv[0]}` is not installed beside halfdoor"
        return Ran(RanStatus.REFUSED, why=why, absent=True)
    scratch.lay(run.files, folder / "work")
    begun = time.monotonic()
    with caged.given(run, folder) as stdin, leave(run.purpose):
        process = subprocess.Popen(  # noqa: S603  halfdoor's own analyser, no shell
            [program, *run.argv[1:]],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder / "work",
            env=_environment(run, folder),
            start_new_session=True,
        )
    try:
        until, most = begun + run.timeout_s, run.limits.output_bytes
        heard = pump.listen(process, None, most, until, stop, lambda: caged.end(process))
    finally:
        pump.close(process.stdout, process.stderr)
        caged.end(process)
        code = process.wait()
    return _told(run, code, heard)


def _environment(run: Run, folder: Path) -> dict[str, str]:
    return ordering.ALWAYS | ordering.homely(str(folder / "tmp")) | run.environment


def _told(run: Run, code: int, heard: Heard) -> Ran:
    said = (bytes(heard.stdout), bytes(heard.stderr))
    if heard.late:
        return Ran(RanStatus.TIMED_OUT, -1, *said, why=f"after {run.timeout_s:g} s")
    if heard.cut:
        why = f"it wrote more than {run.limits.output_bytes} bytes"
        return Ran(RanStatus.KILLED, -1, *said, cut=True, why=why)
    if heard.stopped or code < 0:
        why = "halfdoor asked for its end" if heard.stopped else f"by signal {-code}"
        return Ran(RanStatus.KILLED, -1, *said, why=why)
    return Ran(RanStatus.EXITED, code, *said)
