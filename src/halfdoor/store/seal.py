"""Fingerprints in a file, sealed: they confirm no guess to whoever has the file without the key."""

import secrets
import sys
from array import array
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from halfdoor.reading.grams import Shingles

_NONCE_BYTES: Final = 12


class Seal:
    """AES-256-GCM under a key of its own. key: 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(sha256(b"fingerprints\0" + key).digest())

    def close(self, about: bytes, data: bytes) -> bytes:
        """Seal these bytes. about: what they belong to; they open for nothing else."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, about)

    def open(self, about: bytes, sealed: bytes) -> bytes:
        """The bytes again. Raises ValueError when they were not sealed so, or were changed."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
        except InvalidTag:
            raise ValueError("the seal is broken or of another key") from None


def written(shingles: Shingles) -> bytes:
    """Eight bytes each, least significant first."""
    return _ordered(shingles).tobytes()


def read(data: bytes) -> Shingles:
    """What `written` wrote. Raises ValueError when the length is wrong."""
    shingles: Shingles = array("q")
    shingles.frombytes(data)
    return _ordered(shingles)


def _ordered(shingles: Shingles) -> Shingles:
    if sys.byteorder == "little":
        return shingles
    swapped = shingles[:]
    swapped.byteswap()
    return swapped
