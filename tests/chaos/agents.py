"""The people of a chaos run: tools that work in sessions, whatever the weather."""

import asyncio
import itertools
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.claude_code import ClaudeCode
from tests.chaos.codex import Codex
from tests.chaos.habits import LOST, Client, Failed, Tongue
from tests.chaos.sdk import Sdk

# A key of Amazon's form, made up; it may stand on this device only.
CANARY: Final = "AKIA" + "Q7XM4ZL2" + "RTWB6NKE"
SECRET: Final = f"aws_access_key_id = {CANARY}"
MODELS: Final = {"claude-code": "claude-9", "codex": "gpt-9", "openai-sdk": "any"}
# Steps of a tool loop, and asks of a session, at most.
STEPS: Final = 3
ASKS: Final = 3


@dataclass(slots=True)
class Turn:
    """One model call of a tool, with all that it asked again. lives: how often halfdoor began anew."""

    number: int
    tool: str
    secret: bool
    bodies: list[bytes] = field(default_factory=list)
    failed: Failed | None = None
    lives: int = 0
    over: bool = False


@dataclass
class Diary:
    """All turns of a run. stops: how often halfdoor was told to end so far; starts: it was back."""

    turns: dict[int, Turn] = field(default_factory=dict)
    stops: int = 0
    starts: int = 0
    _numbers: Any = field(default_factory=itertools.count)

    def turn(self, tool: str, *, secret: bool) -> Turn:
        number = next(self._numbers)
        self.turns[number] = Turn(number, tool, secret)
        return self.turns[number]


class Agent:
    """One tool and the session that it is in. recent: its last two turns."""

    def __init__(self, tongue: Tongue, url: str, diary: Diary, chance: random.Random) -> None:
        self._tongue = tongue
        self._url = url
        self._diary = diary
        self._chance = chance
        self._history: list[dict[str, Any]] = []
        self._session = ""
        self._secret = self._lost = False
        self._client: Client | None = None
        self.recent: deque[int] = deque(maxlen=2)

    async def work(self, over: asyncio.Event) -> None:
        """Session after session until it is over; the last one stays open."""
        while True:
            await self._begin()
            for _ in range(self._chance.randint(1, ASKS)):
                await self.ask()
                if over.is_set():
                    return
                # A person whose tool cannot reach anything looks up first.
                await asyncio.sleep(self._chance.uniform(0, 0.1) + (0.5 if self._lost else 0))

    async def ask(self) -> bool:
        """A person says something, and the tool works on it. Was it done?"""
        assert self._client is not None
        secret = self._secret
        calls: tuple[str, ...] = ()
        for step in range(STEPS):
            turn = self._diary.turn(self._tongue.name, secret=secret)
            self.recent.append(turn.number)
            wish = "calls" if step < STEPS - 1 and self._chance.random() < 0.7 else "ends"
            said = f"nonce-{turn.number:06}-{wish}"
            if step == 0:
                self._history.append(self._tongue.says(f"{said} {SECRET if secret else 'Go on.'}"))
            else:
                self._history += [self._tongue.result(call, said) for call in calls]
            began = self._diary.starts
            self._client.sent = turn.bodies
            told = await self._client.turn(MODELS[self._tongue.name], self._history)
            turn.lives, turn.over = self._diary.stops - began, True
            self._lost = isinstance(told, Failed) and told.told.how == LOST
            if isinstance(told, Failed):
                turn.failed = told
                return False
            self._history += told.items
            calls = told.calls
            if not calls:
                return True
        return True

    async def _begin(self) -> None:
        await self.close()
        self._history = []
        self._session = f"session-{self._chance.randrange(10**9)}"
        self._secret = self._chance.random() < 0.3
        self._client = Client(self._tongue, self._url, self._session)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            await self._client.close()


def agents(url: str, diary: Diary, chance: random.Random, each: int) -> list[Agent]:
    """So many of each kind."""
    tongues: list[Tongue] = [ClaudeCode(), ClaudeCode({"type": "enabled", "budget_tokens": 1024}),
                             Codex(), Sdk()]  # fmt: skip
    return [
        Agent(tongue, url, diary, random.Random(chance.random()))
        for tongue in tongues
        for _ in range(each)
    ]
