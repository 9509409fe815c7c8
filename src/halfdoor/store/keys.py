"""The log's keys: one signs its checkpoints, one hides content behind keyed hashes.

Both live beside the log, readable by their owner only. Whoever holds `log.key` can rewrite history
up to the newest checkpoint that somebody else keeps.
"""

import contextlib
import hmac
import os
import re
import secrets
import stat
import time
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halfdoor.canon.record import Checkpoint
from halfdoor.errors import SetupError
from halfdoor.record import checkpoint as notes
from halfdoor.record.keyed import keyed

SIGNING_KEY: Final = "log.key"
MAC_KEY: Final = "mac.key"
SESSION_KEY: Final = "session.key"
_KEY_BYTES: Final = 32
_DRAFT: Final = re.compile(r"\.[a-z]+\.[a-z]+\.[0-9a-f]{16}")
_DRAFT_S: Final = 3600


class LogKeys:
    """Keys of one log. seal_key: seals permits; new for each process and stored nowhere.

    prints_key: for prints that outlive a process and are compared between processes.
    """

    def __init__(self, seed: bytes, mac_key: bytes) -> None:
        self._seed = seed
        self._mac_key = mac_key
        self.seal_key = secrets.token_bytes(_KEY_BYTES)
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        self.prints_key = hmac.digest(mac_key, b"prints", "sha256")
        # The name says nothing about the machine, and differs between logs.
        self.origin = f"halfdoor/{sha256(public).hexdigest()[:16]}"
        self.verifier = notes.VerifierKey(self.origin, public)
        self.vkey = notes.vkey(self.origin, public)

    @classmethod
    def load_or_create(cls, directory: Path) -> Self:
        """Read the keys in `directory`, or make it (0700) and them (0600).

        Raises SetupError if a key can be read by others, is no key, or cannot be written.
        """
        _private_directory(directory)
        _sweep(directory)
        seed = _key(directory / SIGNING_KEY)
        return cls(seed, _key(directory / MAC_KEY))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the keys that are there. Raises SetupError if one is missing, or as above."""
        return cls(_existing(directory / SIGNING_KEY), _existing(directory / MAC_KEY))

    def sign(self, size: int, root: bytes) -> str:
        """The signed checkpoint of this log at `size`: about 100 µs."""
        return notes.sign(Checkpoint(self.origin, size, root), self._seed, self.origin)

    def mac(self, data: bytes) -> str:
        """Keyed hash (HMAC-SHA256, hex): equal for equal content, and not to be guessed from it."""
        return keyed(self._mac_key, data).hex()


def session_key(directory: Path) -> bytes:
    """The key under which `launch` seals session tokens, made (0600) when there is none yet.

    Raises SetupError as `LogKeys.load_or_create` does.
    """
    _private_directory(directory)
    return _key(directory / SESSION_KEY)


def _private_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = directory.stat().st_mode
    except OSError as error:
        raise SetupError(
            f"the state directory cannot be made: {error.strerror}",
            where=str(directory),
            hint="check the folder above it, or set `state_dir` in the configuration",
        ) from None
    if os.name == "posix" and mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SetupError(
            "others can write to the state directory",
            where=str(directory),
            hint=f"chmod 700 {directory}",
        )


def _sweep(directory: Path) -> None:
    """Remove the drafts of starts that were killed halfway; no start takes as long as this waits.

    Drafts are named `.NAME.HEX`, of keys as of the saved patterns.
    """
    with contextlib.suppress(OSError):
        for path in directory.glob(".*"):
            old = path.stat().st_mtime < time.time() - _DRAFT_S
            if old and _DRAFT.fullmatch(path.name):
                path.unlink()


def _key(path: Path) -> bytes:
    try:
        if not path.exists():
            _create(path, secrets.token_bytes(_KEY_BYTES))
    except OSError as error:
        raise _unusable(path, error) from None
    return _existing(path)


def _existing(path: Path) -> bytes:
    try:
        return _read(path)
    except OSError as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: OSError) -> SetupError:
    hint = "check the owner and permissions of the file and its folder"
    if isinstance(error, FileNotFoundError):
        hint = "restore it from a copy of the state directory"
    return SetupError(f"the key cannot be used: {error.strerror}", where=str(path), hint=hint)


def _create(path: Path, key: bytes) -> None:
    """Give `path` its content in one step; of processes that race, one wins and all read it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        key = file.read(_KEY_BYTES + 1)
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SetupError("others can read the key", where=str(path), hint=f"chmod 600 {path}")
    if len(key) != _KEY_BYTES:
        raise SetupError(
            f"the key has {len(key)} bytes instead of {_KEY_BYTES}",
            where=str(path),
            hint="restore it from a backup of the state directory",
        )
    return key
