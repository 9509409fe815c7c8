"""One gateway, many requests: the run behind `make soak` and its small version in the tests."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from halfdoor.store.keys import LogKeys
from tests.helpers.serving import Serving
from tests.soak.clients import Client
from tests.soak.gauge import NONE, Sample, sample, slope
from tests.soak.ledger import Ledger
from tests.soak.mix import Mixer
from tests.soak.upstream import Upstream

# Answers with this many requests of `Mixer.filling` fill every bounded cache before the measuring.
FILLING: Final = 2_000
PER: Final = 10_000


@dataclass
class Result:
    """samples: while the mix ran, caches full. before, after: without any client. found: faults."""

    requests: int = 0
    samples: list[Sample] = field(default_factory=list)
    before: Sample = NONE
    after: Sample = NONE
    statuses: dict[tuple[str, int], int] = field(default_factory=dict)
    upstream: int = 0
    found: list[str] = field(default_factory=list)

    def memory_slope(self, warm: int) -> float:
        """KiB per 10,000 requests, by least squares over the samples after `warm` requests."""
        return PER * slope([(s.requests, s.rss_kib) for s in self.samples if s.requests >= warm])

    def descriptor_slope(self, warm: int) -> float:
        """Open descriptors per 10,000 requests, as above."""
        return PER * slope(
            [(s.requests, s.descriptors) for s in self.samples if s.requests >= warm]
        )


async def soak(
    folder: Path,
    *,
    requests: int,
    filling: int = FILLING,
    connections: int = 24,
    every: int = 2_500,
    quiet_s: float = 0.0,
    seed: int = 1,
    tell: Callable[[Sample], None] = lambda _: None,
) -> Result:
    """Fill the caches, run the mix, stop the gateway, compare the log.

    every: requests between two samples. quiet_s: without clients before descriptors are counted:
    a kept connection to a backend lasts up to 30 s.
    """
    result = Result()
    async with AsyncExitStack() as stack:
        cloud = await stack.enter_async_context(Upstream(reliable=False))
        local = await stack.enter_async_context(Upstream(reliable=True))
        gateway = Serving(folder, tables(cloud, local))
        url = urlsplit(await asyncio.to_thread(gateway.start))
        stack.push_async_callback(asyncio.to_thread, gateway.end)
        keys = await asyncio.to_thread(LogKeys.load, gateway.state)
        ledger, mixer = Ledger(keys), Mixer(seed)
        result.before = sample(gateway.pid, 0)
        asks = iter([mixer.filling] * filling + [mixer.next] * requests)

        async def client() -> None:
            async with Client(str(url.hostname), url.port or 0) as own:
                for make in asks:
                    asked = make()
                    ledger.note(asked, await own.ask(asked))
                    result.requests += 1
                    if result.requests % every == 0:
                        now = sample(gateway.pid, result.requests)
                        result.samples.append(now)
                        tell(now)

        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(client())
        await asyncio.sleep(quiet_s)
        result.after = sample(gateway.pid, result.requests)
        code = await asyncio.to_thread(gateway.end)
        result.found = [] if code == 0 else [f"the gateway ended with {code}"]
        said = await asyncio.to_thread(gateway.said.read_text)
        result.found += [f"the gateway said: {said[:500]}"] if said else []
        result.found += await asyncio.to_thread(ledger.compare, gateway.state)
        result.found += [f"{cloud.leaks} planted keys reached the cloud"] if cloud.leaks else []
        result.statuses = dict(ledger.statuses)
        result.upstream = cloud.requests + local.requests
    return result


def tables(cloud: Upstream, local: Upstream) -> dict[str, Any]:
    """Both dialects on both sides; what fails in the cloud falls back to the device."""

    def backend(name: str, dialect: str, of: Upstream, zone: str) -> dict[str, str]:
        url = of.url + "/v1" if dialect == "openai_chat" else of.url
        return {"name": name, "dialect": dialect, "url": url, "zone": zone}

    return {
        "backends": [
            backend("cloud-messages", "anthropic_messages", cloud, "cloud"),
            backend("cloud-chat", "openai_chat", cloud, "cloud"),
            backend("local", "openai_chat", local, "device"),
        ],
        "models": [
            {"name": "sonnet", "backend": "cloud-messages", "id": "sonnet"},
            {"name": "gpt", "backend": "cloud-chat", "id": "gpt"},
            {"name": "qwen", "backend": "local", "id": "qwen"},
        ],
        "names": [
            {"match": "claude-*", "choose": ["sonnet", "qwen"]},
            {"match": "gpt-*", "choose": ["gpt", "qwen"]},
        ],
    }
