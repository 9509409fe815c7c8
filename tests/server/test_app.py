import asyncio
import dataclasses
import json
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import anthropic
import openai
import pytest

from halfdoor.backends.scripted import ScriptedBackend, Turn
from halfdoor.canon.cards import Card
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Decided, Outcome
from halfdoor.canon.request import Actor
from halfdoor.errors import LogError, SetupError
from halfdoor.server.access import Access
from halfdoor.server.app import App, connected, routes
from halfdoor.server.body import Limits
from halfdoor.server.sink import AsgiSink
from halfdoor.server.status import Status
from halfdoor.store.log import MemoryLog
from halfdoor.wiring import DIALECTS as ALL_DIALECTS
from tests.helpers.house import AWS_KEY, DIALECTS, house, messages_body
from tests.helpers.world import services

LOCAL = Card("qwen", "local", "qwen3", Zone.DEVICE, "anthropic_messages", "ollama", scripted=True)
CLOUD = Card("sonnet", "cloud", "claude", Zone.CLOUD, "anthropic_messages", "anthropic")
SEAL = b"s" * 32
GUARDED = Access(tokens=(("ci", "s3cret"),))
PLAIN = [(b"host", b"localhost:4114")]
HOUSE = house((LOCAL, CLOUD))


class Client:
    """One ASGI request from the far side: what it sends, and what it is told."""

    def __init__(self, *messages, leaves=None):
        self.messages = list(messages)
        self.told = []
        self.done = asyncio.Event()
        self.leaves = leaves or asyncio.Event()
        self.asked = 0

    async def receive(self):
        self.asked += 1
        if self.messages:
            message = self.messages.pop(0)
            if isinstance(message, float):
                await asyncio.sleep(message)
                return await self.receive()
            return message
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.told.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.done.set()

    @property
    def status(self):
        return self.told[0]["status"]

    @property
    def headers(self):
        return {name.decode(): value.decode() for name, value in self.told[0]["headers"]}

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.told[1:])

    @property
    def json(self):
        return json.loads(self.body)


def piece(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def backends(*turns):
    local = ScriptedBackend("local", DIALECTS["anthropic_messages"], Zone.DEVICE, SEAL, turns)
    cloud = ScriptedBackend("cloud", DIALECTS["anthropic_messages"], Zone.CLOUD, SEAL)
    return {"local": local, "cloud": cloud}


def app(world=None, *, access=None, limits=None, **more):
    status = Status("9.9", 42, 0.0, HOUSE.cards)
    world = world or services(**backends())
    return App(HOUSE, world, access or Access(), limits or Limits(), status, **more)


async def ask(
    client, *, of=None, method="POST", path="/v1/messages", headers=(), host=PLAIN, query=b""
):
    scope = {"type": "http", "method": method, "path": path, "query_string": query}
    served = of or app()
    await served({**scope, "headers": [*host, *headers]}, client.receive, client.send)
    return client


async def post(body=None, **how):
    return await ask(Client(piece(messages_body() if body is None else body)), **how)


async def get(path, **how):
    return await ask(Client(piece(b"")), method="GET", path=path, **how)


async def test_a_request_is_answered_and_says_who_answered():
    client = await post()
    assert client.status == 200
    assert "SCRIPTED" in client.json["content"][0]["text"]
    assert client.headers["x-halfdoor-model"] == "qwen"
    assert client.headers["x-halfdoor-zone"] == "device"


async def test_a_request_in_pieces_is_read_whole():
    body = messages_body("a longer text in three pieces")
    pieces = [piece(body[:9], more=True), piece(body[9:40], more=True), piece(body[40:])]
    assert (await ask(Client(*pieces))).status == 200


def test_every_endpoint_has_three_paths_and_no_other():
    table = routes(DIALECTS)
    assert {path for path in table if path.endswith("messages")} == {
        "/v1/messages",
        "/messages",
        "/v1/v1/messages",
    }
    chat = DIALECTS["openai_chat"]
    assert {endpoint for _, endpoint in routes({"one": chat}).values()} == set(chat.endpoints)
    assert not [path for path in table if "/api/" in path]
    ollama = routes({"one": ALL_DIALECTS["ollama"]})
    own = {f"/api/{name}" for name in ("chat", "generate", "embed", "embeddings")}
    assert set(ollama) == {*own, *(f"/v1{path}" for path in own)}


async def test_an_ollama_client_finds_version_models_and_one_model():
    assert (await get("/api/version")).json["version"]
    names = [model["name"] for model in (await get("/api/tags")).json["models"]]
    assert "auto:latest" in names
    assert (await get("/api/ps")).json == {"models": []}
    shown = await post(json.dumps({"model": names[0]}).encode(), path="/api/show")
    assert (shown.status, "capabilities" in shown.json) == (200, True)
    missing = await post(b'{"model":"nobody"}', path="/api/show")
    assert (missing.status, "not found" in missing.json["error"]) == (404, True)


def test_two_dialects_cannot_claim_one_path():
    with pytest.raises(SetupError, match="two dialects"):
        routes({"a": DIALECTS["openai_chat"], "b": DIALECTS["openai_chat"]})


@pytest.mark.parametrize("path", ["/v1/messages", "/messages", "/v1/v1/messages"])
async def test_both_conventions_of_a_base_url_lead_to_the_line(path):
    assert (await post(path=path, query=b"beta=true")).status == 200


async def test_a_connected_tools_mark_is_taken_out_of_its_path_and_logged():
    log = MemoryLog(SEAL)
    served = app(dataclasses.replace(services(**backends()), log=log))
    agent = [(b"user-agent", b"claude-cli/2.1.197")]
    for path in ("/via/claude-1f2e3d4c/v1/messages", "/v1/messages"):
        assert (await post(of=served, path=path, headers=agent)).status == 200
    told = [(entry.via, entry.tool) for entry in log.entries if isinstance(entry, Decided)]
    assert told == [("claude-1f2e3d4c", "claude"), ("", "claude")]


async def test_a_mark_lets_nobody_in():
    guarded = app(access=GUARDED)
    assert (await post(of=guarded, path="/via/claude-1f2e3d4c/v1/messages")).status == 401


def test_who_was_launched_stays_who_it_was():
    launched = Actor("launch", "aider", "shop")
    assert connected(launched, "claude-1f2e3d4c").tool == "aider"


@pytest.mark.parametrize("path", ["", "/", "/healthz", "/v1/models"])
async def test_pages_are_behind_a_mark_too(path):
    assert (await get(f"/via/claude-1f2e3d4c{path}")).status == 200


@pytest.mark.parametrize(
    "path", ["/via/claude-1f2e3d4c/halfdoor/status", "/via/x/v1/models", "/via/"]
)
async def test_no_other_way_leads_through_a_mark(path):
    assert (await get(path)).status == 404


async def test_codexs_websocket_is_426_behind_a_mark():
    client = await get("/via/codex-1f2e3d4c/v1/responses", headers=[(b"upgrade", b"websocket")])
    assert client.status == 426


@pytest.mark.parametrize("path", ["/v1/messages/", "/V1/messages", "/v2/messages", "/admin", "/x"])
async def test_an_unknown_path_is_404_and_names_the_known_ones(path):
    client = await post(path=path)
    assert client.status == 404
    assert "/v1/chat/completions, " in client.json["error"]["message"]
    assert "x-halfdoor-id" not in client.headers


async def test_a_wrong_method_is_405_and_names_the_right_one():
    client = await get("/v1/messages")
    assert (client.status, client.headers["allow"]) == (405, "POST")
    client = await post(path="/v1/models")
    assert (client.status, client.headers["allow"]) == (405, "GET, HEAD")


async def test_a_websocket_upgrade_of_responses_is_426():
    client = await get("/v1/responses", headers=[(b"upgrade", b"websocket")])
    assert client.status == 426
    assert (await get("/v1/responses")).status == 404


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_root_answers_so_that_tools_find_it(method):
    client = await ask(Client(piece(b"")), method=method, path="/")
    assert client.status == 200
    assert client.headers["content-type"].startswith("text/plain")


async def test_health_needs_no_token_and_tells_nothing():
    client = await get("/healthz", of=app(access=GUARDED))
    assert (client.status, client.body) == (200, b"halfdoor ok\n")


@pytest.mark.parametrize("path", ["/", "/healthz", "/halfdoor/status", "/v1/models", "/nowhere"])
async def test_a_foreign_host_or_page_gets_nothing_at_all(path):
    foreign = await get(path, host=[(b"host", b"evil.example")])
    assert (foreign.status, foreign.json["error"]["code"]) == (400, "foreign_host")
    page = await get(path, headers=[(b"origin", b"https://evil.example")])
    assert (page.status, page.json["error"]["code"]) == (403, "foreign_origin")


@pytest.mark.parametrize("path", ["/halfdoor/status", "/v1/models"])
async def test_pages_that_tell_something_need_the_token(path):
    client = await get(path, of=app(access=GUARDED))
    assert client.status == 401
    assert client.headers["x-should-retry"] == "false"
    told = await get(path, of=app(access=GUARDED), headers=[(b"x-api-key", b"s3cret")])
    assert told.status == 200


async def test_the_status_tells_models_zones_and_scripted_ones():
    told = (await get("/halfdoor/status")).json
    assert (told["program"], told["version"], told["pid"]) == ("halfdoor", "9.9", 42)
    assert told["scripted"] is True
    assert told["in_flight"] == 0
    assert [(model["name"], model["zone"]) for model in told["models"]] == [
        ("qwen", "device"),
        ("sonnet", "cloud"),
    ]


async def test_both_sdks_read_their_list_of_models():
    chat = openai.types.Model
    listed = (await get("/v1/models")).json["data"]
    assert [chat.model_validate(each).id for each in listed] == ["qwen", "sonnet", "auto"]
    version = [(b"anthropic-version", b"2023-06-01")]
    page = (await get("/v1/models", headers=version)).json
    read = [anthropic.types.ModelInfo.model_validate(each) for each in page["data"]]
    own = ["qwen", "sonnet", "auto"]
    assert [each.id for each in read] == [*own, *(f"claude-halfdoor-{name}" for name in own)]
    assert [each.display_name for each in read] == [*own, *own]
    assert (page["first_id"], page["last_id"]) == ("qwen", "claude-halfdoor-auto")
    assert page["has_more"] is False


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/messages", [(b"content-encoding", b"br")], 415),
        ("/v1/chat/completions", [(b"content-encoding", b"gzip, zstd")], 415),
        ("/v1/messages", [(b"content-length", b"999999999999")], 413),
        ("/v1/messages", [(b"origin", b"https://evil.example")], 403),
    ],
)
async def test_what_is_announced_is_judged_before_a_byte_is_read(path, headers, status):
    client = Client()
    client.leaves.set()
    await ask(client, path=path, headers=headers)
    assert client.status == status
    assert client.headers["connection"] == "close"
    told = client.json
    assert told["error"]["message"].startswith("halfdoor: ")
    assert ("type" in told) == (path == "/v1/messages")
    assert "x-halfdoor-id" not in client.headers


async def test_nothing_is_asked_of_the_client_before_its_token_is_good():
    class Watched(Client):
        async def receive(self):
            order.append(self.status)
            return await super().receive()

    order: list[int] = []
    await ask(Watched(piece(messages_body())), of=app(access=GUARDED))
    assert order == [401]


async def test_a_body_that_grows_beyond_the_limit_is_413():
    small = Limits(body_bytes=100)
    pieces = [piece(b"x" * 60, more=True), piece(b"x" * 60, more=True), piece(b"")]
    client = await ask(Client(*pieces), of=app(limits=small))
    assert client.status == 413
    assert (await post(b"x" * 101, of=app(limits=small))).status == 413


async def test_a_body_of_exactly_the_limit_is_read():
    body = messages_body()
    assert (await post(body, of=app(limits=Limits(body_bytes=len(body))))).status == 200


async def test_a_slow_body_is_408_and_the_connection_closes():
    client = Client(piece(b"{", more=True))
    hurried = Limits(idle_s=0.02)
    async with asyncio.timeout(3):
        await ask(client, of=app(limits=hurried))
    assert client.status == 408
    assert client.headers["connection"] == "close"


async def test_a_body_that_drips_for_ever_is_408():
    drip = [each for _ in range(100) for each in (0.01, piece(b" ", more=True))]
    client = Client(*drip)
    await ask(client, of=app(limits=Limits(idle_s=1, body_s=0.05)))
    assert client.status == 408


async def test_a_caller_that_leaves_inside_its_body_is_told_nothing():
    client = Client(piece(b"{", more=True), {"type": "http.disconnect"})
    await ask(client)
    assert client.told == []


async def test_malformed_json_is_answered_in_the_dialects_shape_on_a_kept_connection():
    client = await post(b'{"model": "auto", ')
    assert client.status == 400
    assert client.json["type"] == "error"
    assert "connection" not in client.headers
    chat = await post(b"[]", path="/v1/chat/completions")
    assert chat.status == 400
    assert set(chat.json) == {"error"}


async def test_a_secret_stays_on_the_device_and_the_answer_says_why():
    client = await post(messages_body(tool_result=f"key={AWS_KEY}"))
    assert client.status == 200
    assert client.headers["x-halfdoor-zone"] == "device"
    assert client.headers["x-halfdoor-rule"] == "secret"


async def test_a_client_that_hangs_up_cancels_its_backend_within_a_second():
    reached = backends(Turn("words", breaks_after=5, breaks=None))
    log = MemoryLog(SEAL)
    world = dataclasses.replace(services(**reached), log=log)
    client = Client(piece(messages_body(stream=True)))
    asking = asyncio.create_task(ask(client, of=app(world)))
    while not reached["local"].calls:  # noqa: ASYNC110  the fake has no event for it
        await asyncio.sleep(0.001)
    client.leaves.set()
    async with asyncio.timeout(1):
        await asking
    assert reached["local"].cancelled == 1
    assert isinstance(log.entries[-1], Outcome)
    assert log.entries[-1].result == "hung-up"


async def test_exchanges_under_way_are_counted():
    reached = backends(Turn("words", breaks_after=5, breaks=None))
    served = app(services(**reached))
    client = Client(piece(messages_body(stream=True)))
    asking = asyncio.create_task(ask(client, of=served))
    while not reached["local"].calls:  # noqa: ASYNC110  the fake has no event for it
        await asyncio.sleep(0.001)
    assert (await get("/halfdoor/status", of=served)).json["in_flight"] == 1
    client.leaves.set()
    await asking
    assert (await get("/halfdoor/status", of=served)).json["in_flight"] == 0


async def test_an_accident_inside_is_a_500_that_repeats_nothing_of_the_request(caplog):
    class Broken(ScriptedBackend):
        def call(self, target, outbound, permit, client_key):
            raise RuntimeError(outbound.body.decode())

    broken = Broken("local", DIALECTS["anthropic_messages"], Zone.DEVICE, SEAL)
    served = app(services(**{**backends(), "local": broken}))
    client = await post(messages_body("planted words"), of=served)
    assert client.status == 500
    assert client.json["type"] == "error"
    assert "RuntimeError" in caplog.text
    assert "planted" not in caplog.text + client.body.decode()


class Lifespan:
    """The server's side of a start and a stop."""

    def __init__(self):
        self.told: asyncio.Queue = asyncio.Queue()
        self.asks: asyncio.Queue = asyncio.Queue()

    async def __call__(self, served):
        self.asks.put_nowait({"type": "lifespan.startup"})
        self.task = asyncio.create_task(served({"type": "lifespan"}, self.asks.get, self.told.put))
        return (await self.told.get())["type"]

    async def stop(self):
        self.asks.put_nowait({"type": "lifespan.shutdown"})
        return (await self.told.get())["type"]


async def test_what_runs_beside_the_server_starts_and_stops_with_it():
    seen = []

    @asynccontextmanager
    async def running():
        seen.append("open")
        yield
        seen.append("closed")

    life = Lifespan()
    assert await life(app(running=running)) == "lifespan.startup.complete"
    assert seen == ["open"]
    assert await life.stop() == "lifespan.shutdown.complete"
    assert seen == ["open", "closed"]


class Failing(AbstractAsyncContextManager):
    async def __aenter__(self):
        raise LogError("the log is full")

    async def __aexit__(self, *_):
        raise AssertionError("never entered")


async def test_a_start_that_fails_is_told_and_kept_for_whoever_words_it():
    served = app(running=Failing)
    assert await Lifespan()(served) == "lifespan.startup.failed"
    assert str(served.failed) == "the log is full"


async def test_a_websocket_is_never_opened():
    client = Client({"type": "websocket.connect"})
    await app()({"type": "websocket", "path": "/v1/responses"}, client.receive, client.send)
    assert client.told[0]["type"] == "websocket.close"


async def test_a_hang_up_once_heard_stays_heard():
    client = Client({"type": "http.disconnect"})
    sink = AsgiSink(client.receive, client.send)
    await sink.gone()
    await sink.gone()
    assert client.asked == 1
    with pytest.raises(ConnectionError):
        await sink.send(b"x")
    assert client.told == []


async def test_listening_for_a_hang_up_can_be_broken_off_and_taken_up_again():
    client = Client()
    sink = AsgiSink(client.receive, client.send)
    listening = asyncio.create_task(sink.gone())
    await asyncio.sleep(0)
    listening.cancel()
    client.leaves.set()
    async with asyncio.timeout(1):
        await sink.gone()


async def test_a_client_that_takes_nothing_counts_as_gone():
    async def stuck(_):
        await asyncio.Event().wait()

    sink = AsgiSink(Client().receive, stuck, stuck_s=0.02)
    sending = asyncio.create_task(sink.send(b"x"))
    async with asyncio.timeout(1):
        await sink.gone()
    sending.cancel()


async def test_a_slow_answer_is_not_taken_for_a_stuck_client():
    sink = AsgiSink(Client().receive, Client().send, stuck_s=0.01)
    await sink.start(200, ())
    listening = asyncio.create_task(sink.gone())
    await asyncio.sleep(0.1)
    assert not listening.done()
    listening.cancel()


async def test_a_broken_connection_below_is_a_connection_error_whatever_its_class():
    async def broken(_):
        raise OSError("gone")

    sink = AsgiSink(Client().receive, broken)
    with pytest.raises(ConnectionError):
        await sink.send(b"x")
