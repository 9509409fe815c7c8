"""The backends of a chaos run: strict fakes whose weather the schedule makes."""

import random
import re
from collections import Counter
from contextlib import ExitStack
from typing import Any, Final, Self

from tests.chaos.schedule import BACKENDS
from tests.chaos.weather import SILENCE_S, WAYS
from tests.helpers.fake_model import FakeModel, Seen
from tests.helpers.gateway import backend, model
from tests.helpers.scenes import Counts, Say, Scene, Think, Use
from tests.money.invoice import PRICES

NONCE: Final = re.compile(rb"nonce-(\d{6})-(calls|ends)")
DIALECTS: Final = {"far": "anthropic_messages", "gpt": "openai_responses", "near": "openai_chat"}
ZONES: Final = {"far": "cloud", "gpt": "cloud", "near": "device"}
TIMEOUTS: Final = {"connect_s": 1, "first_byte_s": 0.6, "idle_s": 0.4, "answer_s": 3}
assert TIMEOUTS["answer_s"] < SILENCE_S


class Sky:
    """Three backends and what hangs over each. Use as a context manager."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.fakes = {name: FakeModel(open_fields=name == "near") for name in BACKENDS}
        self._over: dict[str, list[str]] = {name: [] for name in BACKENDS}
        self._dead: set[str] = set()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for name, fake in self.fakes.items():
                stack.enter_context(fake)
                fake.directs = lambda seen, name=name: self._scene(name, seen)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begins(self, whom: tuple[str, ...], way: str) -> None:
        """A kind of weather; "" is the death of a backend."""
        for name in whom:
            if way:
                self._over[name].append(way)
            elif name not in self._dead:
                self._dead.add(name)
                self.fakes[name].down()

    def ends(self, whom: tuple[str, ...], way: str) -> None:
        """What began is over."""
        for name in whom:
            if way:
                self._over[name].remove(way)
            elif name in self._dead:
                self._dead.remove(name)
                self.fakes[name].up()

    def _scene(self, name: str, seen: Seen) -> Scene:
        number, wish = newest(seen.body)
        over = self._over[name]
        trouble = WAYS[over[-1]] if over else None
        counts = Counts(300 + number % 700, 100, 0, 5 + number % 90)
        said = (Think(f"{name} thinks of {number}."), Say(f"{name} says {number}. " * 3))
        call = f"functions.Read:{number}" if name == "near" else f"toolu_{name}_{number}"
        use = (Use("Read", {"file_path": f"src/{number}.py"}, call),) if wish == "calls" else ()
        return Scene((*said, *use), trouble, counts)

    def arrivals(self) -> dict[str, Counter[int]]:
        """Requests that came to each backend, by the turn that they ask for."""
        return {
            name: Counter(newest(seen.body)[0] for seen in fake.seen)
            for name, fake in self.fakes.items()
        }

    def connections(self) -> int:
        """Connections that backends hold open."""
        return sum(fake.connections() for fake in self.fakes.values())

    def tables(self) -> dict[str, Any]:
        """halfdoor's configuration, but for where it listens."""
        backends = [
            backend(name, fake, DIALECTS[name], ZONES[name], timeouts=TIMEOUTS)
            for name, fake in self.fakes.items()
        ]
        backends[-1] |= {"slots": 4, "queue": 64, "overflow_at": 2}
        return {
            "backends": backends,
            "models": [
                model("sonnet", "far", "claude-x", price=PRICES),
                model("o", "gpt", "gpt-x", price=PRICES),
                model("qwen", "near", "qwen-x"),
            ],
            "names": [
                {"match": "claude-*", "choose": ["sonnet", "qwen"]},
                {"match": "gpt-*", "choose": ["o", "qwen"]},
                {"match": "any", "choose": ["qwen", "sonnet"]},
            ],
            "budgets": [
                {"name": "all", "limit_usd": 1000, "period": "month", "each": "model"},
                {"name": "warned", "limit_usd": 0.01, "period": "day", "mode": "warn"},
            ],
        }


def newest(body: bytes) -> tuple[int, str]:
    """The newest turn that a request speaks of, and whether its model shall call a tool."""
    number, wish = max(NONCE.findall(body))
    return int(number), wish.decode()
