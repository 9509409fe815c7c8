"""OpenAI Chat Completions, in both roles.

The public face of the dialect; its parts stand beside it: `body`, `reading` and `rendering`
(requests), `stream`, `answer` and `assembly` (answers), `watch` (what passes through), `wire`
(shapes); `completions`, `infill`, `texts` and `embeddings` (what is no conversation). Shapes: the
official SDK's types and what engines were measured to send.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.commands import Headers
from halfdoor.canon.decision import Edit, Target
from halfdoor.canon.events import Event
from halfdoor.canon.request import Asked, Conversation, Embed, Fill, Kind, Request
from halfdoor.dialects.base import Emitter, Withheld, Written, session_of
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
from halfdoor.dialects.openai_chat.answer import read_answer, write_answer
from halfdoor.dialects.openai_chat.completions import read_fill, write_fill
from halfdoor.dialects.openai_chat.embeddings import read_embed, write_embed, write_vectors
from halfdoor.dialects.openai_chat.reading import read_conversation
from halfdoor.dialects.openai_chat.rendering import Rendering
from halfdoor.dialects.openai_chat.stream import StreamEmitter, StreamParser, stream_error
from halfdoor.dialects.openai_chat.texts import TextEmitter, write_text
from halfdoor.dialects.openai_chat.watch import (
    DropUsageFrame,
    StreamWatcher,
    TextWatcher,
    body_learnt,
)
from halfdoor.dialects.openai_errors import error_body, overflow_body, trouble
from halfdoor.dialects.parameters import Places
from halfdoor.dialects.watching import BodyWatcher
from halfdoor.dialects.withholding import SERVER_TOOL, ServerTools, named
from halfdoor.errors import ClientError
from halfdoor.reading.spans import members

# The API's top-level fields. Only these are named in a log: any other key is the caller's own word.
FIELDS: Final = frozenset({
    "audio", "best_of", "dimensions", "echo", "encoding_format", "frequency_penalty",
    "function_call", "functions", "input", "logit_bias", "logprobs",
    "max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "model",
    "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt",
    "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
    "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
    "stream_options", "suffix", "temperature", "tool_choice", "tools", "top_logprobs", "top_p",
    "user", "verbosity", "web_search_options",
})  # fmt: skip
# An engine's own field, which may be named as well: llama.cpp's other files.
_PLACES: Final = FIELDS | {"input_extra"}
CHAT: Final = "/v1/chat/completions"
COMPLETIONS: Final = "/v1/completions"
EMBEDDINGS: Final = "/v1/embeddings"
_KINDS: Final = {
    CHAT: Kind.CHAT, COMPLETIONS: Kind.COMPLETION, EMBEDDINGS: Kind.EMBEDDING,
}  # fmt: skip
# What a request must hold, and what its value begins with.
_NEEDED: Final = {
    CHAT: ("messages", b"["), COMPLETIONS: ("prompt", b'"['), EMBEDDINGS: ("input", b'"['),
}  # fmt: skip
_WANTED: Final = {b"[": "must be an array", b'"[': "must be a string or an array"}
# Arrays whose elements are blocks of their own.
_LISTS: Final = {
    CHAT: ("messages", "tools"),
    COMPLETIONS: ("prompt", "input_extra"),
    EMBEDDINGS: ("input",),
}

_LIMITS: Final = ("max_completion_tokens", "max_tokens")

_SENT_ON: Final = frozenset({"accept", "content-type", "idempotency-key", "user-agent"})
# A session's id keeps its cache warm wherever it goes.
_SENT_ON_PREFIXES: Final = ("x-session-",)
_OWN_PREFIXES: Final = ("openai-", "x-session-", "x-stainless-")

# What names a device, a person or a conversation to one vendor.
_DEVICE: Final = frozenset({"metadata", "prompt_cache_key", "safety_identifier", "user"})
# Tools that the caller runs; whatever else is named, it is the vendor that runs it.
_CALLED: Final = frozenset({"custom", "function"})


class _StreamOptions(Struct):
    include_usage: bool | None = None


_stream_options: Final = msgspec.json.Decoder(_StreamOptions | None)


class OpenAIChat:
    """The dialect (see `base.Dialect`). Without state."""

    name = "openai_chat"
    vendor = "openai"
    endpoints: tuple[str, ...] = (CHAT, COMPLETIONS, EMBEDDINGS)
    content_type_stream = "text/event-stream"
    frame_end = b"\n\n"
    ping = b": keep-alive\n\n"
    places = Places(seed="seed", stop="stop", messages="messages")

    def read(self, endpoint: str, headers: Headers, query: str, body: bytes) -> Request:
        """Read the envelope; the conversation stays bytes.

        Raises ClientError: `invalid_json`, `duplicate_key`, `invalid_shape`.
        """
        found, spans = opened(body)
        asked = model(body, spans)
        field, first = _NEEDED[endpoint]
        if not begins(body, spans, field, first):
            raise wrong(_WANTED[first], field)
        kind = _KINDS[endpoint]
        # Numbers are never streamed: vendors and engines ignore the field.
        streams = kind is not Kind.EMBEDDING
        request = Request(
            dialect=self.name,
            endpoint=endpoint,
            body=body,
            model=asked,
            stream=streams and bool(value(flags, body, spans, "stream", None)),
            blocks=tuple(blocks(body, found, _LISTS[endpoint], _PLACES)),
            members=spans,
            headers=headers,
            query=query,
            max_tokens=_max_tokens(body, spans),
            session=session_of(headers),
            kind=kind,
        )
        if request.stream:
            _ask_usage(request)  # what it cannot read must be told now, not once it is decided
        return request

    def conversation(self, request: Request) -> Conversation:
        """Read everything, to translate. Raises ClientError where the shape is wrong."""
        return read_conversation(request.body)

    def asked(self, request: Request) -> Asked:
        """The same of a request of any kind. Raises ClientError for what no other can hear."""
        match request.kind:
            case Kind.COMPLETION:
                return read_fill(request.body)
            case Kind.EMBEDDING:
                return read_embed(request.body)
            case _:
                return read_conversation(request.body)

    def written(self, asked: Fill | Embed, target: Target) -> Written:
        """What is no conversation, for this target, in the way that its backend takes it."""
        if isinstance(asked, Fill):
            return write_fill(asked, target)
        return write_embed(asked, target)

    def render(
        self,
        conversation: Conversation,
        model_id: str,
        context_tokens: int | None = None,  # noqa: ARG002  servers of this dialect set their own
    ) -> tuple[bytes, tuple[str, ...]]:
        """A request body, and names from `rendering.DEGRADED`."""
        rendering = Rendering(conversation)
        body = rendering.body(model_id)
        return body, tuple(rendering.lost)

    def edits(
        self,
        request: Request,
        *,
        model_id: str,
        max_output_tokens: int | None,
        drop_signatures: frozenset[str],  # noqa: ARG002  Chat's thinking carries no signature
        context_tokens: int | None = None,  # noqa: ARG002  as in `render`
        strict: bool = False,  # noqa: ARG002  no vendor of this dialect checks how a loop began
    ) -> tuple[Edit, ...]:
        """The splices for a backend of this dialect, by place; their spans never touch."""
        found = renamed(request, model_id)
        if max_output_tokens is not None:
            found += _clamps(request, max_output_tokens)
        if request.stream and (asking := _ask_usage(request)) is not None:
            found.append(asking)
        return tuple(sorted(found, key=lambda edit: edit.start))

    def withheld(self, request: Request, *, own: bool, near: bool) -> Withheld:
        """`device-id` for others than the vendor, `server-tool` for engines."""
        gone = {} if own else named(_DEVICE)
        found: list[Edit] = []
        if near:
            tools = ServerTools(request, _is_run)
            found += tools.edits()
            gone |= tools.members | {"web_search_options": SERVER_TOOL}
        return tuple(found), gone

    def outbound_path(self, request: Request | None) -> str:
        """Below a backend's base URL, which holds the `/v1`."""
        return (CHAT if request is None else request.endpoint).removeprefix("/v1")

    def outbound_headers(self, request: Request | None, *, own: bool = False) -> Headers:
        """Headers for a backend. request: None when the body was written here."""
        return sent_on(request, _SENT_ON, _OWN_PREFIXES if own else _SENT_ON_PREFIXES)

    def credential(self, key: str) -> Headers:
        """A bearer token."""
        return (("authorization", f"Bearer {key}"),)

    def parser(self) -> StreamParser:
        """For a model's stream."""
        return StreamParser()

    def emitter(self, request: Request) -> Emitter:
        """For a tool's stream, with counts if it asked for them."""
        emitter = TextEmitter if request.kind is Kind.COMPLETION else StreamEmitter
        return emitter(counted=_usage_asked(request))

    def filter(self, request: Request) -> DropUsageFrame | None:
        """For a passing stream whose counts were asked for by us and not by the tool."""
        wanted = not request.stream or _ask_usage(request) is None
        return None if wanted else DropUsageFrame()

    def watcher(self, *, stream: bool, texts: bool) -> StreamWatcher | TextWatcher | BodyWatcher:
        """For bytes that pass through; texts: also collect the answer's complete texts."""
        if not stream:
            return BodyWatcher(partial(body_learnt, texts=texts))
        return TextWatcher() if texts else StreamWatcher()

    def events(self, body: bytes) -> list[Event]:
        """A whole answer. Raises BackendError(kind="protocol")."""
        return read_answer(body)

    def answer(self, events: Iterable[Event], request: Request | None = None) -> bytes:
        """A whole answer for a tool. The events hold no Failed."""
        match request:
            case Request(kind=Kind.COMPLETION):
                return write_text(events)
            case Request(kind=Kind.EMBEDDING):
                return write_vectors(events, request)
            case _:
                return write_answer(events)

    def error(self, status: int, code: str, message: str) -> bytes:
        """`{"error": {message, type, param, code}}`; the type follows from the status."""
        return error_body(status, code, message)

    def overflow(self, tokens: int, window: int, why: str) -> bytes:
        """The vendor's own words and code."""
        return overflow_body(tokens, window, why)

    def stream_error(self, code: str, message: str) -> bytes:
        """An error frame and `[DONE]`."""
        return stream_error(502, code, message)

    def error_text(self, body: bytes) -> tuple[str, str]:
        """(code, message) of a backend's error body; ("", "") when unreadable."""
        return trouble(body)


def _is_run(kind: str | None) -> bool:
    return kind is not None and kind not in _CALLED


def _max_tokens(body: bytes, spans: Spans) -> int | None:
    """The younger field holds where both are sent, as at the vendor."""
    younger, older = (value(counts, body, spans, field, None) for field in _LIMITS)
    return older if younger is None else younger


def _clamps(request: Request, most: int) -> Iterator[Edit]:
    for field in _LIMITS:
        asked = value(counts, request.body, request.members, field, None)
        if asked is not None and asked > most:
            yield Edit("max-tokens", *request.members[field], b"%d" % most)


def _usage_asked(request: Request) -> bool:
    try:
        options = value(_stream_options, request.body, request.members, "stream_options", None)
    except ClientError:
        return False  # the vendor will word what is wrong with it
    return options is not None and options.include_usage is True


def _ask_usage(request: Request) -> Edit | None:
    """The splice that asks for counts; None when the tool did, or its options are not an object."""
    body = request.body
    if "stream_options" not in request.members:
        at = body.index(b"{") + 1
        return Edit("include-usage", at, at, b'"stream_options":{"include_usage":true},')
    start, end = request.members["stream_options"]
    if body.startswith(b"null", start):
        return Edit("include-usage", start, end, b'{"include_usage":true}')
    if not body.startswith(b"{", start):
        return None
    options = members(body, start, end)
    for option in options:
        if option.key == "include_usage":
            asked = body.startswith(b"true", option.start)
            return None if asked else Edit("include-usage", option.start, option.end, b"true")
    comma = b"," if options else b""
    return Edit("include-usage", start + 1, start + 1, b'"include_usage":true' + comma)
