"""Processes under test: started, pinned to a core, measured, ended."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

_CORES: Final = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
# The gateway has a core for itself where there are two; load and mock share the other.
GATEWAY_CPU: Final = _CORES[0]
LOAD_CPU: Final = _CORES[-1]
START_LIMIT_S: Final = 30.0

_NGINX: Final = """
worker_processes 1; daemon off; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 64m; client_body_buffer_size 1m; keepalive_requests 10000000;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u;
  scgi_temp_path s;
  upstream model {{ server 127.0.0.1:{mock}; keepalive 256; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


class Process:
    """A server that answers. start_s: from its start to its first answer."""

    def __init__(self, child: "subprocess.Popen[bytes]", start_s: float) -> None:
        self._child = child
        self.start_s = start_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    @property
    def pid(self) -> int:
        """Of the process itself."""
        return self._child.pid

    def cpu_s(self) -> float:
        """User and system time so far, of it and its children; nan where /proc is not."""
        ticks = [_ticks(pid) for pid in (self._child.pid, *_children(self._child.pid))]
        return sum(ticks) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory, MB; nan where /proc is not."""
        try:
            pages = int(Path(f"/proc/{self._child.pid}/statm").read_text("ascii").split()[1])
        except OSError:
            return float("nan")
        return pages * resource.getpagesize() / 1e6


def started(name: str, command: list[str], port: int, cpu: int, home: Path) -> Process:
    """Start a server on a core of its own and wait until it answers. Raises OSError."""
    if _answers(port):
        raise OSError(f"port {port} is in use; end what holds it, and measure again")
    with (home / f"{name}.log").open("wb") as out:
        begun = time.perf_counter()
        child = subprocess.Popen(  # noqa: S603  fixed commands of this bench
            command, stdout=out, stderr=out, env={**os.environ, "HOME": str(home)}
        )
    pin(child.pid, cpu)
    while not _answers(port):
        if child.poll() is not None or time.perf_counter() - begun > START_LIMIT_S:
            child.kill()
            raise OSError(f"{name} did not start: {(home / f'{name}.log').read_text()[-400:]}")
        time.sleep(0.002)
    return Process(child, time.perf_counter() - begun)


def nginx(home: Path, port: int, mock: int) -> Process:
    """A plain reverse proxy, one worker."""
    (home / "nginx.conf").write_text(_NGINX.format(port=port, mock=mock))
    command = ["nginx", "-p", str(home), "-c", str(home / "nginx.conf"), "-e", "stderr"]
    return started("nginx", command, port, GATEWAY_CPU, home)


@contextmanager
def profiled(process: Process, out: str) -> Iterator[None]:
    """Record what it does meanwhile. Raises OSError: py-spy is no dependency of halfdoor."""
    if shutil.which("py-spy") is None:
        raise OSError("py-spy is not installed; install it where your PATH finds it")
    command = ["py-spy", "record", "--format", "speedscope", "--output", out, "--pid"]
    recorder = subprocess.Popen([*command, str(process.pid)])  # noqa: S603  a fixed command
    try:
        yield
    finally:
        recorder.send_signal(signal.SIGINT)
        recorder.wait()


def pin(pid: int, cpu: int) -> bool:
    """Hold a process (0: this one) to one core; False where the system cannot."""
    if not hasattr(os, "sched_setaffinity") or len(_CORES) < 2:
        return False
    os.sched_setaffinity(pid, {cpu})
    return True


def _answers(port: int) -> bool:
    """Does it answer, whatever it says? A port may be bound long before that."""
    with socket.socket() as asking:
        asking.settimeout(START_LIMIT_S)
        try:
            asking.connect(("127.0.0.1", port))
            asking.sendall(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            return bool(asking.recv(1))
        except OSError:
            return False


def _children(pid: int) -> list[int]:
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def _ticks(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return float(stat[11]) + float(stat[12])
