"""What a running halfdoor tells about itself: its models and its state, never a request."""

from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.backends import guard
from halfdoor.canon.cards import Card

# Model lists want a date; a name in a configuration has none.
_ANTHROPIC_FACTS: Final = {"created_at": "1970-01-01T00:00:00Z", "lifecycle": "active"}


class ModelShown(Struct, frozen=True):
    """One card, as `ps` shows it."""

    name: str
    backend: str
    zone: str
    dialect: str
    scripted: bool
    context_tokens: int | None


class Shown(Struct, frozen=True):
    """The answer of `GET /halfdoor/status`. uptime_s: whole seconds. in_flight: exchanges now."""

    program: str
    version: str
    pid: int
    uptime_s: int
    in_flight: int
    scripted: bool
    offline: bool
    models: tuple[ModelShown, ...]


class Status:
    """What does not change while a process runs, and how to word it.

    started_s: monotonic seconds.
    """

    def __init__(self, version: str, pid: int, started_s: float, cards: tuple[Card, ...]) -> None:
        self._version = version
        self._pid = pid
        self._started_s = started_s
        self.models = tuple(_shown(card) for card in cards)
        self.ids = (*dict.fromkeys(model.name for model in self.models), "auto")

    def now(self, ticks_s: float, in_flight: int) -> bytes:
        """JSON of a `Shown`."""
        return msgspec.json.encode(
            Shown(
                "halfdoor",
                self._version,
                self._pid,
                int(ticks_s - self._started_s),
                in_flight,
                any(model.scripted for model in self.models),
                guard.is_offline(),
                self.models,
            )
        )

    def openai_models(self) -> bytes:
        """`GET /v1/models` as the OpenAI SDK reads it."""
        data = [
            {"id": name, "object": "model", "created": 0, "owned_by": "halfdoor"}
            for name in self.ids
        ]
        return msgspec.json.encode({"object": "list", "data": data})

    def anthropic_models(self) -> bytes:
        """The same as the Anthropic SDK reads it: one page that holds all."""
        data = [
            {"id": name, "display_name": name, "type": "model", **_ANTHROPIC_FACTS}
            for name in self.ids
        ]
        page = {"first_id": self.ids[0], "last_id": self.ids[-1], "has_more": False}
        return msgspec.json.encode({"data": data, **page})


def _shown(card: Card) -> ModelShown:
    return ModelShown(
        card.name,
        card.backend,
        card.zone.name.lower(),
        card.dialect,
        card.scripted,
        card.context_tokens,
    )
