"""Flat plans."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from halfdoor.config.tables.words import NAME, about

SPAN: Final = r"^[1-9]\d{0,3}[mhd]$"
DATE: Final = r"^(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?$"


class PlanLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a plan may be used in any stretch of time; all limits of a plan hold."""

    window: Annotated[
        str,
        Meta(
            pattern=SPAN,
            description="Minutes, hours or days, as `5h` or `7d`; from `15m` to `31d`. It slides.",
        ),
    ]
    requests: Annotated[
        Annotated[int, Meta(ge=1, le=10**9)] | None, about("So many calls; left out, any number.")
    ] = None
    tokens: Annotated[
        Annotated[int, Meta(ge=1, le=10**15)] | None,
        about("So many tokens, of prompts and answers, from a cache or not; left out, any number."),
    ] = None


class PlanTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A subscription, with a fee for each period; of two that cover a model, the first one pays.

    Changes need a restart.
    """

    name: Annotated[str, Meta(pattern=NAME, description="What refusals and reports call it.")]
    usd: Annotated[
        Annotated[float, Meta(ge=0, le=1_000_000)], about("Its fee in US dollars, for each period.")
    ]
    period: Annotated[Literal["day", "week", "month"], about("What the fee is for.")] = "month"
    backends: Annotated[
        tuple[str, ...],
        about("Names of the backends it covers; left out, any."),
    ] = ()
    models: Annotated[
        tuple[str, ...],
        about("Globs over the names of models that it covers; left out, all of its `backends`."),
    ] = ()
    beyond: Annotated[
        Literal["fallback", "stop", "pay"],
        about(
            "What happens when it has no room: `fallback` leaves its models out and the next "
            "permitted one answers; `stop` asks nobody after them; `pay` sends, at list price."
        ),
    ] = "fallback"
    since: Annotated[
        str,
        Meta(pattern=DATE, description="Its first day, as `2026-11-01`; empty means for ever."),
    ] = ""
    limits: Annotated[
        tuple[PlanLimit, ...],
        about("See `[[plans.limits]]`; left out, what its vendor says in headers, if it does."),
    ] = ()
