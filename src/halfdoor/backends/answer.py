"""One connection's answers, one after another: bytes in, facts out. No sockets, no clock."""

from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from halfdoor.backends.faults import WireError
from halfdoor.canon.commands import FaultKind, Headers

# Of a status line and headers, with those of interim answers (1xx) before them.
HEAD_BYTES: Final = 64 * 1024
HEADERS: Final = 200
# Between two pieces of a body, or after the last: sizes of chunks, extensions, trailers.
BETWEEN_BYTES: Final = 64 * 1024

_VERSIONS: Final = frozenset({"1.0", "1.1"})
_BODILESS: Final = frozenset({101, 204, 304})


class AnswerReader:
    """Reads what one server sends.

    status: 0 until the last head is whole. body: pieces not yet taken. held: their bytes.
    whole: its end came. keeps: another may follow it.
    """

    __slots__ = (
        "_between",
        "_codings",
        "_head_left",
        "_headers",
        "_parser",
        "_pieces",
        "_sized",
        "_until_end",
        "body",
        "held",
        "keeps",
        "on_body",
        "status",
        "whole",
    )

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append  # one call for each chunk of a stream: no frame of ours
        self.body: list[bytes] = []
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self.expect()

    def expect(self) -> None:
        """A request goes out: what comes from now on is its answer."""
        self.status = 0
        self.body.clear()
        self.held = 0
        self.whole = self.keeps = False
        self._head_left = HEAD_BYTES
        self._between = 0
        self._fresh_head()

    def release(self) -> None:
        """Nothing more will come: the parser and this object no longer hold one another."""
        self._parser = None

    @property
    def headers(self) -> Headers:
        """As `canon` has them: lower-case names, every byte kept, no trailers; () before status."""
        return tuple(self._headers) if self.status else ()

    def feed(self, data: bytes) -> None:
        """Take bytes as they come. Raises WireError, kind `protocol`; then read no more."""
        try:
            if self.status:
                self._feed_body(data)
            else:
                self._feed_head(data)
        except (HttpParserError, HttpParserUpgrade):
            # Whatever follows a whole answer costs its connection, not the answer.
            self.keeps = False
            if not self.whole:
                raise WireError(FaultKind.PROTOCOL) from None

    def eof(self) -> None:
        """The server will send no more. Raises WireError, kind `cut`, if the answer lacks its end.

        Only a body without a length ends so, as HTTP/1.0 and `connection: close` allow.
        """
        self.keeps = False
        if self.whole:
            return
        if not self.status or not self._until_end:
            raise WireError(FaultKind.CUT)
        self.whole = True

    def take(self) -> bytes:
        """The body's bytes so far that nobody has taken; b"" when there are none."""
        pieces = self.body
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self.held = 0
        return data

    def _feed_head(self, data: bytes) -> None:
        """INVARIANT: a head that is not whole after `HEAD_BYTES` is refused, however it is cut."""
        if len(data) > self._head_left:
            self._parse(data[: self._head_left])
            if not self.status:
                raise HttpParserError
            data = data[self._head_left :]
        self._head_left -= len(data)
        self._parse(data)

    def _feed_body(self, data: bytes) -> None:
        """INVARIANT: what is no body is bounded, too: the parser would collect endless trailers."""
        held = self.held
        self._parse(data)
        self._between = 0 if self.held > held else self._between + len(data)
        if self._between > BETWEEN_BYTES:
            raise HttpParserError

    def _parse(self, data: bytes) -> None:
        assert self._parser is not None
        pieces = self._pieces
        try:
            self._parser.feed_data(data)
        finally:
            if pieces:
                self.body.append(pieces[0] if len(pieces) == 1 else b"".join(pieces))
                self.held += len(self.body[-1])
                pieces.clear()

    def _fresh_head(self) -> None:
        self._headers: list[tuple[str, str]] = []
        self._codings: list[str] = []
        self._sized = self._until_end = False

    # --- what the parser calls; an exception here comes up as its HttpParserCallbackError ---

    def on_message_begin(self) -> None:
        """An answer that nobody asked for is no answer."""
        if self.whole:
            raise WireError(FaultKind.PROTOCOL)

    def on_header(self, raw: bytes, value: bytes) -> None:
        """One header, or a trailer, which is dropped."""
        if self.status:
            return
        name = raw.decode("latin-1").lower()
        # The parser leaves the white space behind a value, which is no part of it.
        self._headers.append((name, value.decode("latin-1").rstrip(" \t")))
        if name == "content-length":
            self._sized = True
        elif name == "transfer-encoding":
            self._codings.append(self._headers[-1][1].lower())
        if len(self._headers) > HEADERS:
            raise WireError(FaultKind.PROTOCOL)

    def on_headers_complete(self) -> None:
        """A head is whole: an interim one is forgotten, the last one says how the body ends."""
        assert self._parser is not None
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._fresh_head()
            return
        readable = status >= 100 and self._parser.get_http_version() in _VERSIONS
        if not readable or not _clear(self._codings):
            raise WireError(FaultKind.PROTOCOL)
        self._until_end = not (self._sized or self._codings or status in _BODILESS)
        self.status = status

    def on_message_complete(self) -> None:
        """The end of an answer, or of an interim one."""
        if self.status:
            assert self._parser is not None
            self.whole = True
            self.keeps = self.status != 101 and self._parser.should_keep_alive()


def _clear(codings: list[str]) -> bool:
    """Can the transfer codings be read in one way only? Compression is refused later, in words."""
    if not codings:
        return True
    named = [coding.strip() for value in codings for coding in value.split(",")]
    return named == ["chunked"] or any(
        coding not in {"chunked", "identity", ""} for coding in named
    )
