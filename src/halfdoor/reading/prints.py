"""Keyed prints: what stands for text where the text itself must not be kept.

SHA-256 with the key in its first block, copied for each print: on machines with SHA instructions
half the price of BLAKE2b. Marks are kept in the state directory, whose owner holds the key too and
could confirm a guess of a whole answer with it; nobody else can. Nothing else shows a print.
"""

import hashlib
import json
from typing import Final

KINDS: Final = frozenset({"call", "signature", "source", "text", "session", "chain", "pin"})

_BLOCK_BYTES: Final = 64


class Prints:
    """Makes prints under one key. key: 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("a print key has at least 16 bytes")
        self._blocks = _keyed(key, "block")
        self._marks = {kind: _keyed(key, kind) for kind in KINDS}

    def block(self, raw: bytes | memoryview) -> bytes:
        """32 bytes that stand for one block of a request, as it came."""
        state = self._blocks.copy()
        state.update(raw)
        return state.digest()

    def mark(self, kind: str, text: str) -> bytes:
        """16 bytes that stand for a call id, a signature or a text that may come back.

        kind: one of KINDS. A `text` is recognised with other white space around it, and as JSON
        in any key order: a call's arguments stream as text and return as an object.
        """
        state = self._marks[kind].copy()
        state.update((_plain(text) if kind == "text" else text).encode("utf-8", "surrogatepass"))
        return state.digest()[:16]


def _keyed(key: bytes, domain: str) -> "hashlib._Hash":
    first = hashlib.sha256(key + domain.encode()).digest()
    return hashlib.sha256(first.ljust(_BLOCK_BYTES, b"\0"))


def _plain(text: str) -> str:
    text = text.strip()
    if not text.startswith("{"):
        return text
    try:
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return text
