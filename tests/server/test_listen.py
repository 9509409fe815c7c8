import asyncio
import dataclasses
import socket
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import pytest

from halfdoor.backends.scripted import ScriptedBackend, Turn
from halfdoor.canon.cards import Card
from halfdoor.canon.labels import Zone
from halfdoor.errors import LogError, SetupError
from halfdoor.server import listen
from halfdoor.server.access import Access
from halfdoor.server.address import Address, address
from halfdoor.server.app import App
from halfdoor.server.body import Limits
from halfdoor.server.listen import Server, bound, guarded
from halfdoor.server.patience import HEADER_BYTES, PatientProtocol
from halfdoor.server.status import Status
from halfdoor.store.log import MemoryLog
from tests.helpers.house import DIALECTS, house, messages_body
from tests.helpers.raw_server import closes_after, raw_server
from tests.helpers.world import services

CARD = Card("qwen", "local", "qwen3", Zone.DEVICE, "anthropic_messages", "ollama", scripted=True)
HOUSE = house((CARD,))
ANYWHERE = Address("127.0.0.1", 0)

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.mark.parametrize(
    ("listen", "host", "port", "loopback"),
    [
        ("127.0.0.1:4114", "127.0.0.1", 4114, True),
        ("127.1.2.3:1", "127.1.2.3", 1, True),
        ("[::1]:4114", "::1", 4114, True),
        ("LocalHost:0", "localhost", 0, True),
        ("0.0.0.0:4114", "0.0.0.0", 4114, False),
        ("[::]:4114", "::", 4114, False),
        ("10.0.0.7:4114", "10.0.0.7", 4114, False),
        ("mybox:4114", "mybox", 4114, False),
    ],
)
def test_an_address_is_read_and_judged(listen, host, port, loopback):
    where = address(listen)
    assert (where.host, where.port, where.loopback) == (host, port, loopback)
    assert str(where) == listen.lower()


@pytest.mark.parametrize(
    "listen",
    ["", "4114", ":4114", "127.0.0.1", "::1:4114", "[::1]", "x:-1", "x:70000", "x:1.5", "x:٣"],
)
def test_what_is_no_address_stops_the_start_with_a_hint(listen):
    with pytest.raises(SetupError) as caught:
        address(listen)
    assert caught.value.hint


def test_beyond_loopback_there_is_no_start_without_tokens():
    with pytest.raises(SetupError, match=r"0\.0\.0\.0:4114 can be reached .* no `\[\[tokens\]\]`"):
        guarded(address("0.0.0.0:4114"), tokens=0)
    guarded(address("0.0.0.0:4114"), tokens=1)
    guarded(address("127.0.0.1:4114"), tokens=0)


def test_an_address_of_another_machine_stops_the_start():
    with pytest.raises(SetupError, match="no address of this machine"):
        bound(Address("192.0.2.1", 4114))


def test_a_port_that_another_program_holds_says_so():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(SetupError) as caught:
            bound(Address("127.0.0.1", port))
    assert str(caught.value).startswith(f"127.0.0.1:{port} is already in use (by another program)")
    assert "--listen" in caught.value.hint


async def test_a_port_that_halfdoor_holds_says_so():
    async with served() as where:
        with pytest.raises(
            SetupError, match=r"already in use \(by halfdoor\); hint: .*halfdoor ps"
        ):
            await asyncio.to_thread(bound, where)


async def test_another_program_that_speaks_http_is_not_taken_for_halfdoor():
    answer = closes_after(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    async with raw_server(answer) as other:
        where = address(other.url.removeprefix("http://").removesuffix("/v1"))
        with pytest.raises(SetupError, match="by another program"):
            await asyncio.to_thread(bound, where)


def app(*turns, running=None):
    local = ScriptedBackend("local", DIALECTS["anthropic_messages"], Zone.DEVICE, b"s" * 32, turns)
    log = MemoryLog(b"s" * 32)
    world = dataclasses.replace(services(local=local), log=log)
    status = Status("9", 1, 0.0, HOUSE.cards)
    made = App(HOUSE, world, Access(), Limits(), status, running=running or nullcontext)
    return made, local, log


@asynccontextmanager
async def served(made=None):
    """A listening halfdoor; yields its address. Leaving it is a clean stop."""
    listening = bound(ANYWHERE)
    where = Address(*listening.getsockname())
    ready = asyncio.Event()
    server = Server(made or app()[0], ready.set)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await ready.wait()
    try:
        yield where
    finally:
        server.should_exit = True
        await serving


async def dial(where):
    return await asyncio.open_connection(where.host, where.port)  # noqa: TID251  the test's client


def post(where, body, *more):
    head = [
        "POST /v1/messages HTTP/1.1",
        f"host: {where}",
        f"content-length: {len(body)}",
        *more,
        "\r\n",
    ]
    return "\r\n".join(head).encode() + body


async def exchange(where, sent):
    reader, writer = await dial(where)
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head


async def test_a_request_over_a_real_socket_is_answered():
    async with served() as where:
        head = await exchange(where, post(where, messages_body()))
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"x-halfdoor-model: qwen" in head
    assert b"server:" not in head.lower()


async def test_the_body_is_not_asked_for_when_it_is_too_large():
    async with served() as where:
        sent = f"POST /v1/messages HTTP/1.1\r\nhost: {where}\r\nexpect: 100-continue\r\n"
        head = await exchange(where, f"{sent}content-length: 99999999999\r\n\r\n".encode())
    assert head.startswith(b"HTTP/1.1 413 ")


async def test_a_caller_still_sending_hears_why_it_is_refused():
    async with served() as where:
        body = bytes(1024 * 1024)
        head = await exchange(where, post(where, body, "content-encoding: br"))
    assert head.startswith(b"HTTP/1.1 415 ")


async def test_a_websocket_upgrade_over_a_real_socket_is_426():
    async with served() as where:
        upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13"
        sent = f"GET /v1/responses HTTP/1.1\r\nhost: {where}\r\n{upgrade}\r\n\r\n"
        head = await exchange(where, sent.encode())
    assert head.startswith(b"HTTP/1.1 426 ")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: "])
async def test_headers_that_never_end_are_cut_off_in_time(monkeypatch, sent):
    monkeypatch.setattr(PatientProtocol, "header_s", 0.05)
    async with served() as where, asyncio.timeout(2):
        reader, writer = await dial(where)
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()


async def test_headers_that_stall_on_a_kept_connection_are_cut_off_too(monkeypatch):
    monkeypatch.setattr(PatientProtocol, "header_s", 0.1)
    async with served() as where, asyncio.timeout(3):
        reader, writer = await dial(where)
        writer.write(f"GET / HTTP/1.1\r\nhost: {where}\r\n\r\n".encode())
        await reader.readuntil(b"base URL here\n")
        writer.write(b"GET / HTTP/1.1\r\nhost:")
        assert await reader.read() == b""
        writer.close()


async def test_a_slow_answer_is_not_cut_off_by_the_headers_clock(monkeypatch):
    monkeypatch.setattr(PatientProtocol, "header_s", 0.05)
    made, _, _ = app(Turn("slow words", delay_s=0.3))
    async with served(made) as where, asyncio.timeout(3):
        head = await exchange(where, post(where, messages_body()))
    assert head.startswith(b"HTTP/1.1 200 OK")


async def test_headers_have_a_size():
    async with served() as where, asyncio.timeout(3):
        reader, writer = await dial(where)
        writer.write(b"GET / HTTP/1.1\r\nx-long: " + b"x" * HEADER_BYTES)
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_hanging_up_on_a_real_socket_cancels_the_backend_within_a_second():
    made, local, log = app(Turn("words", breaks_after=600, breaks=None))
    async with served(made) as where:
        reader, writer = await dial(where)
        writer.write(post(where, messages_body(stream=True)))
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        async with asyncio.timeout(1):
            while not local.cancelled:  # noqa: ASYNC110  the fake has no event for it
                await asyncio.sleep(0.005)
    assert log.entries[-1].result == "hung-up"


async def test_a_stop_lets_an_answer_under_way_finish():
    made, _, log = app(Turn("words", delay_s=0.3))
    async with served(made) as where:
        reader, writer = await dial(where)
        writer.write(post(where, messages_body()))
        while not log.entries:  # noqa: ASYNC110  until the exchange has begun
            await asyncio.sleep(0.005)
    assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
    writer.close()


async def test_an_answer_that_outlasts_the_grace_ends_with_the_dialects_error_event(monkeypatch):
    monkeypatch.setattr(listen, "GRACE_S", 0.1)
    made, _, log = app(Turn("words", breaks_after=600, breaks=None))
    async with served(made) as where:
        reader, writer = await dial(where)
        writer.write(post(where, messages_body(stream=True)))
        await reader.readuntil(b"message_start")
    told = await reader.read()
    assert b"event: error" in told
    assert b"halfdoor is stopping" in told
    assert told.endswith(b"0\r\n\r\n")
    assert log.entries[-1].attempts[0].result == "stopped"
    writer.close()


class Failing(AbstractAsyncContextManager):
    async def __aenter__(self):
        raise LogError("the log is full")

    async def __aexit__(self, *_):
        raise AssertionError("never entered")


def test_a_start_that_fails_is_raised_to_whoever_runs_it():
    with pytest.raises(LogError, match="the log is full"):
        listen.run(app(running=Failing)[0], [bound(ANYWHERE)], lambda: None)
