"""A real `halfdoor serve` in a process of its own, on a free port, with a home of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import tomlkit

_LISTENS: Final = re.compile(r"listens on (http://\S+)")
_START_S: Final = 30.0


class Serving:
    """program: what Python is told to run. folder: its home, configuration and state; made when missing. tables: of its configuration.

    Start, kill and start again: each start uses the same state directory. Blocks: not for a loop.
    """

    def __init__(
        self,
        folder: Path,
        tables: dict[str, Any],
        state: Path | None = None,
        *options: str,
        program: tuple[str, ...] = ("-m", "halfdoor"),
    ) -> None:
        self._options = options
        self._program = program
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.state = state or folder / "state"
        self.config = folder / "config.toml"
        server = {"listen": "127.0.0.1:0", "state_dir": str(self.state)}
        self.config.write_text(tomlkit.dumps({"server": server, **tables}))
        self.config.chmod(0o600)
        self.said = folder / "said.txt"
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it was started and has not ended, by itself or by `end`."""
        return self._process is not None and self._process.poll() is None

    def spawn(self) -> None:
        """Start the process; it may not be ready yet."""
        with self.said.open("a") as said:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *self._program,
                    "serve",
                    "--config",
                    str(self.config),
                    *self._options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=_environment(self.config.parent),
                cwd=self.config.parent,
            )

    def ready(self) -> str:
        """Wait until it listens; its root URL."""
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := _LISTENS.search(line):
                self.url = found[1]
                return self.url
        raise AssertionError(f"halfdoor did not start:\n{self.said.read_text()[-2000:]}")

    def start(self) -> str:
        """Start it and wait until it listens."""
        self.spawn()
        return self.ready()

    def kill(self) -> bool:
        """SIGKILL, and wait for the end. False if it had ended by itself before."""
        return self.end(signal.SIGKILL) == -signal.SIGKILL

    def send(self, which: signal.Signals) -> None:
        """Send a signal and go on."""
        assert self._process is not None
        self._process.send_signal(which)

    def end(self, which: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end; the exit status, 0 if it was taken before.

        What does not end in time is killed and told, as an AssertionError.
        """
        process, self._process = self._process, None
        if process is None:
            return 0
        assert process.stdout is not None
        with process.stdout:
            process.send_signal(which)
            try:
                return process.wait(_START_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"halfdoor lived on {_START_S} s after {which.name}") from None

    def failed(self) -> str:
        """Wait for a start that must fail; what it said."""
        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        assert process.wait(_START_S) == 1
        process.stdout.close()
        return self.said.read_text()


def _environment(home: Path) -> dict[str, str]:
    names = {"PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH"}
    kept = {k: v for k, v in os.environ.items() if k in names or k.startswith("TEST_")}
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1"}
