"""Whole bodies and frames that two readers could read in two ways: nothing of them may go anywhere."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.helpers.asks import DIALECTS, Ask
from tests.leakhunt import zstd
from tests.leakhunt.canaries import Canary
from tests.leakhunt.ground import ASKED, Ground, ask_for
from tests.leakhunt.places import users_text
from tests.leakhunt.planted import judge
from tests.leakhunt.search import Finder
from tests.leakhunt.tally import Leak, Tally

Dressed = tuple[bytes, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Dress:
    """make: the body and more headers, from a request and the body without and with the key."""

    name: str
    make: Callable[[bytes, bytes, Canary], Dressed]


def _coded(pack: Callable[[bytes], bytes], coding: str) -> Callable[..., Dressed]:
    return lambda _, keyed, __: (pack(keyed), {"content-encoding": coding} if coding else {})


def _every_letter(_: bytes, keyed: bytes, canary: Canary) -> Dressed:
    written = json.dumps(canary.text)[1:-1].encode()
    escaped = "".join(f"\\u{ord(c):04x}" for c in canary.text).encode()
    return keyed.replace(written, escaped), {}


def _twice(first: bool) -> Callable[[bytes, bytes, Canary], Dressed]:
    """The messages stand twice: a reader takes the first or the last of them."""

    def make(plain: bytes, keyed: bytes, _: Canary) -> Dressed:
        one, other = (keyed, plain) if first else (plain, keyed)
        return one[:-1] + b"," + other[1:], {}

    return make


def _deep_twice(_: bytes, keyed: bytes, canary: Canary) -> Dressed:
    twice = b'{"a":"x","\\u0061":' + json.dumps(canary.text).encode() + b"}"
    return keyed[:-1] + b',"x_deep":[[' + twice + b"]]}", {}


def _behind(plain: bytes, keyed: bytes, _: Canary) -> Dressed:
    return plain + keyed, {}


def _in_chunks(_: bytes, keyed: bytes, __: Canary) -> Dressed:
    pieces = (keyed[at : at + 7] for at in range(0, len(keyed), 7))
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return body + b"0\r\n\r\n", {"transfer-encoding": "chunked"}


DRESSES: Final = (
    Dress("gzip", _coded(gzip.compress, "gzip")),
    Dress("gzip, not said", _coded(gzip.compress, "")),
    Dress("gzip, said as identity", _coded(gzip.compress, "identity")),
    Dress("deflate", _coded(zlib.compress, "deflate")),
    Dress("zstd", _coded(zstd.stored, "zstd")),
    Dress("zstd, not said", _coded(zstd.stored, "")),
    Dress("plain, said as gzip", _coded(bytes, "gzip")),
    Dress("plain, said as br", _coded(bytes, "br")),
    Dress("gzip in gzip", _coded(lambda b: gzip.compress(gzip.compress(b)), "gzip, gzip")),
    Dress("every letter escaped", _every_letter),
    Dress("key twice, first", _twice(first=True)),
    Dress("key twice, last", _twice(first=False)),
    Dress("key twice, deep down", _deep_twice),
    Dress("a second document behind", _behind),
    Dress("in chunks", _in_chunks),
    Dress("byte-order mark", _coded(lambda b: b"\xef\xbb\xbf" + b, "")),
    Dress("UTF-16", _coded(lambda b: b.decode().encode("utf-16"), "")),
)


def cases(planted: tuple[Canary, ...]) -> Iterator[tuple[Canary, Dress, str, bool]]:
    """Every dress in both dialects and forms; the forms of keys take turns."""
    number = 0
    for dress in DRESSES:
        for dialect in DIALECTS:
            for stream in (False, True):
                number += 1
                yield planted[number % len(planted)], dress, dialect, stream


async def hunt(ground: Ground, planted: tuple[Canary, ...], tally: Tally) -> None:
    """A control, a dressed body, a control …; then a last control."""
    finder = Finder({canary.name: canary.needle for canary in planted})
    ground.cloud.take()
    for canary, dress, dialect, stream in cases(planted):
        await plain(ground, dialect, finder, tally)
        await _dressed(ground, canary, dress, ask_for(dialect, ASKED[dialect], stream=stream),
                       finder, tally)  # fmt: skip
    await plain(ground, "openai_chat", finder, tally)


async def _dressed(
    ground: Ground, canary: Canary, dress: Dress, ask: Ask, finder: Finder, tally: Tally
) -> None:
    case = f"{canary.name} in a body as {dress.name}: {ask.dialect}"
    bare = json.dumps(ask.body).encode()
    users_text(ask, canary.text)
    body, headers = dress.make(bare, json.dumps(ask.body).encode(), canary)
    if not finder.find(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + body) and not (
        finder.find(b"POST / HTTP/1.1\r\n\r\n" + body)
    ):
        tally.unplanted.append(case)
    length = {} if "transfer-encoding" in headers else {"content-length": str(len(body))}
    fields = {"host": "127.0.0.1", "content-type": "application/json", **length, **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"POST {DIALECTS[ask.dialect]} HTTP/1.1\r\n{lines}\r\n".encode()
    await ground.client.send(head + body)
    judge(ground, case, finder, tally)
    tally.tried["key", "body", dress.name, ask.dialect] += 1


async def plain(ground: Ground, dialect: str, finder: Finder, tally: Tally) -> None:
    """A harmless request that must reach the cloud."""
    answer = await ground.send(ask_for(dialect, ASKED[dialect], stream=False))
    came = ground.cloud.take()
    tally.controls += 1
    tally.bytes_searched += len(came)
    if answer.zone != "cloud" or not came:
        tally.held.append(f"a plain request in {dialect}: {answer.status} {answer.body[:200]!r}")
    if finder.find(came):
        tally.leaks.append(Leak("a plain request", "a canary of another request"))
