"""Promise 1 seen from the other side: a backend that notes when it was dialled and when bytes came."""

import asyncio
import json
import os
import time
from dataclasses import replace

import pytest
import tomlkit

from halfdoor.canon.record import Decided
from halfdoor.canon.request import Actor
from halfdoor.config.load import load
from halfdoor.flow.drive import drive
from halfdoor.flow.exchange import exchange
from halfdoor.wiring import assemble
from tests.helpers.sink import MemorySink

FLUSH_S = 0.05
ASKED = {"model": "any", "max_tokens": 9, "messages": [{"role": "user", "content": "hello " * 200}]}


class SlowFlush:
    """A log whose acknowledgements come late. acknowledged: when each decision's did."""

    def __init__(self, log):
        self._log = log
        self.acknowledged = []

    async def append(self, entry):
        permit = await self._log.append(entry)
        if isinstance(entry, Decided):
            await asyncio.sleep(FLUSH_S)
            self.acknowledged.append(time.monotonic())
        return permit


class Witness(asyncio.Protocol):
    """The backend's socket: every event with its time. It hangs up on whoever asks."""

    def __init__(self, times):
        self._times = times

    def connection_made(self, transport):
        self._times.append(("dialled", time.monotonic()))
        self._transport = transport

    def data_received(self, _):
        self._times.append(("bytes", time.monotonic()))
        self._transport.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
async def test_nothing_reaches_a_backend_before_the_decision_is_acknowledged(
    tmp_path, path, stream
):
    times: list[tuple[str, float]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Witness(times), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway = await asyncio.to_thread(assembled, tmp_path, port)
    for backend in gateway.services.backends.values():
        backend.admission = None  # what a model's name alone does is not this test's
    log = SlowFlush(gateway.services.log)
    services = replace(gateway.services, log=log)
    dialect = next(d for d in gateway.house.dialects.values() if path in d.endpoints)
    request = dialect.read(path, (), "", json.dumps({**ASKED, "stream": stream}).encode())
    sink = MemorySink()
    await drive(exchange(request, Actor(), gateway.house), services, sink)
    await gateway.close()
    server.close()
    # Both models were tried, each on a connection of its own, and both failed.
    assert sink.status == 400
    assert sorted(what for what, _ in times) == ["bytes", "bytes", "dialled", "dialled"]
    assert len(log.acknowledged) == 1
    assert min(at for _, at in times) > log.acknowledged[0]


def assembled(folder, port):
    tables = {
        "server": {"state_dir": str(folder / "state")},
        "backends": [
            {"name": "a", "dialect": "openai_chat", "url": f"http://127.0.0.1:{port}/v1", "zone": "device"},
            {"name": "b", "dialect": "anthropic_messages", "url": f"http://127.0.0.1:{port}", "zone": "device"},
        ],
        "models": [
            {"name": "one", "backend": "a", "id": "one"},
            {"name": "two", "backend": "b", "id": "two"},
        ],
        "names": [{"match": "any", "choose": ["one", "two"]}],
    }  # fmt: skip
    file = folder / "config.toml"
    file.write_text(tomlkit.dumps(tables))
    file.chmod(0o600)
    loaded = load(file, None, os.environ)
    return assemble(loaded, loaded.state_dir)
