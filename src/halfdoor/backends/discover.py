"""Finds what is there to answer: engines on this machine, and keys in the environment.

Asks loopback only, all at once, and reads of the environment only whether a key is set. No vendor
is asked for its models: that would be a call that nobody has allowed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from halfdoor.canon.decision import ControlPermit
from halfdoor.canon.labels import Zone
from halfdoor.config.found import PROVIDERS, Discovered, Engine, FoundModel
from halfdoor.errors import BackendError
from halfdoor.reading.addresses import sent_on, zone_of

# GET one URL under a permit: (status, body). Raises BackendError. `backends.http.control_get`.
Ask = Callable[[str, ControlPermit], Awaitable[tuple[int, bytes]]]

WITHIN_S: Final = 1.0
LMSTUDIO: Final = "127.0.0.1:1234"
VLLM: Final = "127.0.0.1:8000"
LLAMACPP: Final = "127.0.0.1:8080"
OLLAMA: Final = "127.0.0.1:11434"


class Tag(Struct, frozen=True):
    """One model of Ollama's `/api/tags`. remote_host: set when another machine runs it."""

    name: str
    remote_host: str = ""
    details: "Details | None" = None


class Details(Struct, frozen=True):
    """family: the architecture; `bert` kinds embed and do not chat."""

    family: str = ""


class Tags(Struct, frozen=True):
    """Ollama's `/api/tags`."""

    models: tuple[Tag, ...] | None = None


class Listed(Struct, frozen=True):
    """One model of `/v1/models`. max_model_len: vLLM's; meta: llama.cpp's."""

    id: str
    owned_by: str = ""
    max_model_len: int | None = None
    meta: "Meta | None" = None


class Meta(Struct, frozen=True):
    """llama.cpp's facts. n_ctx: the window of one slot, where the server tells it."""

    n_ctx: int | None = None


class Listing(Struct, frozen=True):
    """`/v1/models`."""

    data: tuple[Listed, ...] | None = None


async def discover(ask: Ask, env: Mapping[str, str]) -> Discovered:
    """Look everywhere at once; what does not answer well within a second is not there."""
    probes = (
        _ollama(ask, ollama_host(env)),
        _openai(ask, "lmstudio", LMSTUDIO, lambda _: True),
        _openai(ask, "vllm", VLLM, lambda model: model.owned_by == "vllm"),
        _openai(ask, "llamacpp", LLAMACPP, lambda model: model.owned_by == "llamacpp"),
    )
    found = await asyncio.gather(*(_in_time(probe) for probe in probes))
    return Discovered(
        engines=tuple(engine for engine in found if engine),
        providers=tuple(p for p in PROVIDERS if env.get(p.variable)),
    )


def ollama_host(env: Mapping[str, str]) -> str:
    """`address:port` of Ollama. `OLLAMA_HOST` counts when it is this machine, else the usual place.

    The variable also tells Ollama where to listen, so it may be `0.0.0.0` or lack a port.
    """
    value = env.get("OLLAMA_HOST", "").strip()
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname or "127.0.0.1", parts.port or 11434
    except ValueError:
        return OLLAMA
    if host in {"localhost", "0.0.0.0"}:  # noqa: S104  nothing listens there, it is asked
        return f"127.0.0.1:{port}"
    if zone_of(host) is not Zone.DEVICE:
        return OLLAMA
    host = "::1" if host == "::" else host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _in_time(probe: Awaitable[Engine | None]) -> Engine | None:
    try:
        async with asyncio.timeout(WITHIN_S):
            return await probe
    except (BackendError, TimeoutError, msgspec.DecodeError, msgspec.ValidationError):
        return None  # nothing there, or something else that listens on that port


async def _ollama(ask: Ask, host: str) -> Engine | None:
    status, body = await ask(f"http://{host}/api/tags", _permit(host))
    if status != 200:
        return None
    tags = msgspec.json.decode(body, type=Tags).models
    if tags is None:
        return None
    models = tuple(
        FoundModel(tag.name, elsewhere=_elsewhere(tag))
        for tag in tags
        if _chats(tag.name) and "bert" not in (tag.details or Details()).family
    )
    return Engine("ollama", f"http://{host}", models, "ollama")


async def _openai(ask: Ask, kind: str, host: str, mine: Callable[[Listed], bool]) -> Engine | None:
    """An engine that lists its models as OpenAI does. mine: tells its entries from others'."""
    status, body = await ask(f"http://{host}/v1/models", _permit(host))
    if status != 200:
        return None
    listed = msgspec.json.decode(body, type=Listing).data
    if listed is None or not all(mine(model) for model in listed):
        return None
    models = tuple(
        FoundModel(model.id, context_tokens=_window(model)) for model in listed if _chats(model.id)
    )
    return Engine(kind, f"http://{host}/v1", models)


def _elsewhere(tag: Tag) -> bool:
    """Ollama sends some models' requests on to its own cloud; an alias can hide the ending."""
    return bool(tag.remote_host) or sent_on(tag.name)


def _window(model: Listed) -> int | None:
    known = model.max_model_len or (model.meta.n_ctx if model.meta else None)
    return known if known and known > 0 else None


def _chats(model_id: str) -> bool:
    """Names of embedding models say so; an empty id is no model."""
    return bool(model_id) and "embed" not in model_id.lower()


def _permit(host: str) -> ControlPermit:
    return ControlPermit(host=host, purpose="discovery")
