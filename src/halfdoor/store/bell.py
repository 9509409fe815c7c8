"""A bell that processes of one machine share: whoever writes rings it, whoever reads looks at it.

Looking costs a comparison of eight bytes in shared memory, so it can be done for every request.
"""

import secrets
from pathlib import Path
from typing import Final

from halfdoor.store.mapped import mapped

FILE: Final = "memory.bell"
_BYTES: Final = 8


class Bell:
    """Eight bytes of a mapped file. Raises LogError when the file cannot be mapped."""

    def __init__(self, path: Path) -> None:
        self._map = mapped(path, _BYTES, "what other processes remember cannot be heard of")

    def note(self) -> bytes:
        """What the bell says now: another note than before means that somebody rang."""
        return self._map[:_BYTES]

    def ring(self) -> None:
        """Tell the others. After what they shall read is there: a note is never heard twice."""
        # By chance, not by counting: of two who count at a time one would undo the other's note.
        self._map[:_BYTES] = secrets.token_bytes(_BYTES)

    def close(self) -> None:
        """Let go of the memory."""
        self._map.close()
