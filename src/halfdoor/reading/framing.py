"""Server-sent events: bytes in any chunking → whole frames.

Follows the event-stream format of the HTML standard (§9.2.6): lines end in LF, CRLF or CR;
several `data` lines are joined by LF; a line that begins with a colon is a comment; a blank line
ends a frame.
"""

from typing import Final, NamedTuple

from halfdoor.errors import BackendError

# A frame larger than this is an attack or a fault: models send kilobytes.
FRAME_LIMIT_BYTES: Final = 8 * 1024 * 1024


class Frame(NamedTuple):
    """One event. event: its name, "" when none was given. data: its data lines, joined."""

    event: str
    data: bytes


class SseReader:
    """Feed it chunks; it returns the frames that they complete."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = b""

    @property
    def pending(self) -> bytes:
        """Bytes of a frame whose end has not come."""
        return self._pending

    def feed(self, chunk: bytes) -> list[Frame]:
        """Frames completed by this chunk. Raises BackendError when one exceeds the limit."""
        buffer = self._pending + chunk if self._pending else chunk
        if b"\r" in buffer:
            # INVARIANT: a CR at the very end may be half of a CRLF; it waits for the next chunk.
            held = b"\r" if buffer.endswith(b"\r") else b""
            whole = buffer[: len(buffer) - len(held)]
            buffer = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
        *blocks, self._pending = buffer.split(b"\n\n")
        if len(self._pending) > FRAME_LIMIT_BYTES:
            raise BackendError("a stream event exceeds 8 MiB", kind="protocol")
        return [frame for block in blocks if (frame := _frame(block)) is not None]


def _frame(block: bytes) -> Frame | None:
    if block.startswith(b"data: ") and b"\n" not in block:  # as nearly all are
        return Frame("", block[6:])
    event, data = "", []
    for line in block.split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line.startswith(b"event:"):
            event = line[6:].strip().decode("utf-8", "replace")
    return Frame(event, b"\n".join(data)) if data else None


class LineReader:
    """Newline-delimited JSON: feed it chunks; it returns the lines that they complete."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = b""

    @property
    def pending(self) -> bytes:
        """Bytes of a line whose end has not come."""
        return self._pending

    def feed(self, chunk: bytes) -> list[bytes]:
        """Lines completed by this chunk, less blank ones. Raises BackendError beyond the limit."""
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        if len(self._pending) > FRAME_LIMIT_BYTES:
            raise BackendError("a stream's line exceeds 8 MiB", kind="protocol")
        return [line for line in lines if line.strip()]
