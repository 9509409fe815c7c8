"""An answer that is held until it is complete, then let out as the stream it is. Pure.

For tools that apply half a text as if it were whole. Until the end nothing goes out, so nothing is
committed: whatever breaks off is a failure before commit, after which another target may answer.
"""

from halfdoor.canon.commands import Fault, Headers, Learnt, Pipe
from halfdoor.errors import BackendError
from halfdoor.flow.pipe import ANSWER_LIMIT_BYTES


class Held:
    """Another pipe's stream, whole or not at all.

    It says nothing meanwhile: a ping is a byte to the client, and a byte commits (promise 7).
    """

    ping = b""

    def __init__(self, stream: Pipe) -> None:
        self._stream = stream
        self._kept: list[bytes] = []
        self._size = 0

    @property
    def finished(self) -> bool:
        """Nothing passes before the end."""
        return False

    def head(self, headers: Headers) -> Headers:
        """The stream's own."""
        return self._stream.head(headers)

    def feed(self, chunk: bytes) -> bytes:
        """Nothing yet. Raises BackendError for more than may be held."""
        self._keep(self._stream.feed(chunk))
        return b""

    def end(self) -> bytes:
        """All of it. Raises BackendError, `cut`, when its own end never came."""
        self._keep(self._stream.end())
        learnt = self._stream.learnt()
        if learnt.failure_status:
            return b""  # whoever asks what was learnt hears what the backend said
        if learnt.failure or not learnt.finished:
            why = f" ({learnt.failure})" if learnt.failure else ""
            raise BackendError(f"the answer broke off while it was held{why}", kind="cut")
        return b"".join(self._kept)

    def unsaid(self, _out: bytes) -> bool:
        """Nothing of it goes out if there is an error in it."""
        return True

    def broken(self, _fault: Fault) -> bytes:
        """Never after commit: a held answer commits with its last byte."""
        return b""

    def learnt(self) -> Learnt:
        """From the stream."""
        return self._stream.learnt()

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > ANSWER_LIMIT_BYTES:
            raise BackendError("the held answer exceeds 64 MiB", kind="protocol")
        self._kept.append(data)
