"""In what order permitted models are asked."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from halfdoor.config.tables.words import NAME, about

StrategyName = Literal["prefer", "local_first", "cloud_first", "cheapest"]
AgentName = Literal["main", "subagent", "workflow", "compaction", "auxiliary"]
TaskName = Literal[
    "title", "summary", "commit", "complete", "convert", "test", "document", "log", "review",
    "design", "refactor", "fix", "boilerplate", "operate", "explain", "implement", "other",
]  # fmt: skip
HOURS: Final = r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$"


class Routing(Struct, frozen=True, forbid_unknown_fields=True):
    """How permitted models are put in order."""

    strategy: Annotated[
        StrategyName,
        about(
            "`prefer` keeps the order of `choose`; `local_first` puts nearer zones first, "
            "`cloud_first` wider ones; `cheapest` what the turn is expected to cost."
        ),
    ] = "prefer"


class MatchTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests a route is for: all that is stated must hold; of a list, one."""

    agent: Annotated[
        tuple[AgentName, ...],
        about(
            "Whose request it is: `main`, `subagent`, `workflow`, `compaction`, `auxiliary` "
            "(titles, commit messages, classifiers)."
        ),
    ] = ()
    task: Annotated[
        tuple[TaskName, ...],
        about("What it asks for, as read from it: see [task types](task-types.md)."),
    ] = ()
    tool: Annotated[
        tuple[str, ...],
        about(
            "Globs over the tool's name, as `launch`, `connect` and the log name it: `claude`, "
            "`codex`, `opencode`."
        ),
    ] = ()
    language: Annotated[
        tuple[str, ...],
        about(
            "All programming languages that it speaks of are among these, as `python`, `go`; or "
            "`several`: it speaks of more than one."
        ),
    ] = ()
    path: Annotated[
        tuple[str, ...],
        about("Globs over the files that it, or what was done just before, names; as in rules."),
    ] = ()
    context_over: Annotated[
        Annotated[int, Meta(ge=0)] | None, about("It has more than this many tokens, estimated.")
    ] = None
    context_under: Annotated[
        Annotated[int, Meta(ge=1)] | None, about("It has fewer than this many tokens, estimated.")
    ] = None
    time: Annotated[
        tuple[Annotated[str, Meta(pattern=HOURS)], ...],
        about("Hours in `time_zone`, as `22:00-06:30`."),
    ] = ()
    model: Annotated[
        tuple[str, ...], about("Globs over the model name that was asked for, as `claude-haiku-*`.")
    ] = ()
    project: Annotated[tuple[str, ...], about("Globs over the project's name.")] = ()
    token: Annotated[
        tuple[str, ...], about("Globs over the name of the token that was shown.")
    ] = ()


class SetTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters that a route sets in every request that goes its way, whatever the tool said."""

    temperature: Annotated[
        Annotated[float, Meta(ge=0, le=2)] | None, about("Sampling temperature, 0 to 2.")
    ] = None
    top_p: Annotated[
        Annotated[float, Meta(gt=0, le=1)] | None, about("Nucleus sampling, above 0 to 1.")
    ] = None
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=2**53 - 1)] | None,
        about("Seed, where the protocol has one: not in Messages and Responses."),
    ] = None
    stop: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        about("Stop sequences, in place of the tool's; Responses has none."),
    ] = ()
    system: Annotated[
        str,
        Meta(
            max_length=20_000,
            description="Text that stands before the request's own system text, the same every "
            "turn.",
        ),
    ] = ""


class RouteTable(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule for the choice among permitted models; the first that matches holds."""

    name: Annotated[str, Meta(pattern=NAME, description="What `halfdoor why` calls it.")]
    match: Annotated[MatchTable, about("See `[routes.match]`; left out, it matches all.")] = (
        MatchTable()
    )
    models: Annotated[
        tuple[str, ...],
        about(
            "Names of models that come first, in this order; those that the name asked for does "
            "not allow are passed over."
        ),
    ] = ()
    strategy: Annotated[
        StrategyName | None,
        about("How its `models`, or without them all, are put in order; see `[routing]`."),
    ] = None
    only: Annotated[
        bool, about("Its `models` and nobody else: where none of them may answer, it is refused.")
    ] = False
    set: Annotated[SetTable, about("See `[routes.set]`.")] = SetTable()
