"""What every `Backend` must do, the real one and the shipped fake alike."""

import asyncio
import json
import socket

import pytest

from halfdoor.backends.credentials import Credentials
from halfdoor.backends.http import HttpBackend
from halfdoor.backends.scripted import ScriptedBackend, Turn
from halfdoor.canon.commands import FaultKind, Outbound
from halfdoor.canon.decision import Permit, Target
from halfdoor.canon.labels import Zone
from halfdoor.config.tables.backends import Timeouts
from halfdoor.dialects.openai_chat import OpenAIChat
from halfdoor.errors import BackendError
from halfdoor.record.permits import seal
from tests.helpers.raw_server import raw_server

KEY = b"a seal key of thirty-two bytes.."
TARGET = Target("qwen", "backend", "qwen3", Zone.DEVICE, "openai_chat", "ollama")
ANSWER = b'{"id":"x","object":"chat.completion","choices":[]}'
BODY = json.dumps({"model": "qwen3", "messages": [{"role": "user", "content": "hello"}]}).encode()
OUTBOUND = Outbound("chat/completions", (("content-type", "application/json"),), BODY, stream=False)
TIMES = Timeouts(connect_s=1, first_byte_s=0.2, idle_s=0.2)


def permit(*names, widest=Zone.DEVICE, key=KEY):
    targets = tuple((name, widest) for name in names)
    return Permit("hd_1", targets, 7, seal(key, "hd_1", targets, 7))


class Scripted:
    """The shipped fake."""

    def __init__(self, turn):
        self.backend = ScriptedBackend("backend", OpenAIChat(), Zone.DEVICE, KEY, [turn])

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.backend.close()

    def received(self):
        return [outbound.body for outbound in self.backend.calls]

    async def arrived(self):
        await asyncio.sleep(0)
        assert self.received()

    async def abandoned(self):
        assert self.backend.cancelled == 1


class Http:
    """The real one, towards a server that plays the same turn."""

    def __init__(self, turn):
        self.turn = turn
        self.context = raw_server(self.play)

    async def __aenter__(self):
        self.server = await self.context.__aenter__()
        url = self.server.url
        if self.turn.fails is FaultKind.CONNECT:
            with socket.create_server(("127.0.0.1", 0)) as free:
                url = f"http://127.0.0.1:{free.getsockname()[1]}"
        credentials = Credentials("backend", lambda key: (("authorization", key),))
        self.backend = HttpBackend("backend", url, Zone.DEVICE, credentials, KEY, timeouts=TIMES)
        return self

    async def __aexit__(self, *error):
        await self.backend.close()
        await self.context.__aexit__(*error)

    async def play(self, reader, writer):
        turn = self.turn
        if turn.delay_s or turn.fails is FaultKind.TIMEOUT:
            return await self.server.until_hung_up(reader)
        if turn.fails is FaultKind.CUT:
            return writer.close()
        body = turn.raw or turn.body
        head = f"HTTP/1.1 {turn.status} Said\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body[: turn.breaks_after])
        await writer.drain()
        if turn.breaks_after is not None:
            if turn.breaks is None:
                await self.server.until_hung_up(reader)
            writer.close()
        return None

    def received(self):
        return [got.body for got in self.server.requests]

    async def arrived(self):
        await self.server.arrived.wait()

    async def abandoned(self):
        async with asyncio.timeout(1):
            await self.server.hung_up.wait()


@pytest.fixture(params=[Scripted, Http], ids=["scripted", "http"])
def play(request):
    return request.param


async def whole(incoming):
    return b"".join([chunk async for chunk in incoming.chunks()])


async def test_a_permitted_call_is_answered_and_its_bytes_are_counted(play):
    async with play(Turn(raw=ANSWER)) as at:
        async with at.backend.call(TARGET, OUTBOUND, permit("qwen"), "") as incoming:
            assert incoming.status == 200
            assert incoming.sent_bytes == len(BODY)
            assert await whole(incoming) == ANSWER
        assert at.received() == [BODY]


@pytest.mark.parametrize(
    "unfit",
    [
        permit(),
        permit("other"),
        permit("qwen", key=b"somebody else's key, 32 bytes.. "),
        Permit("hd_2", permit("qwen").targets, 7, permit("qwen").seal),
    ],
    ids=["no targets", "another target", "forged", "another exchange"],
)
async def test_without_a_permit_nothing_leaves(play, unfit):
    async with play(Turn(raw=ANSWER)) as at:
        call = at.backend.call(TARGET, OUTBOUND, unfit, "")
        with pytest.raises(BackendError) as caught:
            await call.__aenter__()
        assert caught.value.kind == "zone"
        assert call.sent_bytes == 0
        assert at.received() == []


async def test_a_target_found_in_a_wider_zone_than_permitted_is_not_called(play):
    wider = Target("qwen", "backend", "qwen3", Zone.CLOUD, "openai_chat", "ollama")
    async with play(Turn(raw=ANSWER)) as at:
        with pytest.raises(BackendError, match="zone `cloud`"):
            await at.backend.call(wider, OUTBOUND, permit("qwen"), "").__aenter__()
        assert at.received() == []


async def test_a_backend_found_in_a_wider_zone_than_permitted_is_not_called(play):
    async with play(Turn(raw=ANSWER)) as at:
        at.backend.zone = Zone.NETWORK
        with pytest.raises(BackendError) as caught:
            await at.backend.call(TARGET, OUTBOUND, permit("qwen"), "").__aenter__()
        assert caught.value.kind == "zone"


@pytest.mark.parametrize(
    ("kind", "sent"),
    [(FaultKind.CONNECT, 0), (FaultKind.TIMEOUT, len(BODY)), (FaultKind.CUT, len(BODY))],
)
async def test_a_failure_before_the_status_line_has_a_kind_and_a_true_count(play, kind, sent):
    async with play(Turn(fails=kind)) as at:
        call = at.backend.call(TARGET, OUTBOUND, permit("qwen"), "")
        with pytest.raises(BackendError) as caught:
            await call.__aenter__()
        assert caught.value.kind == kind
        assert call.sent_bytes == sent


async def test_an_error_of_the_backends_own_is_an_answer(play):
    said = b'{"error":"slow down"}'
    async with (
        play(Turn(status=429, body=said)) as at,
        at.backend.call(TARGET, OUTBOUND, permit("qwen"), "") as incoming,
    ):
        assert incoming.status == 429
        assert await whole(incoming) == said


async def test_a_cut_answer_gives_what_came_and_then_the_fault(play):
    got = b""
    async with (
        play(Turn(raw=ANSWER, breaks_after=10)) as at,
        at.backend.call(TARGET, OUTBOUND, permit("qwen"), "") as incoming,
    ):
        with pytest.raises(BackendError) as caught:
            async for chunk in incoming.chunks():
                got += chunk
        assert got == ANSWER[:10]
        assert caught.value.kind == "cut"


async def test_leaving_early_cancels_the_backend_within_a_second(play):
    async with play(Turn(raw=ANSWER, breaks_after=10, breaks=None)) as at:
        async with at.backend.call(TARGET, OUTBOUND, permit("qwen"), "") as incoming:
            assert await anext(incoming.chunks()) == ANSWER[:10]
        await at.abandoned()


async def test_cancelling_before_the_status_line_cancels_the_backend_within_a_second(play):
    async with play(Turn(raw=ANSWER, delay_s=3600)) as at:
        call = at.backend.call(TARGET, OUTBOUND, permit("qwen"), "")
        entering = asyncio.create_task(call.__aenter__())
        await at.arrived()
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        await at.abandoned()
        assert call.sent_bytes == len(BODY)


async def test_a_call_that_is_never_entered_never_happens(play):
    async with play(Turn(raw=ANSWER)) as at:
        at.backend.call(TARGET, OUTBOUND, permit("qwen"), "")
        await asyncio.sleep(0)
        assert at.received() == []
