"""The HTTP parser's patience: headers that never end are cut off, in time and in size."""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_S: Final = 30.0
HEADER_BYTES: Final = 128 * 1024


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for ever for a request's headers.

    A timer runs only while headers are incomplete: a request whose headers come in one packet on a
    kept connection pays nothing.
    """

    header_s: float = HEADER_S
    _heading: bool = True
    _head_bytes: int = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._calm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then see whether headers are still under way."""
        super().data_received(data)
        if not self._heading:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEADER_BYTES:
            self.send_400_response("The request's headers are too large.")
        elif self._deadline is None:
            self._watch()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._heading = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Its headers are whole."""
        self._heading = False
        self._calm()
        super().on_headers_complete()

    def _watch(self) -> None:
        self._deadline = self.loop.call_later(self.header_s, self._give_up)

    def _calm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()
