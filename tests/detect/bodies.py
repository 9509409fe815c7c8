"""Requests in the shapes that tools send, built without any dialect."""

import json

from halfdoor.canon.request import Block, Request
from halfdoor.reading.spans import elements, members

_LISTS = {"messages", "system", "input"}


def request(body, *, headers=(), query="", model="claude-sonnet"):
    """A request whose blocks are as a dialect cuts them. body: an object or bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    blocks = []
    for member in members(raw):
        if member.key in _LISTS and raw[member.start : member.start + 1] == b"[":
            spans = enumerate(elements(raw, member.start, member.end))
            blocks += [Block(f"{member.key}[{n}]", start, end) for n, (start, end) in spans]
        else:
            blocks.append(Block(member.key, member.key_start, member.end, member=True))
    return Request(
        dialect="anthropic_messages",
        endpoint="/v1/messages",
        body=raw,
        model=model,
        stream=False,
        blocks=tuple(blocks),
        members={m.key: (m.start, m.end) for m in members(raw)},
        headers=tuple(headers),
        query=query,
    )


def messages(*turns, **members):
    """An Anthropic Messages body."""
    return {"model": "claude-sonnet", "max_tokens": 64, "messages": list(turns), **members}


def user(*parts):
    return {"role": "user", "content": list(parts)}


def assistant(*parts):
    return {"role": "assistant", "content": list(parts)}


def text(words):
    return {"type": "text", "text": words}


def call(name, call_id="toolu_1", **arguments):
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def result(content, call_id="toolu_1"):
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}
