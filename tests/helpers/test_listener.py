"""A fake dies while somebody connects, and leaves no socket to the collector."""

import asyncio
import socket
import warnings

import pytest

from tests.helpers.listener import HOST, Listener

pytestmark = pytest.mark.usefixtures("loopback")

CALLERS = 4


class Brief(asyncio.Protocol):
    """Ends a connection as it begins, and counts it."""

    def __init__(self, begun: list[asyncio.BaseTransport]) -> None:
        self._begun = begun

    def connection_made(self, transport):
        self._begun.append(transport)
        transport.abort()


async def turns(count):
    for _ in range(count):
        await asyncio.sleep(0)


# After two turns the callers have been accepted and have no transport yet.
@pytest.mark.parametrize("after", range(5))
async def test_who_connects_as_a_fake_dies_leaves_no_unclosed_socket(after):
    begun: list[asyncio.BaseTransport] = []
    listener = Listener(lambda: Brief(begun))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        port = await listener.open()
        callers = [socket.create_connection((HOST, port)) for _ in range(CALLERS)]
        await turns(after)
        await listener.close()
        await turns(4)
        for caller in callers:
            caller.close()
    assert told == []
    assert len(begun) == (CALLERS if after >= 2 else 0)


async def test_a_listener_opens_again_where_it_was_and_closes_twice_without_harm():
    listener = Listener(lambda: Brief([]))
    port = await listener.open()
    for _ in range(3):
        await listener.close()
        await listener.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port))
        assert await listener.open(port) == port
    await listener.close()
