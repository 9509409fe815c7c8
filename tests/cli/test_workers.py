"""`serve --workers 2`: one port, one log, one memory."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

KEY = "AKIA" + "Z7QXL2M4" + "TRBNWK5E"


class Crew:
    def __init__(self, running, env) -> None:
        self.running, self._env = running, env
        first = running.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+) with 2 workers", first)
        assert found, first
        self.port = int(found[1])

    def ask(self, method, path, body=None):
        """(headers, document) over a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        client.request(method, path, None if body is None else json.dumps(body))
        with client.getresponse() as answer:
            told = json.loads(answer.read())
            client.close()
            return dict(answer.getheaders()), told

    def chat(self, *said):
        messages = [
            {"role": "user" if i % 2 == 0 else "assistant", "content": text}
            for i, text in enumerate(said)
        ]
        return self.ask("POST", "/v1/chat/completions", {"model": "claude-x", "messages": messages})

    def metrics(self):
        """The page, over a connection of its own: whichever worker takes it."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        client.request("GET", "/metrics")
        with client.getresponse() as answer:
            page = answer.read().decode()
        client.close()
        return page

    def pids(self):
        return {self.ask("GET", "/halfdoor/status")[1]["pid"] for _ in range(30)}

    def command(self, *args):
        return subprocess.run(
            [sys.executable, "-m", "halfdoor", *args],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def crew(tmp_path, loopback, processes):
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [
        sys.executable,
        "-m",
        "halfdoor",
        "serve",
        "--workers",
        "2",
        "--listen",
        "127.0.0.1:0",
    ]
    with subprocess.Popen(
        command, env=env, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as running:
        yield Crew(running, env)
        running.send_signal(signal.SIGTERM)
        assert running.stdout
        running.stdout.read()


def test_two_workers_share_the_port_the_log_and_what_they_remember(crew):
    assert len(crew.pids()) == 2
    _, told = crew.chat(f"my key is {KEY}")
    answer = told["choices"][0]["message"]["content"]
    for _ in range(12):
        headers, _ = crew.chat("what did you say?", answer, "and now?")
        assert (headers["x-halfdoor-zone"], headers["x-halfdoor-rule"]) == ("device", "secret")
        # Another session, and only a part of it: every worker knows that too.
        headers, _ = crew.chat(f"explain this: {' '.join(answer.split()[2:])}")
        assert (headers["x-halfdoor-zone"], headers["x-halfdoor-rule"]) == ("device", "secret")
    crew.running.send_signal(signal.SIGTERM)
    assert crew.running.wait(20) == 0
    verified = json.loads(crew.command("log", "verify", "--json").stdout)
    assert verified["size"] >= 25 * 2
    assert verified["whole"] is True


def test_one_scrape_tells_of_every_worker_whichever_answers(crew):
    for number in range(12):
        crew.chat(f"say {number}")
    pages = [crew.metrics() for _ in range(8)]
    assert all("halfdoor_processes 2\n" in page for page in pages)
    deadline = time.monotonic() + 10
    while not all('halfdoor_log_entries_total{kind="outcome"} 12\n' in p for p in pages):
        assert time.monotonic() < deadline, pages[0]
        pages = [crew.metrics() for _ in range(8)]
    crew.running.send_signal(signal.SIGTERM)
    assert crew.running.wait(20) == 0


def test_workers_end_with_a_parent_that_is_killed(crew):
    pids = crew.pids()
    crew.running.kill()
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Does it run? A process that ended and was not waited for counts as gone."""
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")


def test_a_worker_that_cannot_live_stops_them_all(tmp_path, processes):
    state = tmp_path / ".local/state/halfdoor"
    state.mkdir(parents=True, mode=0o700)
    (state / "log.db").write_bytes(b"no database" * 100)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [
        sys.executable,
        "-m",
        "halfdoor",
        "serve",
        "--workers",
        "2",
        "--listen",
        "127.0.0.1:0",
    ]
    done = subprocess.run(
        command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "log.db" in done.stderr
    assert "cannot live" in done.stderr
    assert "Traceback" not in done.stderr
