"""What a running halfdoor tells about itself: its models and its state, never a request."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.backends import guard
from halfdoor.canon.cards import Card
from halfdoor.canon.labels import Zone
from halfdoor.decide.names import DISCOVERED
from halfdoor.server.ollama import Engine

Widened = Mapping[tuple[str, str], Zone]
NOWHERE: Final[Widened] = MappingProxyType({})
_TAKEN_UP: Final = ("claude", "anthropic")
# Model lists want a date; a name in a configuration has none.
_ANTHROPIC_FACTS: Final = {"created_at": "1970-01-01T00:00:00Z", "lifecycle": "active"}


class ModelShown(Struct, frozen=True):
    """One card, as `ps` shows it. zone: where it was found. claimed: by the configuration."""

    name: str
    backend: str
    zone: str
    claimed: str
    dialect: str
    scripted: bool
    context_tokens: int | None


class Shown(Struct, frozen=True):
    """The answer of `GET /halfdoor/status`. uptime_s: whole seconds. in_flight: exchanges now.

    policy: hash (hex) of the rules in force. parent: the process that passes signals on to all
    workers, 0 where there is one process.
    """

    program: str
    version: str
    pid: int
    uptime_s: int
    in_flight: int
    scripted: bool
    offline: bool
    models: tuple[ModelShown, ...]
    policy: str = ""
    parent: int = 0


class Status:
    """What does not change while a process runs, and how to word it.

    started_s: monotonic seconds. pid, policy, parent: see `Shown`.
    engine: the models as Ollama's clients ask for them.
    """

    def __init__(
        self,
        version: str,
        pid: int,
        started_s: float,
        cards: tuple[Card, ...],
        policy: str = "",
        parent: int = 0,
    ) -> None:
        self._policy = policy
        self._parent = parent
        self._version = version
        self._pid = pid
        self._started_s = started_s
        self._cards = cards
        self._scripted = any(card.scripted for card in cards)
        self.ids = (*dict.fromkeys(card.name for card in cards), "auto")
        self.engine = Engine(cards, self.ids)

    def now(self, ticks_s: float, in_flight: int, widened: Widened = NOWHERE) -> bytes:
        """JSON of a `Shown`. widened: see `Scene.widened`."""
        return msgspec.json.encode(
            Shown(
                "halfdoor",
                self._version,
                self._pid,
                int(ticks_s - self._started_s),
                in_flight,
                self._scripted,
                guard.is_offline(),
                tuple(_shown(card, widened) for card in self._cards),
                self._policy,
                self._parent,
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
        """The same as the Anthropic SDK reads it: one page that holds all.

        Each name stands there once more as Claude Code takes it up, see `decide/names.py`.
        """
        names = [(name, name) for name in self.ids]
        names += [(DISCOVERED + name, name) for name in self.ids if not name.startswith(_TAKEN_UP)]
        data = [
            {"id": id_, "display_name": name, "type": "model", **_ANTHROPIC_FACTS}
            for id_, name in names
        ]
        page = {"first_id": names[0][0], "last_id": names[-1][0], "has_more": False}
        return msgspec.json.encode({"data": data, **page})


def _shown(card: Card, widened: Widened) -> ModelShown:
    keys = ((card.backend, card.model_id), (card.backend, ""))
    found = max(card.zone, *(widened.get(key, card.zone) for key in keys))
    return ModelShown(
        card.name,
        card.backend,
        found.name.lower(),
        card.zone.name.lower(),
        card.dialect,
        card.scripted,
        card.context_tokens,
    )
