"""What a backend is held to, and which of its calls count for and against it."""

from typing import Final

from msgspec import Struct

from halfdoor.canon.commands import FaultKind

# Its operator says that it is too busy, or that an account's limit is met.
BUSY: Final = frozenset({429, 529})
_ITS_OWN: Final = frozenset(
    {
        FaultKind.CONNECT,
        FaultKind.TLS,
        FaultKind.TIMEOUT,
        FaultKind.CUT,
        FaultKind.PROTOCOL,
        FaultKind.QUOTA,
    }
)
_TENTH_MS: Final = 100


class Objective(Struct, frozen=True):
    """A backend's service level. None: nothing is promised.

    availability: share of its calls that it must not fail, above 0 and below 1.
    first_tenths: tenths of a second to the first bytes of a streamed answer, from its being asked.
    first_share: share of its streamed answers that must begin within them.
    """

    backend: str
    availability: float | None = None
    first_tenths: int | None = None
    first_share: float = 1.0


class Counted(Struct, frozen=True):
    """Calls of one backend in some span of time.

    calls, failed: that count, and those of them that it failed. streamed: those that began to
    stream. late: those of them that began after their objective; 0 where it has none.
    """

    calls: int = 0
    failed: int = 0
    streamed: int = 0
    late: int = 0


def failed(result: str, status: int) -> bool | None:
    """Did the backend fail this call? None: it says nothing about the backend.

    result, status: see `Attempt`. What its client broke off, what was never sent, and what is
    halfdoor's own fault says nothing; a refusal of one request (4xx) is an answer.
    """
    if result == "answered":
        return False
    if result == "failed-inside":
        return True
    if result == FaultKind.STATUS.value:
        return status >= 500 or status in BUSY
    return True if result in _ITS_OWN else None


def tenths(ms: int) -> int:
    """Milliseconds in tenths of a second, those begun counted whole; -1 for less than nothing."""
    return -1 if ms < 0 else -(-ms // _TENTH_MS)
