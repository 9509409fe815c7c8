"""What was read, handed from the process that read it to one that it starts."""

from typing import IO, Any, Final

import msgspec

from halfdoor.config.load import Loaded
from halfdoor.errors import SetupError

_LENGTH_BYTES: Final = 4


def handed(loaded: Loaded) -> bytes:
    """It as bytes, their count before them (4 bytes, big-endian). They may hold keys."""
    data = msgspec.msgpack.encode(loaded, enc_hook=str)
    return len(data).to_bytes(_LENGTH_BYTES) + data


def received(stream: IO[bytes]) -> Loaded:
    """What `handed` wrote. Raises SetupError where it is cut."""
    length = int.from_bytes(stream.read(_LENGTH_BYTES))
    data = stream.read(length)
    if not length or len(data) < length:
        raise SetupError(
            "`--worker` is not for people: nothing was handed over", hint="use `--workers`"
        )
    return msgspec.msgpack.decode(data, type=Loaded, dec_hook=_made)


def _made(kind: Any, text: Any) -> Any:
    """The one kind that has no form of its own is a path."""
    return kind(text)
