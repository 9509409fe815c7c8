"""What an answer to a broken request must be: a refusal in its dialect's shape, or a sound answer."""

import json
from typing import Any

from halfdoor.canon.commands import Outbound
from tests.helpers.asgi import AsgiClient


def wrong(client: AsgiClient, sent: list[Outbound], dialect: str) -> str:
    """What is wrong with it, in words; "" when nothing is."""
    if not client.whole:
        return "the answer has no end"
    if client.status >= 500 or client.status < 200:
        return f"{client.status}: {client.body[:300]!r}"
    if client.status >= 300:
        if sent and client.status != 400:
            return f"sent on and then answered {client.status}"
        return shape(client, dialect)
    unsound = [trouble for one in sent if (trouble := body(one))]
    return unsound[0] if unsound else answer(client)


def shape(client: AsgiClient, dialect: str) -> str:
    """Is it an error as this dialect's clients read it?"""
    try:
        told = json.loads(client.body)
    except ValueError:
        return f"{client.status} is no JSON: {client.body[:100]!r}"
    error = told.get("error") if isinstance(told, dict) else None
    match dialect:
        case "ollama":
            good = isinstance(error, str) and bool(error)
        case "anthropic_messages":
            good = told.get("type") == "error" and _strings(error, "type", "message")
        case _:
            good = _strings(error, "type", "message") and {"param", "code"} <= {*(error or ())}
    return "" if good else f"{client.status} has not the shape of {dialect}: {client.body[:200]!r}"


def _strings(error: Any, *names: str) -> bool:
    return isinstance(error, dict) and all(error.get(name) for name in names)


def body(outbound: Outbound) -> str:
    """What goes on must be what one reader and another take in one way: strict JSON, no key twice."""
    try:
        json.loads(outbound.body.decode(), object_pairs_hook=_once, parse_constant=_none)
    except ValueError as error:
        return f"what was sent on is unsound: {error}: {outbound.body[:300]!r}"
    return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key stands twice among {[key for key, _ in pairs]}")
    return found


def _none(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def answer(client: AsgiClient) -> str:
    """A whole answer is JSON; of a stream every frame is, and none is an error."""
    kind = client.headers.get("content-type", "")
    lines = client.body.splitlines() if "json" not in kind or "ndjson" in kind else [client.body]
    for line in lines:
        data = line.removeprefix(b"data: ")
        if line.startswith((b":", b"event:")) or data in {b"", b"[DONE]"}:
            continue
        try:
            told = json.loads(data)
        except ValueError:
            return f"200 with what is no JSON: {data[:100]!r}"
        if isinstance(told, dict) and told.get("error"):
            return f"200 with an error in it: {data[:200]!r}"
    return ""
