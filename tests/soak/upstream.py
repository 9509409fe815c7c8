"""A model's server that costs little: raw HTTP on a protocol, answers made of ready bytes.

What it does with a request stands in the request's newest text as `soak-KIND`. `tests/helpers/fake_model.py`
is the strict one; this one is for a hundred thousand requests.
"""

import asyncio
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, Final, Self

KIND: Final = re.compile(rb"soak-([a-z]+)")
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_WORDS: Final = ("def ", "quiet", "(x): ", "return ", "x", " + ", "1", "\n") * 3
_HEAD: Final = b"HTTP/1.1 %b\r\ncontent-type: %b\r\n%b\r\n"
_JSON: Final = b"application/json"
_EVENTS: Final = b"text/event-stream"
# So many calls in one answer fill halfdoor's memory of marks in some two thousand requests.
MANY_CALLS: Final = 60
SLOW_S: Final = 0.01


class Upstream:
    """One server; several backends may share it. reliable: it never fails, whatever is asked.

    leaks: requests that carried a planted key. requests: all of them.
    """

    def __init__(self, *, reliable: bool) -> None:
        self.reliable = reliable
        self.requests = 0
        self.leaks = 0
        self.url = ""
        self.calls = itertools.count()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Caller(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()


class _Caller(asyncio.Protocol):
    """One connection; the gateway sends one request at a time on it."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._got = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._got[:end])
        length = _LENGTH.search(head)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._got) >= whole:
            body = bytes(self._got[end + 4 : whole])
            del self._got[:whole]
            asked = head.split(b"\r\n", 1)[0]
            if b"/api/show" in asked:  # it is no Ollama, whose models may run elsewhere
                self._whole(b"404 Not Found", _error("not found"))
                return
            self._answer(b"/messages" in asked, body)

    def _answer(self, messages: bool, body: bytes) -> None:
        upstream, transport = self._upstream, self._transport
        assert transport is not None
        upstream.requests += 1
        upstream.leaks += b"AKIA" in body
        kind = KIND.findall(body)[-1].decode()
        if upstream.reliable and kind in {"busy", "broken", "cut", "shut"}:
            kind = "plain"
        streams = b'"stream":true' in body.replace(b'": ', b'":')
        match kind:
            case "busy":
                self._whole(b"429 Too Many Requests", _error("slow down"), b"retry-after: 1\r\n")
            case "broken":
                self._whole(b"500 Internal Server Error", _error("broken"))
            case "shut":
                transport.abort()
            case "mute":
                pass  # Silence: its client will leave.
            case _:
                make = _messages if messages else _chat
                parts = list(make(kind, streams, upstream.calls))
                if streams:
                    self._stream(kind, parts)
                else:
                    self._whole(b"200 OK", parts[0], cut=kind == "cut")

    def _whole(self, status: bytes, body: bytes, more: bytes = b"", *, cut: bool = False) -> None:
        assert self._transport is not None
        head = _HEAD % (status, _JSON, b"content-length: %d\r\n" % len(body) + more)
        self._transport.write(head + (body[: len(body) // 2] if cut else body))
        if cut:
            self._transport.close()

    def _stream(self, kind: str, parts: list[bytes]) -> None:
        assert self._transport is not None
        chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]
        head = _HEAD % (b"200 OK", _EVENTS, b"transfer-encoding: chunked\r\n")
        match kind:
            case "cut":
                self._transport.write(head + b"".join(chunks[: len(chunks) // 2]))
                self._transport.close()
            case "slow":
                self._transport.write(head)
                self._slowly([*chunks, b"0\r\n\r\n"])
            case _:
                self._transport.write(head + b"".join(chunks) + b"0\r\n\r\n")

    def _slowly(self, chunks: list[bytes]) -> None:
        assert self._transport is not None
        if chunks and not self._transport.is_closing():
            self._transport.write(chunks[0])
            asyncio.get_running_loop().call_later(SLOW_S, self._slowly, chunks[1:])


def _error(message: str) -> bytes:
    return json.dumps(
        {"type": "error", "error": {"type": "api_error", "message": message}}
    ).encode()


def _ids(kind: str, numbers: Iterator[int]) -> list[str]:
    count = {"tools": 3, "fill": MANY_CALLS}.get(kind, 0)
    return [f"call_{next(numbers):012}" for _ in range(count)]


def _chat(kind: str, streams: bool, numbers: Iterator[int]) -> Iterator[bytes]:
    calls = [
        {
            "index": n,
            "id": each,
            "type": "function",
            "function": {"name": "read", "arguments": "{}"},
        }
        for n, each in enumerate(_ids(kind, numbers))
    ]
    stop = "tool_calls" if calls else "stop"
    base: dict[str, Any] = {"id": "c", "created": 1, "model": "m"}
    usage = {"prompt_tokens": 30, "completion_tokens": 24, "total_tokens": 54}
    if not streams:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(_WORDS)}
        message |= {"tool_calls": calls} if calls else {}
        choice = {"index": 0, "message": message, "finish_reason": stop}
        whole = base | {"object": "chat.completion", "choices": [choice], "usage": usage}
        yield json.dumps(whole).encode()
        return
    base["object"] = "chat.completion.chunk"
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": word}, None) for word in _WORDS]
    deltas += [({"tool_calls": [call]}, None) for call in calls]
    for delta, end in [*deltas, ({}, stop)]:
        choice = {"index": 0, "delta": delta, "finish_reason": end}
        yield b"data: %b\n\n" % json.dumps(base | {"choices": [choice]}).encode()
    yield b"data: %b\n\n" % json.dumps(base | {"choices": [], "usage": usage}).encode()
    yield b"data: [DONE]\n\n"


def _messages(kind: str, streams: bool, numbers: Iterator[int]) -> Iterator[bytes]:
    ids = _ids(kind, numbers)
    stop = "tool_use" if ids else "end_turn"
    usage = {"input_tokens": 30, "output_tokens": 24}
    base = {"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    uses = [{"type": "tool_use", "id": each, "name": "read", "input": {}} for each in ids]
    if not streams:
        content = [{"type": "text", "text": "".join(_WORDS)}, *uses]
        yield json.dumps(base | {"content": content, "stop_reason": stop, "usage": usage}).encode()
        return
    opening: dict[str, Any] = base | {"content": [], "stop_reason": None, "usage": usage}
    yield _event("message_start", message=opening)
    yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for word in _WORDS:
        yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield _event("content_block_stop", index=0)
    for number, use in enumerate(uses, 1):
        yield _event("content_block_start", index=number, content_block=use)
        yield _event("content_block_stop", index=number)
    delta = {"stop_reason": stop, "stop_sequence": None}
    yield _event("message_delta", delta=delta, usage={"output_tokens": 24})
    yield _event("message_stop")


def _event(name: str, **more: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **more})}\n\n".encode()
