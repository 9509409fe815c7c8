"""What the pure core asks of the world, and what the world replies.

| command    | reply                          |
|------------|--------------------------------|
| Begin      | Scene                          |
| Append     | Permit, or Unrecorded          |
| Reserve    | Hold, Short, or Unrecorded     |
| Call       | Answered, Faulted or HungUp    |
| Settle     | None                           |
| Remember   | None                           |
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from halfdoor.canon.decision import Permit, Target
from halfdoor.canon.labels import Label
from halfdoor.canon.money import Draw, PicoUSD, Purse, Usage
from halfdoor.canon.plans import Plan, Told, Use, Window
from halfdoor.canon.record import Entry
from halfdoor.canon.request import Actor
from halfdoor.canon.scene import Pin

if TYPE_CHECKING:
    from array import array

Headers = tuple[tuple[str, str], ...]


class FaultKind(StrEnum):
    """How a call can fail. `status` and `quota` faults carry the backend's own HTTP answer.

    `quota`: it says, under whatever status, that the account it is asked for has nothing left.
    `stopped`: halfdoor itself ended and could wait no longer. `internal`: its own code failed.
    After these two nobody else is tried. With the following nobody was called: `untranslatable`,
    the target's dialect cannot say what the request asks for; `budget`, a purse has not enough
    left; `busy`, too many wait for the backend already.
    """

    CONNECT = "connect"
    TIMEOUT = "timeout"
    CUT = "cut"
    TLS = "tls"
    ZONE = "zone"
    CREDENTIALS = "credentials"
    PROTOCOL = "protocol"
    STATUS = "status"
    QUOTA = "quota"
    STOPPED = "stopped"
    INTERNAL = "internal"
    UNTRANSLATABLE = "untranslatable"
    BUDGET = "budget"
    BUSY = "busy"


# What the backend answered itself, over HTTP: nothing was made, so nothing is billed.
REFUSALS: Final = frozenset({FaultKind.STATUS, FaultKind.QUOTA})


class Fault(Struct, frozen=True):
    """Why a call failed.

    status, headers, body: the backend's own answer for STATUS and QUOTA, else 0 and empty.
    message: a sentence for a person, without content of the request.
    """

    kind: FaultKind
    message: str
    status: int = 0
    headers: Headers = ()
    body: bytes = b""


class Learnt(Struct, frozen=True):
    """What an answer told while it passed: counts and marks, and prints of its text when asked for.

    finished: the dialect's own end was seen. calls: ids of tool calls. signatures: of thinking.
    texts: complete text, thinking and arguments by part; filled only when the pipe was told to.
    failure: the message of an error inside the stream, "" if none. failure_code, failure_status:
        its vendor's word for it, and the HTTP status that belongs to that; 0 where the answer only
        broke off.
    repaired: notations of calls that were found in its text and made calls again.
    """

    usage: Usage | None = None
    stop: str = ""
    finished: bool = False
    calls: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    failure: str = ""
    failure_code: str = ""
    failure_status: int = 0
    repaired: tuple[str, ...] = ()


class Outbound(Struct, frozen=True):
    """An HTTP POST to a backend, without credentials: those are added where the socket is.

    path: below the backend's base URL, or beside its `/v1` where it begins with `../`.
    """

    path: str
    headers: Headers
    body: bytes
    stream: bool


class Pipe(Protocol):
    """Turns what a backend sends into what the client gets; pure, one per call.

    ping: what keeps a waiting client patient, between two frames; b"" where nothing may be said.
    """

    ping: bytes

    @property
    def finished(self) -> bool:
        """Has the dialect's own end passed? Asked for every chunk, so it costs nothing."""

    def head(self, headers: Headers) -> Headers:
        """Headers for the client, once the backend has answered 2xx."""

    def feed(self, chunk: bytes) -> bytes:
        """Bytes for the client, maybe none."""

    def end(self) -> bytes:
        """The backend closed cleanly: the rest, or the dialect's error event if it was cut short.

        Raises BackendError (`cut`, `protocol`) when nothing has gone out and nothing usable came.
        """

    def unsaid(self, out: bytes) -> bool:
        """Do these bytes, the first for the client, say nothing of an answer? Asked of errors."""

    def broken(self, fault: Fault) -> bytes:
        """The backend failed after commit: the dialect's error event and a clean end."""

    def learnt(self) -> Learnt:
        """What is known so far."""


class Texts(Protocol):
    """What the blocks of one request say, as fingerprints that are made when they are asked for."""

    @property
    def blocks(self) -> tuple[tuple[str, bytes], ...]:
        """(place, keyed print) of each block."""

    def shingles(self, at: int) -> "array[int]":
        """Shingles of block `at`, see `reading/grams.py`; each once, in no order."""


class Begin(Struct, frozen=True):
    """Asks for the scene. marks: prints of call ids, signatures and text that may be remembered.

    floors: prints of the session, or of its conversation as far as it has come.
    pins: by which the agent's part of it may be known, the most telling first.
    paths: files named. places: rules in force ask where they, and the project's root, really are.
    texts: for whoever remembers text that labels follow; nobody else asks for it.
    purses: (budget, key) that it may draw on; the key is None where only the answer decides it.
    plans: whose standing is asked for.
    turn: makes the print of the turn that is asked for, b"" where nobody would ask for it again.
    """

    actor: Actor
    session: str
    marks: tuple[bytes, ...]
    paths: tuple[str, ...]
    texts: Texts | None = None
    places: bool = False
    floors: tuple[bytes, ...] = ()
    purses: tuple[tuple[str, str | None], ...] = ()
    pins: tuple[bytes, ...] = ()
    plans: tuple[Plan, ...] = ()
    turn: Callable[[], bytes] = bytes


class Append(Struct, frozen=True):
    """Asks for an entry to be made durable."""

    entry: Entry


class Unrecorded(Struct, frozen=True):
    """The log did not take the entry, or the ledger the hold. reason: for the operator."""

    reason: str


class Reserve(Struct, frozen=True):
    """Asks that money be held for one call. amount: pico-USD, the most that it may cost.

    use: what it takes of a plan at most, None where none covers it; windows: those of that plan.
    """

    draws: tuple[Draw, ...]
    amount: PicoUSD
    use: Use | None = None
    windows: tuple[Window, ...] = ()


class Hold(Struct, frozen=True):
    """Money that is held. periods: the beginning of each draw's period, Unix milliseconds.

    use, used_ms: what is held of a plan, and since when.
    """

    draws: tuple[Draw, ...]
    amount: PicoUSD
    periods: tuple[int, ...]
    use: Use | None = None
    used_ms: int = 0


class Short(Struct, frozen=True):
    """A purse has not enough left, or a plan no room. left: pico-USD. plan: "" for a purse."""

    purse: Purse
    left: PicoUSD
    plan: str = ""


class Settle(Struct, frozen=True):
    """Asks that a hold be replaced by what the call cost; None, which nobody knows, leaves it.

    use: what it took of the plan, the same. told: how its vendor says that the plan stands.
    """

    hold: Hold
    cost: PicoUSD | None
    use: Use | None = None
    told: tuple[Told, ...] = ()


class Source(Struct, frozen=True):
    """A text that labels follow.

    id: keyed print of the text, 16 bytes or more. labels: names, as `derived:secret`, sorted.
    shingles: makes its fingerprints (`reading/grams.py`), less those that say nothing of this
        text; called once for each id, because a session brings its sources back every turn.
    """

    id: bytes
    labels: tuple[str, ...]
    shingles: Callable[[], set[int]]


class Floor(Struct, frozen=True):
    """What all later requests of a session carry, since one that was answered did.

    marks: prints of the session, or of its conversation's beginning; any of them stands for it.
    labels: names, as `derived:secret`, sorted; () lets a floor that there is last on.
    The rest is who asked, see `Actor`.
    """

    marks: tuple[bytes, ...]
    labels: tuple[str, ...]
    token: str = ""
    tool: str = ""
    project: str = ""


class Remember(Struct, frozen=True):
    """Asks that marks be remembered for later turns. model: the card that made them.

    labels: what the exchange's text carried, to travel with its answer.
    sources: its answer, and its blocks from labelled files.
    floor: for the session, once an answer has begun to reach it.
    free: the texts of an exchange that carried no label at all; what stands in them says nothing
        of a source that is met later.
    pins, pin: who answered, for the agent's part of the session that these prints stand for.
    turn: see `Begin`. failed: models that failed it, one for each call; () when it was answered.
    wait_ms: so long its backend asks to be left alone.
    """

    marks: tuple[bytes, ...]
    model: str
    vendor: str
    labels: tuple[Label, ...]
    sources: tuple[Source, ...] = ()
    free: Texts | None = None
    floor: Floor | None = None
    pins: tuple[bytes, ...] = ()
    pin: Pin | None = None
    turn: bytes = b""
    failed: tuple[str, ...] = ()
    wait_ms: int = 0


class Call(Struct, frozen=True):
    """Asks for one call.

    keep: what must be remembered of an answer before its last bytes go out, since its client may
        ask again the moment it has them; None when later is soon enough.
    lane: whose turn it is in a queue; calls of one lane wait for each other first. None for what
        no engine takes a slot for: it waits for nobody.
    notice: headers for the client, of what is known of the answer when its first byte goes out.
    error: (status, code, message) in the words of the target's dialect.
    """

    target: Target
    outbound: Outbound
    permit: Permit
    pipe: Pipe
    keep: Callable[[Learnt], Remember] | None = None
    lane: str | None = ""
    notice: Callable[[Learnt], Headers] | None = None
    error: Callable[[int, str, str], bytes] | None = None


class Waited(Struct, frozen=True):
    """How long a call waited for its turn, in ms. swap: for another model to finish, too."""

    ms: int = 0
    swap: bool = False


class Answered(Struct, frozen=True):
    """The call ended and its answer reached the client (unless held: then `body` has it).

    headers: the backend's own.
    first_answer_ms: from its backend being asked, its turn in a queue behind it, to the first bytes
        of a stream that were no ping; -1 where nothing streamed.
    """

    status: int
    learnt: Learnt
    sent_bytes: int
    received_bytes: int
    first_byte_ms: int
    ms: int
    waited: Waited = Waited()
    first_answer_ms: int = -1
    headers: Headers = ()


class Faulted(Struct, frozen=True):
    """The call failed. committed: the client already has bytes, so no other target may be tried.

    first_answer_ms: see `Answered`.
    """

    fault: Fault
    committed: bool
    learnt: Learnt
    sent_bytes: int
    received_bytes: int
    first_byte_ms: int
    ms: int
    waited: Waited = Waited()
    first_answer_ms: int = -1


class HungUp(Struct, frozen=True):
    """The client went away; the backend was cancelled. first_answer_ms: see `Answered`."""

    committed: bool
    learnt: Learnt
    sent_bytes: int
    received_bytes: int
    first_byte_ms: int
    ms: int
    waited: Waited = Waited()
    first_answer_ms: int = -1


Command = Begin | Append | Reserve | Call | Settle | Remember


class Reply(Struct, frozen=True):
    """A whole HTTP answer for the client, when no backend's answer reached it."""

    status: int
    headers: Headers
    body: bytes
