"""Where models answer."""

import os
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from halfdoor.config.tables.words import NAME, REGION, Days, Seconds, ZoneName, about

DialectName = Literal["openai_chat", "anthropic_messages", "openai_responses", "ollama"]
FimName = Literal["", "infill", "mistral"]
REFERENCE: Final = r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$"


class Timeouts(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a backend may stay silent, in seconds."""

    connect_s: Annotated[Seconds, about("Until the connection stands.")] = 10.0
    first_byte_s: Annotated[Seconds, about("From the request to the status line.")] = 300.0
    idle_s: Annotated[Seconds, about("Between two pieces of an answer.")] = 300.0
    answer_s: Annotated[
        Seconds, about("From the request to the answer's end, however steadily it drips.")
    ] = 7200.0


class Slo(Struct, frozen=True, forbid_unknown_fields=True):
    """What the backend is held to; nothing that is left out."""

    availability: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | None,
        about("Share of its calls that it must not fail, as `0.99`; left out, none is promised."),
    ] = None
    first_token_s: Annotated[
        Annotated[float, Meta(ge=0.1, le=3600)] | None,
        about(
            "Seconds to the first bytes of a streamed answer, in tenths; left out, none promised."
        ),
    ] = None
    first_token_share: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | None,
        about("Share of its streamed answers that must begin in that time; left out, 0.95."),
    ] = None


class Backend(Struct, frozen=True, forbid_unknown_fields=True):
    """A place where models answer."""

    name: Annotated[str, Meta(pattern=NAME, description="What models refer to.")]
    dialect: Annotated[DialectName, about("The protocol it speaks.")]
    url: Annotated[
        str,
        about(
            "Base URL as that dialect's SDK wants it (OpenAI with `/v1`, Anthropic without); "
            "`scripted:` is a shipped fake."
        ),
    ]
    zone: Annotated[
        ZoneName,
        about("Where it is, as you claim; the address really connected to can only widen it."),
    ]
    key: Annotated[
        str,
        Meta(
            pattern=REFERENCE + "|^$",
            description="`${VARIABLE}`: where its key is; unset, it is called without a key.",
        ),
    ] = ""
    credentials: Annotated[
        Literal["", "client"],
        about("`client` passes the caller's own key on, to this vendor only."),
    ] = ""
    vendor: Annotated[
        str,
        Meta(
            pattern=NAME + "|^$",
            description="Whose it is: who may see its own thinking blocks, ids and attribution; "
            "empty means the vendor of a known host, else the backend's name.",
        ),
    ] = ""
    region: Annotated[
        str,
        Meta(
            pattern=REGION + "|^$",
            description="Where its operator keeps the text, a name of yours (`eu`, `de`); "
            "empty means unknown.",
        ),
    ] = ""
    training: Annotated[
        Literal["", "never", "allowed"],
        about("Whether its operator may train on the text; empty means unknown."),
    ] = ""
    retention_days: Annotated[
        Days | None, about("How many days its operator keeps the text; left out means unknown.")
    ] = None
    fim: Annotated[
        FimName,
        about(
            "How it fills in the middle, where not as OpenAI's `suffix`: `infill` is llama.cpp's "
            "endpoint, `mistral` is `/fim/completions`. For `openai_chat` only."
        ),
    ] = ""
    ca_file: Annotated[
        str,
        about("PEM file of the only certificate authorities to believe; empty means the system's."),
    ] = ""
    timeouts: Annotated[Timeouts, about("See `[backends.timeouts]`.")] = Timeouts()
    slots: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)] | None,
        about(
            "Answers that it gives at once; further ones wait their turn. Left out, as many as the "
            "engine says (llama.cpp, LM Studio); where it says nothing, none waits."
        ),
    ] = None
    queue: Annotated[
        Annotated[int, Meta(ge=0, le=100_000)],
        about("How many may wait, here and in it; more are answered elsewhere, or are 429."),
    ] = 64
    overflow_at: Annotated[
        Annotated[int, Meta(ge=0, le=100_000)] | None,
        about(
            "From so many waiting, here and in it (at most `queue`), other permitted models are "
            "asked first; so they are where a model would have to be swapped for one that answers "
            "now. Left out, never."
        ),
    ] = None
    swap_after_s: Annotated[
        Annotated[float, Meta(ge=0, le=86_400)],
        about(
            "Seconds in which requests for the loaded model may pass one for another model, which "
            "waits until the loaded one has finished; 0 where it never waits for that. For "
            "engines that swap models: Ollama, LM Studio, llama-swap."
        ),
    ] = 30.0
    slo: Annotated[Slo, about("See `[backends.slo]`.")] = Slo()

    @property
    def key_env(self) -> str:
        """The environment variable that holds the key, "" for none."""
        return self.key[2:-1]

    @property
    def authorities(self) -> str:
        """The path of `ca_file`, "" for the system's authorities."""
        return os.path.expanduser(self.ca_file)  # noqa: PTH111  "" stays ""
