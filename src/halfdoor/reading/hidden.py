r"""Text that an encoding hides: base64, hex, percent and `\u00XX` runs inside other text.

Limits, stated: other encodings, compression and text cut into pieces are not seen through; of what
is mostly unprintable only its longer printable runs are read.
"""

import base64
import binascii
import re
import string
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

import re2

_BYTES: Final = re2.Options()
_BYTES.encoding = re2.Options.Encoding.LATIN1

# Lines that are wrapped base64 belong together.
_RUN: Final = re.compile(rb"[A-Za-z0-9+/_-]{24,}(?:\r?\n[A-Za-z0-9+/_-]{4,76})*={0,2}")
# How one begins, in data where every letter of a run is written as `a`: to look for that and match
# there takes half the time. Nothing behind the letters can fail to match, so no step is taken back.
_RUN_LETTERS: Final = string.ascii_letters.encode() + string.digits.encode() + b"+/_-"
_AS_RUN: Final = bytes(ord("a") if c in _RUN_LETTERS else ord(" ") for c in range(256))
_RUN_BEGUN: Final = b"a" * 24
_PIECE: Final = re2.compile(rb"[A-Za-z0-9+_-]{24,}", _BYTES)
_HEX: Final = re2.compile(rb"[0-9A-Fa-f]{32,}", _BYTES)
_PERCENT: Final = re2.compile(rb"%[0-9A-Fa-f]{2}", _BYTES)
_ESCAPE: Final = re2.compile(rb"\\(?:x|u00)([2-7][0-9A-Fa-f])", _BYTES)
# What colours, moves and links text in a terminal.
_TERMINAL: Final = re2.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[=>78cDEHMNOZ])",
    _BYTES,
)
# Takes no room on a screen: joiners, soft hyphens, marks of order. U+0000 stands between the
# letters of UTF-16 that was read as something else.
_UNSEEN: Final = ("\0", "\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
# What JSON and Markdown escape without need: `https:\/\/`, `ghp\_`.
_NEEDLESS: Final = re.compile(r"\\([/_])")
_EMBEDDED: Final = re2.compile(rb"[\t\x20-\x7e]{16,}", _BYTES)

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
    start = _start(data)
    sample = data[start : start + _SAMPLE_CHARS]
    if _unpacked(sample) is not None or any(_hex(sample)):  # text as base64, a dump of text as hex
        return False
    return not data[start:].translate(None, _ALPHABET) and _one_run(data[start:])


def may_be_dressed(text: str) -> bool:
    """False for a text that `bared` leaves alone, but for U+0000, which stands between texts."""
    return not text.isascii() or "\x1b" in text or "\\" in text


def _start(data: bytes) -> int:
    """Where the content of a data URL begins; 0 for all else."""
    found = data.find(b";base64,", 0, 200) if data.startswith(b"data:") else -1
    return found + 8 if found >= 0 else 0


def _one_run(data: bytes) -> bool:
    """All in one line, or in lines of one width as encoders wrap them: not words above base64."""
    *lines, last = data.rstrip(b"\r\n").split(b"\n")
    return not lines or {len(line) for line in lines} == {max(len(lines[0]), len(last))}


def bared(text: str) -> str:
    """The text without what is not seen: terminal sequences, joiners, needless escapes.

    "" when it has none of these.
    """
    found = text
    if "\x1b" in found:
        shown = _TERMINAL.sub(b"", found.encode("utf-8", "surrogatepass"))
        found = shown.decode("utf-8", "surrogatepass")
    for mark in _UNSEEN if "\0" in found or not found.isascii() else ():
        found = found.replace(mark, "")
    if _NEEDLESS.search(found):
        found = _NEEDLESS.sub(r"\1", found)
    return "" if found == text else found


def embedded(text: str) -> str:
    """The printable runs of what is base64 or hex from end to end: a tar, an image with remarks."""
    data = text.encode("ascii", "replace")
    start = _start(data)
    return "\n".join((_printable_runs(_decoded(data[start:])), *_hex(data[start:])))


def runs(text: str) -> Iterator[str]:
    """The readable texts that base64, hex, percent and escape runs in this text stand for."""
    data = text.encode("utf-8", "surrogatepass")
    for run in encoded(data):
        yield from _base64(run)
        yield from _hex(run)
    if b"%" in data:
        for line in _lines(data, _PERCENT):
            yield unquote(line.decode("utf-8", "replace"))
    if b"\\" in data:
        for line in _lines(data, _ESCAPE):
            yield _unescaped(line)


def encoded(data: bytes) -> Iterator[bytes]:
    """The runs of letters, wrapped or not, that may be base64 or hex: all matches of `_RUN`."""
    letters = data.translate(_AS_RUN)
    at = letters.find(_RUN_BEGUN)
    while at >= 0:
        run = _RUN.match(data, at)
        assert run is not None
        yield run.group()
        at = letters.find(_RUN_BEGUN, run.end())


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
        return
    if len(run) >= _BINARY_CHARS and (within := _printable_runs(_decoded(run))):
        yield within
    if b"/" in run or b"\n" in run:
        # A path, a URL or a wrapped line in front shifts the alignment: try the pieces.
        parts = (_text(piece) for piece in _PIECE.findall(run))
        yield from (part for part in parts if part is not None)


def _hex(run: bytes) -> Iterator[str]:
    for digits in _HEX.findall(run) if len(run) >= 32 else ():
        data = bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
        # A digit that stands before it shifts the pairs: both alignments are tried.
        shifted = bytes.fromhex(digits[1 : len(digits) - (len(digits) - 1) % 2].decode())
        texts = [text for text in map(_readable, (data, shifted)) if text is not None]
        if texts:
            yield from texts
        elif len(digits) >= _BINARY_CHARS and (within := _printable_runs(data)):
            yield within


def _text(run: bytes) -> str | None:
    """The text that a base64 run holds, None when it holds something else."""
    if len(run) > 4 * _SAMPLE_CHARS and _unpacked(run[:_SAMPLE_CHARS]) is None:
        return None
    return _unpacked(run)


def _unpacked(run: bytes) -> str | None:
    data = _decoded(run)
    return _readable(data) if data else None


def _decoded(run: bytes) -> bytes:
    """The bytes that a base64 run stands for, b"" when it stands for none."""
    run = run.translate(_URL_SAFE, b"\r\n=")
    run = run[: len(run) - 1] if len(run) % 4 == 1 else run
    try:
        return base64.b64decode(run + b"=" * (-len(run) % 4))
    except binascii.Error:
        return b""


def _printable_runs(data: bytes) -> str:
    return b"\n".join(_EMBEDDED.findall(data)).decode("ascii")


def _readable(data: bytes) -> str | None:
    if len(data) > 16 and b"\0" in data:  # UTF-16 of plain letters, maybe behind other text
        narrow = data.replace(b"\0", b"")
        data = narrow if len(narrow) * 5 >= len(data) * 2 else data
    unprintable = len(data.translate(None, _PRINTABLE))
    if unprintable * 3 <= len(data):
        return data.decode("utf-8", "replace")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if len(data.translate(None, _CONTROL)) * 3 >= len(data) * 2 else None
