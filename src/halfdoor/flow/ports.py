"""The seams between the pure line and the world.

Each has a shipped fake that obeys one contract suite with the real thing.

| port     | real                      | shipped fake              |
|----------|---------------------------|---------------------------|
| Log      | store.log.SqliteLog       | store.log.MemoryLog       |
| Backend  | backends.http.HttpBackend | backends.scripted         |
| Memory   | store.shared.SharedMemory | store.memory.Memory       |
| Floors   | store.floors.SharedFloors | store.floors.Floors       |
| Pinned   | store.pins.SharedPins     | flow.pins.Pins            |
| Ledger   | store.ledger.SharedLedger | store.ledger.Ledger       |
| Files    | store.checkout.Checkout   | the same over PaperFiles  |
| Runner   | runner.sandbox.Sandbox    | tests.helpers.checks      |
| Sink     | server.app.AsgiSink       | tests.helpers.sink        |
| Clock    | wiring (time, secrets)    | tests.helpers.clock       |
| Sights   | store.live.Live           | flow.sights.Unseen        |
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from halfdoor.canon.checks import Ran, Run
from halfdoor.canon.commands import (
    Answered,
    Faulted,
    Floor,
    Headers,
    Hold,
    HungUp,
    Outbound,
    Remember,
    Reserve,
    Settle,
    Short,
    Texts,
)
from halfdoor.canon.decision import Permit, Target
from halfdoor.canon.labels import Label, Zone
from halfdoor.canon.money import Spending
from halfdoor.canon.plans import Plan
from halfdoor.canon.record import Entry
from halfdoor.canon.scene import Depth, Pin, Place, Placed, Unwell
from halfdoor.flow.pins import Pins
from halfdoor.flow.sights import Sights, Unseen
from halfdoor.flow.turns import Turns


class Log(Protocol):
    """The evidence log."""

    async def append(self, entry: Entry) -> Permit:
        """Return once the entry is durable. Raises LogError when it cannot be made so.

        For a `Decided` the permit names its plan; for other entries it names no target.
        """


class Incoming(Protocol):
    """A backend's answer whose status line has arrived."""

    status: int
    headers: Headers

    def chunks(self) -> AsyncIterator[bytes]:
        """Body chunks as they come. Raises BackendError (cut, timeout …)."""


class Calling(Protocol):
    """One call: entering it makes it, leaving it cancels what is under way.

    sent_bytes: body bytes handed to the socket so far; true also after a failure.
    """

    sent_bytes: int

    async def __aenter__(self) -> Incoming:
        """POST and wait for the status line.

        Raises BackendError; kind `zone` when the permit does not cover where the socket ends.
        """

    async def __aexit__(self, *_: object) -> None:
        """Close what is still open."""


class Backend(Protocol):
    """One place where models answer."""

    name: str

    def call(self, target: Target, outbound: Outbound, permit: Permit, client_key: str) -> Calling:
        """Prepare one call; nothing happens before it is entered.

        client_key: the caller's own credential, used only when the target says so; "" otherwise.
        """


class Recalled(Protocol):
    """What the memory knows about a request's marks."""

    @property
    def labels(self) -> tuple[Label, ...]:
        """Labels that travel with text seen before."""

    @property
    def latched(self) -> str:
        """The card behind the newest of the marks, "" if none is known."""

    @property
    def origins(self) -> dict[bytes, str]:
        """Vendor by mark."""


class Memory(Protocol):
    """Marks (prints of call ids, signatures, answers) and what they stand for."""

    async def recall(self, marks: tuple[bytes, ...], texts: Texts | None = None) -> Recalled:
        """All that is remembered about these marks, and about what these texts bring back."""

    async def remember(self, what: Remember) -> None:
        """Keep these marks for later turns; whoever asks afterwards finds them."""


class Under(Protocol):
    """The floor that a request's session has."""

    @property
    def labels(self) -> tuple[Label, ...]:
        """Labels that it carries, at the place `session`."""

    @property
    def session(self) -> str:
        """The session's short name, "" without a floor."""


class Floors(Protocol):
    """Sessions whose answered requests carried labels, and what their later ones carry."""

    async def under(self, marks: tuple[bytes, ...]) -> Under:
        """The floor that these marks stand for. Never raises: what fails is `scan-failed`."""

    async def hold(self, floor: Floor) -> None:
        """Add to a session's floor; whoever asks afterwards, in any process, is under it."""


class Pinned(Protocol):
    """Who answered each session last. It permits nobody anything, so it may forget."""

    def find(self, marks: tuple[bytes, ...]) -> Pin | None:
        """The pin of the first of the marks that has one."""

    def hold(self, marks: tuple[bytes, ...], pin: Pin) -> None:
        """Let the first of the marks stand for this pin, in every process."""


class Ledger(Protocol):
    """What has been spent and is held, by purse."""

    async def spending(
        self, purses: Sequence[tuple[str, str | None]], plans: Sequence[Plan] = ()
    ) -> Spending:
        """Of these purses, all keys where one is None; and how plans stand. Raises LogError."""

    async def reserve(self, command: Reserve) -> Hold | Short:
        """Hold the amount in every purse drawn on, and the use, or nothing. Raises LogError."""

    async def settle(self, command: Settle) -> None:
        """Replace a hold by what the call cost. Raises LogError; then the hold stays."""

    async def close(self) -> None:
        """Nothing is held from here on."""


class Health(Protocol):
    """What has just failed."""

    def unwell(self) -> Mapping[tuple[str, str], Unwell]:
        """Backends and models that others should be asked instead of, see `Scene.unwell`."""

    def asked(self, target: Target) -> None:
        """A call begins: if the target was unwell, the others wait for what this one learns."""

    def heard(self, target: Target, over: Answered | Faulted | HungUp) -> None:
        """A call ended."""


class Turn(Protocol):
    """One call's turn at an engine."""

    @property
    def place(self) -> Place | None:
        """Where it stands, None when it does not wait."""

    @property
    def held(self) -> bool:
        """Did it wait because another model was answering, which its own would have put out?"""

    async def __aenter__(self) -> None:
        """Wait for it. Raises BackendError (`busy`), and that at once."""

    async def __aexit__(self, *_: object) -> None:
        """Let the next begin."""


class Queue(Protocol):
    """What waits for one engine."""

    @property
    def depth(self) -> Depth:
        """How it stands now."""

    def line(self) -> tuple[tuple[str, Place], ...]:
        """Ids of the exchanges that wait, each with its place, the next one first."""

    def turn(self, lane: str, model: str, exchange: str) -> Turn:
        """A turn for a model. lane: calls of one lane wait for each other first."""


class Files(Protocol):
    """Where named paths lead on this machine."""

    async def place(self, root: str, paths: tuple[str, ...]) -> Placed:
        """Follow the paths from the project's root; never raises, and never takes long.

        root: see `Actor.root`. paths: as named, relative ones to the root or a folder below it.
        """


class Runner(Protocol):
    """Where checks have processes run. It blocks: on an event loop, see `runner/threaded.py`."""

    def run(self, run: Run, /) -> Ran:
        """Perform it. Never raises for what the process does or for what is missing."""


class Clock(Protocol):
    """Time and chance."""

    def now_ms(self) -> int:
        """Unix time, milliseconds."""

    def ticks_ms(self) -> float:
        """A monotonic clock, milliseconds."""

    def draw(self) -> float:
        """A random number in [0, 1)."""

    def exchange_id(self, now_ms: int) -> str:
        """A new exchange id, see `canon.scene.Scene.id`."""


class Sink(Protocol):
    """The client's side of one exchange."""

    async def start(self, status: int, headers: Headers) -> None:
        """Send the status line and headers: this is the commit."""

    async def send(self, data: bytes) -> None:
        """Send body bytes. Raises ConnectionError when the client has gone."""

    async def finish(self) -> None:
        """End the body."""

    async def gone(self) -> None:
        """Return when the client has hung up; never before."""


@dataclass(frozen=True, slots=True)
class Services:
    """What `flow/drive.py` performs commands with.

    queues: by backend, for those that have one.
    health: where failures are kept; None keeps none.
    ledger: needed where the house has budgets or plans.
    ping_s: silence after which a streaming client is told to wait on; 0 for never.
    widened: where models were found that are wider than their claim, see `Scene.widened`.
    windows: what engines have loaded, see `Scene.windows`.
    pins: who answered each session last. turns: which have just failed.
    sights: where calls show themselves while they run.
    """

    log: Log
    backends: Mapping[str, Backend]
    memory: Memory
    clock: Clock
    files: Files
    floors: Floors
    ledger: Ledger | None = None
    health: Health | None = None
    queues: Mapping[str, Queue] = field(default_factory=dict)
    ping_s: float = 0.0
    widened: Callable[[], dict[tuple[str, str], Zone]] = dict
    windows: Callable[[], Mapping[tuple[str, str], int]] = dict
    pins: Pinned = field(default_factory=Pins)
    sights: Sights = field(default_factory=Unseen)
    turns: Turns = field(default_factory=Turns)
