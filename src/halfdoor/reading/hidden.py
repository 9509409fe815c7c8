r"""Text that an encoding hides: base64, hex, percent and `\u00XX` runs inside other text.

Limits, stated: other encodings, compression, text cut into pieces, and text among more than a
third of unprintable bytes are not seen through.
"""

import base64
import binascii
import string
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

import re2

_BYTES: Final = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1

# Lines that are wrapped base64 belong together.
_RUN: Final = re2.compile(rb"[A-Za-z0-9+/_-]{24,}(?:\r?\n[A-Za-z0-9+/_-]{4,76})*={0,2}", _BYTES)
_PIECE: Final = re2.compile(rb"[A-Za-z0-9+_-]{24,}", _BYTES)
_HEX: Final = re2.compile(rb"[0-9A-Fa-f]{32,}", _BYTES)
_PERCENT: Final = re2.compile(rb"%[0-9A-Fa-f]{2}", _BYTES)
_ESCAPE: Final = re2.compile(rb"\\(?:x|u00)([2-7][0-9A-Fa-f])", _BYTES)

_PRINTABLE: Final = bytes(range(0x20, 0x7F)) + b"\t\n\r"
_CONTROL: Final = bytes(range(0x20))
_SAMPLE_CHARS: Final = 1024
_BINARY_CHARS: Final = 512
_ALPHABET: Final = string.ascii_letters.encode() + string.digits.encode() + b"+/-_=\r\n"
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def is_binary(text: str) -> bool:
    """True for a long text that is base64 from end to end and not of text: an image, a document."""
    if len(text) < _BINARY_CHARS or " " in text[:_SAMPLE_CHARS] or not text.isascii():
        return False
    data = text.encode()
    start = data.find(b";base64,", 0, 200) + 8 if data.startswith(b"data:") else 0
    if _unpacked(data[start : start + _SAMPLE_CHARS]) is not None:
        return False
    return not data[start:].translate(None, _ALPHABET)


def runs(text: str) -> Iterator[str]:
    """The readable texts that base64, hex, percent and escape runs in this text stand for."""
    data = text.encode("utf-8", "surrogatepass")
    for run in _RUN.findall(data):
        yield from _base64(run)
        yield from _hex(run)
    if b"%" in data:
        for line in _lines(data, _PERCENT):
            yield unquote(line.decode("utf-8", "replace"))
    if b"\\" in data:
        for line in _lines(data, _ESCAPE):
            yield _unescaped(line)


def _lines(data: bytes, escape: re2._Regexp) -> Iterator[bytes]:
    """Each line that holds an escape, once."""
    found = escape.search(data)
    while found is not None:
        start = data.rfind(b"\n", 0, found.start()) + 1
        end = data.find(b"\n", found.end())
        yield data[start : end if end >= 0 else None]
        found = escape.search(data, end) if end >= 0 else None


def _unescaped(line: bytes) -> str:
    """A line with its escapes of printable characters undone."""
    parts = []
    at = 0
    for escape in _ESCAPE.finditer(line):
        parts += [line[at : escape.start()], bytes.fromhex(escape.group(1).decode())]
        at = escape.end()
    return b"".join([*parts, line[at:]]).decode("utf-8", "replace")


def _base64(run: bytes) -> Iterator[str]:
    if run.islower() or run.isupper():  # names; text in base64 mixes cases
        return
    whole = _text(run)
    if whole is not None:
        yield whole
    elif b"/" in run or b"\n" in run:
        # A path, a URL or a wrapped line in front shifts the alignment: try the pieces.
        parts = (_text(piece) for piece in _PIECE.findall(run))
        yield from (part for part in parts if part is not None)


def _hex(run: bytes) -> Iterator[str]:
    for digits in _HEX.findall(run) if len(run) >= 32 else ():
        text = _readable(bytes.fromhex(digits[: len(digits) // 2 * 2].decode()))
        if text is not None:
            yield text


def _text(run: bytes) -> str | None:
    """The text that a base64 run holds, None when it holds something else."""
    if len(run) > 4 * _SAMPLE_CHARS and _unpacked(run[:_SAMPLE_CHARS]) is None:
        return None
    return _unpacked(run)


def _unpacked(run: bytes) -> str | None:
    run = run.translate(_URL_SAFE, b"\r\n=")
    run = run[: len(run) - 1] if len(run) % 4 == 1 else run
    try:
        return _readable(base64.b64decode(run + b"=" * (-len(run) % 4)))
    except binascii.Error:
        return None


def _readable(data: bytes) -> str | None:
    if len(data) > 16 and data[1::2].count(0) == len(data) // 2:  # UTF-16 of plain letters
        data = data[::2]
    unprintable = len(data.translate(None, _PRINTABLE))
    if unprintable * 3 <= len(data):
        return data.decode("utf-8", "replace")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if len(data.translate(None, _CONTROL)) * 3 >= len(data) * 2 else None
