"""The line's front door: a bare ASGI application with a closed table of routes.

Order of a request: route, Host, Origin, token, body, dialect; then it is an exchange, and
everything from there on is `flow/exchange.py`. What fails before is answered in the shape of the
dialect whose route it is, without `x-halfdoor-id`: nothing was decided and nothing left.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import msgspec

from halfdoor.backends import guard
from halfdoor.canon.request import LAUNCHED, Actor
from halfdoor.canon.rules import Rule
from halfdoor.config import mark
from halfdoor.dialects.base import Dialect
from halfdoor.errors import ClientError, SetupError
from halfdoor.flow.drive import drive
from halfdoor.flow.exchange import exchange
from halfdoor.flow.house import House
from halfdoor.flow.ports import Services
from halfdoor.server import joining, ollama
from halfdoor.server.access import Access, RawHeaders, passed_on
from halfdoor.server.body import BodyReader, HungUpError, Limits, Receive
from halfdoor.server.office import Office
from halfdoor.server.ollama import Engine
from halfdoor.server.plain import JSON, TEXT, Fields, neutral, refuse, whole
from halfdoor.server.sink import AsgiSink, Send
from halfdoor.server.status import Status

_log: Final = logging.getLogger("halfdoor")

Scope = Mapping[str, Any]
Route = tuple[Dialect, str]

# Where a request's scope keeps the mark that stood in its path.
VIA: Final = "halfdoor.via"
_HELLO: Final = b"halfdoor is running; point your tool's base URL here\n"
_INTERNAL: Final = "failed inside; its own output says where"
# A caller's wish for one request; like every header with this beginning it goes no further.
_HOLD: Final = b"x-halfdoor-hold"
_READS: Final = ("GET", "HEAD")
# How long a clean stop waits for exchanges that were cancelled to record their outcome.
_LAST_WORDS_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Serving:
    """What requests meet; a reload puts another in its place as a whole."""

    house: House
    services: Services
    access: Access
    limits: Limits
    status: Status
    tightened: Callable[[tuple[Rule, ...]], House] | None
    added: Callable[[], tuple[Rule, ...]]
    office: Office | None = None

    def house_of(self, actor: Actor) -> House:
        """The house, tightened by the rules added for all, and by those of the caller's project."""
        rules = (*self.added(), *actor.rules)
        if not rules:
            return self.house
        assert self.tightened is not None
        return self.tightened(rules)


class App:
    """The ASGI application.

    tightened: the house for more rules. added: rules that hold for all from now on (`offline`).
    office: for those who run it; None where there is none.
    now: what requests from now on meet; those under way end as they began.
    running: entered when the server starts and left when it stops: what must be open meanwhile.
    Raises SetupError when two dialects claim one path.
    """

    def __init__(
        self,
        house: House,
        services: Services,
        access: Access,
        limits: Limits,
        status: Status,
        *,
        running: Callable[[], AbstractAsyncContextManager[object]] = nullcontext,
        tightened: Callable[[tuple[Rule, ...]], House] | None = None,
        added: Callable[[], tuple[Rule, ...]] = tuple,
        office: Office | None = None,
    ) -> None:
        self.now = Serving(house, services, access, limits, status, tightened, added, office)
        self._running = running
        self._routes = routes(house.dialects)
        self._pages: dict[str, Callable[[RawHeaders], tuple[str, bytes]]] = {
            "/": self._hello,
            "/healthz": self._health,
            "/halfdoor/status": self._show_status,
            "/models": self._models,
            "/v1/models": self._models,
            "/v1/v1/models": self._models,
            "/api/version": partial(self._engine, Engine.version),
            "/api/tags": partial(self._engine, Engine.tags),
            "/api/ps": partial(self._engine, Engine.loaded),
        }
        self._calls = joining.Calls()
        self._exchanges: set[asyncio.Task[Any]] = set()
        self.failed: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            path, via = mark.unmarked(scope["path"])
            await self._serve({**scope, "path": path, VIA: via} if via else scope, receive, send)
        else:
            # A WebSocket is never opened: before acceptance, closing it is an HTTP 403.
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        office = self.now.office
        if office is not None and office.takes(scope):
            await office.answer(scope, receive, send)
            return
        if scope["path"] in ollama.ASKING and scope["method"] == "POST":
            await self._about(scope, receive, send)
            return
        route = self._routes.get(scope["path"])
        if route is None or scope["method"] != "POST":
            await self._page(scope, route, send)
            return
        task = asyncio.current_task()
        assert task is not None
        self._exchanges.add(task)
        try:
            await self._ask(scope, route[0], route[1], receive, send)
        finally:
            self._exchanges.discard(task)

    async def _ask(
        self, scope: Scope, dialect: Dialect, endpoint: str, receive: Receive, send: Send
    ) -> None:
        # INVARIANT: one request meets one configuration, whatever is reloaded while it runs.
        now, headers = self.now, scope["headers"]
        sink = AsgiSink(receive, send, stuck_s=now.limits.stuck_s)
        reader = BodyReader(receive, headers, now.limits)
        try:
            actor, key = now.access.admit(headers)
            actor = connected(actor, scope.get(VIA, ""))
            body = await reader.read()
            query = scope["query_string"].decode("latin-1")
            request = dialect.read(endpoint, passed_on(headers), query, body)
            if (hold := _holds(headers)) or reader.coding:
                request = msgspec.structs.replace(request, packed=reader.coding, hold=hold)
            house = now.house_of(actor)
            asked = joining.Asked(request, actor, key, house.policy_hash)
            await self._answer(asked, joining.marked(headers), house, now.services, sink)
        except HungUpError:
            return
        except ClientError as error:
            text = dialect.error(error.status, error.code, f"halfdoor: {error}")
            await refuse(send, error.status, text, reader)
        except Exception as error:
            _record(error)
            if sink.started:
                raise
            text = dialect.error(500, "halfdoor_internal", f"halfdoor: {_INTERNAL}")
            await refuse(send, 500, text, reader)

    async def _answer(
        self,
        asked: joining.Asked,
        mark: joining.Mark | None,
        house: House,
        services: Services,
        sink: AsgiSink,
    ) -> None:
        """One exchange, unless this is a resend of one that still runs."""
        line = exchange(asked.request, asked.actor, house)
        if mark is None:
            await drive(line, services, sink, asked.credential)
            return
        running = self._calls.find(asked, mark)
        if running and await running[0].follow(sink, services, running[1]):
            return
        with self._calls.opened(asked, mark, sink) as shared:
            await drive(line, services, shared, asked.credential)

    async def _about(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What an Ollama client asks of one model: the name stands in a body."""
        now, headers = self.now, scope["headers"]
        reader = BodyReader(receive, headers, replace(now.limits, body_bytes=ollama.BODY_BYTES))
        try:
            now.access.admit(headers)
            answer = now.status.engine.about(scope["path"], await reader.read())
        except HungUpError:
            return
        except ClientError as error:
            told = msgspec.json.encode({"error": f"halfdoor: {error}"})
            await refuse(send, error.status, told, reader)
            return
        await whole(send, 200, JSON, answer)

    async def _page(self, scope: Scope, route: Route | None, send: Send) -> None:
        """Everything that is not an exchange. Bodies are not read."""
        try:
            self.now.access.visit(scope["headers"])
            answer = self._find(scope, route)
        except ClientError as error:
            body, more = self._told(error, scope, route), _more(error, scope, route)
            await whole(send, error.status, JSON, body, more)
            return
        await whole(send, 200, *answer)

    def _told(self, error: ClientError, scope: Scope, route: Route | None) -> bytes:
        """In the shape of whoever's path it is, or would be."""
        dialect = route[0] if route else self.now.house.dialects.get(_family(scope))
        if dialect is None:
            return neutral(error)
        return dialect.error(error.status, error.code, f"halfdoor: {error}")

    def _find(self, scope: Scope, route: Route | None) -> tuple[str, bytes]:
        path, method = scope["path"], scope["method"]
        page = self._pages.get(path)
        if path.endswith("/responses") and _upgrades(scope["headers"]):
            # Codex opens a WebSocket first; 426 is what makes it use POST at once.
            raise ClientError(
                "WebSockets are not spoken here", status=426, code="upgrade_required", hint="POST"
            )
        if page is None and route is None:
            known = ", ".join(sorted({endpoint for _, endpoint in self._routes.values()}))
            raise ClientError(
                f"there is no `{path[:80]}` here",
                status=404,
                code="not_found",
                hint=f"POST to {known}, or GET /v1/models",
            )
        if page is None or method not in _READS:
            wanted = "POST" if page is None else "GET"
            raise ClientError(
                f"`{path}` takes {wanted}, not {method[:20]}", status=405, code="method_not_allowed"
            )
        return page(scope["headers"])

    def _hello(self, _: RawHeaders) -> tuple[str, bytes]:
        return TEXT, _HELLO

    def _health(self, _: RawHeaders) -> tuple[str, bytes]:
        self.now.added()
        return TEXT, b"halfdoor ok, offline\n" if guard.is_offline() else b"halfdoor ok\n"

    def _show_status(self, headers: RawHeaders) -> tuple[str, bytes]:
        self.now.access.admit(headers)
        self.now.added()
        services = self.now.services
        return JSON, self.now.status.now(
            time.monotonic(), len(self._exchanges), services.widened(), services.queues
        )

    def _engine(self, page: Callable[[Engine], bytes], headers: RawHeaders) -> tuple[str, bytes]:
        self.now.access.admit(headers)
        return JSON, page(self.now.status.engine)

    def _models(self, headers: RawHeaders) -> tuple[str, bytes]:
        self.now.access.admit(headers)
        if _speaks_anthropic(headers):
            return JSON, self.now.status.anthropic_models()
        return JSON, self.now.status.openai_models()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
                await self._last_words()
        except Exception as error:  # noqa: BLE001  the task's edge: `listen.py` words it
            self.failed = error
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})

    async def _last_words(self) -> None:
        if self._exchanges:
            await asyncio.wait(set(self._exchanges), timeout=_LAST_WORDS_S)


def routes(dialects: Mapping[str, Dialect]) -> dict[str, Route]:
    """Every path a tool may POST to: base URLs have two conventions, so `/v1` may stand twice."""
    table: dict[str, Route] = {}
    for dialect in dialects.values():
        for endpoint in dialect.endpoints:
            for path in dict.fromkeys((endpoint, endpoint.removeprefix("/v1"), f"/v1{endpoint}")):
                if path in table:
                    raise SetupError(f"two dialects claim the path `{path}`")
                table[path] = (dialect, endpoint)
    return table


def connected(actor: Actor, via: str) -> Actor:
    """Who asks, by the address that was written into its settings; a token from `launch` is more.

    A mark is a claim, as a user agent is: it names a tool in the log and allows nothing.
    """
    if not via:
        return actor
    tool = actor.tool if actor.token == LAUNCHED else via.partition("-")[0]
    return msgspec.structs.replace(actor, tool=tool, via=via)


def _upgrades(headers: RawHeaders) -> bool:
    return any(name == b"upgrade" for name, _ in headers)


def _family(scope: Scope) -> str:
    """The dialect of a path that leads nowhere; "" where it may be either vendor's."""
    if scope["path"].startswith("/api/"):
        return "ollama"
    return "anthropic_messages" if _speaks_anthropic(scope["headers"]) else ""


def _holds(headers: RawHeaders) -> bool:
    return any(name == _HOLD and value.lower() == b"true" for name, value in headers)


def _speaks_anthropic(headers: RawHeaders) -> bool:
    return any(name == b"anthropic-version" for name, _ in headers)


def _more(error: ClientError, scope: Scope, route: Route | None) -> Fields:
    allow = "POST" if route is not None else "GET, HEAD"
    more: Fields = (("connection", "close"),) if scope["method"] not in _READS else ()
    match error.status:
        case 405:
            return (*more, ("allow", allow))
        case 426:
            return (*more, ("upgrade", "HTTP/1.1"))
        case 401:
            return (*more, ("www-authenticate", "Bearer"), ("x-should-retry", "false"))
        case _:
            return more


def _record(error: Exception) -> None:
    """Tell the operator where halfdoor failed; never what the error says, which may be content."""
    place = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s in an exchange:\n%s", type(error).__name__, place)
