"""How an exchange shows itself to whoever looks on while it runs."""

from typing import Protocol

from halfdoor.canon.decision import Target
from halfdoor.canon.record import Decided


class Sight(Protocol):
    """One call, as it goes. None of these waits, or fails."""

    def asked(self) -> None:
        """Its turn has come: the backend is asked."""

    def passed(self, chunk: bytes) -> None:
        """A piece of a streamed answer came."""

    def over(self) -> None:
        """It is over, however it ended."""


class Sights(Protocol):
    """Where calls show themselves."""

    def called(self, decided: Decided, target: Target) -> Sight:
        """A call begins; where its backend has a queue, by waiting."""


class Unseen:
    """Shows nothing: what serves where nobody looks on."""

    def called(self, _decided: Decided, _target: Target) -> "Unseen":
        """See `Sights.called`."""
        return self

    def asked(self) -> None:
        """Nothing is shown."""

    def passed(self, _chunk: bytes) -> None:
        """Nothing is shown."""

    def over(self) -> None:
        """Nothing is shown."""
