"""Entries of the log, and its signed head.

No content: keyed hashes, counts, and names from closed sets.
"""

from msgspec import Struct

from halfdoor.canon.money import Usage


class LabelCount(Struct, frozen=True):
    """A label and where it was found; places are structural names, at most 16 of them."""

    label: str
    detail: str
    detector: str
    count: int
    places: tuple[str, ...]


class Planned(Struct, frozen=True):
    """A target as it was planned. model: the card's name.

    priced_as: see `Target.priced_as`.
    most: pico-USD that it may cost at most by an estimate; None when nobody asked, or nobody knows.
    plan: the flat plan that pays for it, "" for none; tokens: that it takes of the plan at most.
    """

    model: str
    backend: str
    zone: str
    most: int | None = None
    priced_as: str = ""
    plan: str = ""
    tokens: int = 0


class Left(Struct, frozen=True):
    """A target that a rule took out of the plan.

    unmet: requirements of the rule that the target's stated terms do not satisfy: `region`,
        `training`, `retention_days`; () when its zone alone is too wide.
    """

    model: str
    zone: str
    rule: str
    label: str
    unmet: tuple[str, ...] = ()


class TooLong(Struct, frozen=True):
    """A permitted target that was not planned, because the request is longer than its window.

    tokens: of the prompt, estimated. window: in tokens, of prompt and answer together.
    """

    model: str
    zone: str
    tokens: int
    window: int


class Expected(Struct, frozen=True):
    """Pico-USD that a turn was expected to cost at one model; None where its price is unknown."""

    model: str
    cost: int | None


class Leaving(Struct, frozen=True):
    """A session whose prompt one model has in its cache, and another that came first for its ask.

    model: who has it. other: who came first. why: `stays`; it leaves because it `pays`, because
    there is `nothing-lost`, to go `back` from a visit, because somebody is `unpriced`; it must
    because `model` is `unwell`, `busy` or `left-out` of the plan.
    tokens: of the request, estimated. worth: pico-USD that the cache saves of them. stay, go: that
    the turn is expected to cost at each; None where it is unknown, or was not asked.
    """

    model: str
    other: str
    why: str
    tokens: int = 0
    worth: int | None = None
    stay: int | None = None
    go: int | None = None


class Chosen(Struct, frozen=True):
    """Why the plan has its order; names from closed sets and from the configuration, and numbers.

    agent, task, languages: what was read of the request. route: the route's name, "" for none.
    strategy: what ordered the models that the route does not name.
    tokens: of the request, estimated; 0 where nothing asked for it. expected: only of `cheapest`.
    kept: the model that stays first inside a tool loop, "" outside of one.
    leaving: None where the session had no cache to leave, or no reason to.
    sets: what the route sets: `temperature 0.0`; of system text its keyed hash (hex).
    """

    agent: str
    task: str
    languages: tuple[str, ...] = ()
    route: str = ""
    strategy: str = ""
    tokens: int = 0
    expected: tuple[Expected, ...] = ()
    kept: str = ""
    leaving: Leaving | None = None
    sets: tuple[str, ...] = ()


class Decided(Struct, frozen=True, tag_field="kind", tag="decided"):
    """Written before any byte leaves.

    time: RFC 3339, UTC, milliseconds. body_mac: keyed hash (hex) of the body as it came.
    asked: the model name asked for if it is one that the configuration knows, else "(unknown)".
    policy: hash (hex) of the rules in force; detectors: hash (hex) of the detectors' tables.
    edits: kinds of splices that the first target's body gets.
    session: short name of the session whose floor gave labels, see `halfdoor session`, else "".
    unwell: models passed over because they had just failed, each with how: `sonnet: 429`.
    busy: models that come last because too much waits for their engine, each with how much:
        `qwen: 3 waiting`, `qwen: would swap`.
    instead_of: models that would have been asked before the first of the plan, each with why not,
        as `x-halfdoor-fallback` says it: `sonnet: 429`, `sonnet: budget team`.
    refusal: "" or a stable code: `rule`, `explicit`, `budget`, `plan`, `no-target`, `too-long`,
        `given-up` (its models failed the same turn a moment ago).
    via: the mark that `connect` put into the address of the tool, "" without one.
    unfit: permitted targets whose window is too small.
    expected_tokens: of the prompt, estimated for the first target; 0 where that was not asked.
    choice: None in entries of a halfdoor that did not yet say it.
    """

    id: str
    time: str
    dialect: str
    endpoint: str
    asked: str
    stream: bool
    body_bytes: int
    body_mac: str
    labels: tuple[LabelCount, ...]
    ceiling: str
    rule: str
    plan: tuple[Planned, ...]
    excluded: tuple[Left, ...]
    policy: str
    detectors: str
    edits: tuple[str, ...] = ()
    refusal: str = ""
    explicit: bool = False
    token: str = ""
    tool: str = ""
    project: str = ""
    session_mac: str = ""
    session: str = ""
    via: str = ""
    unwell: tuple[str, ...] = ()
    unfit: tuple[TooLong, ...] = ()
    expected_tokens: int = 0
    choice: Chosen | None = None
    busy: tuple[str, ...] = ()
    instead_of: tuple[str, ...] = ()


class Attempt(Struct, frozen=True):
    """One target that was called. result: `answered`, `hung-up` or a fault kind; status: HTTP or 0.

    sent_bytes: body bytes handed to the socket; 0 when no connection was made.
    edits: kinds of splices, or `translated` and what could not be expressed.
    priced_as: see `Target.priced_as`.
    cost: pico-USD of what its backend said was used, None when it said nothing or has no price.
    plan: the flat plan that paid for it, "" for none; worth: pico-USD at its list price then, None
        when that is not known.
    waited_ms: of its time, in the queue before its engine. swap: there, also until another model
        had finished, which its own would have put out.
    first_ms: see `Answered.first_answer_ms`.
    """

    model: str
    backend: str
    zone: str
    result: str
    status: int
    sent_bytes: int
    received_bytes: int
    ms: int
    edits: tuple[str, ...] = ()
    cost: int | None = None
    priced_as: str = ""
    plan: str = ""
    worth: int | None = None
    waited_ms: int = 0
    swap: bool = False
    first_ms: int = -1


class Outcome(Struct, frozen=True, tag_field="kind", tag="outcome"):
    """Written when the exchange is over.

    result: `answered`, `refused`, `failed`, `hung-up`, `counted` (tokens, here, by nobody else).
    stop: the neutral stop reason, "" if none.
    cost: pico-USD of all attempts, None when that of any is not known.
    first_byte_ms: from the request's arrival to the first byte to the client; -1 if there was none.
    notices: what must be known of the answer, from a closed set: `truncated` (the engine counted
        far fewer tokens than it was sent, see `reading/tokens.py:cut_short`).
    """

    id: str
    time: str
    result: str
    model: str
    zone: str
    attempts: tuple[Attempt, ...]
    usage: Usage | None
    stop: str
    status: int
    first_byte_ms: int
    ms: int
    cost: int | None = None
    notices: tuple[str, ...] = ()


class Noted(Struct, frozen=True, tag_field="kind", tag="noted"):
    """Something else an auditor must see: `started`, `loosened`, `offline-on` … as the docs list.

    facts: names and values, all from closed sets, numbers or hashes; of `lifted` also the reason, a
    person's own words.
    """

    id: str
    time: str
    event: str
    facts: dict[str, str] = {}


Entry = Decided | Outcome | Noted


class Checkpoint(Struct, frozen=True):
    """The log's head. origin: the log's name. size: number of entries. root: RFC 6962 root hash."""

    origin: str
    size: int
    root: bytes
