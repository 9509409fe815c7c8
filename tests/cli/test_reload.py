"""SIGHUP: a tighter configuration takes over while requests run; a broken or looser one does not."""

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from halfdoor.cli.serve import Service
from halfdoor.config.load import load
from halfdoor.errors import SetupError
from halfdoor.server.address import Address
from halfdoor.store import index
from halfdoor.store.keys import LogKeys
from halfdoor.wiring import Gateway, assemble

CONFIG = """
[[backends]]
name = "fake"
dialect = "openai_chat"
url = "scripted:"
zone = "cloud"
[[models]]
name = "m"
backend = "fake"
id = "m"
"""
RULE = '[[rules]]\nlabel = "path:payments/**"\nceiling = "device"\n'


class Serving:
    def __init__(self, tmp_path, running) -> None:
        self.file = tmp_path / "config.toml"
        self._running = running
        first = running.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
        assert found, first
        self.port = int(found[1])

    def reload(self, text: str) -> str:
        """Signal, and what it said about it."""
        self.file.write_text(text)
        self._running.send_signal(signal.SIGHUP)
        for line in self._running.stdout:
            if "reloaded" in line:
                return str(line)
        raise AssertionError("nothing was said")

    def status_of(self, content: str) -> int:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = {"model": "auto", "messages": [{"role": "user", "content": content}]}
        client.request("POST", "/v1/chat/completions", json.dumps(body))
        with client.getresponse() as answer:
            answer.read()
            client.close()
            return answer.status


@pytest.fixture
def serving(tmp_path, loopback, processes):
    (tmp_path / "config.toml").write_text(CONFIG)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "halfdoor", "serve", "--config", str(tmp_path / "config.toml")]
    with subprocess.Popen(
        [*command, "--listen", "127.0.0.1:0"], env=env, cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as running:  # fmt: skip
        yield Serving(tmp_path, running)
        running.send_signal(signal.SIGTERM)
        assert running.stdout
        running.stdout.read()
    assert running.returncode == 0


def test_a_new_rule_holds_from_the_next_request_on(serving):
    named = "payments/core.py:3: x = 1"
    assert serving.status_of(named) == 200
    assert serving.reload(CONFIG + RULE).startswith("reloaded")
    assert serving.status_of(named) == 400
    assert serving.status_of("harmless") == 200


def test_a_broken_file_is_refused_with_its_line_and_the_old_one_stays(serving):
    said = serving.reload(CONFIG + "[[rules]\n")
    assert "not reloaded" in said
    assert re.search(r"config\.toml:\d+", said)
    assert serving.status_of("harmless") == 200


def test_a_looser_file_waits_for_a_restart(serving):
    serving.reload(CONFIG + RULE)
    said = serving.reload(CONFIG)
    assert "might reach cloud" in said
    assert "restart" in said
    assert serving.status_of("payments/core.py:3: x = 1") == 400


def test_text_that_an_index_knew_is_not_forgotten_by_a_reload(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.py").write_text("\n".join(f"total{n} = fee(rate{n})" for n in range(99)))
    loaded = load(tmp_path / "config.toml", None, {"HOME": str(tmp_path)})
    built = index.build(index.Restricted(str(tmp_path / "shop"), ("**",), ()))
    key = LogKeys.load_or_create(loaded.state_dir).prints_key
    index.save(built, loaded.state_dir, key)
    gateway = assemble(loaded, loaded.state_dir)
    assert gateway.changed(loaded).indexed == {str(tmp_path / "shop")}
    (file,) = (loaded.state_dir / index.FOLDER).iterdir()
    file.unlink()
    with pytest.raises(SetupError, match="an index of restricted files is gone"):
        gateway.changed(loaded)


def test_a_stop_waits_for_the_gateway_that_a_reload_replaced(tmp_path, monkeypatch):
    left = []

    async def hang_up(gateway):
        left.append(gateway)

    async def reload_and_stop():
        async with service.running():
            await service.reload(app, lambda: loaded)

    monkeypatch.setattr(Gateway, "hang_up", hang_up)
    (tmp_path / "config.toml").write_text(CONFIG)
    loaded = load(tmp_path / "config.toml", None, {"HOME": str(tmp_path)})
    service = Service(assemble(loaded, loaded.state_dir), (), Address("127.0.0.1", 1))
    before, app = service.gateway, service.app()
    asyncio.run(reload_and_stop())
    assert left == [service.gateway, before]


NEAR = CONFIG.replace(
    'url = "scripted:"\nzone = "cloud"', 'url = "http://127.0.0.1:9/v1"\nzone = "device"'
)


def test_who_waits_for_an_engine_keeps_its_place_over_a_reload_and_follows_the_new_slots(tmp_path):
    seen: list[str] = []

    async def call(name):
        async with service.gateway.services.queues["fake"].turn(name, "m", name):
            seen.append(name)
            await over.wait()

    async def play():
        async with service.running():
            calls = [asyncio.create_task(call(name)) for name in "abc"]
            await asyncio.sleep(0)
            before = service.gateway.services.queues["fake"].line()
            file.write_text(NEAR.replace("[[models]]", "slots = 2\n[[models]]"))
            await service.reload(app, lambda: load(file, None, env))
            await asyncio.sleep(0)
            after = service.gateway.services.queues["fake"].line()
            over.set()
            await asyncio.gather(*calls)
        return [[exchange for exchange, _ in line] for line in (before, after)]

    file, env, over = tmp_path / "config.toml", {"HOME": str(tmp_path)}, asyncio.Event()
    file.write_text(NEAR.replace("[[models]]", "slots = 1\n[[models]]"))
    loaded = load(file, None, env)
    service = Service(assemble(loaded, loaded.state_dir), (), Address("127.0.0.1", 1))
    app = service.app()
    assert asyncio.run(play()) == [["b", "c"], ["c"]]
    assert seen == ["a", "b", "c"]
