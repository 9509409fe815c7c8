"""Anthropic Messages, `POST /v1/messages`, as server towards tools and as client towards models.

Facts: the API reference (version 2023-06-01) and the official SDK's types; what tools really send
and engines really answer was measured. Its parts stand beside this file: `wire` (shapes),
`request` and `render` with `turns` (requests), `answer`, `emit` and `watch` (answers).
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from msgspec import Raw

from halfdoor.canon.commands import Headers
from halfdoor.canon.decision import Edit, Target
from halfdoor.canon.events import Event
from halfdoor.canon.request import Asked, Conversation, Embed, Fill, Kind, Request
from halfdoor.dialects.anthropic_messages import thinking
from halfdoor.dialects.anthropic_messages import wire as wire
from halfdoor.dialects.anthropic_messages.answer import StreamParser, events
from halfdoor.dialects.anthropic_messages.emit import StreamEmitter, answer, frame
from halfdoor.dialects.anthropic_messages.render import render
from halfdoor.dialects.anthropic_messages.request import BILLING_MARK, conversation
from halfdoor.dialects.anthropic_messages.typed import as_function, is_run
from halfdoor.dialects.anthropic_messages.watch import StreamWatcher, TextWatcher, body_learnt
from halfdoor.dialects.base import Watcher, Withheld, Written, session_of, unspoken
from halfdoor.dialects.decoding import UNREADABLE
from halfdoor.dialects.envelope import (
    JSON,
    begins,
    blocks,
    counts,
    flags,
    model,
    opened,
    passing,
    renamed,
    value,
)
from halfdoor.dialects.parameters import Places
from halfdoor.dialects.watching import BodyWatcher
from halfdoor.dialects.withholding import (
    ATTRIBUTION,
    SERVER_TOOL,
    ServerTools,
    named,
    spans_of,
)
from halfdoor.errors import ClientError
from halfdoor.reading.splice import without

VERSION: Final = "2023-06-01"

# Names of an outbound request that pass from a tool to this vendor; the prefixes are open lists.
_OWN: Final = frozenset({"accept", "user-agent", "x-app"})
_OWN_PREFIXES: Final = ("anthropic-", "x-claude-code-")
# What other servers of this protocol read; the rest names the tool's device and session.
_PASSED: Final = frozenset({"accept", "anthropic-beta", "anthropic-version", "user-agent"})
# Holds the device's id, in a text of JSON.
_DEVICE: Final = frozenset({"metadata"})

# Documented top-level fields: only these may be named as the place of a finding.
_FIELDS: Final = frozenset(
    {
        "billing_policy",
        "cache_control",
        "compaction",
        "container",
        "context_management",
        "diagnostics",
        "fallbacks",
        "inference_geo",
        "max_tokens",
        "mcp_servers",
        "messages",
        "metadata",
        "model",
        "output_config",
        "output_format",
        "prefill",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "thread",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)
MESSAGES: Final = "/v1/messages"
COUNT: Final = "/v1/messages/count_tokens"

# Arrays whose elements are blocks of their own, so that a longer turn costs only what is new.
_LISTS: Final = frozenset({"messages", "system", "tools"})


class AnthropicMessages:
    """The dialect; see `dialects.base.Dialect`."""

    name = "anthropic_messages"
    vendor = "anthropic"
    endpoints: tuple[str, ...] = (MESSAGES, COUNT)
    content_type_stream = "text/event-stream; charset=utf-8"
    frame_end = b"\n\n"
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    places = Places(stop="stop_sequences", system="system", thinking="thinking")

    def read(self, endpoint: str, headers: Headers, query: str, body: bytes) -> Request:
        """Read the envelope only: the text of messages and tools is not decoded."""
        found, spans = opened(body)
        if not begins(body, spans, "messages", b"["):
            raise ClientError(
                "the request has no array of messages",
                where="messages",
                hint='send "messages": [{"role": "user", "content": "…"}]',
            )
        return Request(
            dialect=self.name,
            endpoint=endpoint,
            body=body,
            model=model(body, spans),
            stream=value(flags, body, spans, "stream", None) or False,
            blocks=tuple(blocks(body, found, _LISTS, _FIELDS)),
            members=spans,
            headers=headers,
            query=query,
            max_tokens=value(counts, body, spans, "max_tokens", None),
            session=session_of(headers),
            kind=Kind.COUNT if endpoint == COUNT else Kind.CHAT,
        )

    def conversation(self, request: Request) -> Conversation:
        """Read everything but what is for Anthropic alone (billing line, user id, cache marks)."""
        return conversation(request.body)

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
        """A body, and what it could not express: names of `render.DEGRADED`."""
        return render(conversation, model_id)

    def edits(
        self,
        request: Request,
        *,
        model_id: str,
        max_output_tokens: int | None,
        drop_signatures: frozenset[str],
        context_tokens: int | None = None,  # noqa: ARG002  as in `render`
        strict: bool = False,
    ) -> tuple[Edit, ...]:
        """`model`, `max-tokens`, `thinking-budget`, `thinking-off`, `drop-thinking`.

        Messages are parsed for the last one only.

        drop_signatures: signatures, or the data of redacted thinking; "" names unsigned thinking.
        """
        found = renamed(request, model_id)
        limit = max_output_tokens
        if limit is not None and request.max_tokens is not None and request.max_tokens > limit:
            found.append(Edit("max-tokens", *request.members["max_tokens"], b"%d" % limit))
        resumed = strict and thinking.lost(request, drop_signatures)
        if resumed:
            found += thinking.off(request)
        elif limit is not None:
            found += thinking.fitted(request, limit)
        if drop_signatures:
            found += thinking.dropped(request, drop_signatures)
        return tuple(found)

    def withheld(self, request: Request, *, own: bool, near: bool) -> Withheld:
        """For others than the vendor `attribution`, `device-id`; for engines also `server-tool`.

        And `typed-tool`: one that the caller runs, but that stands there without its schema.
        """
        gone = {} if own else named(_DEVICE)
        found = [] if own else list(_unattributed(request))
        if near:
            tools = ServerTools(request, is_run)
            found += (*tools.edits(), *tools.rewritten(as_function))
            gone |= tools.members | {"mcp_servers": SERVER_TOOL}
        return tuple(found), gone

    def outbound_path(self, request: Request | None) -> str:
        """Below a backend's base URL."""
        return MESSAGES if request is None else request.endpoint

    def outbound_headers(self, request: Request | None, *, own: bool = False) -> Headers:
        """To the vendor itself also `anthropic-*`, `x-claude-code-*` and what names the tool."""
        passed: Headers = ()
        if request is not None and request.dialect == self.name:
            names, prefixes = (_OWN, _OWN_PREFIXES) if own else (_PASSED, ())
            passed = passing(request.headers, names, prefixes)
        stated = any(name == "anthropic-version" for name, _ in passed)
        version = () if stated else (("anthropic-version", VERSION),)
        return (JSON, *version, *passed)

    def credential(self, key: str) -> Headers:
        """A key goes into a header of its own."""
        return (("x-api-key", key),)

    def parser(self) -> StreamParser:
        """For a model's stream."""
        return StreamParser()

    def emitter(self, request: Request) -> StreamEmitter:  # noqa: ARG002  no option changes a stream
        """For a tool's stream."""
        return StreamEmitter()

    def filter(self, request: Request) -> None:
        """None: no edit of this dialect adds a frame."""

    def watcher(self, *, stream: bool, texts: bool) -> Watcher:
        """For bytes that pass through."""
        if not stream:
            return BodyWatcher(partial(body_learnt, texts=texts))
        return TextWatcher() if texts else StreamWatcher()

    def events(self, body: bytes) -> list[Event]:
        """A whole answer. Raises BackendError(kind="protocol") if unreadable."""
        return events(body)

    def answer(
        self,
        events: Iterable[Event],
        request: Request | None = None,  # noqa: ARG002  no option changes an answer
    ) -> bytes:
        """A whole answer for a tool."""
        return answer(events)

    def error(self, status: int, code: str, message: str) -> bytes:
        """The vendor's type by status, unless the code is already one of its types."""
        return wire.error_body(wire.error_type(status, code), message)

    def overflow(self, tokens: int, window: int, why: str) -> bytes:
        """The vendor's own words, whose numbers Claude Code reads."""
        numbers = f": {tokens} tokens > {window} maximum" if tokens and window else ""
        return wire.error_body("invalid_request_error", f"prompt is too long{numbers} ({why})")

    def stream_error(self, code: str, message: str) -> bytes:
        """An `error` event ends a stream of this dialect."""
        return frame("error", wire.error_body(wire.error_type(500, code), message))

    def error_text(self, body: bytes) -> tuple[str, str]:
        """(type, message) of an error body, also of engines that answer in OpenAI's shape."""
        return wire.error_words(body)


def _unattributed(request: Request) -> Iterator[Edit]:
    """Splices that take out the block by which the vendor attributes a request to its own tool."""
    spans = spans_of(request, "system")
    ours = [_attributes(request.body[start:end]) for start, end in spans]
    for start, end in without(spans, ours):
        yield Edit(ATTRIBUTION, start, end, b"")


def _attributes(raw: bytes) -> bool:
    try:
        block = wire.block(Raw(raw))
    except UNREADABLE:
        return False
    return isinstance(block, wire.TextBlock) and block.text.startswith(BILLING_MARK)
