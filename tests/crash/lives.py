"""Lives of one gateway: started, put under load, killed at a random moment, inspected, and again."""

import asyncio
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.crash.inspection import Found, inspect
from tests.crash.load import NONCE, Ledger, Load, once
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, model
from tests.helpers.scenes import Say, Scene, Slow
from tests.helpers.serving import Serving

# Of twenty kills so many come under load, at the start, and during a stop under load.
MOMENTS: Final = ("load",) * 14 + ("start",) * 3 + ("stop",) * 3


@dataclass(slots=True)
class Tally:
    """Over all lives. answered: whole answers; cut: begun ones that the kill cut short."""

    kills: int = 0
    answered: int = 0
    cut: int = 0
    reached: int = 0
    entries: int = 0
    unfinished: int = 0


class Lives:
    """One state directory and the gateways that live and die on it. longest_s: under load."""

    def __init__(
        self, folder: Path, seed: int, fake: FakeModel, tally: Tally, *, longest_s: float = 0.3
    ) -> None:
        self._chance = random.Random(seed)
        self._fake = fake
        self._tally = tally
        self._longest_s = longest_s
        self._ledger = Ledger()
        self._reached: set[bytes] = set()
        self._gateway = Serving(folder, tables(fake))
        # Slow answers: a kill finds many under way, streams half told among them.
        fake.default = Scene((Say("def f(x): return x + 1\n" * 4),), Slow(0.003))

    async def run(self, kills: int, each: Callable[[], None] = lambda: None) -> None:
        """So many kills, then one more life that must serve, stop by itself and leave all whole."""
        for _ in range(kills):
            moment = self._chance.choice(MOMENTS)
            await self._die(moment)
            self._tally.kills += 1
            await self._inspect(stopping=moment == "stop")
            each()
        await asyncio.to_thread(self._gateway.start)
        await once(self._gateway.url, self._ledger)
        assert await asyncio.to_thread(self._gateway.end) == 0
        found = await self._inspect(stopping=False)
        self._tally.entries += found.entries
        self._tally.unfinished += found.unfinished
        self._tally.answered += sum(told.whole for told in self._ledger.answered.values())
        self._tally.cut += sum(not told.whole for told in self._ledger.answered.values())
        self._tally.reached += len(self._reached)

    async def _die(self, moment: str) -> None:
        gateway = self._gateway
        try:
            if moment == "start":
                await asyncio.to_thread(gateway.spawn)
                await asyncio.sleep(self._chance.uniform(0, 0.7))
                assert await asyncio.to_thread(gateway.kill), "it ended by itself"
                return
            await asyncio.to_thread(gateway.start)
            async with Load(gateway.url, self._ledger, self._chance):
                await asyncio.sleep(self._longest_s * self._chance.random())
                if moment == "stop":
                    gateway.send(signal.SIGTERM)
                    await asyncio.sleep(self._chance.uniform(0, 0.1))
                killed = await asyncio.to_thread(gateway.kill)
                assert killed or moment == "stop", "it ended by itself"
        finally:
            await asyncio.to_thread(gateway.kill)

    async def _inspect(self, *, stopping: bool) -> Found:
        self._ledger.lived(stopping=stopping)
        for seen in self._fake.seen:
            self._reached.update(NONCE.findall(seen.body))
        self._fake.reset()
        return await asyncio.to_thread(
            inspect, self._gateway.state, self._ledger, self._reached & self._ledger.sent.keys()
        )


def tables(fake: FakeModel) -> dict[str, Any]:
    """Two models of the fake's, one in each dialect, so that half the load is translated."""
    return {
        "backends": [
            backend("chat", fake, "openai_chat"),
            backend("messages", fake, "anthropic_messages"),
        ],
        "models": [model("near", "chat", "near"), model("other", "messages", "other")],
        "names": [{"match": "any", "choose": ["other", "near"]}],
    }
