"""How a backend keeps what it is held to, in numbers and in a few words."""

from msgspec import Struct

from halfdoor.decide.objectives import AVAILABILITY, Level


class Held(Struct, frozen=True):
    """One objective of a backend. good: share of the last hour, None of no calls.

    burn: by window. alarm: the window that burns too fast, "" for none.
    """

    objective: str
    target: float
    good: float | None
    burn: dict[str, float]
    alarm: str
    urgent: bool


def held_of(level: Level) -> Held:
    """An objective, in numbers that are shown."""
    alarm = level.alarm
    burns = {window: round(level.burn(window), 2) for window in level.of}
    good = level.good("1h")
    urgent = alarm is not None and alarm.urgent
    name = alarm.long if alarm else ""
    return Held(level.what, level.target, good, burns, name, urgent)


def worded(held: Held) -> str:
    """`99.8 % up`, `97 % in time`, or how fast it burns; "" of no calls in an hour."""
    what = "up" if held.objective == AVAILABILITY else "in time"
    if held.alarm:
        return f"!! {what}: burns {held.burn[held.alarm]:.3g}x in {held.alarm}"
    return "" if held.good is None else f"{held.good * 100:.4g}% {what}"
