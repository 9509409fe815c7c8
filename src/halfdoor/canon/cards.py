"""What is known of one model, and of the names a tool may ask for."""

from enum import StrEnum

from msgspec import Struct

from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Price
from halfdoor.canon.request import Kind


class Terms(Struct, frozen=True):
    """What a backend's operator promises about text sent there, as the configuration states it.

    region: where it is kept, a free lower-case name. training: `never` or `allowed`.
    retention_days: how long it is kept. "" and None mean: not stated, which satisfies nothing.
    """

    region: str = ""
    training: str = ""
    retention_days: int | None = None


class Fim(StrEnum):
    """How a backend is asked to fill in the middle, where it is not as its dialect has it.

    INFILL: llama.cpp's `/infill`. MISTRAL: `/fim/completions` below the `/v1`.
    """

    OWN = ""
    INFILL = "infill"
    MISTRAL = "mistral"


class Card(Struct, frozen=True):
    """One model behind one backend.

    name: what halfdoor calls it. model_id: what its backend calls it; `*` sends on the name asked.
    zone: the widest of what is claimed and what was learnt about its backend.
    dialect: the dialect its backend speaks.
    vendor: whose thinking blocks it may see: blocks return only to the vendor that made them.
    context_tokens: its window as it is configured, None when that is left to its engine.
    max_output_tokens: clamps `max_tokens`, None when unknown.
    client_credentials: the caller's own key is passed on (to this vendor only).
    scripted: a shipped fake, never a real model.
    kinds: what it can be asked for; counting its tokens needs no kind of its own.
    effort: it takes a reasoning effort. fixed_sampling: it refuses sampling settings.
    fim: how its backend is asked to fill in the middle.
    repair_tools: calls left in its text become calls: None where its answers are translated anyway,
        True in its own dialect too, whose answers are then rewritten, False never.
    terms: what is stated about its backend; nothing, when the engine sends its requests elsewhere.
    """

    name: str
    backend: str
    model_id: str
    zone: Zone
    dialect: str
    vendor: str
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    price: Price = Price()
    client_credentials: bool = False
    scripted: bool = False
    terms: Terms = Terms()
    kinds: tuple[Kind, ...] = (Kind.CHAT,)
    effort: bool = False
    fixed_sampling: bool = False
    fim: Fim = Fim.OWN
    repair_tools: bool | None = None


class Resident(Struct, frozen=True):
    """A model as its engine holds it now.

    model_id: as the engine calls it, `*` where it has one model for every name.
    window: tokens of one request, prompt and answer together; None where that is not said.
    slots: requests at one time. gpu: the share of it in GPU memory, 0 to 1. None: not said.
    """

    model_id: str
    loaded: bool
    window: int | None = None
    slots: int | None = None
    gpu: float | None = None


class Alias(Struct, frozen=True):
    """A name a tool may ask for and who may answer it, in order of preference.

    match: a glob over the asked model name (`claude-*`). choose: names of cards.
    """

    match: str
    choose: tuple[str, ...]
