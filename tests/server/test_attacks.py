"""What an attacker would try on a running gateway, byte by byte; each of these held, or was mended."""

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from tests.helpers.fake_model import FakeModel
from tests.helpers.gateway import backend, gateway, model
from tests.helpers.house import AWS_KEY
from tests.helpers.raw_server import closes_after, raw_server

pytestmark = pytest.mark.usefixtures("loopback")

PROMPT = "the ledger of the moon base is kept in blue"
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


@pytest.fixture(scope="module")
def cloud_server():
    with FakeModel(open_fields=True) as fake:
        yield fake


@pytest.fixture(scope="module")
def device_server():
    with FakeModel(open_fields=True) as fake:
        yield fake


@pytest.fixture(scope="module")
def door(cloud_server, device_server):
    with gateway(
        backends=[
            backend("cloud-chat", cloud_server, "openai_chat", "cloud"),
            backend("cloud-msg", cloud_server, "anthropic_messages", "cloud"),
            backend("here", device_server, "openai_chat"),
        ],
        models=[
            model("big-chat", "cloud-chat", "big"),
            model("big-messages", "cloud-msg", "big"),
            model("small", "here", "small"),
            model("any-here", "here", "*"),
        ],
        names=[{"match": "ollama/*", "choose": ["any-here"]}],
        rules=[{"label": "path:payments/**", "ceiling": "device"}],
    ) as started:
        yield started


@pytest.fixture
def cloud(cloud_server):
    cloud_server.reset()
    return cloud_server


@pytest.fixture
def device(device_server):
    device_server.reset()
    return device_server


def said(text, asked="auto", **more):
    body = {"model": asked, "max_tokens": 64, "messages": [{"role": "user", "content": text}]}
    return json.dumps(body | more).encode()


def request(body, path=CHAT, *, method="POST", host="127.0.0.1", extra="", length=True):
    head = f"{method} {path} HTTP/1.1\r\n" + (f"host: {host}\r\n" if host is not None else "")
    head += "content-type: application/json\r\nconnection: close\r\n" + extra
    head += f"content-length: {len(body)}\r\n" if length else ""
    return (head + "\r\n").encode("latin-1") + body


async def sent(door, *pieces):
    """Status and the whole answer; the pieces go out one by one."""
    host, _, port = door.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))  # noqa: TID251  a test's own wire
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(5):
            answer = await reader.read()
    except ConnectionResetError:
        answer = b"HTTP/1.1 000 reset"
    finally:
        writer.close()
    return int(answer.split(b" ", 2)[1]), answer


def chunked(body, size):
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return (
        b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nx: y\r\n\r\n"
    )


# --- The frame around a body. ---

HELLO = said("hello")
FRAMES = {
    "both lengths": request(HELLO, extra="transfer-encoding: chunked\r\n"),
    "two lengths": request(HELLO, extra="content-length: 3\r\n"),
    "a signed length": request(HELLO, extra=f"content-length: +{len(HELLO)}\r\n", length=False),
    "a short length": request(HELLO, extra="content-length: 5\r\n", length=False),
    "an unknown coding": request(HELLO, extra="transfer-encoding: xchunked\r\n", length=False),
    "a folded header": request(HELLO, extra="x-a: b\r\n c\r\n"),
    "a space before a colon": request(HELLO, extra="x-a : b\r\n"),
    "a NUL in a header": request(HELLO, extra="x-session-id: a\0b\r\n"),
    "a CR in a header": request(HELLO, extra="x-session-id: a\rx-halfdoor-zone: device\r\n"),
    "gzip, said twice": request(
        HELLO, extra="content-encoding: identity\r\ncontent-encoding: gzip\r\n"
    ),
    "gzip, not said": request(gzip.compress(HELLO)),
}


@pytest.mark.parametrize("how", FRAMES)
async def test_a_frame_that_two_readers_could_read_in_two_ways_goes_nowhere(
    door, cloud, device, how
):
    status, _ = await sent(door, FRAMES[how])
    assert status in {400, 415}
    assert not cloud.seen
    assert not device.seen


@pytest.mark.parametrize("size", [1, 7])
async def test_a_key_cut_into_chunks_stays_on_the_device(door, cloud, device, size):
    head = request(b"", extra="transfer-encoding: chunked\r\n", length=False)
    status, _ = await sent(door, head, chunked(said(f"use {AWS_KEY}"), size))
    assert (status, cloud.seen, len(device.seen)) == (200, [], 1)


@pytest.mark.parametrize(
    "path", ["//v1/messages", "/v1/messages/", "/V1/Messages", "/v1/../v1/messages", "*", "/%ff",
             "/v1/messages%2f", "/v1/messages;a", "/v1/chat/completions%00"],
)  # fmt: skip
async def test_a_path_that_only_looks_like_ours_is_none(door, cloud, device, path):
    status, _ = await sent(door, request(said("hello", "big-messages"), path))
    assert (status, cloud.seen, device.seen) == (404, [], [])


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"]
)
async def test_only_post_asks_a_model(door, cloud, device, method):
    status, _ = await sent(door, request(HELLO, method=method))
    assert (status, cloud.seen, device.seen) == (405, [], [])


@pytest.mark.parametrize(
    "host", [None, "evil.example", "127.0.0.1.nip.io", "127.0.0.1:80@evil.example", "0.0.0.0",
             "[::1].evil.example", "localhost.evil.example", "evil.example,127.0.0.1"],
)  # fmt: skip
async def test_a_name_that_was_made_to_lead_here_is_not_answered(door, cloud, device, host):
    status, _ = await sent(door, request(HELLO, host=host))
    assert (status, cloud.seen, device.seen) == (400, [], [])


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3000", ""])
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
async def test_a_web_page_is_refused_and_told_nothing_that_lets_it_ask_again(
    door, cloud, device, origin, method
):
    extra = f"origin: {origin}\r\naccess-control-request-private-network: true\r\n"
    status, answer = await sent(door, request(HELLO, method=method, extra=extra))
    assert (status, cloud.seen, device.seen) == (403, [], [])
    assert b"access-control" not in answer.lower()


# --- What stands in a body. ---

TURN = b'{"model":"auto","max_tokens":9,"messages":[{"role":"user","content":'
BODIES = {
    "two models": b'{"model":"small","mod\\u0065l":"big-chat","messages":[]}',
    "a content twice": TURN + b'"a","content":"%s"}]}' % AWS_KEY.encode(),
    "a key twice, deep down": TURN
    + b'"a"}],"x":[[{"a":{"b":1,"\\u0062":"%s"}}]]}' % AWS_KEY.encode(),
    "overlong UTF-8": TURN + b'"\xc1\x81KIA%s"}]}' % AWS_KEY[4:].encode(),
    "a surrogate in UTF-8": TURN + b'"\xed\xa0\x80"}]}',
    "a lone surrogate": TURN + b'"\\ud800"}]}',
    "a byte-order mark": b"\xef\xbb\xbf" + HELLO,
    "UTF-16": HELLO.decode().encode("utf-16"),
    "something behind": HELLO + b"{}",
    "no number": TURN + b'"a"}],"temperature":NaN}',
    "an endless number": TURN + b'"a"}],"temperature":' + b"9" * 6000 + b"}",
    "a deep nest": TURN + b'"a"}],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a control character": TURN + b'"a\x01b"}]}',
}


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("how", BODIES)
async def test_a_body_that_two_readers_could_read_in_two_ways_goes_nowhere(
    door, cloud, device, how, path
):
    status, answer = await sent(door, request(BODIES[how], path))
    assert (status, cloud.seen, device.seen) == (400, [], [])
    assert AWS_KEY.encode() not in answer


DISGUISES = {
    "coloured": f"grep: \x1b[01;31m\x1b[K{AWS_KEY}\x1b[m\x1b[K",
    "UTF-16": "\0".join(AWS_KEY),
    "zero width": AWS_KEY[:8] + "\u200b" + AWS_KEY[8:],
    "a rule behind it": AWS_KEY + "-" * 20,
    "percent": "".join(f"%{ord(c):02x}" for c in AWS_KEY),
    "half escaped": "text first {\\u0041KIA" + AWS_KEY[4:],
    "in a file name": f"/tmp/{AWS_KEY}.txt",
    "behind a lone surrogate, in JSON": json.dumps({"a": "\ud800" + AWS_KEY}),
    "deep in JSON": "[" * 300 + json.dumps(AWS_KEY) + "]" * 300,
}


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("how", DISGUISES)
async def test_a_key_in_a_disguise_that_tools_write_stays_on_the_device(
    door, cloud, device, how, path
):
    status, _ = await sent(door, request(said(DISGUISES[how]), path))
    assert (status, cloud.seen, len(device.seen)) == (200, [], 1)


PASSED_ON = {
    CHAT: ("user-agent", "idempotency-key", "x-session-id", "openai-organization", "x-stainless-os"),
    MESSAGES: ("user-agent", "anthropic-beta", "anthropic-any", "x-claude-code-session-id", "x-app"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "name"), [(p, name) for p in PASSED_ON for name in PASSED_ON[p]])
async def test_a_key_in_a_header_that_goes_further_stays_on_the_device(
    door, cloud, device, path, name
):
    await sent(door, request(HELLO, path, extra=f"{name}: of {AWS_KEY}\r\n"))
    assert not cloud.seen
    await sent(door, request(HELLO, path, extra=f"{name}-{AWS_KEY}: 1\r\n"))
    assert not cloud.seen


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_a_query_is_scanned_and_never_goes_further(door, cloud, device, path):
    await sent(door, request(HELLO, f"{path}?note=%41KIA{AWS_KEY[4:]}"))
    assert not cloud.seen
    await sent(door, request(HELLO, f"{path}?note=harmless"))
    assert [seen.target.partition("?")[1] for seen in cloud.seen] == [""]


@pytest.mark.parametrize("asked", ["a\r\nx-halfdoor-zone: cloud", "*", "[a-z]*", "big-chat\0", ""])
async def test_a_models_name_writes_no_header_and_matches_no_other_model(
    door, cloud, device, asked
):
    status, answer = await sent(door, request(said("hello", asked)))
    assert (status, cloud.seen, device.seen) == (400, [], [])
    assert b"x-halfdoor-zone" not in answer.partition(b"\r\n\r\n")[0]


async def test_a_local_engine_is_not_asked_to_send_a_key_to_its_own_cloud(door, cloud, device):
    status, answer = await sent(door, request(said(AWS_KEY, "ollama/gpt-oss:120b-cloud")))
    assert (status, device.seen) == (400, [])
    assert b"rule `secret`" in answer
    status, _ = await sent(door, request(said(AWS_KEY, "ollama/gpt-oss:20b")))
    assert (status, len(device.seen)) == (200, 1)


# --- Files under a rule. ---

READS = {
    "a pattern": ("Bash", {"command": "cat pay*ts/ledger.py"}),
    "alternatives": ("Bash", {"command": "cat {payments,docs}/ledger.py"}),
    "code": ("Bash", {"command": "python -c \"print(open('payments/ledger.py').read())\""}),
    "a variable": ("Bash", {"command": "D=payments; cat $D/ledger.py"}),
    "escapes": ("Bash", {"command": r"cat p\ay\ments/ledger.py"}),
    "another way round": ("Read", {"file_path": "/w/docs/../PAYMENTS//ledger.py"}),
    "Windows": ("Read", {"file_path": r"C:\w\payments\ledger.py"}),
}


@pytest.mark.parametrize("how", READS)
async def test_a_ruled_file_read_in_a_roundabout_way_stays_on_the_device(door, cloud, device, how):
    name, arguments = READS[how]
    call = {"name": name, "arguments": json.dumps(arguments)}
    turns = [
        {"role": "user", "content": "look"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": call}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "def total(): ..."},
    ]
    status, _ = await sent(door, request(said("", messages=turns)))
    assert (status, cloud.seen, len(device.seen)) == (200, [], 1)


@pytest.mark.parametrize(
    "text",
    [
        "payments/ledger.py:def total(): ...",
        'Called the Read tool with the following input: {"file_path":"/w/payments/ledger.py"}',
        "payments/ledger.py\n```python\ndef total(): ...\n```",
    ],
)
async def test_a_ruled_file_that_a_tool_put_into_a_message_stays_on_the_device(
    door, cloud, device, text
):
    status, _ = await sent(door, request(said(text)))
    assert (status, cloud.seen, len(device.seen)) == (200, [], 1)


# --- What a model's server may try. ---

ANSWER = b'{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
ANSWER += b'"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n" % len(ANSWER)
HOSTILE = {
    "headers of its own": OK + b"x-halfdoor-zone: device\r\nset-cookie: a=b\r\n"
    b"access-control-allow-origin: *\r\n\r\n" + ANSWER,
    "a CR in a header": OK + b"x-ratelimit-a: b\rset-cookie: a=b\r\n\r\n" + ANSWER,
    "a LF in a header": OK + b"x-ratelimit-a: b\nset-cookie: a=b\r\n\r\n" + ANSWER,
    "a header of a megabyte": OK + b"x-ratelimit-a: " + b"a" * 2**20 + b"\r\n\r\n" + ANSWER,
    "ten thousand headers": OK + b"x-ratelimit-a: b\r\n" * 10_000 + b"\r\n" + ANSWER,
    "no content": b"HTTP/1.1 204 No\r\n\r\n",
    "early hints": b"HTTP/1.1 103 Early\r\nset-cookie: a=b\r\n\r\n" + OK + b"\r\n" + ANSWER,
    "another protocol": b"HTTP/1.1 101 Go\r\nupgrade: x\r\nset-cookie: a=b\r\n\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: gzip\r\n\r\n"
    + gzip.compress(ANSWER),
    "the request, in an error": b"HTTP/1.1 400 No\r\n\r\n" + PROMPT.encode(),
}


@pytest.mark.parametrize("how", HOSTILE)
async def test_a_hostile_answer_writes_no_header_and_nothing_is_kept_of_it(how):
    async with raw_server(closes_after(HOSTILE[how])) as server:
        far = {"name": "far", "dialect": "openai_chat", "url": f"{server.url}/v1", "zone": "cloud"}
        async with gateway(backends=[far], models=[model("big", "far", "big")]) as door:
            status, answer = await sent(door, request(said(PROMPT)))
            head = answer.partition(b"\r\n\r\n")[0].lower()
            kept = [path.read_bytes() for path in await asyncio.to_thread(files, door.state)]
    assert status in {200, 400, 502}
    assert head.count(b"x-halfdoor-zone: cloud") == 1
    for ours in (b"x-halfdoor-zone: device", b"set-cookie", b"access-control", b"content-encoding"):
        assert ours not in head
    assert all(PROMPT.encode() not in content for content in kept)


def files(folder):
    return sorted(path for path in Path(folder).rglob("*") if path.is_file())


async def test_no_file_holds_a_prompt_or_a_key_and_only_their_owner_reads_them(door, cloud, device):
    await sent(door, request(said(f"{PROMPT} {AWS_KEY}"), extra=f"x-session-id: {PROMPT}\r\n"))
    await sent(door, request(said(f"{PROMPT} {AWS_KEY}", "big-chat")))
    await sent(door, request(said(PROMPT, f"no-such-{AWS_KEY}")))
    kept = await asyncio.to_thread(files, door.state)
    assert {path.name for path in kept} >= {"log.db", "log.key", "mac.key", "patterns.bin"}
    for path in kept:
        assert path.stat().st_mode & 0o077 == 0, path.name
        content = path.read_bytes()
        assert AWS_KEY.encode() not in content, path.name
        assert PROMPT.encode() not in content, path.name
