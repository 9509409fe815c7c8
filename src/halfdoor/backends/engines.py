"""What each engine's own pages say of the models it holds: bytes in, facts out, nothing asked.

| engine     | page             | window of one request               | at once       | in the GPU |
|------------|------------------|-------------------------------------|---------------|------------|
| vLLM       | `/v1/models`     | `max_model_len`                     |               |            |
| llama.cpp  | `/props`         | `default_generation_settings.n_ctx` | `total_slots` |            |
| LM Studio  | `/api/v1/models` | an instance's `context_length`      | its `parallel`|            |
| the same   | `/api/v0/models` | `loaded_context_length`             |               |            |
| llama-swap | `/running`       |                                     |               |            |
| Ollama     | `/api/ps`        | `context_length`                    |               | `size_vram`|

Source: each engine's own documentation, November 2026. What is stated of a model that is not loaded
(the longest it was trained for) is no window and is not read.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.cards import Resident

# A server of one model answers under whatever name it is asked for.
ANY: Final = "*"
_LATEST: Final = ":latest"


class Page(Struct, frozen=True):
    """One way to ask. path: below the engine's root. read: None where it is no such engine."""

    engine: str
    path: str
    read: Callable[[bytes], tuple[Resident, ...] | None]


class _Listed(Struct):
    id: str = ""
    max_model_len: int | None = None


class _Listing(Struct):
    data: list[_Listed] | None = None


class _Settings(Struct):
    n_ctx: int | None = None


class _Props(Struct):
    default_generation_settings: _Settings | None = None
    total_slots: int | None = None
    is_sleeping: bool | None = None


class _Running(Struct):
    name: str = ""
    model: str = ""
    size: int | None = None
    size_vram: int | None = None
    context_length: int | None = None


class _Ps(Struct):
    models: list[_Running]


class _Held(Struct):
    id: str = ""
    state: str | None = None
    loaded_context_length: int | None = None


class _Holding(Struct):
    data: list[_Held]


class _Config(Struct):
    context_length: int | None = None
    parallel: int | None = None


class _Instance(Struct):
    id: str = ""
    config: _Config | None = None


class _Owned(Struct):
    key: str
    loaded_instances: list[_Instance]


class _Owning(Struct):
    models: list[_Owned]


class _Started(Struct):
    model: str
    state: str


class _Starting(Struct):
    running: list[_Started]


def listed(body: bytes) -> tuple[Resident, ...] | None:
    """vLLM, and others that tell each model's `max_model_len`; its models are always loaded."""
    told = msgspec.json.decode(body, type=_Listing).data or []
    found = [(each.id, _positive(each.max_model_len)) for each in told]
    if not any(window for _, window in found):
        return None
    return tuple(Resident(id_, loaded=True, window=window) for id_, window in found)


def props(body: bytes) -> tuple[Resident, ...] | None:
    """llama.cpp's server: one model, whose context is already divided among its slots."""
    told = msgspec.json.decode(body, type=_Props)
    window = _positive((told.default_generation_settings or _Settings()).n_ctx)
    if window is None:
        return None
    slots = _positive(told.total_slots)
    return (Resident(ANY, loaded=told.is_sleeping is not True, window=window, slots=slots),)


def held(body: bytes) -> tuple[Resident, ...] | None:
    """LM Studio: every model on its disk, with a state."""
    told = msgspec.json.decode(body, type=_Holding).data
    if not any(each.state for each in told):
        return None
    return tuple(
        Resident(each.id, loaded=True, window=_positive(each.loaded_context_length))
        for each in told
        if each.state == "loaded"
    )


def owned(body: bytes) -> tuple[Resident, ...] | None:
    """LM Studio since 0.4: its models, by their own name and by that of each loaded instance."""
    found: list[Resident] = []
    for each in msgspec.json.decode(body, type=_Owning).models:
        for instance in each.loaded_instances:
            config = instance.config or _Config()
            window, at_once = _positive(config.context_length), _positive(config.parallel)
            ids = dict.fromkeys((each.key, instance.id or each.key))
            found += (Resident(id_, loaded=True, window=window, slots=at_once) for id_ in ids)
    return tuple(found)


def started(body: bytes) -> tuple[Resident, ...] | None:
    """llama-swap: the models whose servers run; another is started when it is asked for."""
    told = msgspec.json.decode(body, type=_Starting).running
    return tuple(
        Resident(each.model, loaded=True) for each in told if each.state in {"ready", "starting"}
    )


def running(body: bytes) -> tuple[Resident, ...] | None:
    """Ollama: the models in memory; another is loaded when it is asked for."""
    told = msgspec.json.decode(body, type=_Ps).models
    return tuple(
        Resident(
            each.model or each.name,
            loaded=True,
            window=_positive(each.context_length),
            gpu=_share(each.size_vram, each.size),
        )
        for each in told
    )


OLLAMA: Final = Page("ollama", "/api/ps", running)
# The page that all have stands first, so that no engine of the first two sees a page it lacks.
PAGES: Final = (
    Page("vllm", "/v1/models", listed),
    Page("llamacpp", "/props", props),
    Page("lmstudio", "/api/v1/models", owned),
    Page("lmstudio", "/api/v0/models", held),
    Page("llamaswap", "/running", started),
    OLLAMA,
)
# Those that load the model that is asked for, and may put out another for it.
SWAPPING: Final = frozenset({"lmstudio", "llamaswap", "ollama"})
# No engine answers more requests at once; a page that says so is not believed.
MOST_SLOTS: Final = 4096


def read(page: Page, status: int, body: bytes) -> tuple[Resident, ...] | None:
    """What a page says; None where this is no such engine, or none that can be understood."""
    if status != 200:
        return None
    try:
        return page.read(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def among(model_id: str, found: Sequence[Resident]) -> Resident | None:
    """The one that answers to this id, also with the tag that Ollama adds."""
    return next((each for each in found if _answers(each.model_id, model_id)), None)


def slots(found: Sequence[Resident]) -> int | None:
    """Requests that an engine answers at once, by what it says of all that it has loaded."""
    told = [each.slots for each in found if each.loaded]
    known = [each for each in told if each is not None]
    if not known or len(known) < len(told):
        return None
    return max(known) if max(known) <= MOST_SLOTS else None


def windows(found: Sequence[Resident]) -> Iterator[tuple[str, int]]:
    """(model id, window) of what is loaded; an id with Ollama's tag also without it."""
    for each in found:
        if each.window is not None:
            yield each.model_id, each.window
            if each.model_id.endswith(_LATEST):
                yield each.model_id.removesuffix(_LATEST), each.window


def _answers(held_id: str, asked: str) -> bool:
    return held_id in {asked, ANY, f"{asked}{_LATEST}"}


def _positive(count: int | None) -> int | None:
    return count if count is not None and count > 0 else None


def _share(part: int | None, whole: int | None) -> float | None:
    if part is None or not whole or whole < 0 or part < 0:
        return None
    return min(1.0, part / whole)
