"""The finder finds: every dress is planted by hand, in what a gateway could have sent."""

import base64
import gzip
import json
import urllib.parse
import zlib

import pytest

from tests.leakhunt import zstd
from tests.leakhunt.search import Finder

KEY = "AKIA" + "Q3XRLNPD" + "7WJ2ZKTE"
FINDER = Finder({"key": KEY.encode()})
LINE = f"access = {KEY}\n"
HEAD = b"POST /v1/messages HTTP/1.1\r\nhost: cloud\r\ncontent-type: application/json\r\n\r\n"


def b64(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def body(text):
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode()


def escaped(text):
    return "".join(f"\\u{ord(c):04x}" for c in text)


def chunked(data, size):
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


SPLIT = [{"type": "text", "text": KEY[:9]}, {"type": "text", "text": KEY[9:]}]
PLANTED = {
    "in a request line": f"GET /v1/models?k={KEY} HTTP/1.1\r\n\r\n".encode(),
    "in a header": HEAD.replace(b"cloud", KEY.encode()),
    "in lower case": KEY.lower().encode(),
    "in a body": HEAD + body(LINE),
    "in half a body": (HEAD + body(LINE))[:-6],
    "in a second request of a connection": HEAD + body("hello") + HEAD + body(LINE),
    "in JSON escapes": HEAD + b'{"a":"' + escaped(KEY).encode() + b'"}',
    "in JSON escapes of a cut body": b'{"a":"' + escaped(KEY).encode(),
    "in JSON in JSON": HEAD + body(json.dumps({"b": json.dumps([LINE])})),
    "in JSON escapes in JSON": HEAD + body('{"a":"' + escaped(KEY) + '"}'),
    "in an object's key": HEAD + json.dumps({KEY: 1}).encode(),
    "under a key that stands twice": HEAD + b'{"a":"x","a":"' + KEY.encode() + b'"}',
    "in percent escapes": HEAD + body(urllib.parse.quote(KEY, safe="").replace("A", "%41")),
    "in a percent-escaped query": b"GET /?a=%41" + KEY[1:].encode() + b" HTTP/1.1\r\n\r\n",
    **{f"in base64 behind {n} bytes": HEAD + body(b64("x" * n + LINE)) for n in range(3)},
    "in base64 behind letters": HEAD + body("abc" + b64(LINE)),
    "in base64 for URLs": HEAD + body(base64.urlsafe_b64encode(b"\xfb\xff" + LINE.encode()).decode()),
    "in wrapped base64": HEAD + body(base64.encodebytes(b"x" * 70 + LINE.encode()).decode()),
    "in base64 in base64": HEAD + body(b64(b64(LINE))),
    "at the end of base64": HEAD + body(b64("a" * 76 + KEY) + "\n"),
    "in hex": HEAD + body(LINE.encode().hex()),
    "in upper-case hex": HEAD + body(LINE.encode().hex().upper()),
    "in hex in base64": HEAD + body(b64(LINE.encode().hex())),
    "in JSON in base64": HEAD + body(b64(json.dumps({"a": "\u00fc" + LINE}))),
    "in gzip": HEAD + gzip.compress(body(LINE)),
    "in gzip in base64": HEAD + body(b64(gzip.compress(LINE.encode()))),
    "in deflate": HEAD + zlib.compress(body(LINE)),
    "in zstd": HEAD + zstd.stored(body(LINE)),
    "in chunks": HEAD[:-2] + b"transfer-encoding: chunked\r\n\r\n" + chunked(body(LINE), 7),
    "over two lines": HEAD + body(KEY[:9] + "\n   " + KEY[9:]),
    "in colours": HEAD + body(f"\x1b[01;31m{KEY[:6]}\x1b[m{KEY[6:]}"),
    "with a joiner in it": HEAD + body(KEY[:5] + "\u200b" + KEY[5:]),
    "as UTF-16": HEAD + body("\0".join(KEY)),
    "over two parts": HEAD + json.dumps({"messages": [{"content": SPLIT}]}).encode(),
}  # fmt: skip


@pytest.mark.parametrize("how", PLANTED)
def test_a_key_that_left_is_found(how):
    assert [trace.needle for trace in FINDER.find(PLANTED[how])] == ["key"]


@pytest.mark.parametrize("how", PLANTED)
def test_what_is_no_key_is_not_found_in_the_same_dress(how):
    assert Finder({"other": b"AKIA" + b"R4YSMOQE" + b"8XK3ALUF"}).find(PLANTED[how]) == []


@pytest.mark.parametrize(
    "data", [b"\x1f\x8b\x08" + b"no gzip", zstd.MAGIC + b"\0\0\xff\xff\xff", zstd.MAGIC]
)
def test_what_cannot_be_read_is_not_passed_over(data):
    assert FINDER.find(HEAD + data) == [("something unreadable", FINDER.find(HEAD + data)[0].how)]


@pytest.mark.parametrize("size", [0, 1, 70_000, 300_000])
def test_a_stored_zstd_frame_is_read_back(size):
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert zstd.unstored(zstd.stored(data)) == data
