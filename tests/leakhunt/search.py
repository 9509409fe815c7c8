"""Finds planted text in captured bytes, in any dress that a gateway could have put it in.

Independent of halfdoor: nothing here is imported from it. Bytes are peeled (chunked, gzip, zstd,
JSON, percent, base64, hex) up to four deep, and every peel is searched: as it is, in any case, and without
white space and unseen characters. What should be readable and is not is a finding of its own.
"""

import base64
import json
import re
import urllib.parse
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from tests.leakhunt import zstd

DEPTH: Final = 4
_RUN64: Final = re.compile(rb"[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]+)*")
_RUN16: Final = re.compile(rb"(?:[0-9A-Fa-f]{2}){8,}")
_ESCAPED: Final = re.compile(rb"\\(?:u00|x)([0-9A-Fa-f]{2})")
_GZIP: Final = b"\x1f\x8b\x08"
_ZLIB: Final = (b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_TERMINAL: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_UNSEEN: Final = re.compile(
    rb"[\s\0]+|\xc2\xad|\xe2\x80[\x8b-\x8d]|\xe2\x81\xa0|\xef\xbb\xbf|\\(?=[^ux])"
)
_OPENERS: Final = frozenset((b"{", b"[", b'"', b"\x1f", b"\x28"))
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_CHUNKED: Final = re.compile(
    rb"transfer-encoding: *chunked[^\n]*\r\n(?:[^\r\n]+\r\n)*\r\n", re.IGNORECASE
)


class Trace(NamedTuple):
    """needle: its name. how: the peels that led to it, outermost first; "" for plain sight."""

    needle: str
    how: str


class Finder:
    """Looks for some needles at once. needles: name -> bytes that must never be seen."""

    def __init__(self, needles: Mapping[str, bytes]) -> None:
        self._needles = {name: _folded(needle) for name, needle in needles.items()}
        self._aligned = {name: _aligned(needle) for name, needle in needles.items()}

    def find(self, data: bytes) -> list[Trace]:
        """Every needle that stands in the data, once, with the shortest way to it."""
        found: dict[str, str] = {}
        seen: set[bytes] = set()
        layer = [("", data)]
        for _ in range(DEPTH + 1):
            for how, form in layer:
                for name in self._in(form):
                    found.setdefault(name, how)
            layer = [
                (f"{how}>{way}" if how else way, inner)
                for how, form in layer
                for way, inner in peels(form)
                if inner not in seen and not seen.add(inner)  # type: ignore[func-returns-value]
            ]
        return [Trace(name, how) for name, how in found.items()]

    def _in(self, form: bytes) -> Iterator[str]:
        if form == UNREADABLE:
            yield "something unreadable"
        folded = _folded(form)
        for name, needle in self._needles.items():
            if needle in folded or any(part in form for part in self._aligned[name]):
                yield name


UNREADABLE: Final = b"\0what the finder could not read\0"


def _folded(data: bytes) -> bytes:
    """In one case, without what takes no room: text that was wrapped or coloured is found."""
    return _UNSEEN.sub(b"", _TERMINAL.sub(b"", data)).lower()


def _aligned(needle: bytes) -> list[bytes]:
    """The needle's middle in base64 at each of three alignments, in both alphabets."""
    found = []
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + needle)
        middle = whole[4:-4] if shift else whole[:-4]
        if len(middle) >= 8:
            found += [middle, middle.translate(bytes.maketrans(b"+/", b"-_"))]
    return found


def peels(data: bytes) -> Iterator[tuple[str, bytes]]:
    """(way, what it stands for) of everything in the data that stands for something else."""
    if b"chunked" in data or b"Chunked" in data:
        yield from (("chunked", body) for body in _dechunked(data))
    yield from (("gzip", inner) for inner in _inflated(data))
    yield from (("zstd", inner) for inner in _unstored(data))
    yield from (("json", text) for text in _texts(data))
    if b"\\" in data:
        yield "escapes", _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), data)
    if b"%" in data:
        yield "percent", urllib.parse.unquote_to_bytes(data.replace(b"+", b" "))
    yield from (("base64", inner) for inner in _decoded(data))
    hexed = [bytes.fromhex(run.decode()) for run in _RUN16.findall(data)]
    yield from (("hex", inner) for inner in _together(hexed))


def _dechunked(data: bytes) -> Iterator[bytes]:
    for head in _CHUNKED.finditer(data):
        at, body = head.end(), b""
        while line := re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*\r\n").match(data, at):
            size = int(line[1], 16)
            body += data[line.end() : line.end() + size]
            at = line.end() + size + 2
        yield body


def _inflated(data: bytes) -> Iterator[bytes]:
    for magic, window in ((_GZIP, 31), *((magic, 15) for magic in _ZLIB)):
        at = data.find(magic)
        while at >= 0:
            try:
                yield zlib.decompressobj(window).decompress(data[at:], 1 << 26)
            except zlib.error:
                if magic == _GZIP:
                    yield UNREADABLE
            at = data.find(magic, at + 1)


def _unstored(data: bytes) -> Iterator[bytes]:
    at = data.find(zstd.MAGIC)
    while at >= 0:
        try:
            yield zstd.unstored(data[at:])
        except (zstd.CompressedError, IndexError):
            yield UNREADABLE
        at = data.find(zstd.MAGIC, at + 1)


def _decoded(data: bytes) -> Iterator[bytes]:
    """All base64 runs, from each of their first four characters: what stands before may be no part."""
    for skip in range(4):
        parts = []
        for run in _RUN64.findall(data):
            plain = run.translate(_URL_SAFE, b"\r\n")[skip:]
            whole = plain[: len(plain) - (len(plain) % 4 == 1)]
            parts.append(base64.b64decode(whole + b"=" * (-len(whole) % 4)))
        yield from _together(parts)


def _together(parts: list[bytes]) -> Iterator[bytes]:
    """All parts as one text, and those alone that begin like a document of their own."""
    yield from (part for part in parts if part.lstrip()[:1] in _OPENERS)
    if parts:
        yield b"\n".join(parts)


def _texts(data: bytes) -> Iterator[bytes]:
    """Every string and key of each JSON document in the data, behind heads or without."""
    for part in data.split(b"\r\n\r\n") if b"HTTP/1.1" in data else (data,):
        if part.lstrip()[:1] not in _OPENERS:
            continue
        try:
            value, _ = json.JSONDecoder(object_pairs_hook=list, strict=False).raw_decode(
                part.decode("utf-8", "surrogateescape").lstrip()
            )
        except (ValueError, RecursionError):
            continue
        texts = [text.encode("utf-8", "surrogatepass") for text in _strings(value)]
        yield from _together(texts)
        # What a reader puts together: the texts of parts that stand side by side.
        yield b"".join(text.encode("utf-8", "surrogatepass") for text in _said(value))


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list | tuple):
            waiting.extend(reversed(item))


def _said(value: Any) -> Iterator[str]:
    """Values of `text` and `content`, in order. An object is a list of pairs here."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tuple) and item[0] in {"text", "content"} and isinstance(item[1], str):
            yield item[1]
        elif isinstance(item, list | tuple):
            waiting.extend(reversed(item))
