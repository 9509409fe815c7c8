"""Signed heads of the log, as text that other tools verify too.

Formats: C2SP tlog-checkpoint (the body), signed-note (the signature lines and the verifier key,
`vkey`). The signature type is Ed25519 (0x01).
"""

import binascii
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from halfdoor.canon.record import Checkpoint
from halfdoor.errors import LogError

_ED25519: Final = b"\x01"
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME: Final = re.compile(r"[^\s+]+")


class VerifierKey(Struct, frozen=True):
    """Who may sign a checkpoint: a name and an Ed25519 public key of 32 bytes."""

    name: str
    public: bytes


def sign(checkpoint: Checkpoint, seed: bytes, name: str) -> str:
    """The signed note: body, blank line, one signature line. seed: 32 bytes, Ed25519 private."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    body = _body(checkpoint)
    signature = private.sign(body.encode())
    return f"{body}\n\u2014 {name} {_b64(_key_id(name, public) + signature)}\n"


def verify(text: str, key: VerifierKey) -> Checkpoint:
    """The checkpoint of a note that this key signed; other signatures are ignored.

    Raises LogError if the text is no checkpoint, or no valid signature by this key is on it.
    """
    body, _, signatures = text.partition("\n\n")
    checkpoint = _parsed(body + "\n")
    public = Ed25519PublicKey.from_public_bytes(key.public)
    mine = [s for s in _signatures(signatures) if s[0] == (key.name, _key_id(*_pair(key)))]
    if not mine:
        raise LogError(
            f"the checkpoint is not signed by `{key.name}` with this log's key",
            hint="was it made by another log, or was the log's key replaced?",
        )
    try:
        for _, signature in mine:
            public.verify(signature, (body + "\n").encode())
    except InvalidSignature:
        raise LogError("the checkpoint's signature is wrong: its text was changed") from None
    return checkpoint


def vkey(name: str, public: bytes) -> str:
    """The verifier key as text: `name+keyid+base64`."""
    return f"{name}+{_key_id(name, public).hex()}+{_b64(_ED25519 + public)}"


def read_vkey(text: str) -> VerifierKey:
    """Parse a verifier key. Raises LogError if it is none, or its parts disagree."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    data = _decoded(encoded, "verifier key")
    key = VerifierKey(name, data[1:])
    if not _NAME.fullmatch(name) or data[:1] != _ED25519 or len(key.public) != 32:
        raise LogError("this is not an Ed25519 verifier key", hint="expected name+keyid+base64")
    if _key_id(*_pair(key)).hex() != key_id:
        raise LogError("the verifier key's id does not belong to its name and key")
    return key


def _body(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.origin}\n{checkpoint.size}\n{_b64(checkpoint.root)}\n"


def _parsed(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(lines) < 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise LogError(
            "this is not a checkpoint", hint="expected the text of `halfdoor log checkpoint`"
        )
    root = _decoded(lines[2], "checkpoint's root")
    if len(root) != 32:
        raise LogError("the checkpoint's root is not 32 bytes long")
    return Checkpoint(lines[0], int(lines[1]), root)


def _signatures(text: str) -> list[tuple[tuple[str, bytes], bytes]]:
    """((name, key id), signature) of each well-formed signature line."""
    found = []
    for line in text.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash == "\u2014" and name and encoded:
            data = _decoded(encoded, "checkpoint's signature")
            found.append(((name, data[:4]), data[4:]))
    return found


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _pair(key: VerifierKey) -> tuple[str, bytes]:
    return key.name, key.public


def _b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _decoded(text: str, what: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise LogError(f"the {what} is not base64") from None
