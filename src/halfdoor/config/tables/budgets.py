"""What may be spent."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from halfdoor.config.tables.words import NAME, about


class BudgetMatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What an exchange must be for a budget to count it; all that is given must hold."""

    token: Annotated[str, about("The name of one of the `[[tokens]]`, or `launch`.")] = ""
    person: Annotated[str, about("The `person` of a token.")] = ""
    team: Annotated[str, about("The `team` of a token.")] = ""
    project: Annotated[str, about("The project's folder name, as `launch` tells it.")] = ""
    tool: Annotated[
        str, about("The tool, as `launch`, `connect` and the log name it: `claude`, `codex`.")
    ] = ""
    model: Annotated[
        str,
        about("A glob over the model's name; where `id` is `*`, over its name in the price list."),
    ] = ""
    zone: Annotated[Literal["", "device", "network", "cloud"], about("Where it is answered.")] = ""


class BudgetTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What may be spent in a period. Changes need a restart."""

    name: Annotated[str, Meta(pattern=NAME, description="What refusals and reports call it.")]
    limit_usd: Annotated[
        Annotated[float, Meta(ge=0, le=1_000_000)], about("US dollars, for each period anew.")
    ]
    period: Annotated[Literal["day", "week", "month"], about("Weeks begin on Monday.")] = "month"
    mode: Annotated[
        Literal["hard", "warn"],
        about(
            "`hard` sends nothing that may go beyond, nor what has no known price; `warn` says so."
        ),
    ] = "hard"
    match: Annotated[BudgetMatch, about("See `[budgets.match]`; left out, it counts all.")] = (
        BudgetMatch()
    )
    each: Annotated[
        Literal["", "token", "person", "team", "project", "tool", "model", "zone"],
        about("Each name in this field has the limit to itself; empty means one for all."),
    ] = ""
