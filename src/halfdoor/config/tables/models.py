"""Models: what each is, what it costs, and the names they are asked for by."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from halfdoor.config.tables.words import NAME, about

KindName = Literal["chat", "completion", "embedding"]
MicroPerMillion = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]


class RateTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Micro-USD per million tokens, by kind."""

    input: Annotated[MicroPerMillion | None, about("Prompt tokens.")] = None
    output: Annotated[MicroPerMillion | None, about("Answer tokens.")] = None
    cached_input: Annotated[
        MicroPerMillion | None, about("Prompt tokens from a cache; left out, as `input`.")
    ] = None
    cache_write: Annotated[MicroPerMillion | None, about("Prompt tokens put into a cache.")] = None
    cache_write_1h: Annotated[
        MicroPerMillion | None, about("The same for an hour; left out, as `cache_write`.")
    ] = None
    reasoning: Annotated[
        MicroPerMillion | None, about("Answer tokens that are thought only; left out, as `output`.")
    ] = None


class TierTable(RateTable, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Rates of a whole request with a long prompt; a kind left out is as below it."""

    above: Annotated[int, Meta(ge=1, description="Prompts of more tokens than this have them.")]


class Prices(RateTable, frozen=True, forbid_unknown_fields=True):
    """Micro-USD per million tokens; a model that states none has those of the price list."""

    tiers: Annotated[tuple[TierTable, ...], about("See `[[models.price.tiers]]`.")] = ()


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """A model that may answer."""

    name: Annotated[
        str, Meta(pattern=NAME, description="What tools and `[[names]]` call it; never `auto`.")
    ]
    backend: Annotated[str, about("The name of a backend.")]
    id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=500,
            description="What the backend calls it; `*` sends on the name that was asked for.",
        ),
    ]
    context_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        about(
            "Its window; left out, what its engine says is loaded. Ollama's own protocol is asked "
            "to load it so."
        ),
    ] = None
    kinds: Annotated[
        tuple[KindName, ...],
        about("What it can be asked for: `chat`, `completion`, `embedding`."),
    ] = ("chat",)
    max_output_tokens: Annotated[
        Annotated[int, Meta(ge=1)] | None, about("Longest answer; clamps what a tool asks for.")
    ] = None
    effort: Annotated[
        bool,
        about(
            "It takes a reasoning effort; else one that a tool of another protocol asks for is "
            "left out."
        ),
    ] = False
    fixed_sampling: Annotated[
        bool,
        about(
            "It refuses `temperature` and the like, and `max_tokens` under that name, as OpenAI's "
            "reasoning models do: they are left out, and the limit renamed."
        ),
    ] = False
    repair_tools: Annotated[
        bool | None,
        about(
            "Tool calls that its engine leaves in its text become calls: `true` also for tools "
            "of its own dialect, `false` never; left out, where its answers are translated anyway."
        ),
    ] = None
    price: Annotated[Prices, about("See `[models.price]`.")] = Prices()


class Name(Struct, frozen=True, forbid_unknown_fields=True):
    """A name that a tool may ask for, and who may answer."""

    match: Annotated[
        str,
        Meta(
            pattern=r"^[!-~]{1,200}$",
            description="A glob over the model name asked for, as `claude-*`.",
        ),
    ]
    choose: Annotated[
        tuple[str, ...], about("Names of models, in order of preference; at least one.")
    ]
