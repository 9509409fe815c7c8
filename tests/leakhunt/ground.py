"""The ground of the hunt: a halfdoor between a client, a device, and a cloud whose every byte is kept."""

import asyncio
import copy
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from tests.helpers.asks import DIALECTS, Ask, written
from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import Addressed, Gateway, backend, gateway, model
from tests.helpers.tap import Tap
from tests.leakhunt.wire import Answer, Client

# Names a tool may ask for, and what they mean here: see `tables`.
ASKED: Final = {"openai_chat": "gpt-5", "anthropic_messages": "claude-opus"}
RULES: Final = ({"label": "path:payments/**", "ceiling": "device", "name": "payments"},)


class Cloud:
    """A vendor's server behind a wire that keeps everything, broken connections too."""

    def __init__(self) -> None:
        self.fake = FakeModel(open_fields=True)
        self._taken: dict[int, int] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.fake = stack.enter_context(self.fake)
            self._tap = stack.enter_context(Tap(self.fake.url))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def base_url(self, dialect: str) -> str:
        """As `FakeModel.base_url`, but through the wire."""
        return self._tap.url + ("/v1" if dialect.startswith("openai_") else "")

    def take(self) -> bytes:
        """Every byte that came since the last call, connection by connection."""
        return b"\n".join(new for new in self._new() if new)

    def _new(self) -> Iterator[bytes]:
        for number, heard in enumerate(list(self._tap.heard)):
            before, size = self._taken.get(number, 0), len(heard)
            self._taken[number] = size
            yield bytes(heard[before:size])

    def reset(self) -> None:
        """Forget scenes and what was parsed; bytes not yet taken stay."""
        self.fake.reset()
        self._tap.sent.clear()


def tables(cloud: Cloud, device: FakeModel, repository: Path | None) -> dict[str, Any]:
    """Each name prefers the cloud and may fall back to the device; keys and `payments` stay.

    repository: a checkout whose files stay too.
    """
    more = {}
    if repository is not None:
        more["repositories"] = [{"name": "core", "root": str(repository)}]
        more["rules"] = [*RULES, {"label": "repo:core", "ceiling": "device"}]
    return {
        "backends": [
            backend("cloud-chat", cloud, "openai_chat", "cloud"),
            backend("cloud-msg", cloud, "anthropic_messages", "cloud"),
            backend("here-chat", device, "openai_chat"),
            backend("here-msg", device, "anthropic_messages"),
            *_others("cloud", cloud, "cloud"),
            backend("cloud-infill", cloud, "openai_chat", "cloud", fim="infill"),
            backend("cloud-mistral", cloud, "openai_chat", "cloud", fim="mistral"),
            *_others("here", device, "device"),
        ],
        "models": [
            model("big-chat", "cloud-chat", "big"),
            model("big-messages", "cloud-msg", "big"),
            model("small-chat", "here-chat", "small"),
            model("small-messages", "here-msg", "small"),
            model("big-responses", "cloud-responses", "big"),
            model("big-ollama", "cloud-ollama", "big", context_tokens=32768),
            model("small-responses", "here-responses", "small"),
            model("small-ollama", "here-ollama", "small"),
            model("big-filler", "cloud-chat", "big", kinds=["completion"]),
            model("small-filler", "here-chat", "small", kinds=["completion"]),
            model("big-infill", "cloud-infill", "big", kinds=["completion"]),
            model("big-mistral", "cloud-mistral", "big", kinds=["completion"]),
            model("big-inserter", "cloud-ollama", "big", kinds=["completion"]),
            model("embedder", "cloud-chat", "big", kinds=["embedding"]),
            model("measurer", "cloud-ollama", "big", kinds=["embedding"]),
        ],
        "names": [
            {"match": "gpt-*", "choose": ["big-chat", "small-chat", "big-messages"]},
            {"match": "claude-*", "choose": ["big-messages", "big-chat", "small-messages"]},
            {
                "match": "same-responses",
                "choose": ["big-responses", "small-responses", "small-chat"],
            },
            {"match": "same-ollama", "choose": ["big-ollama", "small-ollama", "small-messages"]},
            {"match": "fill-in", "choose": ["big-filler", "small-filler"]},
            {"match": "fill-infill", "choose": ["big-infill", "small-filler"]},
            {"match": "fill-mistral", "choose": ["big-mistral", "small-filler"]},
            {"match": "fill-ollama", "choose": ["big-inserter", "small-filler"]},
        ],
        "rules": list(RULES),
        **more,
    }


def _others(prefix: str, at: Addressed, zone: str) -> list[dict[str, Any]]:
    return [
        backend(f"{prefix}-responses", at, "openai_responses", zone),
        backend(f"{prefix}-ollama", at, "ollama", zone),
    ]


class Ground:
    """Everything started. Use as a context manager, plain or async.

    client: speaks to the gateway. restart: a new gateway on the same state.
    """

    def __init__(self, folder: Path, repository: Path | None = None) -> None:
        self._repository = repository
        self._server = {"listen": "127.0.0.1:0", "state_dir": str(folder)}
        self.cloud = Cloud()
        self.device = FakeModel(open_fields=True)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.cloud = stack.enter_context(self.cloud)
            self.device = stack.enter_context(self.device)
            self._stack = stack.pop_all()
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self.door.__exit__(None, None, None)
        self._stack.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        self.client.drop()
        await asyncio.to_thread(self.__exit__)

    async def restart(self) -> None:
        """Stop the gateway as Ctrl-C does and start it on the same state directory."""
        self.client.drop()
        await asyncio.to_thread(self._again)

    def _again(self) -> None:
        self.door.__exit__(None, None, None)
        self._open()

    def _open(self) -> None:
        made = gateway(**tables(self.cloud, self.device, self._repository), server=self._server)
        self.door: Gateway = made.__enter__()
        self.client = Client(self.door.url)

    async def send(self, ask: Ask, *, leaves_after: int | None = None) -> Answer:
        """Ask halfdoor."""
        return await self.post(ask.target(""), written(ask), ask.headers, leaves_after=leaves_after)

    async def post(
        self,
        target: str,
        body: bytes,
        headers: dict[str, str] | None = None,
        *,
        leaves_after: int | None = None,
    ) -> Answer:
        """Ask halfdoor with a body of one's own."""
        fields = {"anthropic-version": "2023-06-01", "content-type": "application/json"}
        return await self.client.post(
            target, body, {**fields, **(headers or {})}, leaves_after=leaves_after
        )

    def reset(self) -> None:
        """Forget what models were told to do, what they heard, and that they failed."""
        self.cloud.reset()
        self.device.reset()
        self.door.well_again()


def ask_for(dialect: str, asked: str, *, stream: bool) -> Ask:
    """A small agent's request: three tools, one short file read."""
    ask = copy.copy(_template(dialect))
    ask.body = copy.deepcopy(ask.body) | {"model": asked, "stream": stream}
    ask.begin()
    ask.headers = dict(ask.headers)
    return ask


@cache
def _template(dialect: str) -> Ask:
    return Ask(dialect, "auto", file_bytes=700, tools=3)


def variants() -> Iterator[tuple[str, bool, str]]:
    """(dialect, streamed, asked name): both dialects, both forms, to both dialects of backends."""
    for dialect in DIALECTS:
        for stream in (False, True):
            for asked in ASKED.values():
                yield dialect, stream, asked
