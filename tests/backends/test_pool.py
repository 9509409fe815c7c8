import asyncio

import pytest

from halfdoor.backends import guard
from halfdoor.backends.faults import WireError
from halfdoor.backends.pool import Pool
from halfdoor.backends.wire import origin
from halfdoor.canon.decision import ControlPermit
from halfdoor.canon.labels import Zone
from tests.helpers.raw_server import OK, raw_server, sends


class Count:
    sent_bytes = 0


async def call(pool):
    """One whole call; the connection it used."""
    await pool.turn(1)
    connection = pool.kept()
    if connection is None:
        with guard.allow(ControlPermit("x:1", "test"), Zone.DEVICE):
            connection = await pool.made(1)
    connection.ask(b"POST / HTTP/1.1\r\n\r\n", b"", Count(), first_byte_s=1, idle_s=1)
    await connection.head()
    while not connection.answer.whole:
        await connection.more()
    return connection


async def test_the_connection_that_rested_last_is_used_first():
    async with raw_server(sends(OK)) as server:
        pool = Pool(origin(server.url), None)
        first, second = await call(pool), await call(pool)
        pool.end(first)
        pool.end(second)
        assert await call(pool) is second
        pool.end(second)
        await pool.close()
    assert server.connections == 2


async def test_more_calls_than_the_limit_wait_for_their_turn_and_then_give_up():
    async with raw_server(sends(OK)) as server:
        pool = Pool(origin(server.url), None, calls=1)
        busy = await call(pool)
        with pytest.raises(WireError) as caught:
            await pool.turn(0.01)
        assert caught.value.kind == "connect"
        waiting = asyncio.create_task(call(pool))
        await asyncio.sleep(0)
        pool.end(busy)
        assert await waiting is busy
        pool.end(busy)
        await pool.close()


async def test_a_kept_connection_that_the_server_closes_is_forgotten():
    async def then_closes(_, writer):
        writer.write(OK)
        await writer.drain()
        writer.close()

    async with raw_server(then_closes) as server:
        pool = Pool(origin(server.url), None)
        connection = await call(pool)
        pool.end(connection)
        await asyncio.sleep(0.05)
        assert connection.over
        assert (pool._kept, pool._open) == ([], set())
        await pool.close()


async def test_a_closed_pool_keeps_nothing():
    async with raw_server(sends(OK)) as server:
        pool = Pool(origin(server.url), None)
        connection = await call(pool)
        await pool.close()
        assert connection.over
        pool.end(connection)
        assert pool.kept() is None
