"""A model's server on loopback that speaks every dialect and keeps everything it was sent.

The independent oracle of the far side: it shares no code with halfdoor, refuses what the vendors
refuse, does what its scenes say, and can be asked whether it ever saw some bytes in any disguise.
"""

import asyncio
import base64
import json
import socket
import struct
import time
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

from aiohttp import web

from tests.helpers.listener import HOST, Listener
from tests.helpers.loop_thread import LoopThread
from tests.helpers.scenes import (
    ComplaintError,
    Cut,
    ErrorEvent,
    Garble,
    Hang,
    Heard,
    Jumbled,
    Linger,
    Raw,
    Refuse,
    Report,
    Reset,
    Say,
    Scene,
    Slow,
    Stall,
)
from tests.helpers.vendor_chat import ChatVendor
from tests.helpers.vendor_completions import CompletionsVendor
from tests.helpers.vendor_counts import CountsVendor
from tests.helpers.vendor_embeddings import EmbeddingsVendor
from tests.helpers.vendor_fim import InfillVendor, MistralVendor
from tests.helpers.vendor_messages import MessagesVendor
from tests.helpers.vendor_ollama import OllamaVendor
from tests.helpers.vendor_ollama_embeds import OllamaEmbedsVendor
from tests.helpers.vendor_responses import ResponsesVendor

Vendor = (
    ChatVendor
    | CompletionsVendor
    | CountsVendor
    | EmbeddingsVendor
    | InfillVendor
    | MistralVendor
    | MessagesVendor
    | OllamaVendor
    | ResponsesVendor
)

# Some turns of a loop, in which transports are made and closed.
_TURNS_S = 0.03


@dataclass(slots=True)
class Seen:
    """One request as it came, and what was answered.

    target: path and query, raw. headers: names and values, raw, in order. at, gone_at: monotonic
    seconds; gone_at is when the fake noticed that its caller hung up. sent: body bytes answered or being answered.
    """

    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    at: float
    heard: Heard | None = None
    complaint: str = ""
    status: int = 0
    sent: bytes = b""
    gone_at: float | None = None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def fields(self) -> dict[str, str]:
        """Headers by lower-case name."""
        return {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self.headers
        }

    def json(self) -> Any:
        return json.loads(self.body)

    def saw(self, needle: bytes) -> bool:
        """Whether the needle stands anywhere in it: as it is, escaped in JSON, in base64 or hex."""
        wanted = disguises(needle)
        raw = self.target.encode("latin-1") + b"\n"
        raw += b"\n".join(name + b": " + value for name, value in self.headers) + b"\n" + self.body
        forms = [raw, urllib.parse.unquote_to_bytes(self.target.replace("+", " "))]
        forms += [text.encode("utf-8", "surrogatepass") for text in texts_in(self.body)]
        return any(
            want in form or want in b"".join(form.split()) for form in forms for want in wanted
        )


def disguises(needle: bytes) -> list[bytes]:
    """The needle, in hex, and its middle in base64 at each of the three alignments."""
    forms = [needle, needle.hex().encode(), needle.hex().upper().encode()]
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + needle)
        # The first and last quads also depend on neighbouring bytes.
        middle = whole[4:-4] if shift else whole[:-4]
        if len(middle) >= 8:
            forms += [middle, middle.translate(bytes.maketrans(b"+/", b"-_"))]
    return forms


def texts_in(body: bytes) -> Iterator[str]:
    """Every string and key of a JSON body, and of JSON inside its strings, three deep."""
    try:
        yield from _leaves(json.loads(body), 3)
    except ValueError:
        return


def _leaves(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _leaves(inner, depth)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, depth)
    elif isinstance(value, str):
        yield value
        if depth and value[:1] in {"{", "[", '"'}:
            try:
                yield from _leaves(json.loads(value), depth - 1)
            except ValueError:
                return


async def _until(true: Callable[[], object], within_s: float, otherwise: str) -> None:
    """Look every few milliseconds: what is waited for happens in the fake's own thread."""
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, otherwise
        await asyncio.sleep(0.005)


@dataclass
class FakeModel:
    """One such server. Use as a context manager; `play` scripts the next answers.

    models: ids it serves, None for any. key: what callers must show, "" for anything.
    max_output_tokens: larger limits are refused, as vendors do. open_fields: unknown fields are
    accepted (an engine that ignores them); vendors refuse them. pages: what it answers to GET.
    directs: makes the scene for a request where the script is at its end, in place of `default`.
    """

    models: frozenset[str] | None = None
    key: str = ""
    max_output_tokens: int | None = None
    open_fields: bool = False
    seen: list[Seen] = field(default_factory=list)
    shown: list[bytes] = field(default_factory=list)
    admits: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    looked: list[str] = field(default_factory=list)
    default: Scene = field(default_factory=Scene)
    directs: Callable[[Seen], Scene] | None = None
    url: str = ""
    _script: deque[Scene] = field(default_factory=deque)
    _seals: dict[str, str] = field(default_factory=dict)

    # --- for tests ---

    def play(self, *scenes: Scene) -> None:
        """Answer the next requests with these scenes, then with `default` again."""
        self._script.extend(scenes)

    def reset(self) -> None:
        """Forget requests and script; issued signatures stay good."""
        self.seen.clear()
        self._script.clear()

    def knows(self, seal: str) -> None:
        """Take this ciphertext for one of its own."""
        self._seals[seal] = "something that was thought"

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    def saw(self, needle: bytes) -> bool:
        """Whether any request ever carried the needle, in any disguise of `Seen.saw`."""
        return any(seen.saw(needle) for seen in self.seen)

    async def reached(self, *, within_s: float = 3) -> Seen:
        """Wait for the first request since the last reset."""
        await _until(lambda: self.seen, within_s, "nobody called the fake")
        return self.seen[0]

    async def gone(self, *, within_s: float = 3) -> float:
        """When (monotonic seconds) the fake noticed that its last caller hung up."""
        await _until(lambda: self.last.gone_at, within_s, "the fake's caller is still there")
        assert self.last.gone_at is not None
        return self.last.gone_at

    def base_url(self, dialect: str) -> str:
        """As that dialect's SDK wants it: OpenAI's with `/v1`, the others without."""
        return self.url + ("/v1" if dialect.startswith("openai_") else "")

    def connections(self) -> int:
        """Connections that are open now."""
        server = self._runner.server
        return len(server.connections) if server is not None else 0

    def down(self) -> None:
        """Die: no connection is taken, and those that stand are reset."""
        self._loop.run(self._die())

    def up(self) -> None:
        """Live again, at the same address."""
        self._loop.run(self._listener.open(int(self.url.rpartition(":")[2])))

    def __enter__(self) -> Self:
        self._loop = LoopThread("fake-model")
        self._loop.__enter__()
        self._loop.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._close())
        self._loop.__exit__()

    # --- the server ---

    async def _start(self) -> None:
        chat = ChatVendor(self._seals, open_fields=self.open_fields)
        messages = MessagesVendor(self._seals, open_fields=self.open_fields)
        responses = ResponsesVendor(self._seals, open_fields=self.open_fields)
        vendors: list[Vendor] = [
            chat,
            messages,
            responses,
            CompletionsVendor(open_fields=self.open_fields),
            EmbeddingsVendor(open_fields=self.open_fields),
            CountsVendor("/v1/messages/count_tokens", messages),
            CountsVendor("/v1/responses/input_tokens", responses),
            OllamaVendor("/api/chat"),
            OllamaVendor("/api/generate"),
            OllamaEmbedsVendor("/api/embed"),
            OllamaEmbedsVendor("/api/embeddings"),
            InfillVendor(),
            MistralVendor(),
        ]
        self._vendors = {vendor.path: vendor for vendor in vendors}
        app = web.Application(client_max_size=80 << 20)
        app.router.add_route("*", "/{rest:.*}", self._serve)
        # Cancelling the handler is how the fake hears that its caller hung up.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        assert self._runner.server is not None
        self._listener = Listener(self._runner.server)
        self.url = f"http://{HOST}:{await self._listener.open()}"

    async def _die(self) -> None:
        await self._listener.close()
        await asyncio.sleep(_TURNS_S)  # until whoever was accepted last is among the connections
        assert self._runner.server is not None
        for each in list(self._runner.server.connections):
            reset(each.transport)
        await asyncio.sleep(_TURNS_S)  # until their sockets are closed

    async def _close(self) -> None:
        await self._die()
        await self._runner.cleanup()
        await asyncio.sleep(_TURNS_S)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/api/show"):  # where does the model run? This is no Ollama
            self.shown.append(await request.read())
            told = self.admits or {"detail": "Not Found"}
            return web.json_response(told, status=200 if self.admits else 404)
        if request.method == "GET":  # what an engine says of itself: no request stands in it
            self.looked.append(request.path)
            page = self.pages.get(request.path)
            return web.Response(status=200 if page else 404, text=page or "404 page not found")
        seen = Seen(request.raw_path, request.raw_headers, await request.read(), time.monotonic())
        self.seen.append(seen)
        # Google keeps OpenAI's paths below a version of its own.
        vendor = self._vendors.get(request.path.replace("/v1beta/openai/", "/v1/", 1))
        if vendor is None or request.method != "POST":
            seen.status = 404
            return web.Response(status=404, text="404 page not found")
        exchange = Exchange(request, seen, vendor, f"req_fake{len(self.seen):04}")
        try:
            return await self._answer(exchange)
        except (asyncio.CancelledError, ConnectionError):
            seen.gone_at = time.monotonic()
            raise

    async def _answer(self, exchange: "Exchange") -> web.StreamResponse:
        try:
            body, heard = self._judge(exchange)
        except ComplaintError as complaint:
            exchange.seen.complaint = complaint.message
            return exchange.refuse(complaint.status, complaint.message, (), complaint.code)
        exchange.seen.heard = heard
        scene = self._scene(exchange.seen)
        parts = tuple(Say(heard.report()) if isinstance(p, Report) else p for p in scene.parts)
        scene = replace(scene, parts=parts)
        if isinstance(scene.trouble, Stall):
            await asyncio.sleep(scene.trouble.s)
        if isinstance(scene.trouble, Raw | Reset):
            return await exchange.wreck(scene.trouble)
        if isinstance(scene.trouble, Refuse):
            return exchange.refuse(
                scene.trouble.status, scene.trouble.message, scene.trouble.headers
            )
        if exchange.vendor.streams(body):
            return await exchange.stream(scene, heard, body)
        return await exchange.whole(scene, heard, body)

    def _scene(self, seen: Seen) -> Scene:
        if self._script:
            return self._script.popleft()
        return self.directs(seen) if self.directs else self.default

    def _judge(self, exchange: "Exchange") -> tuple[dict[str, Any], Heard]:
        fields = exchange.seen.fields
        if self.key and exchange.vendor.key_of(fields) != self.key:
            raise ComplaintError("invalid x-api-key", status=401)
        try:
            body = json.loads(exchange.seen.body)
        except ValueError:
            raise ComplaintError("We could not parse the JSON body of your request.") from None
        heard = exchange.vendor.hear(body, fields)
        if self.models is not None and body["model"] not in self.models:
            raise ComplaintError(f"model: {body['model']}", status=404)
        limit = self.max_output_tokens
        if limit and heard.max_tokens and heard.max_tokens > limit:
            raise ComplaintError(
                f"max_tokens: {heard.max_tokens} > {limit}, which is the maximum allowed number of output tokens"
            )
        return body, heard


def reset(transport: asyncio.BaseTransport | None) -> None:
    """End a connection with RST, whatever is under way."""
    if transport is None:
        return
    plug = transport.get_extra_info("socket")
    if plug is not None:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()


@dataclass(slots=True)
class Exchange:
    """One answer on its way out."""

    request: web.Request
    seen: Seen
    vendor: Vendor
    request_id: str

    def refuse(
        self,
        status: int,
        message: str,
        headers: Iterable[tuple[str, str]],
        code: str | None = None,
    ) -> web.Response:
        self.seen.status = status
        self.seen.sent = self.vendor.error(status, message, self.request_id, code)
        return web.Response(
            status=status,
            body=self.seen.sent,
            content_type="application/json",
            headers={**self.vendor.headers(self.request_id), **dict(headers)},
        )

    async def whole(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> web.StreamResponse:
        data = self.vendor.whole(scene, heard, body)
        match scene.trouble:
            case Hang():
                await asyncio.Event().wait()
            case Slow(pause):
                await asyncio.sleep(pause * len(self.vendor.events(scene, heard, body)))
            case ErrorEvent(message):
                return self.refuse(500, message, ())
            case Garble():
                data = data[: len(data) // 2]
        answer = await self._open("application/json", len(data), scene.headers)
        if isinstance(scene.trouble, Cut):
            return await self._cut(answer, data[: len(data) // 2])
        await self._write(answer, data)
        await answer.write_eof()
        return answer

    async def stream(self, scene: Scene, heard: Heard, body: dict[str, Any]) -> web.StreamResponse:
        events = self.vendor.events(scene, heard, body)
        answer = await self._open(self.vendor.stream_type, None, scene.headers)
        match scene.trouble:
            case Slow(pause):
                return await self._slowly(answer, events, pause)
            case Hang(after):
                await self._write(answer, b"".join(events[:after]))
                await asyncio.Event().wait()
            case Jumbled():
                events = events[::-1]
            case Cut(after, inside):
                half = events[after][:-12] if inside else b""
                return await self._cut(answer, b"".join(events[:after]) + half)
            case ErrorEvent(message, after):
                events = [*events[:after], self.vendor.error_event(message)]
            case Garble(after):
                events = [*events[:after], self.vendor.garbled()]
        for event in events:
            await self._write(answer, event)
        if isinstance(scene.trouble, Linger):
            await asyncio.sleep(scene.trouble.s)
        await answer.write_eof()
        return answer

    async def wreck(self, trouble: Raw | Reset) -> web.StreamResponse:
        """What is no HTTP answer. It ends with the connection."""
        self.seen.status = 200
        transport = self.request.transport
        if isinstance(trouble, Reset):
            if trouble.begun:
                await self._write(
                    await self._open(self.vendor.stream_type, None, ()), b": wait\n\n"
                )
            reset(transport)
            raise ConnectionResetError
        while transport is not None and not transport.is_closing():
            transport.write(trouble.data)
            await asyncio.sleep(0.01)
            if not trouble.endless:
                transport.close()
        raise ConnectionResetError

    async def _open(
        self, content_type: str, length: int | None, more: Iterable[tuple[str, str]]
    ) -> web.StreamResponse:
        self.seen.status = 200
        own = self.vendor.headers(self.request_id)
        answer = web.StreamResponse(headers={"content-type": content_type, **own, **dict(more)})
        answer.content_length = length
        await answer.prepare(self.request)
        return answer

    async def _write(self, answer: web.StreamResponse, data: bytes) -> None:
        # Noted first: a test in another thread may look as soon as the bytes arrive.
        self.seen.sent += data
        await answer.write(data)

    async def _slowly(
        self, answer: web.StreamResponse, events: list[bytes], pause: float
    ) -> web.StreamResponse:
        for event in events:
            await self._write(answer, event)
            await asyncio.sleep(pause)
        await answer.write_eof()
        return answer

    async def _cut(self, answer: web.StreamResponse, data: bytes) -> web.StreamResponse:
        """Close without an end: the caller gets these bytes and then a broken body."""
        await self._write(answer, data)
        if self.request.transport is not None:
            self.request.transport.close()
        return answer
