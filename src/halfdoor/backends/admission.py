"""What an engine admits: does it run a model itself, or does it send the model's requests on?

A claim of `device` says where an engine is, not where its model runs. Ollama says so when it is
asked (`remote_host`, `remote_model` of `/api/show`), also for an alias whose name says nothing. LM
Studio, vLLM, llama.cpp and others have no such answer: for them the claim stands, and the address.

Nothing is called before its answer is known. Known answers cost a look-up: they are asked ahead of
need, in the background, as long as a model is in use.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from halfdoor.canon.labels import Zone
from halfdoor.errors import BackendError, LogError

# An answer is believed so long.
FRESH_S: Final = 60.0
# From this age on it is asked again in the background, for models that were used of late.
AHEAD_S: Final = 40.0
LOOK_S: Final = 5.0
USED_S: Final = 600.0
# While an engine cannot be asked, its last answer holds so long; it is tried again so often.
KEPT_S: Final = 600.0
AGAIN_S: Final = 5.0
# Names that a caller chose (`id = "*"`) must not fill the memory.
MOST: Final = 1000

_ABSENT: Final = "not found"


class Engine(Protocol):
    """Whom to ask: a backend. zone: the claim. show_url: where its answer comes from."""

    name: str
    zone: Zone
    show_url: str

    async def show(self, body: bytes) -> tuple[int, bytes]:
        """POST a model's name to `/api/show`, no further than `zone`: (status, body).

        Raises BackendError.
        """


class Asked(NamedTuple):
    """One model of an engine. model: as the engine calls it. name: its card's."""

    engine: Engine
    model: str
    name: str


class Said(Struct, frozen=True):
    """What Ollama's `/api/show` says of the model; anything but empty means elsewhere."""

    remote_host: Any = None
    remote_model: Any = None
    error: Any = None


@dataclass(slots=True)
class _Known:
    """An answer: the engine runs the model itself, or says nothing of it. Times: ticks, seconds."""

    asked: Asked
    at_s: float
    used_s: float
    tried_s: float


# Put into the log: event and facts. Raises LogError.
Note = Callable[[str, dict[str, str]], Awaitable[None]]
Key = tuple[str, str]


class Admission:
    """What all engines have admitted to this process.

    widened: the zone of every (backend, model id) that was found wider than its claim, and of
    (backend, "") for whole backends. Replaced, never changed, so that whoever holds it may read it.
    INVARIANT: it only grows: a model that was found elsewhere counts so until the process ends.
    """

    def __init__(self, note: Note, ticks_s: Callable[[], float]) -> None:
        self.widened: dict[Key, Zone] = {}
        self._note = note
        self._ticks_s = ticks_s
        self._known: dict[Key, _Known] = {}
        self._asking: dict[Key, asyncio.Task[None]] = {}

    async def admit(self, asked: Asked, zone: Zone) -> None:
        """Return when `asked` may be called in `zone`, where its request was decided to go.

        Raises BackendError: `zone` when the engine sends it elsewhere or cannot be asked any more,
        `connect` and others when the engine cannot be reached at all.
        """
        if zone is Zone.CLOUD:
            return
        if self._widest(asked) > zone:
            raise self._elsewhere(asked, zone)
        now_s = self._ticks_s()
        known = self._known.get((asked.engine.show_url, asked.model))
        if known is None or now_s - known.at_s > FRESH_S:
            await self._asked_anew(asked, known, now_s)
            if self._widest(asked) > zone:
                raise self._elsewhere(asked, zone)
        else:
            known.used_s = now_s

    async def keep(self, asked: Callable[[], Iterable[Asked]]) -> None:
        """Ask about all of these at once, then again ahead of need; runs until cancelled."""
        await asyncio.gather(*(self._quietly(each) for each in asked()))
        while True:
            await asyncio.sleep(LOOK_S)
            await self.refresh()

    async def refresh(self) -> None:
        """Ask again about what is in use and soon too old."""
        now_s = self._ticks_s()
        due = [
            known.asked
            for known in self._known.values()
            if now_s - known.at_s > AHEAD_S
            and now_s - known.used_s < USED_S
            and now_s - known.tried_s > AGAIN_S
        ]
        await asyncio.gather(*(self._quietly(asked) for asked in due))

    async def met(self, backend: str, claimed: Zone, zone: Zone) -> None:
        """A backend was found at an address in `zone`: later requests are decided with that."""
        if zone > self.widened.get((backend, ""), claimed):
            self.widened = {**self.widened, (backend, ""): zone}
            await self._noted({"backend": backend, "by": "address"}, claimed, zone)

    def _elsewhere(self, asked: Asked, zone: Zone) -> BackendError:
        """Say how it is known, and that the next request will be decided with it."""
        backend, name = asked.engine.name, asked.name
        by_engine = (backend, asked.model) in self.widened
        found = f"sends `{name}` on to its maker's cloud" if by_engine else "is at a wider address"
        return BackendError(
            f"backend `{backend}` {found}, and this request was decided for zone "
            f"`{zone.name.lower()}`",
            kind="zone",
            hint=f"ask again: it counts as `{self._widest(asked).name.lower()}` from now on; "
            "`halfdoor doctor`",
        )

    def _widest(self, asked: Asked) -> Zone:
        """What is known of the model and of its backend."""
        backend = asked.engine.name
        found = self.widened.get((backend, asked.model), Zone.DEVICE)
        return max(found, self.widened.get((backend, ""), Zone.DEVICE))

    async def _asked_anew(self, asked: Asked, known: _Known | None, now_s: float) -> None:
        recent = known is not None and now_s - known.at_s <= KEPT_S
        if known is not None and recent:
            known.used_s = now_s
            if now_s - known.tried_s < AGAIN_S:
                return
        try:
            await self._once(asked)
        except BackendError as error:
            if recent:
                return
            raise _unknown(asked, error) from None

    async def _quietly(self, asked: Asked) -> None:
        """In the background a failure is nobody's: the next call asks, and says so."""
        with contextlib.suppress(BackendError):
            await self._once(asked)

    async def _once(self, asked: Asked) -> None:
        """One question at a time about a model, however many wait for the answer."""
        key = (asked.engine.show_url, asked.model)
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._learn(asked))
            task.add_done_callback(lambda done: self._over(key, done))
        await asyncio.shield(task)

    def _over(self, key: Key, done: "asyncio.Task[None]") -> None:
        del self._asking[key]
        if not done.cancelled():
            done.exception()  # whoever waits has it; nobody may

    async def _learn(self, asked: Asked) -> None:
        key, begun_s = (asked.engine.show_url, asked.model), self._ticks_s()
        if key in self._known:
            self._known[key].tried_s = begun_s
        status, body = await asked.engine.show(msgspec.json.encode({"model": asked.model}))
        said = _read(status, body)
        if _away(said):
            await self._found_elsewhere(asked)
        elif isinstance(said.error, str) and _ABSENT in said.error:
            self._known.pop(key, None)  # it may be made at any moment, and then lead anywhere
        else:
            used_s = self._known[key].used_s if key in self._known else begun_s
            self._known[key] = _Known(asked, begun_s, used_s, begun_s)
            while len(self._known) > MOST:
                del self._known[next(iter(self._known))]

    async def _found_elsewhere(self, asked: Asked) -> None:
        place = (asked.engine.name, asked.model)
        if place in self.widened:
            return
        self.widened = {**self.widened, place: Zone.CLOUD}
        self._known.pop((asked.engine.show_url, asked.model), None)
        facts = {"backend": asked.engine.name, "model": asked.name, "by": "engine"}
        await self._noted(facts, asked.engine.zone, Zone.CLOUD)

    async def _noted(self, facts: dict[str, str], claimed: Zone, found: Zone) -> None:
        """Where the log cannot be written, the finding holds all the same: it narrows."""
        zones = {"from": claimed.name.lower(), "to": found.name.lower()}
        with contextlib.suppress(LogError):
            await self._note("widened", facts | zones)


def show_url(base: str) -> str:
    """Ollama's own API stands beside its compatible ones: `…/v1` and the root have one `/api`."""
    return f"{base.rstrip('/').removesuffix('/v1')}/api/show"


def elsewhere(status: int, body: bytes) -> bool:
    """Does this answer of `/api/show` admit that another machine runs the model?

    Raises BackendError for an answer that says nothing because the engine is in trouble.
    """
    return _away(_read(status, body))


def _away(said: Said) -> bool:
    return bool(said.remote_host or said.remote_model)


def _read(status: int, body: bytes) -> Said:
    """What was said; nothing, by an engine that has no such page. Raises BackendError for trouble.

    An engine that is busy or broken has not answered the question.
    """
    if status >= 500 or status == 429:
        raise BackendError(f"answered {status} when asked where the model runs", kind="zone")
    try:
        said = msgspec.json.decode(body, type=Said)
    except msgspec.MsgspecError:
        return Said()
    if status == 200:
        return said
    return Said(error=said.error) if status == 404 else Said()


def _unknown(asked: Asked, error: BackendError) -> BackendError:
    """Nothing was sent. An engine that is not there is told as what it is."""
    name = asked.engine.name
    if error.kind in {"connect", "tls"}:
        return BackendError(
            f"backend `{name}` at {error.message}", kind=error.kind, hint=error.hint
        )
    return BackendError(
        f"backend `{name}` does not say where it runs `{asked.name}` ({error.message})",
        kind="zone",
        hint="is it well? try `halfdoor doctor`",
    )
