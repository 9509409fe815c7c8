import http.client
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from halfdoor.backends import guard
from halfdoor.backends.switch import Switch
from halfdoor.config.offline import flag
from halfdoor.server.address import Address
from halfdoor.server.crew import _Crew
from halfdoor.store.reader import LogReader

CONFIG = """
[[backends]]
name = "near"
dialect = "openai_chat"
url = "scripted:"
zone = "device"
[[backends]]
name = "far"
dialect = "openai_chat"
url = "scripted:"
zone = "cloud"
[[backends]]
name = "engine"
dialect = "openai_chat"
url = "http://localhost:9/v1"
zone = "device"
[[models]]
name = "far"
backend = "far"
id = "far"
[[models]]
name = "near"
backend = "near"
id = "near"
"""


@pytest.fixture
def configured(home):
    place = home / ".config/halfdoor"
    place.mkdir(parents=True)
    (place / "config.toml").write_text('[server]\nlisten = "127.0.0.1:1"\n' + CONFIG)
    return home / ".local/state/halfdoor"


def events(state):
    with LogReader(state) as reader:
        entries = [reader.entry(row) for row in reader.tail(100)]
    return [entry.event for entry in entries if hasattr(entry, "event")]


def test_on_writes_a_flag_that_only_its_owner_reads_and_an_entry(halfdoor, configured):
    assert halfdoor("offline", "on").code == 0
    assert (configured / "offline").stat().st_mode & 0o777 == 0o600
    assert events(configured) == ["offline-on"]


def test_off_removes_the_flag_and_is_an_entry_too(halfdoor, configured):
    halfdoor("offline", "on")
    assert halfdoor("offline", "off").code == 0
    assert not (configured / "offline").exists()
    assert events(configured) == ["offline-on", "offline-off"]


def test_off_without_a_flag_changes_and_records_nothing(halfdoor, configured):
    assert halfdoor("offline", "off").code == 0
    assert not configured.exists()


def test_off_that_cannot_be_recorded_leaves_the_flag(halfdoor, configured):
    halfdoor("offline", "on")
    (configured / "log.db").write_bytes(b"no database" * 100)
    assert halfdoor("offline", "off").code == 1
    assert (configured / "offline").exists()


def test_on_that_cannot_be_recorded_is_offline_all_the_same(halfdoor, configured):
    configured.mkdir(parents=True, mode=0o700)
    (configured / "log.db").write_bytes(b"no database" * 100)
    assert halfdoor("offline", "on").code == 1
    assert (configured / "offline").exists()


def test_status_tells_what_may_be_asked(halfdoor, configured):
    before = json.loads(halfdoor("offline", "status", "--json").out)
    assert (before["offline"], before["flag"], before["gateway"]) == (False, False, "none")
    assert all(backend["reachable"] for backend in before["backends"])
    halfdoor("offline", "on")
    after = json.loads(halfdoor("offline", "status", "--json").out)
    assert (after["offline"], after["flag"]) == (True, True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z", after["since"])
    may = {backend["backend"]: backend["reachable"] for backend in after["backends"]}
    assert may == {"near": True, "far": False, "engine": True}


def test_status_reads_well(halfdoor, configured):
    halfdoor("offline", "on")
    said = halfdoor("offline", "status").out.splitlines()
    assert said[0] == "no gateway answers on 127.0.0.1:1"
    assert said[1].startswith("flag     on since 20")
    assert said[2:] == [
        "setting  online",
        "near                 device   may be asked  scripted:",
        "far                  cloud    is not asked  scripted:",
        "engine               device   may be asked  localhost",
    ]


def test_a_backend_that_is_beyond_this_device_by_name_is_not_asked(halfdoor, configured, home):
    config = home / ".config/halfdoor/config.toml"
    config.write_text(config.read_text().replace("localhost:9", "box.example:9"))
    halfdoor("offline", "on")
    told = json.loads(halfdoor("offline", "status", "--json").out)
    assert not told["backends"][2]["reachable"]


def test_explain_names_the_rule_while_the_flag_is_there(halfdoor, configured, home):
    (home / "body.json").write_text('{"model":"auto","messages":[]}')
    halfdoor("offline", "on")
    told = json.loads(halfdoor("explain", "body.json", "--json").out)
    assert told["plan"] == [{"model": "near", "zone": "device"}]
    [left] = told["excluded"]
    assert (left["model"], left["rule"], left["label"]) == ("far", "offline", "*")


def test_every_command_obeys_the_flag(halfdoor, configured):
    halfdoor("offline", "on")
    guard._installed.offline = False
    halfdoor("ps")
    assert guard.is_offline()


def test_doctor_looks_nothing_up_while_the_flag_is_there(halfdoor, configured, home):
    config = home / ".config/halfdoor/config.toml"
    config.write_text(config.read_text().replace("localhost:9", "box.example:9"))
    halfdoor("offline", "on")
    told = json.loads(halfdoor("doctor", "--online", "--json").out)
    [said] = [f["said"] for f in told["findings"] if f["about"] == "backend engine"]
    assert said == "not asked: halfdoor is offline"


class Running:
    def __init__(self, folder, *options) -> None:
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG)
        self._env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        self.process = self._start("serve", *options, "--listen", "127.0.0.1:0")
        first = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
        assert found, first
        self.port = int(found[1])

    def _start(self, *words):
        return subprocess.Popen(
            [sys.executable, "-m", "halfdoor", *words, "--config", str(self.config)],
            env=self._env, cwd=self.config.parent, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def offline(self, word):
        """`halfdoor offline WORD --json`, which nobody tells that the gateway got a free port."""
        own = ["--config", str(self.config)]
        words = [sys.executable, "-m", "halfdoor", "offline", word, "--json", *own]
        done = subprocess.run(words, env=self._env, check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def zone(self):
        """Where a request over a connection of its own is answered."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
        client.request("POST", "/v1/chat/completions", json.dumps(body))
        with client.getresponse() as answer:
            answer.read()
            client.close()
            return answer.headers["x-halfdoor-zone"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.read()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture
def running(tmp_path, loopback, processes):
    begun = []

    def start(*options):
        begun.append(Running(tmp_path, *options))
        return begun[-1]

    yield start
    for each in begun:
        if not each.process.stdout.closed:
            each.stop()


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "two"])
def test_a_running_gateway_goes_offline_at_once_and_online_at_a_restart_only(running, options):
    gateway = running(*options)
    assert {gateway.zone() for _ in range(6)} == {"cloud"}
    told = gateway.offline("on")
    assert (told["gateway"], told["listen"]) == ("offline", f"127.0.0.1:{gateway.port}")
    assert {gateway.zone() for _ in range(12)} == {"device"}
    after = gateway.offline("off")
    assert (after["flag"], after["gateway"]) == (False, "offline")
    assert {gateway.zone() for _ in range(12)} == {"device"}
    gateway.stop()
    assert running(*options).zone() == "cloud"


class Nothing:
    """Orders that a program which reads none does not miss."""

    def handed(self):
        return b""

    def renew(self):
        raise AssertionError("there was no signal")


def test_a_worker_that_is_replaced_is_as_offline_as_the_one_before(tmp_path, processes):
    switch = Switch(tmp_path)
    crew = _Crew(1, [], Address("127.0.0.1", 1), switch, Nothing())
    crew._command = [sys.executable, "-c", "pass"]
    flag(tmp_path).touch()
    crew._tend()
    flag(tmp_path).unlink()
    crew._start()
    [worker] = crew._workers
    with worker:
        assert str(worker.args).endswith("'--offline']")


def test_serve_offline_says_so_and_holds_every_request(running):
    gateway = running("--offline")
    assert gateway.zone() == "device"
    assert gateway.offline("status")["gateway"] == "offline"
