"""What `/metrics` tells: every meter, its unit and where its name comes from.

`docs/reference/metrics.md` is generated from this table. A name is vLLM's or LiteLLM's where it
counts what theirs counts, so that a chart drawn for them shows halfdoor, too.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Kind(StrEnum):
    """As Prometheus has them. A counter never falls, also not when halfdoor is restarted."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Meter(Struct, frozen=True):
    """One name of `/metrics`.

    labels: their names; values come from the configuration or a closed set. per: how many of what
    is counted make one of what is shown (pico-USD and USD). source: whose name it is.
    """

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    said: str
    source: str = "halfdoor"
    per: int = 1


_PICO: Final = 10**12
_MS: Final = 1000
_MODEL: Final = ("model", "backend", "zone")

# --- Counted from the log, for all processes and all time. ---

EXCHANGES: Final = Meter(
    "halfdoor_exchanges_total", Kind.COUNTER, "exchanges", ("outcome", "model", "zone"),
    "Exchanges that are over: `answered`, `refused`, `failed`, `hung-up` (its client went away) or "
    "`counted` (tokens, by halfdoor itself); `model` and `zone` of the last call, empty of none.",
)  # fmt: skip
REFUSALS: Final = Meter(
    "halfdoor_refusals_total", Kind.COUNTER, "exchanges", ("reason", "rule"),
    "Exchanges refused before any call: `rule`, `explicit` (the model asked for may not see it), "
    "`budget`, `plan`, `too-long`, `no-target`, `given-up` (its models failed the same turn a "
    "moment ago) or `other`; and the rule that said so.",
)  # fmt: skip
HELD_BACK: Final = Meter(
    "halfdoor_held_back_total", Kind.COUNTER, "exchanges", ("rule",),
    "Exchanges in which a rule kept the request from at least one model.",
)  # fmt: skip
LABELS: Final = Meter(
    "halfdoor_labels_total", Kind.COUNTER, "exchanges", ("label",),
    "Exchanges in which a label was found; once for each label.",
)  # fmt: skip
FALLBACKS: Final = Meter(
    "halfdoor_fallbacks_total", Kind.COUNTER, "exchanges", ("from", "to"),
    "Exchanges that another model answered than the first that was called.",
)  # fmt: skip
CALLS: Final = Meter(
    "halfdoor_calls_total", Kind.COUNTER, "calls", (*_MODEL, "result"),
    "Calls to backends: `answered`, `hung-up`, `failed-inside` (an error in its stream) or how "
    "it failed (`timeout`, `status`, `quota` …); `busy`, `budget` and `untranslatable` were never "
    "sent.",
)  # fmt: skip
INPUT: Final = Meter(
    "litellm_input_tokens_metric_total", Kind.COUNTER, "tokens", _MODEL,
    "Prompt tokens as backends counted them, cached ones among them.", "LiteLLM",
)  # fmt: skip
CACHED: Final = Meter(
    "litellm_input_cached_tokens_metric_total", Kind.COUNTER, "tokens", _MODEL,
    "Those of them that a vendor read from its cache.", "LiteLLM",
)  # fmt: skip
WRITTEN: Final = Meter(
    "litellm_input_cache_creation_tokens_metric_total", Kind.COUNTER, "tokens", _MODEL,
    "Those of them that a vendor put into its cache.", "LiteLLM",
)  # fmt: skip
OUTPUT: Final = Meter(
    "litellm_output_tokens_metric_total", Kind.COUNTER, "tokens", _MODEL,
    "Answer tokens as backends counted them, reasoning among them.", "LiteLLM",
)  # fmt: skip
REASONING: Final = Meter(
    "litellm_output_reasoning_tokens_metric_total", Kind.COUNTER, "tokens", _MODEL,
    "Those of them that were thought only.", "LiteLLM",
)  # fmt: skip
SPEND: Final = Meter(
    "litellm_spend_metric_total", Kind.COUNTER, "USD", _MODEL,
    "What calls cost, as far as it is known; exact until it is shown.", "LiteLLM", _PICO,
)  # fmt: skip
UNPRICED: Final = Meter(
    "halfdoor_unpriced_calls_total", Kind.COUNTER, "calls", _MODEL,
    "Calls whose cost nobody knows; `litellm_spend_metric_total` is without them.",
)  # fmt: skip
FIRST_TOKEN: Final = Meter(
    "vllm:time_to_first_token_seconds", Kind.HISTOGRAM, "seconds", ("model_name", "backend"),
    "From a backend being asked to the first bytes of its stream: behind halfdoor's queue, pings "
    "left out. An engine that opens its stream before it has a token is counted from there.",
    "vLLM", _MS,
)  # fmt: skip
DURATION: Final = Meter(
    "vllm:e2e_request_latency_seconds", Kind.HISTOGRAM, "seconds", ("model_name",),
    "All calls of an answered exchange, waiting in halfdoor's queue among them.", "vLLM", _MS,
)  # fmt: skip
NOTICES: Final = Meter(
    "halfdoor_notices_total", Kind.COUNTER, "exchanges", ("notice",),
    "Answers of which something must be known: `truncated`.",
)  # fmt: skip
ENTRIES: Final = Meter(
    "halfdoor_log_entries_total", Kind.COUNTER, "entries", ("kind",),
    "Entries of the evidence log: `decided`, `outcome`, `noted`.",
)  # fmt: skip

# --- As it is now. ---

RUNNING: Final = Meter(
    "vllm:num_requests_running", Kind.GAUGE, "exchanges", ("model_name", "backend"),
    "Exchanges that a backend is answering.", "vLLM",
)  # fmt: skip
WAITING: Final = Meter(
    "vllm:num_requests_waiting", Kind.GAUGE, "exchanges", ("model_name", "backend"),
    "Exchanges that wait for a slot of their backend, in halfdoor's own queue.", "vLLM",
)  # fmt: skip
PROCESSES: Final = Meter(
    "halfdoor_processes", Kind.GAUGE, "processes", (),
    "Processes whose exchanges are in this answer; fewer than `--workers` says, and what is as of "
    "now is not the whole.",
)  # fmt: skip
LOG_WAITING: Final = Meter(
    "halfdoor_log_waiting_entries", Kind.GAUGE, "entries", (),
    "Entries that wait for the disk; beyond 8,192 in a process, requests are refused.",
)  # fmt: skip
LOG_WRITE: Final = Meter(
    "halfdoor_log_write_seconds", Kind.GAUGE, "seconds", (),
    "How long the newest write of the log took, its flush to the disk with it; of the slowest "
    "process.",
)  # fmt: skip
TRIPPED: Final = Meter(
    "halfdoor_breaker_open", Kind.GAUGE, "processes", ("backend", "model"),
    "Processes in which others are asked first, because this has just failed; without a model, the "
    "backend as a whole.",
)  # fmt: skip
BUDGET_LIMIT: Final = Meter(
    "halfdoor_budget_limit_usd", Kind.GAUGE, "USD", ("budget",),
    "The limit of a budget in its period.", per=_PICO,
)  # fmt: skip
BUDGET_LEFT: Final = Meter(
    "halfdoor_budget_left_usd", Kind.GAUGE, "USD", ("budget",),
    "What is left of it now, what is held taken off; of a budget with `each`, the least that "
    "anybody has left.", per=_PICO,
)  # fmt: skip
TARGET: Final = Meter(
    "halfdoor_slo_target_ratio", Kind.GAUGE, "share", ("backend", "objective"),
    "The share of calls that must be good: `availability`, `first_token`.",
)  # fmt: skip
BURN: Final = Meter(
    "halfdoor_slo_burn_rate", Kind.GAUGE, "times", ("backend", "objective", "window"),
    "How many times faster than the objective allows calls have been bad, in the last `5m`, `30m`, "
    "`1h`, `6h`, `3d`.",
)  # fmt: skip
BAD: Final = Meter(
    "halfdoor_slo_bad_calls", Kind.GAUGE, "calls", ("backend", "objective", "window"),
    "The calls that were bad in that time.",
)  # fmt: skip
CONSIDERED: Final = Meter(
    "halfdoor_slo_calls", Kind.GAUGE, "calls", ("backend", "objective", "window"),
    "The calls that count, in that time.",
)  # fmt: skip
OFFLINE: Final = Meter(
    "halfdoor_offline", Kind.GAUGE, "0 or 1", (), "Whether only this device is spoken to.",
)  # fmt: skip
INFO: Final = Meter(
    "halfdoor_info", Kind.GAUGE, "1", ("version", "policy"),
    "The version, and the hash of the rules in force.",
)  # fmt: skip

COUNTED: Final = (
    EXCHANGES, REFUSALS, HELD_BACK, LABELS, FALLBACKS, CALLS, INPUT, CACHED, WRITTEN, OUTPUT,
    REASONING, SPEND, UNPRICED, FIRST_TOKEN, DURATION, NOTICES, ENTRIES,
)  # fmt: skip
CURRENT: Final = (
    RUNNING, WAITING, PROCESSES, LOG_WAITING, LOG_WRITE, TRIPPED, BUDGET_LIMIT, BUDGET_LEFT, TARGET,
    BURN, BAD, CONSIDERED, OFFLINE, INFO,
)  # fmt: skip
METERS: Final = (*COUNTED, *CURRENT)

# Upper ends of a histogram's buckets, milliseconds: from an embedding to a slow prefill.
BOUNDS_MS: Final = (
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000,
)  # fmt: skip
# INVARIANT: a meter has no more sets of label values than this, and one for all others.
MOST_SETS: Final = 200
OTHER: Final = "other"


def page() -> str:
    """`docs/reference/metrics.md`: the table, as Markdown."""
    rows = "".join(_row(meter) for meter in METERS)
    bounds = ", ".join(f"{bound / _MS:g}" for bound in BOUNDS_MS)
    return _PAGE.format(rows=rows, bounds=bounds, most=MOST_SETS, other=OTHER)


def _row(meter: Meter) -> str:
    labels = ", ".join(f"`{label}`" for label in meter.labels)
    cells = (f"`{meter.name}`", meter.kind, meter.unit, labels, meter.source, meter.said)
    return f"| {' | '.join(cells)} |\n"


_PAGE: Final = """# Metrics

`GET /metrics` in Prometheus' text format 0.0.4. [Watch it](../how-to/watch-it.md) says how to
scrape it, who may, and which alarms to set. This page is generated:
`python -m halfdoor.record.meters > docs/reference/metrics.md`.

Counters and histograms are added up from the evidence log, so one answer is for all processes on
one state directory, `--workers` or not, whichever of them gives it; they go on where they were
after a restart, and begin again when the log does. What is as of now is read from a table in memory
that the processes share, the breakers in it at most a second old.

Label values come from the configuration (models, backends, budgets, rules) or from closed sets; a
name that a tool asks for is never one. A meter has at most {most} sets of label values; what comes
later (rules and labels of many projects' own files can) is added up under `{other}`. Nothing here
holds text of a request.

Upper ends of the buckets of histograms, seconds: {bounds}.

| name | type | unit | labels | name from | |
|---|---|---|---|---|---|
{rows}"""


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201  this is how the page is renewed
