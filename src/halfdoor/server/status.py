"""What a running halfdoor tells about itself: its models and its state, never a request."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from halfdoor.backends import guard
from halfdoor.canon.cards import Card, Resident
from halfdoor.canon.labels import Zone
from halfdoor.decide.names import DISCOVERED
from halfdoor.flow.ports import Queue
from halfdoor.server.ollama import Engine

Widened = Mapping[tuple[str, str], Zone]
# (backend, model id) → (engine, model, age in seconds).
Held = Callable[[str, str], tuple[str, Resident, float] | None]
NOWHERE: Final[Widened] = MappingProxyType({})
NO_QUEUES: Final[Mapping[str, Queue]] = MappingProxyType({})
# Of a queue so many are shown.
MOST_SHOWN: Final = 1000
_TAKEN_UP: Final = ("claude", "anthropic")
# Model lists want a date; a name in a configuration has none.
_ANTHROPIC_FACTS: Final = {"created_at": "1970-01-01T00:00:00Z", "lifecycle": "active"}


class Loaded(Struct, frozen=True):
    """What an engine said of one of its models. engine: which it is. age_s: since it said so.

    loaded, context_tokens (of one request), slots, gpu: see `canon.cards.Resident`.
    """

    engine: str
    loaded: bool
    context_tokens: int | None
    slots: int | None
    gpu: float | None
    age_s: int


class ModelShown(Struct, frozen=True):
    """One card, as `ps` shows it. zone: where it was found. claimed: by the configuration.

    context_tokens: as configured. held: None where its engine says nothing of it.
    """

    name: str
    backend: str
    zone: str
    claimed: str
    dialect: str
    scripted: bool
    context_tokens: int | None
    held: Loaded | None = None


class Waiting(Struct, frozen=True):
    """An exchange that waits for its turn. position: 1 is next. of: so many wait in all."""

    exchange: str
    position: int
    of: int


class QueueShown(Struct, frozen=True):
    """The queue before an engine. running, waiting: requests of this process.

    slots: answers at once, None where nobody says. others, behind: see `canon.scene.Depth`.
    line: who waits, the next one first; at most `MOST_SHOWN`.
    """

    backend: str
    slots: int | None
    running: int
    waiting: int
    others: int
    behind: int
    line: tuple[Waiting, ...]


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
    queues: tuple[QueueShown, ...] = ()


def _unheld(_backend: str, _model_id: str) -> None:
    """Of scripted models, and in tests, nothing is known."""


class Status:
    """What does not change while a process runs, and how to word it.

    started_s: monotonic seconds. pid, policy, parent: see `Shown`.
    engine: the models as Ollama's clients ask for them.
    held: what is known of a backend's model, see `Residency.of`.
    """

    def __init__(
        self,
        version: str,
        pid: int,
        started_s: float,
        cards: tuple[Card, ...],
        policy: str = "",
        parent: int = 0,
        held: Held = _unheld,
    ) -> None:
        self._policy = policy
        self._parent = parent
        self._version = version
        self._pid = pid
        self._started_s = started_s
        self._cards = cards
        self._held = held
        self._scripted = any(card.scripted for card in cards)
        self.ids = (*dict.fromkeys(card.name for card in cards), "auto")
        self.engine = Engine(cards, self.ids)

    def now(
        self,
        ticks_s: float,
        in_flight: int,
        widened: Widened = NOWHERE,
        queues: Mapping[str, Queue] = NO_QUEUES,
    ) -> bytes:
        """JSON of a `Shown`. widened: see `Scene.widened`. queues: see `Services`."""
        return msgspec.json.encode(
            Shown(
                "halfdoor",
                self._version,
                self._pid,
                int(ticks_s - self._started_s),
                in_flight,
                self._scripted,
                guard.is_offline(),
                tuple(_shown(card, widened, self._held) for card in self._cards),
                self._policy,
                self._parent,
                tuple(_queue(name, queue) for name, queue in queues.items()),
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


def _queue(name: str, queue: Queue) -> QueueShown:
    depth = queue.depth
    line = (Waiting(exchange, *astuple(place)) for exchange, place in queue.line()[:MOST_SHOWN])
    return QueueShown(
        name,
        depth.slots,
        depth.running,
        depth.waiting,
        depth.others,
        depth.behind,
        tuple(line),
    )


def _shown(card: Card, widened: Widened, held: Held) -> ModelShown:
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
        _loaded(held(card.backend, card.model_id)),
    )


def _loaded(said: tuple[str, Resident, float] | None) -> Loaded | None:
    if said is None:
        return None
    engine, model, age_s = said
    return Loaded(engine, model.loaded, model.window, model.slots, model.gpu, int(age_s))
