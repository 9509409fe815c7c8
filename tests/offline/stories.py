"""What is done inside a sealed namespace: `python -m tests.offline.stories STORY FOLDER`.

Prints a report: what halfdoor answered, what the kernel counted, what strace saw (null without it).
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.offline.sealed import STRACE, attempts, counters, loopback_up

FAR: Final = """
[[backends]]
name = "far"
dialect = "openai_chat"
url = "https://models.example.com/v1"
zone = "cloud"
key = "${FAR_KEY}"
[[backends]]
name = "farther"
dialect = "openai_chat"
url = "https://192.0.2.7/v1"
zone = "cloud"
key = "${FAR_KEY}"
[[models]]
name = "far"
backend = "far"
id = "far"
[[models]]
name = "farther"
backend = "farther"
id = "farther"
"""
NEAR: Final = """
[[backends]]
name = "near"
dialect = "openai_chat"
url = "http://localhost:{port}/v1"
zone = "device"
[[models]]
name = "near"
backend = "near"
id = "near"
"""
ANSWER: Final = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "near",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    ],
}


class Engine(BaseHTTPRequestHandler):
    """Answers every chat, and is nothing else."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        chat = self.path.endswith("/chat/completions")
        self._say(200 if chat else 404, ANSWER if chat else {"detail": "Not Found"})

    def do_GET(self) -> None:
        self._say(200, {"data": [{"id": "near", "object": "model"}]})

    def log_message(self, *_: object) -> None:
        pass

    def _say(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Place:
    """A home of its own, and every halfdoor that is started in it, traced where that can be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trace = folder / "trace.txt"
        self.traces = shutil.which("strace") is not None
        self.config: list[str] = []

    def configured(self, text: str) -> None:
        file = self.folder / "config.toml"
        file.write_text(text)
        file.chmod(0o600)
        self.config = ["--config", str(file)]

    def run(self, *words: str) -> str:
        """A command's standard output; it may fail, its words are the report's."""
        done = subprocess.run(
            self._traced(words), capture_output=True, text=True, check=False, **self._in()
        )
        return str(done.stdout or done.stderr)

    @contextmanager
    def serving(self, *options: str) -> Iterator[int]:
        """A gateway's port."""
        words = self._traced(("serve", *options, "--listen", "127.0.0.1:0"))
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, **self._in()) as running:
            assert running.stdout is not None
            found = re.search(r":(\d+)", running.stdout.readline())
            assert found
            try:
                yield int(found[1])
            finally:
                for pid in self._own(running.pid):
                    os.kill(pid, signal.SIGTERM)
                running.stdout.read()

    def _own(self, pid: int) -> list[int]:
        """The process to stop: strace does not pass a signal on."""
        if not self.traces:
            return [pid]
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def _traced(self, words: tuple[str, ...]) -> list[str]:
        own = [sys.executable, "-m", "halfdoor", *words, *self.config]
        strace = [*STRACE, "-A", "-o", str(self.trace)] if self.traces else []
        return [*strace, *own]

    def _in(self) -> dict[str, Any]:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "FAR_KEY": "planted"}
        return {"env": env, "cwd": self.folder}


def ask(port: int, model: str = "auto") -> dict[str, Any]:
    """One chat through halfdoor."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    client.request("POST", "/v1/chat/completions", json.dumps(body))
    with client.getresponse() as answer:
        document = json.loads(answer.read())
        client.close()
        return {
            "status": answer.status,
            "zone": answer.headers["x-halfdoor-zone"],
            "body": document,
        }


def offline(place: Place) -> dict[str, Any]:
    """Everything that a day without a line needs, with a vendor configured and its key set."""
    engine = ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    place.configured(FAR + NEAR.format(port=engine.server_port))
    body = place.folder / "body.json"
    body.write_text('{"model":"auto","messages":[{"role":"user","content":"hello"}]}')
    with place.serving("--offline") as port:
        turn, explicit = ask(port), ask(port, "far")
    return {
        "turn": turn,
        "explicit": explicit,
        "on": json.loads(place.run("offline", "on", "--json")),
        "explain": json.loads(place.run("explain", str(body), "--json")),
        "doctor": place.run("doctor", "--online"),
        "why": json.loads(place.run("why", "last", "--json")),
        "verify": json.loads(place.run("log", "verify", "--json")),
    }


def unconfigured(place: Place) -> dict[str, Any]:
    """Not offline, and nothing configured: start, status, ps and doctor."""
    with place.serving() as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        client.request("GET", "/halfdoor/status")
        with client.getresponse() as answer:
            status = json.loads(answer.read())
        client.close()
        return {"status": status, "ps": place.run("ps"), "doctor": place.run("doctor")}


def idle(place: Place) -> dict[str, Any]:
    """Not offline, vendors configured, and nobody asks for anything."""
    place.configured(FAR)
    with place.serving():
        return {"ps": place.run("ps")}


def online(place: Place) -> dict[str, Any]:
    """The control: the same gateway, online, is asked for a model that is elsewhere."""
    place.configured(FAR)
    with place.serving() as port:
        return {"named": ask(port, "far"), "numbered": ask(port, "farther")}


STORIES: Final[dict[str, Callable[[Place], dict[str, Any]]]] = {
    story.__name__: story for story in (offline, unconfigured, idle, online)
}


def main() -> None:
    """Run one story and print its report."""
    loopback_up()
    place = Place(Path(sys.argv[2]))
    before = counters()
    told = STORIES[sys.argv[1]](place)
    after = counters()
    counted = {name: after[name] - before[name] for name in after}
    seen = attempts(place.trace) if place.traces else None
    sys.stdout.write(json.dumps({"told": told, "counted": counted, "seen": seen}))


if __name__ == "__main__":
    main()
