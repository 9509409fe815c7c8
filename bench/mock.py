"""A model's server that costs little: Chat Completions and Messages, whole or streamed.

`python -m bench.mock PORT`. Every chunk of a stream is a write of its own, as engines do it.
"""

import asyncio
import os
import re
import sys
from typing import Final

import uvloop

_CHUNKS: Final = re.compile(rb"@chunks=(\d+)")
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STREAM: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)

_CHAT_PIECE: Final = (
    b'data: {"id":"c-1","object":"chat.completion.chunk","created":1763700000,"model":"mock",'
    b'"choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}\n\n'
)
_CHAT_END: Final = (
    b'data: {"id":"c-1","object":"chat.completion.chunk","created":1763700000,"model":"mock",'
    b'"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c-1","object":"chat.completion.chunk","created":1763700000,"model":"mock",'
    b'"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}}\n\n'
    b"data: [DONE]\n\n"
)
_CHAT_WHOLE: Final = (
    b'{"id":"c-1","object":"chat.completion","created":1763700000,"model":"mock","choices":[{'
    b'"index":0,"message":{"role":"assistant","content":"It is the retry."},"finish_reason":"stop"'
    b'}],"usage":{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}}'
)
_MESSAGES_START: Final = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m-1","type":"message",'
    b'"role":"assistant","model":"mock","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":9,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
)
_MESSAGES_PIECE: Final = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":" word"}}\n\n'
)
_MESSAGES_END: Final = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
    b'"stop_sequence":null},"usage":{"output_tokens":9}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
_MESSAGES_WHOLE: Final = (
    b'{"id":"m-1","type":"message","role":"assistant","model":"mock","content":[{"type":"text",'
    b'"text":"It is the retry."}],"stop_reason":"end_turn","stop_sequence":null,'
    b'"usage":{"input_tokens":9,"output_tokens":9}}'
)


class MockModel(asyncio.Protocol):
    """One connection. Bodies come with a length; requests come one after another."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport, and its descriptor for writes that must not be joined."""
        self._transport = transport
        self._socket: int = transport.get_extra_info("socket").fileno()
        self._parts: list[bytes] = []
        self._missing = 0

    def data_received(self, data: bytes) -> None:
        """Collect one request, then answer it."""
        if not self._parts:
            head, _, body = data.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            self._missing = (int(length[1]) if length else 0) - len(body)
        else:
            self._missing -= len(data)
        self._parts.append(data)
        if self._missing <= 0:
            request, self._parts = b"".join(self._parts), []
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        messages = b"/messages" in request[: request.index(b"\r\n")]
        found = _CHUNKS.search(request, max(0, len(request) - 2048))
        chunks = int(found[1]) if found else 0
        if not chunks:
            self._whole(_MESSAGES_WHOLE if messages else _CHAT_WHOLE)
        elif messages:
            self._stream(_MESSAGES_START, _MESSAGES_PIECE, _MESSAGES_END, chunks)
        else:
            self._stream(b"", _CHAT_PIECE, _CHAT_END, chunks)

    def _whole(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)

    def _stream(self, start: bytes, piece: bytes, end: bytes, chunks: int) -> None:
        framed = _framed(piece)
        writes = [_STREAM + _framed(start), *[framed] * chunks, _framed(end) + b"0\r\n\r\n"]
        for at, data in enumerate(writes):
            try:
                sent = os.write(self._socket, data)
            except BlockingIOError:
                sent = 0
            if sent < len(data):  # the reader is slow: the loop takes care of the rest
                self._transport.write(data[sent:] + b"".join(writes[at + 1 :]))
                return


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


async def serve(port: int) -> None:
    """Until it is killed."""
    server = await asyncio.get_running_loop().create_server(MockModel, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
