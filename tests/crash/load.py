"""Load for a gateway that will be killed, and a ledger of what its clients were told."""

import asyncio
import itertools
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Self

import aiohttp

CONNECTIONS: Final = 12
PATHS: Final = {"openai_chat": "/v1/chat/completions", "anthropic_messages": "/v1/messages"}
NONCE: Final = re.compile(rb"nonce-\d{9}")


@dataclass(slots=True)
class Told:
    """One answer as a client had it. id: from its headers. whole: its end came too."""

    id: str
    status: int
    client: int
    whole: bool = False


@dataclass
class Ledger:
    """What clients sent and were told, in order, and over all lives of one state directory.

    sent: body by nonce. told: answers of the life that runs. settled: ids whose outcome must be in
    the log, because the same client had a later answer, or the gateway stopped by itself.
    """

    sent: dict[bytes, bytes] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    answered: dict[str, Told] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def body(self, dialect: str, chance: random.Random) -> bytes:
        """A new request, unlike every other, up to some 20 KB."""
        nonce = f"nonce-{next(self._numbers):09}"
        words = "def f(x): return x + 1\n" * chance.choice((1, 1, 1, 30, 800))
        asked: dict[str, Any] = {
            "model": "any" if chance.random() < 0.5 else "near",
            "messages": [{"role": "user", "content": f"{nonce} {words}"}],
            "stream": chance.random() < 0.5,
            "max_tokens": 100,
        }
        body = json.dumps(asked).encode()
        self.sent[nonce.encode()] = body
        return body

    def lived(self, *, stopping: bool) -> None:
        """The gateway was killed: judge what this life told its clients.

        stopping: it was told to stop first, and says 503 once its log is closed. Else all is 200.

        An exchange's outcome is queued for the log before its connection reads the next request,
        and the log keeps its order: a client's answers but its last have their outcome on disk.
        """
        assert not [
            told for told in self.told if told.status not in {200, *((503,) if stopping else ())}
        ]
        answers = [told for told in self.told if told.status == 200]
        newest = {told.client: told.id for told in self.told}
        self.answered.update((told.id, told) for told in answers)
        self.settled.update(t.id for t in answers if t.whole and t.id != newest[t.client])
        self.told.clear()


class Load:
    """Several clients at once, each with one connection, until they are stopped or cut off."""

    def __init__(self, url: str, ledger: Ledger, chance: random.Random) -> None:
        self._url = url
        self._ledger = ledger
        self._chance = chance
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._client(n)) for n in range(CONNECTIONS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            try:
                await task
            except (asyncio.CancelledError, aiohttp.ClientError, OSError):
                continue

    async def _client(self, client: int) -> None:
        async with _session() as session:
            while True:
                dialect = self._chance.choice(list(PATHS))
                body = self._ledger.body(dialect, self._chance)
                await post(session, self._url + PATHS[dialect], body, self._note(client))

    def _note(self, client: int) -> Callable[[str, int], Told]:
        def note(found: str, status: int) -> Told:
            told = Told(found, status, client)
            self._ledger.told.append(told)
            return told

        return note


async def once(url: str, ledger: Ledger) -> None:
    """One request that must be answered."""
    chance = random.Random(0)

    def note(found: str, status: int) -> Told:
        told = Told(found, status, -1)
        ledger.told.append(told)
        return told

    for dialect, path in PATHS.items():
        async with _session() as session:
            assert await post(session, url + path, ledger.body(dialect, chance), note) == 200


async def post(
    session: aiohttp.ClientSession, url: str, body: bytes, note: Callable[[str, int], Told]
) -> int:
    """Ask and read to the end; the status."""
    async with session.post(url, data=body) as answer:
        told = note(answer.headers["x-halfdoor-id"], answer.status)
        await answer.read()
        told.whole = True
        return answer.status


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1), headers={"content-type": "application/json"}
    )
