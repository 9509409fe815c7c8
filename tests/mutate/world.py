"""The whole front door in one process, before backends that answer whatever they are sent."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, Self

from halfdoor.canon.cards import Card
from halfdoor.canon.commands import Headers, Outbound
from halfdoor.canon.decision import Permit, Target
from halfdoor.canon.events import Close, Delta, Event, Open, PartKind, Start, Stop, StopReason, Used
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Usage
from halfdoor.canon.request import Kind
from halfdoor.server.access import Access
from halfdoor.server.app import App
from halfdoor.server.body import Limits
from halfdoor.server.status import Status
from halfdoor.wiring import DIALECTS
from tests.helpers.asgi import AsgiClient
from tests.helpers.house import house
from tests.helpers.world import world
from tests.mutate.mutations import Case

HANGS_S: Final = 20.0
_EVERY_KIND: Final = (Kind.CHAT, Kind.COMPLETION, Kind.EMBEDDING)
CARDS: Final = tuple(
    Card(f"by-{word}", f"to-{word}", "model-x", Zone.DEVICE, dialect, word,
         max_output_tokens=4096, kinds=_EVERY_KIND)
    for word, dialect in (
        ("chat", "openai_chat"), ("messages", "anthropic_messages"),
        ("responses", "openai_responses"), ("ollama", "ollama"),
    )
)  # fmt: skip
EVENTS: Final[tuple[Event, ...]] = (
    Start("answer-1", "model-x"),
    Open(0, PartKind.TEXT),
    Delta(0, "It is done."),
    Close(0),
    Open(1, PartKind.TOOL_CALL, "call_9", "look"),
    Delta(1, '{"path": "b.md"}'),
    Close(1),
    Used(Usage(12, 8)),
    Stop(StopReason.TOOL_CALLS),
)
_COMPLETED: Final = {"id": "c", "object": "text_completion", "created": 1, "model": "m",
                     "choices": [{"text": "x", "index": 0, "finish_reason": "stop"}]}  # fmt: skip
_COUNTED: Final = {"input_tokens": 3, "object": "response.input_tokens"}
_GENERATED: Final = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "response": "x", "done": True,
                     "done_reason": "stop"}  # fmt: skip


class Agreeable:
    """Implements `flow.ports.Backend` and its calls. sent: the bodies that it got."""

    def __init__(self, name: str, dialect: Any) -> None:
        self.name = name
        self.sent: list[Outbound] = []
        self._dialect = dialect

    def call(
        self, target: Target, outbound: Outbound, permit: Permit, client_key: str
    ) -> "Agreement":
        self.sent.append(outbound)
        return Agreement(outbound, self._dialect)


class Agreement:
    """One answer: the canned one of the path that was asked."""

    status = 200

    def __init__(self, outbound: Outbound, dialect: Any) -> None:
        self.sent_bytes = len(outbound.body)
        self.headers: Headers = (("content-type", "application/json"),)
        self._outbound = outbound
        self._dialect = dialect

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self._answer()

    def _answer(self) -> bytes:
        path, stream = self._outbound.path, self._outbound.stream
        if "embed" in path:
            return json.dumps(_measured(json.loads(self._outbound.body))).encode()
        if "count" in path or path.endswith("input_tokens"):
            return json.dumps(_COUNTED).encode()
        if path.endswith("generate"):
            return json.dumps(_GENERATED).encode() + b"\n"
        if path.endswith(("/completions", "/infill")) and "chat" not in path:
            told = json.dumps(_COMPLETED).encode()
            return b"data: " + told + b"\n\ndata: [DONE]\n\n" if stream else told
        if not stream:
            whole: bytes = self._dialect.answer(EVENTS)
            return whole
        asked = self._dialect.read(
            self._dialect.endpoints[0], (), "", self._outbound.body
        )  # its emitter takes some options from it
        streamed: bytes = self._dialect.emitter(asked).emit(EVENTS)
        return streamed


def _measured(asked: dict[str, Any]) -> dict[str, Any]:
    """As many numbers as texts, in every vendor's shape at once."""
    texts = asked.get("input", asked.get("prompt"))
    count = len(texts) if isinstance(texts, list) else 1
    data = [{"object": "embedding", "index": n, "embedding": [0.5]} for n in range(count)]
    return {"object": "list", "data": data, "embeddings": [[0.5]] * count, "embedding": [0.5],
            "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}  # fmt: skip


class Door:
    """One application for many cases: what one leaves behind, the next one meets."""

    def __init__(self, cards: tuple[Card, ...] = CARDS) -> None:
        self.backends = {
            card.backend: Agreeable(card.backend, DIALECTS[card.dialect]) for card in cards
        }
        place = replace(house(cards), dialects=DIALECTS)
        services = world(**self.backends).services
        status = Status("test", 1, 0.0, cards)
        self.app = App(place, services, Access(), Limits(), status)

    async def ask(self, path: str, case: Case, size: int) -> tuple[AsgiClient, list[Outbound]]:
        """Send it in pieces of that size; the answer, and what went on to a backend.

        Raises TimeoutError when there is no answer, and what the application raises.
        """
        for backend in self.backends.values():
            backend.sent.clear()
        pieces = [case.data[at : at + size] for at in range(0, len(case.data), size)] or [b""]
        client = AsgiClient(pieces)
        target = f"{path}?{case.query}" if case.query else path
        async with asyncio.timeout(HANGS_S):
            await client.ask(self.app, target, case.headers)
        return client, [one for backend in self.backends.values() for one in backend.sent]


class Troubles(logging.Handler):
    """What halfdoor logs of its own failures."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


@contextmanager
def overheard() -> Iterator[Troubles]:
    """Listen to the program's log."""
    troubles, log = Troubles(), logging.getLogger("halfdoor")
    log.addHandler(troubles)
    propagates, log.propagate = log.propagate, False
    try:
        yield troubles
    finally:
        log.removeHandler(troubles)
        log.propagate = propagates
