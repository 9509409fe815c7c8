import asyncio
import errno
import socket

import pytest

from halfdoor.backends import dialling, guard
from halfdoor.backends.faults import WireError
from halfdoor.backends.wire import Origin
from halfdoor.canon.decision import ControlPermit
from halfdoor.canon.labels import Zone
from tests.helpers.raw_server import OK, raw_server, sends

LEAVE = ControlPermit("engine:1", "test")
NEAR, FAR, V6 = ("127.0.0.1", 9), ("192.0.2.1", 9), ("::1", 9, 0, 0)


def leads_to(monkeypatch, *addresses):
    """The name `engine` leads to these."""

    async def found(*_, **__):
        return [
            (socket.AF_INET6 if len(a) == 4 else socket.AF_INET, socket.SOCK_STREAM, 6, "", a)
            for a in addresses
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)


def answering(monkeypatch, **how):
    """Which addresses answer, by host; a number is how long that takes; else refused."""
    tried = []

    async def connect(_, address):
        tried.append(address[0])
        pause = how.get(address[0])
        if pause is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "not in these words")
        await asyncio.sleep(pause)

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", connect)
    return tried


async def first():
    loop = asyncio.get_running_loop()
    found = await dialling._places(loop, Origin("engine", 1, tls=False))
    with await dialling._first(loop, found) as made:
        return made.family


async def test_every_address_is_judged_and_the_next_one_tried(monkeypatch):
    leads_to(monkeypatch, FAR, NEAR)
    tried = answering(monkeypatch, **{"127.0.0.1": 0, "192.0.2.1": 0})
    with guard.allow(LEAVE, Zone.DEVICE) as leave:
        assert await first() is socket.AF_INET
    assert (tried, leave.refused) == (["127.0.0.1"], "192.0.2.1")


async def test_without_a_leave_no_socket_is_made(monkeypatch):
    leads_to(monkeypatch, NEAR)
    tried = answering(monkeypatch, **{"127.0.0.1": 0})
    with pytest.raises(guard.GuardRefusal):
        await first()
    assert tried == []


async def test_a_silent_address_does_not_hold_up_the_next(monkeypatch):
    monkeypatch.setattr(dialling, "STAGGER_S", 0.01)
    leads_to(monkeypatch, V6, NEAR)
    tried = answering(monkeypatch, **{"::1": 3600, "127.0.0.1": 0})
    with guard.allow(LEAVE, Zone.DEVICE):
        assert await first() is socket.AF_INET
    assert tried == ["::1", "127.0.0.1"]


async def test_families_take_turns(monkeypatch):
    leads_to(monkeypatch, V6, ("::2", 9, 0, 0), NEAR)
    found = await dialling._places(asyncio.get_running_loop(), Origin("engine", 1, tls=False))
    assert [place[4][0] for place in found] == ["::1", "127.0.0.1", "::2"]


async def test_an_address_is_not_looked_up(monkeypatch):
    leads_to(monkeypatch)
    for host in ("127.0.0.1", "::1"):
        [place] = await dialling._places(asyncio.get_running_loop(), Origin(host, 1, tls=False))
        assert place[4][0] == host


async def test_a_refusal_is_told_in_the_systems_words(monkeypatch):
    leads_to(monkeypatch, NEAR, V6)
    answering(monkeypatch)
    with guard.allow(LEAVE, Zone.DEVICE), pytest.raises(WireError) as caught:
        await dialling.dial(Origin("engine", 1, tls=False), None, 5, lambda _: None)
    assert (caught.value.kind, caught.value.reason) == ("connect", "connection refused")


async def test_localhost_is_reached_by_whichever_address_answers():
    async with raw_server(sends(OK)) as server:
        port = int(server.url.rpartition(":")[2].removesuffix("/v1"))
        with guard.allow(LEAVE, Zone.DEVICE):
            origin = Origin("localhost", port, tls=False)
            connection = await dialling.dial(origin, None, 5, lambda _: None)
        assert connection.fit
        connection.abort()


async def test_a_socket_that_ends_elsewhere_than_it_was_dialled_is_closed_unused(monkeypatch):
    async with raw_server(sends(OK)) as server:
        port = int(server.url.rpartition(":")[2].removesuffix("/v1"))
        ends = {"127.0.0.1": Zone.DEVICE, "192.0.2.1": Zone.CLOUD}
        monkeypatch.setattr(dialling, "zone_of", lambda host: ends[host])
        monkeypatch.setattr(socket.socket, "getpeername", lambda _: ("192.0.2.1", port))
        with guard.allow(LEAVE, Zone.DEVICE) as leave, pytest.raises(WireError):
            origin = Origin("127.0.0.1", port, tls=False)
            await dialling.dial(origin, None, 5, lambda _: None)
        assert leave.refused == "192.0.2.1"
        assert not server.requests


async def test_offline_localhost_is_dialled_without_a_look_up(monkeypatch):
    guard.go_offline()
    leads_to(monkeypatch, FAR)
    [place] = await dialling._places(asyncio.get_running_loop(), Origin("localhost", 1, tls=False))
    assert place[4][0] == "127.0.0.1"


async def test_offline_a_name_is_refused_before_anybody_is_asked(monkeypatch):
    guard.go_offline()
    leads_to(monkeypatch, NEAR)
    with guard.allow(LEAVE, Zone.CLOUD) as leave, pytest.raises(WireError):
        await dialling.dial(Origin("engine", 1, tls=False), None, 5, lambda _: None)
    assert leave.refused == "engine"
