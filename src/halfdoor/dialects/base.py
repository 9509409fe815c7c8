"""The contract of a dialect: bytes ⇄ canon, in both roles, without I/O.

A dialect is one file with one class. As *server* it reads what tools send and writes what tools
hear; as *client* it writes what models hear and reads what models send. Nothing here knows which
other dialect stands on the far side: everything crosses through `canon`.
"""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from msgspec import Struct

from halfdoor.canon.commands import Headers, Learnt
from halfdoor.canon.decision import Edit, Target
from halfdoor.canon.events import Event
from halfdoor.canon.request import Asked, Conversation, Embed, Fill, Request
from halfdoor.dialects.parameters import KINDS, Places
from halfdoor.errors import ClientError

# INVARIANT: a same-dialect body differs from what the client sent by these splices and no others.
EDITS: Final = frozenset(
    {
        "attribution",
        "context-window",
        "device-id",
        "drop-thinking",
        "include-usage",
        "max-tokens",
        "model",
        "sampling",
        "server-tool",
        "thinking-budget",
        "thinking-off",
        "typed-tool",
        *KINDS,
    }
)


# What a tool may say of a completion that no other dialect can hear; the log names it.
UNHEARD: Final = frozenset({
    "extra-context", "instruction", "logprobs", "response-format", "sampling", "top-k",
})  # fmt: skip


# Where a client says which session a request belongs to, the most telling first; measured, see
# docs/reference/clients.md.
SESSION_HEADERS: Final = (
    "x-claude-code-session-id",
    "x-session-id",
    "session-id",
    "session_id",
    "x-session-affinity",
    "thread-id",
)


def session_of(headers: Headers) -> str:
    """The client's own session id, "" where no header has one."""
    sent = dict(headers)
    if sent.keys().isdisjoint(SESSION_HEADERS):
        return ""
    return next((sent[name] for name in SESSION_HEADERS if sent.get(name)), "")


class Parser(Protocol):
    """Reads a model's stream; any chunking of the same bytes gives the same events."""

    def feed(self, chunk: bytes) -> list[Event]:
        """Events completed by this chunk."""

    def end(self) -> list[Event]:
        """The stream is over: a Failed(code="cut") if the dialect's own end was not seen."""


class Emitter(Protocol):
    """Writes a stream that a tool of this dialect understands."""

    def emit(self, events: Iterable[Event]) -> bytes:
        """Bytes for these events; a Failed becomes the dialect's error event and a clean end."""


class Watcher(Protocol):
    """Learns from a stream that passes through unread, at the least cost."""

    @property
    def finished(self) -> bool:
        """Has the dialect's own end passed? A last frame without its end may yet tell it."""

    def feed(self, chunk: bytes) -> bool:
        """Look at a chunk on its way.

        True if it was whole frames that tell nothing: nobody needs to look at it again.
        """

    def learnt(self) -> Learnt:
        """What is known so far."""


class Filter(Protocol):
    """Takes out of a passing stream the frames that its client did not ask for.

    What its dialect's watcher calls whole frames that tell nothing may pass it by while it is idle.
    """

    @property
    def idle(self) -> bool:
        """Nothing is held, and no frame is half out."""

    def feed(self, chunk: bytes) -> bytes:
        """The chunk less those frames; any chunking gives the same bytes in all."""

    def end(self) -> bytes:
        """What is held of a frame that never ended: the stream closed without its blank line."""


class Reads(Protocol):
    """How the answer to a request is read, streamed or whole; see `Dialect`."""

    def parser(self) -> Parser:
        """For a stream."""

    def events(self, body: bytes, /) -> list[Event]:
        """For a whole answer. Raises BackendError(kind="protocol") if unreadable."""


class Written(Struct, frozen=True):
    """A request for a model in its own words, and how its answer is read (see `Reads`).

    path: see `Outbound.path`. lost: what could not be expressed, names from a closed list.
    """

    path: str
    body: bytes
    lost: tuple[str, ...]
    parser: Callable[[], Parser]
    events: Callable[[bytes], list[Event]]


def unspoken(asked: Fill | Embed, dialect: str) -> ClientError:
    """The error for what a dialect has no words for."""
    what = "filling in text" if isinstance(asked, Fill) else "measuring text as numbers"
    return ClientError(
        f"the protocol of this model's backend (`{dialect}`) has no way of {what}",
        code="unsupported_endpoint",
        hint="give it a model behind a backend of dialect `openai_chat` or `ollama`",
    )


# Splices inside members, and whole members to cut, with the kind of edit; these all at once.
Withheld = tuple[tuple[Edit, ...], dict[str, str]]


class Dialect(Protocol):
    """One wire format. Instances are stateless and shared."""

    name: str
    # Whose protocol it is, as `Target.vendor` names it; "" where it is nobody's cloud's.
    vendor: str
    # What tools may ask for: canonical endpoint -> accepted paths are /v1/X, /X and /v1/v1/X.
    endpoints: tuple[str, ...]
    content_type_stream: str
    # What ends a frame of a stream: a blank line, or the line itself.
    frame_end: bytes
    # A frame that says nothing: clients of this dialect take it anywhere between two others. b""
    # where the dialect has none.
    ping: bytes
    # Where a route's parameters go in a request of it.
    places: Places

    def read(self, endpoint: str, headers: Headers, query: str, body: bytes) -> Request:
        """Read the envelope. Raises ClientError (malformed or duplicate-key JSON, wrong shape)."""

    def conversation(self, request: Request) -> Conversation:
        """Read everything, to translate. Raises ClientError where the shape is wrong."""

    def asked(self, request: Request) -> Asked:
        """The same of a request of any kind. Raises ClientError for what no other can hear."""

    def written(self, asked: Fill | Embed, target: Target) -> Written:
        """What is no conversation, for this target. Raises ClientError where nothing says it."""

    def render(
        self, conversation: Conversation, model_id: str, context_tokens: int | None = None
    ) -> tuple[bytes, tuple[str, ...]]:
        """A request body, and what could not be expressed (names from a closed list).

        context_tokens: the window to ask for, where an engine takes it from each request.
        """

    def edits(
        self,
        request: Request,
        *,
        model_id: str,
        max_output_tokens: int | None,
        drop_signatures: frozenset[str],
        context_tokens: int | None = None,
        strict: bool = False,
    ) -> tuple[Edit, ...]:
        """The splices that make the request's own body fit a backend of the same dialect.

        drop_signatures: thinking blocks with these signatures are another vendor's and are removed.
        strict: the backend may check that a tool loop began with its own thinking.
        """

    def withheld(self, request: Request, *, own: bool, near: bool) -> Withheld:
        """What only this dialect's own vendor may or can have: splices, and members to cut.

        own: the backend is that vendor. near: it is an engine, and no cloud's.
        Raises ClientError where the request cannot be answered without what is taken out.
        """

    def outbound_path(self, request: Request | None) -> str:
        """Below a backend's base URL, as that dialect's SDK wants it. request: as for headers."""

    def outbound_headers(self, request: Request | None, *, own: bool = False) -> Headers:
        """Headers for a backend: open list for the dialect's vendor, its plain ones for others.

        request: None when the body was written here. own: see `withheld`.
        """

    def credential(self, key: str) -> Headers:
        """How this dialect shows a key."""

    def parser(self) -> Parser:
        """For a model's stream."""

    def emitter(self, request: Request) -> Emitter:
        """For a tool's stream."""

    def filter(self, request: Request) -> Filter | None:
        """What must be taken out of a same-dialect stream because an edit put it there."""

    def watcher(self, *, stream: bool, texts: bool) -> Watcher:
        """For bytes that pass through; texts: also collect the answer's complete texts."""

    def events(self, body: bytes) -> list[Event]:
        """A whole (not streamed) answer. Raises BackendError(kind="protocol") if unreadable."""

    def answer(self, events: Iterable[Event], request: Request | None = None) -> bytes:
        """A whole answer for a tool. The events hold no Failed.

        request: what it asked, by which its tools' own names are found; None where none differ.
        """

    def error(self, status: int, code: str, message: str) -> bytes:
        """An error body in this dialect's shape."""

    def overflow(self, tokens: int, window: int, why: str) -> bytes:
        """An error body that tools of this dialect know as: the prompt is too long, compact it.

        tokens: more than window; 0, 0 where they are not known. why: for a person, behind the words
        that tools match.
        """

    def stream_error(self, code: str, message: str) -> bytes:
        """An error event and a clean end, for a stream whose headers are already out."""

    def error_text(self, body: bytes) -> tuple[str, str]:
        """(code, message) of a backend's error body; ("", "") when unreadable."""
