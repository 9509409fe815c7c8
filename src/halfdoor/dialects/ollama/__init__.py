"""Ollama's own protocol, in both roles.

The public face of the dialect; its parts stand beside it: `reading` and `rendering` (requests),
`stream` and `answer` (answers), `watch` (what passes through), `wire` (shapes), `generate` and
`embed` (what is no conversation). Shapes: as the
engine's own documentation has them. Its compatible endpoints cannot set the window; this one does.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from halfdoor.canon.commands import Headers
from halfdoor.canon.decision import Edit, Target
from halfdoor.canon.events import Event
from halfdoor.canon.request import Asked, Conversation, Embed, Fill, Kind, Request
from halfdoor.dialects.base import Withheld, Written, session_of
from halfdoor.dialects.decoding import wrong
from halfdoor.dialects.envelope import (
    Spans,
    begins,
    blocks,
    counts,
    flags,
    model,
    opened,
    renamed,
    sent_on,
    value,
)
from halfdoor.dialects.ollama.answer import read_answer, write_answer
from halfdoor.dialects.ollama.embed import (
    EMBED,
    EMBEDDINGS,
    read_embed,
    write_embed,
    write_vectors,
)
from halfdoor.dialects.ollama.generate import GENERATE, fills, read_fill, write_fill
from halfdoor.dialects.ollama.reading import read_conversation
from halfdoor.dialects.ollama.rendering import Rendering
from halfdoor.dialects.ollama.stream import StreamEmitter, StreamParser
from halfdoor.dialects.ollama.watch import StreamWatcher, body_learnt
from halfdoor.dialects.ollama.wire import error_body, trouble
from halfdoor.dialects.parameters import Places
from halfdoor.dialects.watching import BodyWatcher
from halfdoor.reading.spans import members

CHAT: Final = "/api/chat"
_EMBEDS: Final = frozenset({EMBED, EMBEDDINGS})
# What a request must hold, and what its value begins with.
_NEEDED: Final = {CHAT: ("messages", b"["), EMBED: ("input", b'"['), EMBEDDINGS: ("prompt", b'"')}
_WANTED: Final = {
    b"[": "must be an array",
    b'"': "must be a string",
    b'"[': "must be a string or an array",
}

# The API's top-level fields. Only these are named in a log: any other key is the caller's own word.
FIELDS: Final = frozenset({
    "context", "dimensions", "format", "images", "input", "keep_alive", "logprobs", "messages",
    "model", "options", "prompt", "raw", "shift", "stream", "suffix", "system", "template", "think",
    "tools", "top_logprobs", "truncate",
})  # fmt: skip
_LISTS: Final = frozenset({"input", "messages", "tools"})
_SENT_ON: Final = frozenset({"accept", "content-type", "user-agent"})

# Digits of a number that could be a count.
_LONGEST_COUNT: Final = 16


class Ollama:
    """The dialect (see `base.Dialect`). Without state."""

    name = "ollama"
    vendor = ""
    endpoints: tuple[str, ...] = (CHAT, GENERATE, EMBED, EMBEDDINGS)
    content_type_stream = "application/x-ndjson"
    frame_end = b"\n"
    ping = b""  # a line is always part of the answer
    places = Places(
        seed="seed", stop="stop", inside="options", messages="messages", system="system"
    )

    def read(self, endpoint: str, headers: Headers, query: str, body: bytes) -> Request:
        """Read the envelope; the conversation stays bytes. Left out, `stream` is true.

        Raises ClientError: `invalid_json`, `duplicate_key`, `invalid_shape`.
        """
        found, spans = opened(body)
        asked = model(body, spans)
        field, kind = _NEEDED.get(endpoint, ("model", b'"'))
        if not begins(body, spans, field, kind):
            raise wrong(_WANTED[kind], field)
        filling = endpoint == GENERATE and fills(body, spans)
        streams = value(flags, body, spans, "stream", None) is not False
        options = _option_spans(body, spans)
        return Request(
            dialect=self.name,
            endpoint=endpoint,
            body=body,
            model=asked,
            stream=streams and endpoint not in _EMBEDS,
            blocks=tuple(blocks(body, found, _LISTS, FIELDS)),
            members=spans,
            headers=headers,
            query=query,
            max_tokens=_limit(body, options),
            session=session_of(headers),
            kind=_kind(endpoint, filling),
            of_chat=filling,
            context_tokens=_window(body, options),
        )

    def conversation(self, request: Request) -> Conversation:
        """Read everything, to translate. Raises ClientError where the shape is wrong."""
        return read_conversation(request.body)

    def asked(self, request: Request) -> Asked:
        """The same of a request of any kind. Raises ClientError for what no other can hear."""
        match request.kind:
            case Kind.COMPLETION:
                return read_fill(request.body)
            case Kind.EMBEDDING:
                return read_embed(request.body, request.endpoint)
            case _:
                return read_conversation(request.body)

    def written(self, asked: Fill | Embed, target: Target) -> Written:
        """What is no conversation, for this target."""
        if isinstance(asked, Fill):
            return write_fill(asked, target)
        return write_embed(asked, target)

    def render(
        self, conversation: Conversation, model_id: str, context_tokens: int | None = None
    ) -> tuple[bytes, tuple[str, ...]]:
        """A body for `/api/chat`, and names from `rendering.DEGRADED`."""
        rendering = Rendering(conversation, context_tokens)
        body = rendering.body(model_id)
        return body, tuple(rendering.lost)

    def edits(
        self,
        request: Request,
        *,
        model_id: str,
        max_output_tokens: int | None,
        drop_signatures: frozenset[str],  # noqa: ARG002  its thinking carries no signature
        context_tokens: int | None = None,
        strict: bool = False,  # noqa: ARG002  no vendor of this dialect checks how a loop began
    ) -> tuple[Edit, ...]:
        """`model`, `max-tokens`, `context-window`, by place; their spans never touch."""
        found = renamed(request, model_id)
        if max_output_tokens is not None and (request.max_tokens or 0) > max_output_tokens:
            spans = _option_spans(request.body, request.members)
            found.append(Edit("max-tokens", *spans["num_predict"], b"%d" % max_output_tokens))
        if context_tokens is not None:
            found += _windowed(request, context_tokens)
        return tuple(sorted(found, key=lambda edit: edit.start))

    def withheld(self, request: Request, *, own: bool, near: bool) -> Withheld:  # noqa: ARG002  as below
        """Nothing: it has no tools of its vendor's, and nothing that names a device."""
        return (), {}

    def outbound_path(self, request: Request | None) -> str:
        """Below the engine's root: the endpoint that was asked, or chat."""
        return CHAT if request is None else request.endpoint

    def outbound_headers(self, request: Request | None, *, own: bool = False) -> Headers:  # noqa: ARG002  it is nobody's cloud's
        """Headers for a backend. request: None when the body was written here."""
        return sent_on(request, _SENT_ON)

    def credential(self, key: str) -> Headers:
        """A bearer token."""
        return (("authorization", f"Bearer {key}"),)

    def parser(self) -> StreamParser:
        """For a model's stream."""
        return StreamParser()

    def emitter(self, request: Request) -> StreamEmitter:
        """For a tool's stream."""
        return StreamEmitter(generated=request.endpoint == GENERATE)

    def filter(self, request: Request) -> None:
        """None: no edit of this dialect adds a line."""

    def watcher(self, *, stream: bool, texts: bool) -> StreamWatcher | BodyWatcher:
        """For bytes that pass through; texts: also collect the answer's complete texts."""
        if stream:
            return StreamWatcher(texts=texts)
        return BodyWatcher(partial(body_learnt, texts=texts))

    def events(self, body: bytes) -> list[Event]:
        """A whole answer. Raises BackendError(kind="protocol")."""
        return read_answer(body)

    def answer(self, events: Iterable[Event], request: Request | None = None) -> bytes:
        """A whole answer for a tool. The events hold no Failed."""
        if request is not None and request.kind is Kind.EMBEDDING:
            return write_vectors(events, request.endpoint)
        generated = request is not None and request.endpoint == GENERATE
        return write_answer(events, generated=generated)

    def error(self, status: int, code: str, message: str) -> bytes:  # noqa: ARG002  one string
        """`{"error": message}`."""
        return error_body(message)

    def overflow(self, tokens: int, window: int, why: str) -> bytes:
        """As the engine words it, with the numbers that it leaves out."""
        numbers = f": {tokens} tokens > {window}" if tokens and window else ""
        return error_body(f"the input length exceeds the context length{numbers} ({why})")

    def stream_error(self, code: str, message: str) -> bytes:  # noqa: ARG002  as above
        """A line that holds an error ends a stream of this dialect."""
        return error_body(message) + b"\n"

    def error_text(self, body: bytes) -> tuple[str, str]:
        """("", message) of a backend's error body; ("", "") when unreadable."""
        return trouble(body)


def _kind(endpoint: str, filling: bool) -> Kind:
    if endpoint in _EMBEDS:
        return Kind.EMBEDDING
    return Kind.COMPLETION if filling else Kind.CHAT


def _option_spans(body: bytes, spans: Spans) -> Spans:
    start, end = spans.get("options", (0, 0))
    if not body.startswith(b"{", start) or end == 0:
        return {}
    return {member.key: (member.start, member.end) for member in members(body, start, end)}


def _limit(body: bytes, options: Spans) -> int | None:
    """None where it is not positive: -1 means no limit."""
    limit = value(counts, body, options, "num_predict", None)
    return limit if limit is not None and limit > 0 else None


def _window(body: bytes, options: Spans) -> int | None:
    """What the engine is asked to load the model with; anything odd is the engine's to judge."""
    start, end = options.get("num_ctx", (0, 0))
    stated = body[start:end]
    return int(stated) or None if stated.isdigit() and len(stated) < _LONGEST_COUNT else None


def _windowed(request: Request, tokens: int) -> Iterator[Edit]:
    """The window that the model is known to have, where its tool states none."""
    body, spans = request.body, request.members
    stated = _option_spans(body, spans)
    if "num_ctx" in stated:
        return
    if "options" not in spans or not body.startswith(b"{", spans["options"][0]):
        at = body.index(b"{") + 1
        if "options" not in spans:
            yield Edit("context-window", at, at, b'"options":{"num_ctx":%d},' % tokens)
        elif body.startswith(b"null", spans["options"][0]):
            yield Edit("context-window", *spans["options"], b'{"num_ctx":%d}' % tokens)
        return
    at = spans["options"][0] + 1
    comma = b"," if stated else b""
    yield Edit("context-window", at, at, b'"num_ctx":%d' % tokens + comma)
