"""What a run gave is remembered for who asks again under the same name (`Run.remember`)."""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from halfdoor.canon.checks import Ran, RanStatus, Run
from halfdoor.flow.ports import Runner

_MOST_KEPT: Final = 40
_RAN: Final = msgspec.msgpack.Decoder(Ran)


class Remembering:
    """A runner around a runner.

    folder: where it is kept, of halfdoor's own state: nothing that runs inside can write there.
    Only what came to its own end and wrote what was wanted is kept, and of that the newest; it
    holds as long as nothing is installed into the program's virtual environment.
    """

    def __init__(self, runner: Runner, folder: Path) -> None:
        self._runner = runner
        self._folder = folder

    def run(self, run: Run) -> Ran:
        """See `flow.ports.Runner`."""
        if not run.remember:
            return self._runner.run(run)
        name = repr((run.remember, run.argv, run.files, run.without, _installed(run.argv[0])))
        file = self._folder / sha256(name.encode()).hexdigest()
        with suppress(OSError, msgspec.DecodeError):
            return _RAN.decode(file.read_bytes())
        ran = self._runner.run(run)
        if ran.status is RanStatus.EXITED and ran.written.keys() == set(run.wanted):
            with suppress(OSError):  # then the next one runs again
                self._keep(file, ran)
        return ran

    def _keep(self, file: Path, ran: Ran) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = file.with_suffix(".new")
        new.write_bytes(msgspec.msgpack.encode(ran))
        new.replace(file)
        kept = sorted(self._folder.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in kept[_MOST_KEPT:]:
            old.unlink()


def _installed(program: str) -> tuple[int, ...]:
    """When a program's virtual environment last changed, ns; () for one that is in none."""
    folder = Path(program).parent.parent
    places = (folder / "pyvenv.cfg", *sorted(folder.glob("lib/python*/site-packages")))
    with suppress(OSError):
        return tuple(place.stat().st_mtime_ns for place in places)
    return ()
