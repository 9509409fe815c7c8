"""HMAC-SHA256 (RFC 2104) under a key that is used for every request.

The library's one-shot function lets go of the interpreter for each digest, however short, and the
log's thread then takes its turn: 12 µs a digest where the work is one. Copies of the two keyed
states do not, for texts below 2 KB.
"""

import hashlib
from functools import lru_cache
from typing import Final

_BLOCK_BYTES: Final = 64
_KEYS: Final = 16


@lru_cache(maxsize=_KEYS)
def _states(key: bytes) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """The inner and the outer state. key: at most 64 bytes, as all of ours are."""
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


def keyed(key: bytes, data: bytes) -> bytes:
    """32 bytes, equal to `hmac.digest(key, data, "sha256")`."""
    inner, outer = _states(key)
    within, without = inner.copy(), outer.copy()
    within.update(data)
    without.update(within.digest())
    return without.digest()
