import asyncio
import gzip
import json
import zlib
from collections.abc import Callable

import pytest
from backports import zstd

from halfdoor.canon.record import Decided, Outcome
from halfdoor.errors import ClientError
from halfdoor.server.body import Limits
from halfdoor.server.unpacking import CODINGS, FREE_BYTES, RATIO, SLICE_BYTES, unpacked
from tests.helpers.house import AWS_KEY, messages_body
from tests.helpers.world import world
from tests.server.test_app import app, backends, post

PACK: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstd.compress,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}
LIMIT = 64 << 20


def said(coding):
    return [(b"content-encoding", coding.encode())]


def packed(coding, body=None):
    return PACK[coding](messages_body() if body is None else body)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("size", [0, 1, SLICE_BYTES - 1, SLICE_BYTES, SLICE_BYTES + 1, FREE_BYTES])
async def test_what_was_packed_comes_out(coding, size):
    body = bytes(size)
    assert await unpacked(coding, PACK[coding](body), LIMIT) == body


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_real_body_is_far_from_the_bound_on_ratio(coding):
    body = json.dumps([{"role": "user", "content": f"line {n} of a file"} for n in range(200_000)])
    assert len(body) > FREE_BYTES
    assert await unpacked(coding, PACK[coding](body.encode()), LIMIT) == body.encode()


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_bomb_is_refused_before_it_has_burst(coding, monkeypatch):
    bomb = PACK[coding](bytes(FREE_BYTES + SLICE_BYTES))
    assert len(bomb) * RATIO < FREE_BYTES + SLICE_BYTES
    with pytest.raises(ClientError, match=f"more than {FREE_BYTES} bytes") as raised:
        await unpacked(coding, bomb, LIMIT)
    assert raised.value.status == 413


@pytest.mark.parametrize("coding", CODINGS)
async def test_the_limit_of_a_body_holds_for_what_comes_out(coding):
    body = packed(coding, messages_body("a" * 2000))
    small = app(limits=Limits(body_bytes=1000))
    assert len(body) < 1000
    assert (await post(body, headers=said(coding), of=small)).status == 413


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("spoil", ["cut", "behind", "twice", "plain", "empty", "flipped"])
async def test_what_is_not_exactly_one_whole_frame_goes_nowhere(coding, spoil):
    whole = packed(coding)
    body = {
        "cut": whole[:-1],
        "behind": whole + b"{}",
        "twice": whole + whole,
        "plain": messages_body(),
        "empty": b"",
        "flipped": whole[:20] + bytes([whole[20] ^ 0xFF]) + whole[21:],
    }[spoil]
    rooms = world(**backends())
    client = await post(body, headers=said(coding), of=app(rooms.services))
    assert client.status == 400
    assert client.json["type"] == "error"
    assert rooms.log.entries == []


async def test_a_zstd_frame_that_asks_for_a_huge_window_is_refused():
    wide: dict[int, int] = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=wide)
    body = packer.compress(messages_body()) + packer.flush()
    with pytest.raises(ClientError, match="not one whole zstd frame"):
        await unpacked("zstd", body, LIMIT)


async def test_others_are_served_while_a_large_body_is_unpacked():
    turns = 0

    async def count():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(count())
    await unpacked("zstd", zstd.compress(bytes(FREE_BYTES)), LIMIT)
    other.cancel()
    assert turns >= FREE_BYTES // SLICE_BYTES - 1


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_packed_body_goes_on_plain_and_the_log_says_so(coding):
    there = backends()
    rooms = world(**there)
    body = messages_body()
    client = await post(packed(coding, body), headers=said(coding), of=app(rooms.services))
    assert client.status == 200
    decided, outcome = rooms.log.entries
    assert isinstance(decided, Decided)
    assert isinstance(outcome, Outcome)
    assert decided.edits[0] == outcome.attempts[0].edits[0] == "decoded"
    assert decided.body_bytes == len(body)


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_key_in_a_packed_body_stays_on_the_device(coding):
    client = await post(packed(coding, messages_body(AWS_KEY)), headers=said(coding))
    assert client.status == 200
    assert client.headers["x-halfdoor-zone"] == "device"
    assert client.headers["x-halfdoor-rule"] == "secret"


@pytest.mark.parametrize(
    "headers",
    [said("br"), said("gzip, zstd"), said("identity") + said("gzip"), said("gzip") + said("gzip")],
)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
async def test_a_coding_that_is_not_read_is_415_in_the_callers_shape(headers, path):
    client = await post(b"", headers=headers, path=path)
    assert client.status == 415
    assert client.headers["accept-encoding"] == "zstd, gzip, deflate"
    assert client.json["error"]["message"].startswith("halfdoor: this content-encoding")
    assert ("type" in client.json) == (path == "/v1/messages")


async def test_identity_and_no_name_are_plain():
    for coding in ("identity", "", " Identity "):
        assert (await post(headers=said(coding))).status == 200
