"""A connection without a socket: a transport that remembers, bytes that are pushed in."""

import asyncio

import pytest

from halfdoor.backends.connection import AHEAD_BYTES, SLICE_BYTES, Connection
from halfdoor.backends.faults import WireError

HEAD = b"POST / HTTP/1.1\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Wire(asyncio.Transport):
    """What a transport would have done. full: it takes one slice, then asks to pause."""

    def __init__(self, connection, *, full=False):
        super().__init__()
        self.written = b""
        self.aborted = self.paused = False
        self.full = full
        self.connection = connection
        connection.connection_made(self)

    def writelines(self, pieces):
        for piece in pieces:
            self.write(piece)

    def write(self, data):
        self.written += bytes(data)
        if self.full and len(data) == SLICE_BYTES:
            self.connection.pause_writing()

    def is_closing(self):
        return self.aborted

    def get_write_buffer_size(self):
        return 0

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False

    def abort(self):
        if not self.aborted:
            self.aborted = True
            self.connection.connection_lost(None)


class Count:
    sent_bytes = 0


def made(*, full=False):
    lost: list[Connection] = []
    connection = Connection(lost.append)
    return connection, Wire(connection, full=full), lost


def asked(body=b"{}", *, full=False, first_byte_s=5.0, idle_s=5.0):
    connection, wire, _ = made(full=full)
    count = Count()
    connection.ask(HEAD, body, count, first_byte_s=first_byte_s, idle_s=idle_s)
    return connection, wire, count


async def test_an_answer_is_there_once_its_head_is():
    connection, wire, count = asked()
    assert (wire.written, count.sent_bytes) == (HEAD + b"{}", 2)
    waiting = asyncio.create_task(connection.head())
    for at in range(len(ANSWER) - 2):
        await asyncio.sleep(0)
        assert not waiting.done()
        connection.data_received(ANSWER[at : at + 1])
    await waiting
    connection.data_received(b"{}")
    assert (connection.take(), connection.fit) == (b"{}", True)


async def test_a_body_is_handed_over_as_the_socket_takes_it():
    body = bytes(3 * SLICE_BYTES)
    connection, wire, count = asked(body, full=True)
    assert count.sent_bytes == SLICE_BYTES
    for slices in (2, 3, 3):
        connection.resume_writing()
        assert count.sent_bytes == slices * SLICE_BYTES
    assert wire.written == HEAD + body


async def test_an_answer_before_the_body_has_left_is_delivered_and_its_connection_not_kept():
    connection, _, count = asked(bytes(3 * SLICE_BYTES), full=True)
    connection.data_received(b"HTTP/1.1 413 Too much\r\ncontent-length: 0\r\n\r\n")
    await connection.head()
    assert connection.answer.status == 413
    assert count.sent_bytes == SLICE_BYTES
    assert not connection.fit


async def test_a_slow_consumer_holds_the_server_back():
    connection, wire, _ = asked()
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(AHEAD_BYTES))
    assert not wire.paused
    connection.data_received(b"x")
    assert wire.paused
    assert len(connection.take()) == AHEAD_BYTES + 1
    assert not wire.paused


async def test_a_connection_that_was_held_back_is_not_kept():
    connection, _, _ = asked()
    length = AHEAD_BYTES + 1
    head = f"HTTP/1.1 500 No\r\ncontent-length: {length}\r\n\r\n".encode()
    connection.data_received(head + bytes(length))
    assert connection.answer.whole
    assert not connection.fit


async def test_what_came_before_a_cut_can_be_read_and_then_the_cut():
    connection, _, _ = asked()
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfour")
    connection.connection_lost(ConnectionResetError())
    await connection.head()
    assert connection.take() == b"four"
    with pytest.raises(WireError) as caught:
        await connection.more()
    assert caught.value.kind == "cut"


async def test_a_reset_is_no_end_of_a_body_without_a_length():
    connection, _, _ = asked()
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\nfour")
    connection.connection_lost(ConnectionResetError())
    assert connection.take() == b"four"
    with pytest.raises(WireError):
        await connection.more()


@pytest.mark.parametrize("unasked", [ANSWER, b"x", b"\r\n"])
async def test_bytes_that_nobody_asked_for_are_never_the_next_answer(unasked):
    connection, wire, _ = made()
    connection.data_received(unasked)
    assert wire.aborted
    connection, wire, _ = asked()
    connection.data_received(ANSWER)
    connection.rest(5)
    connection.data_received(unasked)
    assert wire.aborted
    assert not connection.fit


async def test_one_that_closes_at_once_is_a_cut_when_it_is_asked():
    connection, wire, lost = made()
    wire.abort()
    connection.ask(HEAD, b"{}", Count(), first_byte_s=5, idle_s=5)
    with pytest.raises(WireError) as caught:
        await connection.head()
    assert (caught.value.kind, wire.written, lost) == ("cut", b"", [connection])


async def test_silence_before_the_status_and_in_the_body_are_timeouts():
    connection, wire, _ = asked(first_byte_s=0.01)
    with pytest.raises(WireError) as caught:
        await connection.head()
    assert (caught.value.kind, wire.aborted) == ("timeout", True)
    connection, wire, _ = asked(first_byte_s=60, idle_s=0.01)
    connection.data_received(ANSWER[:-1])
    await connection.head()
    connection.take()
    with pytest.raises(WireError) as caught:
        await connection.more()
    assert (caught.value.kind, wire.aborted) == ("timeout", True)


async def test_a_slow_consumer_is_no_silent_server():
    connection, wire, _ = asked(first_byte_s=0.01, idle_s=0.01)
    connection.data_received(ANSWER[:-1])
    await connection.head()
    await asyncio.sleep(0.05)
    assert not wire.aborted
    connection.data_received(b"}")
    assert connection.take() == b"{}"


async def test_a_rest_ends():
    connection, wire, _ = asked()
    connection.data_received(ANSWER)
    await connection.head()
    connection.rest(0.01)
    await asyncio.sleep(0.05)
    assert wire.aborted


async def test_a_row_of_answers_needs_one_timer(monkeypatch):
    loop = asyncio.get_running_loop()
    connection, _, count = asked()
    timers = []
    monkeypatch.setattr(loop, "call_at", lambda *when: timers.append(when))
    for _ in range(20):
        connection.data_received(ANSWER)
        await connection.head()
        connection.take()
        connection.rest(5)
        connection.ask(HEAD, b"", count, first_byte_s=5, idle_s=5)
    assert timers == []
    connection.abort()


async def test_a_server_that_cuts_does_not_leave_its_request_in_memory(monkeypatch):
    # It set one more timer, which held the request for five minutes.
    loop = asyncio.get_running_loop()
    connection, _, _ = asked()
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfour")
    connection.connection_lost(None)
    connection.take()
    timers = []
    monkeypatch.setattr(loop, "call_at", lambda *when: timers.append(when))
    with pytest.raises(WireError):
        await connection.more()
    assert timers == []


async def test_a_byte_now_and_then_does_not_hold_an_answer_past_its_end():
    connection, wire, _ = made()
    connection.ask(HEAD, b"{}", Count(), first_byte_s=60, idle_s=60, answer_s=0.05)
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{")
    await connection.head()
    with pytest.raises(WireError) as caught:
        for _ in range(100):
            connection.take()
            asyncio.get_running_loop().call_later(0.01, connection.data_received, b" ")
            await connection.more()
    assert (caught.value.kind, wire.aborted, connection.late) == ("timeout", True, True)


async def test_an_endless_flood_ends_with_the_time_for_the_answer():
    connection, wire, _ = made()
    connection.ask(HEAD, b"{}", Count(), first_byte_s=0.01, idle_s=60, answer_s=0.05)
    connection.data_received(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    await connection.head()
    for _ in range(100):
        connection.data_received(b"1\r\nx\r\n")
        await connection.more()
        connection.take()
        await asyncio.sleep(0.005)
        if wire.aborted:
            break
    assert wire.aborted


async def test_the_time_for_an_answer_is_over_with_the_answer():
    connection, _, _ = made()
    connection.ask(HEAD, b"{}", Count(), first_byte_s=5, idle_s=5, answer_s=0.02)
    connection.data_received(ANSWER)
    await connection.head()
    connection.take()
    connection.rest(5)
    await asyncio.sleep(0.05)
    assert not connection.late
    assert connection.fit
