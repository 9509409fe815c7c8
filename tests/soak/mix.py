"""The mix: what a hundred thousand requests are made of."""

import itertools
import json
import random
from dataclasses import dataclass
from typing import Any, Final

# Of a hundred requests so many of each kind. What the upstream does stands in `upstream.py`;
# `leave` and `mute` are left by their clients, `bad` is refused unread, `secret` holds a key.
MIX: Final = {
    "plain": 52, "tools": 12, "slow": 4, "busy": 5, "broken": 4, "cut": 5, "shut": 4,
    "leave": 5, "mute": 2, "bad": 3, "secret": 4,
}  # fmt: skip
# Bytes of conversation before the newest message, and how often.
SIZES: Final = {0: 60, 4_000: 20, 20_000: 15, 400_000: 2}
_SESSIONS: Final = 24
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. leaves_after: bytes of the answer after which its client goes, -1 for never."""

    kind: str
    path: str
    body: bytes
    leaves_after: int = -1


class Mixer:
    """Makes requests, each unlike every other; conversations are shared, as a tool's turns are."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._numbers = itertools.count()
        self._histories = {size: [self._history(size) for _ in range(_SESSIONS)] for size in SIZES}

    def filling(self) -> Ask:
        """A request whose answer fills halfdoor's memory of marks quickly."""
        return self._ask("fill", 0)

    def next(self) -> Ask:
        """One of the mix."""
        kind = self._chance.choices(list(MIX), list(MIX.values()))[0]
        return self._ask(kind, self._chance.choices(list(SIZES), list(SIZES.values()))[0])

    def _ask(self, kind: str, size: int) -> Ask:
        text = f"turn {next(self._numbers):09} soak-{'slow' if kind == 'leave' else kind}"
        if kind == "secret":
            text += " aws_access_key_id = AKIA" + "".join(self._chance.choices(_BASE32, k=16))
        history = self._chance.choice(self._histories[size])
        body: dict[str, Any] = {
            "model": self._chance.choice(("claude-soak", "gpt-soak")),
            "max_tokens": 100,
            "messages": [*history, {"role": "user", "content": text}],
        }
        if kind in {"leave", "mute", "slow"} or self._chance.random() < 0.5:
            body["stream"] = True
        path = self._chance.choice(("/v1/messages", "/v1/chat/completions"))
        data = json.dumps(body).encode()
        if kind == "bad":
            data = data[:-9]
        leaves = {"leave": self._chance.choice((1, 600)), "mute": 0}.get(kind, -1)
        return Ask(kind, path, data, leaves)

    def _history(self, size: int) -> list[dict[str, str]]:
        messages: list[dict[str, str]] = []
        while size > 0:
            words = " ".join(
                f"w{self._chance.randrange(10**6)}" for _ in range(min(size, 4000) // 8)
            )
            role = "assistant" if len(messages) % 2 else "user"
            messages.append({"role": role, "content": words})
            size -= 4000
        return (
            messages
            if len(messages) % 2 == 0
            else [*messages, {"role": "assistant", "content": "so"}]
        )
