"""What only the assembled program shows."""

import asyncio
import time

from halfdoor.canon.commands import Fault, Faulted, FaultKind, Learnt
from halfdoor.canon.decision import Target
from halfdoor.canon.labels import Zone
from halfdoor.config.load import load
from halfdoor.wiring import assemble


async def test_a_clock_that_is_set_back_leaves_no_model_unwell_for_as_long(tmp_path, monkeypatch):
    config = tmp_path / "config.toml"
    far = '[[backends]]\nname = "far"\ndialect = "openai_chat"\nurl = "http://127.0.0.1:9/v1"\nzone = "cloud"\n'
    config.write_text(f'{far}\n[[models]]\nname = "m"\nbackend = "far"\nid = "m"\n')
    loaded = await asyncio.to_thread(load, config, None, {"HOME": str(tmp_path)})
    gateway = await asyncio.to_thread(assemble, loaded, tmp_path / "state")
    health = gateway.services.health
    assert health is not None
    target = Target("m", "far", "m", Zone.CLOUD, "openai_chat", "far")
    fault = Fault(FaultKind.STATUS, "busy", 429)
    health.heard(target, Faulted(fault, False, Learnt(), 1, 0, -1, 1))
    an_hour_ago = time.time_ns() - 3_600_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: an_hour_ago)
    assert health.unwell()["far", "m"].for_ms <= 60_000
    await gateway.close()
