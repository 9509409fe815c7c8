"""The secret formats' patterns, compiled once and kept between two starts."""

import contextlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from halfdoor.errors import SetupError
from halfdoor.reading.engine import Engine
from halfdoor.reading.secret_formats import secret_engine
from halfdoor.store.keys import LogKeys

PATTERNS: Final = "patterns.bin"


def kept_engine(state_dir: Path, keys: LogKeys) -> Engine:
    """The engine, from its saved patterns where they are ours: 0.3 s less at start-up.

    INVARIANT: saved patterns are believed under our own key only, and every example of every format
    runs before the first request: patterns that know the examples and nothing else would be blind.
    Raises SetupError when a fresh engine misses one.
    """
    saved = state_dir / PATTERNS
    with contextlib.suppress(OSError, SetupError):
        seal, _, patterns = saved.read_bytes().partition(b"\n")
        if hmac.compare_digest(seal, _seal(keys, patterns)):
            return secret_engine(patterns)
    engine = secret_engine()
    patterns = engine.dump()
    draft = saved.with_name(f".{PATTERNS}.{secrets.token_hex(8)}")
    with contextlib.suppress(OSError):  # it is made again next time
        try:
            draft.touch(mode=0o600)
            draft.write_bytes(_seal(keys, patterns) + b"\n" + patterns)
            draft.replace(saved)
        finally:
            draft.unlink(missing_ok=True)  # half a file would take the log's room
    return engine


def _seal(keys: LogKeys, patterns: bytes) -> bytes:
    return keys.mac(b"patterns\0" + patterns).encode()
