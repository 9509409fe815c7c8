"""Runs what checks ask for: own analysers as they are, all else in a sandbox or not at all.

It is a plain function that blocks, because its first caller is a command line that must not pay for
an event loop, and because on an event loop the standard library starts a thread for each process
anyway, while uvloop starts processes past the audit hook. A server runs it in a thread
(`threaded.py`), which also hears a cancellation.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from halfdoor.canon.checks import Ran, RanStatus, Run
from halfdoor.runner import analysers, caged, order, programs, rungs, scratch, view
from halfdoor.runner.leave import Leave
from halfdoor.runner.pump import Stop

_HARMLESS: Final = ("/usr/bin/true", "/bin/true")


class Sandbox:
    """Runs on the strongest rung that works here.

    leave: what the guard gives, see `backends/guard.py:start_permit`.
    unsafe: where no rung works, run all the same, with limits and without a sandbox.
    prepare: called with `Run.tree` before it is copied, and only then.
    only: try these rungs and no others; None for all of this system.
    reasons: why a rung that was tried does not work.
    """

    def __init__(
        self,
        leave: Leave,
        *,
        unsafe: bool = False,
        prepare: Callable[[str], None] | None = None,
        only: tuple[str, ...] | None = None,
    ) -> None:
        self._leave = leave
        self._unsafe = unsafe
        self._prepare = prepare
        self._rungs = rungs.here() if only is None else only
        self._chosen: str | None = None
        self.reasons: dict[str, str] = {}

    def run(self, run: Run, stop: Stop | None = None) -> Ran:
        """Perform it; never raises for what the process does. See `canon.checks.Run`."""
        begun = time.monotonic()
        try:
            with scratch.scratch() as folder:
                ran = self._run(run, folder, stop)
                written = scratch.read(run.wanted, folder / "work", run.limits.file_bytes)
        except (scratch.Unfit, view.TooWide, OSError) as error:
            ran, written = Ran(RanStatus.REFUSED, why=str(error)), {}
        return replace(ran, ms=round(1000 * (time.monotonic() - begun)), written=written)

    def rung(self) -> str:
        """The rung in use, found by running a harmless program; "" where none works."""
        if self._chosen is None:
            self._chosen = next((rung for rung in self._rungs if self._works(rung)), "")
            if not self._chosen and self._unsafe:
                self._chosen = order.UNSAFE
        return self._chosen

    def refusal(self) -> str:
        """Why nothing runs here, and what would help."""
        tried = "; ".join(f"{rung}: {why}" for rung, why in self.reasons.items())
        return (
            f"no sandbox works here ({tried or 'halfdoor knows none for this system'});"
            " hint: mend one of them, or trust this project's code and say --unsafe-local"
        )

    def _run(self, run: Run, folder: Path, stop: Stop | None) -> Ran:
        if run.own:
            return analysers.run_own(run, folder, self._leave, stop)
        if not programs.found(run.argv[0]):
            why = f"there is no program `{run.argv[0]}`"
            return Ran(RanStatus.REFUSED, why=why, absent=True)
        rung = self.rung()
        if not rung:
            return Ran(RanStatus.REFUSED, why=self.refusal())
        if run.tree and self._prepare is not None:
            self._prepare(run.tree)
        lent = scratch.copy(Path(run.tree), folder / "work") if run.tree else []
        scratch.clear(run.without, folder / "work")
        scratch.lay(run.files, folder / "work")
        return replace(caged.keep(run, rung, folder, lent, self._leave, stop), rung=rung)

    def _works(self, rung: str) -> bool:
        # INVARIANT: only a trial moves a rung down; nothing that a checked program does can.
        why = rungs.missing(rung)
        if not why:
            ran = self._trial(rung)
            if ran.status is RanStatus.EXITED and ran.code == 0:
                return True
            said = ran.why or ran.stderr.decode("utf-8", "replace").strip()
            why = rungs.explained(rung, said or f"exit status {ran.code}")
        self.reasons[rung] = why
        return False

    def _trial(self, rung: str) -> Ran:
        program = next((path for path in _HARMLESS if Path(path).exists()), _HARMLESS[0])
        with scratch.scratch() as folder:
            run = Run((program,), "a trial of the sandbox")
            return caged.keep(run, rung, folder, [], self._leave, None)
