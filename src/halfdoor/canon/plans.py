"""Flat plans: a fee for a time, and how much may be used for it."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class Beyond(StrEnum):
    """What happens to a call that the plan has no room for.

    FALLBACK: its model is left out, another permitted one answers. STOP: it is left out, and so is
    whoever would have come after it. PAY: it is sent and costs its list price.
    """

    FALLBACK = "fallback"
    STOP = "stop"
    PAY = "pay"


class Window(Struct, frozen=True):
    """How much may be used in any stretch of `seconds`; None is not limited."""

    seconds: int
    requests: int | None = None
    tokens: int | None = None


class Plan(Struct, frozen=True):
    """A subscription.

    fee: pico-USD for each `period` (`day`, `week`, `month`). since: its first day, ISO, or "".
    backends, models: names and globs over names, of what it covers; () is any, but not of both.
    """

    name: str
    fee: int
    period: str
    backends: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    beyond: Beyond = Beyond.FALLBACK
    windows: tuple[Window, ...] = ()
    since: str = ""


class Use(Struct, frozen=True):
    """What a call takes of a plan. tokens: of prompt and answer, from a cache or not."""

    plan: str
    requests: int
    tokens: int


class Fill(Struct, frozen=True):
    """What was used in a window by our own count. free: when some of it is free again, in words."""

    requests: int = 0
    tokens: int = 0
    free: str = ""


class Told(Struct, frozen=True):
    """How full a window is as its vendor says. used_ppm: millionths of it; until: in words."""

    window_s: int
    used_ppm: int
    until_ms: int
    until: str = ""


class Standing(Struct, frozen=True):
    """How a plan stands. fills: one for each of its windows. told: what holds now, if any."""

    fills: tuple[Fill, ...] = ()
    told: tuple[Told, ...] = ()


# By the plan's name; one that is not there is not known.
Standings = Mapping[str, Standing]
