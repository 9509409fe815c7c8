"""A real engine in a process of its own: llama-cpp-python's server with the tiny model."""

import http.client
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.engine.tiny import model
from tests.helpers.ports import free_port

ROOT: Final = Path(__file__).parents[2]
# What `make engine` installs.
PYTHON: Final = ROOT / ".engine/bin/python"
INSTALLED: Final = ROOT / ".engine/installed"
# Small, so that an input beyond it is quick to send.
CONTEXT_TOKENS: Final = 16384
# Below pytest's own limit for a test that hangs.
_UP_S: Final = 40
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Engine:
    """Where it listens. log: what it printed."""

    port: int
    log: Path

    def base_url(self, dialect: str) -> str:
        """The one that it speaks is `openai_chat`."""
        assert dialect == "openai_chat", dialect
        return f"http://127.0.0.1:{self.port}/v1"

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def wait_until_it_says(self, words: str) -> None:
        """Blocks. Raises AssertionError when it does not within seconds."""
        until = time.monotonic() + _UP_S
        while words not in self.said():
            assert time.monotonic() < until, f"the engine never said `{words}`: {self.said()}"
            time.sleep(_POLL_S)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """One that answers. Raises AssertionError with its own words when it does not come up."""
    weights = folder / f"{model.NAME}.gguf"
    weights.write_bytes(model.made())
    started = Engine(free_port(), folder / "engine.log")
    with started.log.open("wb") as out:
        process = subprocess.Popen(
            _command(weights, started.port),
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, started)
        yield started
    finally:
        process.terminate()
        process.wait(10)


def _command(weights: Path, port: int) -> list[str]:
    """Interrupting is off: by itself, this server ends an answer when another is asked for."""
    options = {
        "model": weights, "model_alias": model.NAME, "host": "127.0.0.1", "port": port,
        "n_ctx": CONTEXT_TOKENS, "n_threads": 1, "logits_all": True, "embedding": True,
        "interrupt_requests": False,
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [str(PYTHON), "-m", "llama_cpp.server", *words]


def _wait(process: subprocess.Popen[bytes], started: Engine) -> None:
    until = time.monotonic() + _UP_S
    while not _answers(started.port):
        assert process.poll() is None, f"the engine ended: {started.said()}"
        assert time.monotonic() < until, f"the engine is not up: {started.said()}"
        time.sleep(_POLL_S)


def _answers(port: int) -> bool:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        asked.request("GET", "/v1/models")
        return asked.getresponse().status == 200
    except OSError:
        return False
    finally:
        asked.close()
