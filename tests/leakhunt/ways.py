"""How text is dressed before it is planted. Each way costs some of the two encodings read through."""

import base64
import json
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Way:
    """depth: encodings around the text."""

    name: str
    dress: Callable[[str], str]
    depth: int


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _line(text: str) -> str:
    """As a file has it; what is encoded is rarely a key alone."""
    return f"access = {text}\n"


def _json(text: str) -> str:
    return json.dumps({"region": "eu", "settings": [{"access": text}]})


def _percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _escapes(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if c != "\n" else "\\n" for c in text)


def _zero_width(text: str) -> str:
    return text[:8] + "\u200b" + text[8:]


WAYS: Final = tuple(
    Way(name, dress, depth)
    for name, dress, depth in (
        ("plain", lambda t: t, 0),
        ("a line of code", lambda t: f"CLIENT = connect('{t}')  # as deployed", 0),
        ("a line of a file", _line, 0),
        ("a shell command", lambda t: f"deploy --as ci {t} && echo done", 0),
        ("unicode escapes", _escapes, 1),
        ("percent escapes", _percent, 1),
        ("quoted for a URL", lambda t: urllib.parse.quote(t, safe=""), 1),
        ("base64", lambda t: _b64(_line(t)), 1),
        ("base64 for URLs", lambda t: base64.urlsafe_b64encode(_line(t).encode()).decode(), 1),
        ("base64 in lines", lambda t: base64.encodebytes(_line(t).encode()).decode(), 1),
        ("base64 behind a path", lambda t: "/v2/blobs/" + _b64(_line(t)), 1),
        ("a data URL", lambda t: "data:text/plain;base64," + _b64(_line(t)), 1),
        ("hex", lambda t: _line(t).encode().hex(), 1),
        ("hex in capitals", lambda t: _line(t).encode().hex().upper(), 1),
        ("JSON", _json, 1),
        ("colours", lambda t: f"match: \x1b[01;31m\x1b[K{t}\x1b[m\x1b[K", 1),
        ("a joiner in it", _zero_width, 1),
        ("UTF-16", lambda t: "\0".join(_line(t)), 1),
        ("Markdown escapes", lambda t: t.replace("_", "\\_"), 1),
        ("base64 in base64", lambda t: _b64(_b64(_line(t))), 2),
        ("hex in base64", lambda t: _b64(_line(t).encode().hex()), 2),
        ("base64 in hex", lambda t: _b64(_line(t)).encode().hex(), 2),
        ("JSON in JSON", lambda t: _json(_json(t)), 2),
        ("JSON in base64", lambda t: _b64(_json(t)), 2),
        ("base64 in JSON", lambda t: _json(_b64(_line(t))), 2),
        ("percent in base64", lambda t: _b64(_percent(_line(t))), 2),
    )
)
DEPTH: Final = 2
