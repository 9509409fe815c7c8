"""What was decided: who may see a request, who will be tried, and proof that it was recorded."""

from msgspec import Struct

from halfdoor.canon.cards import Fim, Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.money import Price


class Edit(Struct, frozen=True):
    """One splice of an outbound body: bytes [start, end) are replaced.

    kind: one of the closed list in `dialects/base.py:EDITS`; the log names it.
    """

    kind: str
    start: int
    end: int
    replacement: bytes


class Target(Struct, frozen=True):
    """A model that may be called. name: its card's; model_id: what its backend is asked for.

    context_tokens: the window of one request, as far as it is known.
    max_output_tokens: clamps `max_tokens`: the card's limit, or the rest of a near one's window.
    priced_as: its name in a public price list, where its card sends on the name that was asked; of
        a closed set, unlike the name asked. "" elsewhere.
    repair_tools: as on its card.
    plan: the flat plan that covers it, "" for none. listed: its price without the plan, while the
        plan pays for it; None while it does not.
    """

    name: str
    backend: str
    model_id: str
    zone: Zone
    dialect: str
    vendor: str
    max_output_tokens: int | None = None
    context_tokens: int | None = None
    client_credentials: bool = False
    terms: Terms = Terms()
    price: Price = Price()
    priced_as: str = ""
    effort: bool = False
    fixed_sampling: bool = False
    fim: Fim = Fim.OWN
    repair_tools: bool | None = None
    plan: str = ""
    listed: Price | None = None


class Exclusion(Struct, frozen=True):
    """Why a target left the plan: rule and label that forbid it.

    unmet: which of the rule's requirements its terms do not satisfy (`region`, `training`,
        `retention_days`); () when its zone alone is too wide.
    """

    target: str
    zone: Zone
    rule: str
    label: str
    unmet: tuple[str, ...] = ()


class Unfit(Struct, frozen=True):
    """Why a permitted target was not planned: the request is longer than its window.

    tokens: of the prompt, as they are expected. window: of one request, prompt and answer together.
    """

    target: str
    zone: Zone
    tokens: int
    window: int


class Verdict(Struct, frozen=True):
    """Who may see this request, and why.

    permitted: candidates in order of preference. excluded: candidates that a rule forbids.
    ceiling: the widest zone that all labels together allow.
    rule, label: the strictest rule that matched and its label, "" when none did.
    refusal: set when the whole request is refused; a sentence for the caller.
    explicit: the caller asked for one model by its own name.
    """

    ceiling: Zone
    permitted: tuple[Target, ...]
    excluded: tuple[Exclusion, ...] = ()
    rule: str = ""
    label: str = ""
    refusal: str = ""
    hint: str = ""
    explicit: bool = False


class Permit(Struct, frozen=True):
    """Proof that a decision is durable. Checked again where the socket is.

    targets: names of the targets it covers, with the widest zone each may be found in.
    sequence: the entry's index in the log. seal: keyed hash over the other fields, b"" where it
    covers no target.
    """

    exchange: str
    targets: tuple[tuple[str, Zone], ...]
    sequence: int
    seal: bytes


class ControlPermit(Struct, frozen=True):
    """Leave to make one kind of call that carries no request text.

    host: `name:port`. purpose: `discovery`, `status`, `sign-in` …; `doctor` lists them.
    """

    host: str
    purpose: str
