"""OpenAI Responses, in both roles, stateless: the whole conversation stands in each request.

The public face of the dialect; its parts stand beside it: `body`, `reading` and `rendering`
(requests), `names` (tools under names that every model takes), `stream`, `emit`, `items` and
`answer` (answers), `watch` (what passes through), `wire` (shapes). Shapes: the official SDK's types
and what Codex and engines were measured to send.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

import msgspec
from msgspec import Struct

from halfdoor.canon.commands import Headers
from halfdoor.canon.decision import Edit, Target
from halfdoor.canon.events import Event, Start, StopReason
from halfdoor.canon.request import Asked, Conversation, Embed, Fill, Kind, Request
from halfdoor.dialects.base import Withheld, Written, session_of, unspoken
from halfdoor.dialects.decoding import UNREADABLE, encode, wrong
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
from halfdoor.dialects.openai_errors import error_body, error_type, overflow_body, trouble
from halfdoor.dialects.openai_responses.answer import read_answer, write_answer
from halfdoor.dialects.openai_responses.emit import StreamEmitter
from halfdoor.dialects.openai_responses.items import response
from halfdoor.dialects.openai_responses.names import Names
from halfdoor.dialects.openai_responses.reading import names_of, read_conversation
from halfdoor.dialects.openai_responses.rendering import Rendering
from halfdoor.dialects.openai_responses.stream import StreamParser
from halfdoor.dialects.openai_responses.watch import StreamWatcher, body_learnt
from halfdoor.dialects.parameters import Places
from halfdoor.dialects.watching import BodyWatcher
from halfdoor.dialects.withholding import ServerTools, named
from halfdoor.reading.spans import elements
from halfdoor.reading.splice import without

# The API's top-level fields. Only these are named in a log: any other key is the caller's own word.
FIELDS: Final = frozenset({
    "background", "client_metadata", "context_management", "conversation", "include", "input",
    "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model",
    "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key",
    "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier",
    "service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice",
    "tools", "top_logprobs", "top_p", "truncation", "user",
})  # fmt: skip
RESPONSES: Final = "/v1/responses"
COUNT: Final = "/v1/responses/input_tokens"

_LISTS: Final = frozenset({"input", "tools"})

_SENT_ON: Final = frozenset({"accept", "content-type", "idempotency-key", "user-agent"})
_OWN: Final = _SENT_ON | {"originator", "session-id", "session_id", "thread-id", "version"}
_OWN_PREFIXES: Final = (
    "openai-",
    "x-client-request-id",
    "x-codex-",
    "x-openai-",
    "x-stainless-",
)

# What names a device (Codex: an installation), a person or a conversation to one vendor.
_DEVICE: Final = frozenset({
    "client_metadata", "metadata", "prompt_cache_key", "safety_identifier", "user",
})  # fmt: skip
# Tools that the caller runs. Whatever else is named, the vendor runs it, or may: `shell` can be
# one of its containers.
_CALLED: Final = frozenset({"apply_patch", "custom", "function", "local_shell", "namespace"})


class _Sealed(Struct):
    type: str = ""
    encrypted_content: str | None = None


_sealed: Final = msgspec.json.Decoder(_Sealed)


class OpenAIResponses:
    """The dialect (see `base.Dialect`). Without state."""

    name = "openai_responses"
    vendor = "openai"
    endpoints: tuple[str, ...] = (RESPONSES, COUNT)
    content_type_stream = "text/event-stream"
    frame_end = b"\n\n"
    ping = b": keep-alive\n\n"
    places = Places(system="instructions")

    def read(self, endpoint: str, headers: Headers, query: str, body: bytes) -> Request:
        """Read the envelope; the conversation stays bytes.

        Raises ClientError: `invalid_json`, `duplicate_key`, `invalid_shape`.
        """
        found, spans = opened(body)
        asked = model(body, spans)
        if not begins(body, spans, "input", b'["'):
            raise wrong("must be a string or an array", "input")
        return Request(
            dialect=self.name,
            endpoint=endpoint,
            body=body,
            model=asked,
            stream=value(flags, body, spans, "stream", None) or False,
            blocks=tuple(blocks(body, found, _LISTS, FIELDS)),
            members=spans,
            headers=headers,
            query=query,
            max_tokens=value(counts, body, spans, "max_output_tokens", None),
            session=_session(headers, body, spans),
            kind=Kind.COUNT if endpoint == COUNT else Kind.CHAT,
        )

    def conversation(self, request: Request) -> Conversation:
        """Read everything, to translate. Raises ClientError where the shape is wrong."""
        return read_conversation(request.body)

    def asked(self, request: Request) -> Asked:
        """This dialect only converses."""
        return self.conversation(request)

    def written(self, asked: Fill | Embed, target: Target) -> Written:  # noqa: ARG002  for no target
        """Raises ClientError: this dialect only converses."""
        raise unspoken(asked, self.name)

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
        drop_signatures: frozenset[str],
        context_tokens: int | None = None,  # noqa: ARG002  as in `render`
        strict: bool = False,  # noqa: ARG002  no vendor of this dialect checks how a loop began
    ) -> tuple[Edit, ...]:
        """`model`, `max-tokens`, `drop-thinking`, by place; their spans never touch.

        drop_signatures: ciphertexts of reasoning items; "" names reasoning that nobody sealed.
        """
        found = renamed(request, model_id)
        limit, asked = max_output_tokens, request.max_tokens
        if limit is not None and asked is not None and asked > limit:
            found.append(Edit("max-tokens", *request.members["max_output_tokens"], b"%d" % limit))
        if drop_signatures:
            found += _dropped_thinking(request, drop_signatures)
        return tuple(sorted(found, key=lambda edit: edit.start))

    def withheld(self, request: Request, *, own: bool, near: bool) -> Withheld:
        """`device-id` for others than the vendor, `server-tool` for engines."""
        gone = {} if own else named(_DEVICE)
        found: list[Edit] = []
        if near:
            tools = ServerTools(request, _is_run)
            found += tools.edits()
            gone |= tools.members
        return tuple(found), gone

    def outbound_path(self, request: Request | None) -> str:
        """Below a backend's base URL, which holds the `/v1`."""
        return (RESPONSES if request is None else request.endpoint).removeprefix("/v1")

    def outbound_headers(self, request: Request | None, *, own: bool = False) -> Headers:
        """Headers for a backend. request: None when the body was written here."""
        if own:
            return sent_on(request, _OWN, _OWN_PREFIXES)
        return sent_on(request, _SENT_ON)

    def credential(self, key: str) -> Headers:
        """A bearer token."""
        return (("authorization", f"Bearer {key}"),)

    def parser(self) -> StreamParser:
        """For a model's stream."""
        return StreamParser()

    def emitter(self, request: Request) -> StreamEmitter:
        """For a tool's stream, with its tools' own names."""
        return StreamEmitter(names_of(request.body))

    def filter(self, request: Request) -> None:
        """None: no edit of this dialect adds a frame."""

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
        return write_answer(events, names_of(request.body) if request else Names(()))

    def error(self, status: int, code: str, message: str) -> bytes:
        """`{"error": {message, type, param, code}}`; the type follows from the status."""
        return error_body(status, code, message)

    def overflow(self, tokens: int, window: int, why: str) -> bytes:
        """The vendor's own words and code: Codex stops at once."""
        return overflow_body(tokens, window, why)

    def stream_error(self, code: str, message: str) -> bytes:
        """An `error` event, which ends a stream of this dialect, then a failed response.

        The SDK raises at the first and hears no more. Codex knows only the second, and tells its
        user nothing where it is missing.
        """
        # Which number, id and model these would have is not known: the rest passed unread.
        told = {
            "type": "error",
            "sequence_number": 0,
            "code": code,
            "message": message,
            "param": None,
            "error": {"type": error_type(502), "code": code, "message": message, "param": None},
        }
        failed = response(Start("", ""), StopReason.END, [], None) | {
            "status": "failed",
            "error": {"code": "server_error", "message": message},
        }
        after = {"type": "response.failed", "sequence_number": 1, "response": failed}
        error = b"event: error\ndata: " + encode(told)
        return error + b"\n\nevent: response.failed\ndata: " + encode(after) + b"\n\n"

    def error_text(self, body: bytes) -> tuple[str, str]:
        """(code, message) of a backend's error body; ("", "") when unreadable."""
        return trouble(body)


def _is_run(kind: str | None) -> bool:
    return kind is not None and kind not in _CALLED


def _session(headers: Headers, body: bytes, spans: Spans) -> str:
    """The client's own session id: a header, else the key under which it caches its prompt."""
    told = session_of(headers)
    if told or "prompt_cache_key" not in spans:
        return told
    start, end = spans["prompt_cache_key"]
    return "" if body.startswith(b"null", start) else body[start:end].strip(b'"').decode()


def _dropped_thinking(request: Request, seals: frozenset[str]) -> Iterator[Edit]:
    """Splices that take foreign reasoning items out of `input`."""
    start, end = request.members["input"]
    if not request.body.startswith(b"[", start):
        return
    spans = elements(request.body, start, end)
    foreign = [_seal(request.body[a:b]) in seals for a, b in spans]
    for a, b in without(spans, foreign):
        yield Edit("drop-thinking", a, b, b"")


def _seal(raw: bytes) -> str | None:
    """The ciphertext of a reasoning item, "" when nobody sealed it; None for any other item."""
    if b"reasoning" not in raw:
        return None
    try:
        item = _sealed.decode(raw)
    except UNREADABLE:
        return None
    return (item.encrypted_content or "") if item.type == "reasoning" else None
