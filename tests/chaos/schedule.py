"""A schedule of faults, made from a seed: what breaks, when, for how long."""

import random
from dataclasses import dataclass
from typing import Final

from tests.chaos.weather import WAYS

BACKENDS: Final = ("far", "gpt", "near")
# What happens to halfdoor itself, and how often of a hundred faults.
WEIGHTS: Final = {
    "weather": 60, "dead": 14, "clock": 10, "disk": 5, "restart": 5, "kill": 6,
}  # fmt: skip
# Milliseconds; a month over the end of every period, and back.
JUMPS: Final = (-86_400_000, -3_600_000, -5_000, 5_000, 3_600_000, 86_400_000, 2_678_400_000)
SHORTEST_S: Final = 0.1
LONGEST_S: Final = 0.8


@dataclass(frozen=True, slots=True)
class Fault:
    """number: its place in the schedule. whom: backends, () for halfdoor itself.

    way: a name of `WAYS`, or milliseconds of a jump.
    """

    number: int
    at_s: float
    kind: str
    whom: tuple[str, ...] = ()
    way: str = ""
    for_s: float = 0.0

    def __str__(self) -> str:
        about = ", ".join(filter(None, ("+".join(self.whom), self.way)))
        lasts = f" for {self.for_s:.2f} s" if self.for_s else ""
        return f"{self.number:3} at {self.at_s:5.2f} s  {self.kind:8} {about}{lasts}"


def schedule(seed: int, count: int) -> list[Fault]:
    """So many faults, one after the other or several at once, the same for the same seed."""
    chance = random.Random(seed)
    at_s, faults = 0.2, []
    for number in range(count):
        kind = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        for_s = chance.uniform(SHORTEST_S, LONGEST_S)
        match kind:
            case "weather":
                whom = tuple(chance.sample(BACKENDS, chance.choice((1, 1, 2, 3))))
                fault = Fault(number, at_s, kind, whom, chance.choice(list(WAYS)), for_s)
            case "dead":
                fault = Fault(number, at_s, kind, (chance.choice(BACKENDS),), "", for_s)
            case "clock":
                fault = Fault(number, at_s, kind, (), str(chance.choice(JUMPS)))
            case "disk":
                fault = Fault(number, at_s, kind, (), "", for_s)
            case _:
                fault = Fault(number, at_s, kind)
        faults.append(fault)
        at_s += chance.uniform(0.05, 0.5)
    return faults
