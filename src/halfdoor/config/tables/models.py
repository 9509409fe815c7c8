"""Models: what each is, what it costs, and the names they are asked for by."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from halfdoor.config.tables.words import NAME, about

KindName = Literal["chat", "completion", "embedding"]
# Dearer than any model sold: ten times over.
DEAREST_USD: Final = 10_000
Usd = Annotated[float, Meta(ge=0, le=DEAREST_USD)]


class RateTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Rates in US dollars for a million tokens, by kind."""

    input: Annotated[Usd | None, about("USD for a million prompt tokens.")] = None
    output: Annotated[Usd | None, about("USD for a million answer tokens.")] = None
    cached_input: Annotated[
        Usd | None, about("USD for a million prompt tokens read from a cache.")
    ] = None
    cache_write: Annotated[
        Usd | None, about("USD for a million prompt tokens put into a cache.")
    ] = None
    cache_write_1h: Annotated[
        Usd | None, about("USD for a million prompt tokens put into a cache for an hour.")
    ] = None
    reasoning: Annotated[
        Usd | None, about("USD for a million answer tokens that are thought only.")
    ] = None


class TierTable(RateTable, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """USD for a million tokens of a request with a long prompt; a kind left out is as below it."""

    above: Annotated[int, Meta(ge=1, description="Prompts of more tokens than this have them.")]


class Prices(RateTable, frozen=True, forbid_unknown_fields=True):
    """US dollars for a million tokens, by kind, as a vendor's price page says them; 0 is free."""

    input: Annotated[Usd, about("USD for a million prompt tokens.")]
    output: Annotated[Usd, about("USD for a million answer tokens.")]
    cached_input: Annotated[
        Usd | None,
        about("USD for a million prompt tokens read from a cache; left out, as `input`."),
    ] = None
    cache_write: Annotated[
        Usd | None,
        about(
            "USD for a million prompt tokens put into a cache; left out, as `input`. Needed where "
            "the price list asks more for them, and in the cloud for `anthropic_messages`."
        ),
    ] = None
    cache_write_1h: Annotated[
        Usd | None,
        about(
            "USD for a million prompt tokens put into a cache for an hour; left out, as "
            "`cache_write`. Needed where the price list asks more for them."
        ),
    ] = None
    reasoning: Annotated[
        Usd | None,
        about(
            "USD for a million answer tokens that are thought only; left out, as `output`. Needed "
            "where the price list asks more for them."
        ),
    ] = None
    tiers: Annotated[
        tuple[TierTable, ...],
        about(
            "See `[[models.usd_per_million_tokens.tiers]]`. Needed where the price list asks more "
            "for long prompts."
        ),
    ] = ()


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
    usd_per_million_tokens: Annotated[
        Prices | None,
        about(
            "Its price, see `[models.usd_per_million_tokens]`; left out, nothing on this device, "
            "else that of the price list, if it is on it."
        ),
    ] = None


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
