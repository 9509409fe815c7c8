"""What failed below, in the house's words: which kind of fault, and a sentence for its operator."""

import os
import ssl
from typing import Final

from halfdoor.canon.commands import FaultKind

RUNNING: Final = "is it running? try `halfdoor doctor`"


class WireError(Exception):
    """A connection, or what came over it, failed. It holds nothing that was sent or received.

    reason: the system's own words in lower case (`connection refused`), "" if there are none.
    """

    def __init__(self, kind: FaultKind, reason: str = "") -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason


def unreachable(error: OSError) -> WireError:
    """What dialling raised: a look-up, a connection or a TLS handshake that failed."""
    if isinstance(error, ssl.SSLError):
        return WireError(FaultKind.TLS, _words(getattr(error, "verify_message", "")))
    if error.errno is not None and error.errno > 0:
        return WireError(FaultKind.CONNECT, _words(os.strerror(error.errno)))
    return WireError(FaultKind.CONNECT, _words(error.strerror))


def worded(error: WireError, *, late: str) -> tuple[FaultKind, str, str]:
    """(kind, what happened, hint), to follow "backend `x` ".

    late: the sentence for a time-out, which only the caller can word.
    """
    reason = f" ({error.reason})" if error.reason else ""
    match error.kind:
        case FaultKind.TIMEOUT:
            return error.kind, late, RUNNING
        case FaultKind.CONNECT:
            return error.kind, f"cannot be reached{reason}", RUNNING
        case FaultKind.TLS:
            hint = "check the certificate, the machine's clock and the `url` in the config"
            return error.kind, f"failed its TLS handshake{reason}", hint
        case FaultKind.CUT:
            return error.kind, "closed the connection before its answer was complete", RUNNING
        case _:
            hint = "check the backend's `url` in the config; `halfdoor doctor` asks it"
            return FaultKind.PROTOCOL, "did not answer in HTTP that can be understood", hint


def _words(text: object) -> str:
    return text.lower() if isinstance(text, str) else ""
