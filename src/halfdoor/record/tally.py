"""What an entry of the log adds to the meters. Pure; `store/tallies.py` keeps the sums."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from msgspec import Struct

from halfdoor.canon.money import Usage
from halfdoor.canon.objectives import failed, tenths
from halfdoor.canon.record import Attempt, Decided, Entry, Noted, Outcome
from halfdoor.record import meters
from halfdoor.record.meters import BOUNDS_MS, MOST_SETS, OTHER, Kind, Meter

# What a histogram adds up beside its buckets, which are named by their number.
SUM: Final = "sum"
_KNOWN_REFUSALS: Final = frozenset(
    {"rule", "explicit", "budget", "plan", "no-target", "too-long", "given-up"}
)


class Series(Struct, frozen=True):
    """One number. part: of a histogram `sum` or the number of a bucket, "" of a counter."""

    meter: str
    labels: tuple[str, ...]
    part: str = ""


class Called(Struct, frozen=True):
    """One call that counts for or against a backend.

    tenths: of a second until its stream began, -1 if none did.
    """

    backend: str
    failed: bool
    tenths: int


class Tally:
    """Adds entries up. known: the label sets that are there already, by meter."""

    def __init__(self, known: Mapping[str, set[tuple[str, ...]]]) -> None:
        self._known = {name: set(sets) for name, sets in known.items()}
        self.more: dict[Series, int] = {}

    def take(self, entry: Entry) -> None:
        """Add what one entry counts."""
        for meter, labels, amount in counts(entry):
            kept = self._bounded(meter.name, labels)
            if meter.kind is Kind.HISTOGRAM:
                self._add(Series(meter.name, kept, str(bisect_left(BOUNDS_MS, amount))), 1)
                self._add(Series(meter.name, kept, SUM), amount)
            else:
                self._add(Series(meter.name, kept), amount)

    def _add(self, series: Series, amount: int) -> None:
        self.more[series] = self.more.get(series, 0) + amount

    def _bounded(self, name: str, labels: tuple[str, ...]) -> tuple[str, ...]:
        known = self._known.setdefault(name, set())
        if labels in known:
            return labels
        if len(known) >= MOST_SETS:
            return (OTHER,) * len(labels)
        known.add(labels)
        return labels


def counts(entry: Entry) -> Iterator[tuple[Meter, tuple[str, ...], int]]:
    """(meter, label values, amount) of everything that an entry counts."""
    match entry:
        case Decided():
            yield meters.ENTRIES, ("decided",), 1
            yield from _decided(entry)
        case Outcome():
            yield meters.ENTRIES, ("outcome",), 1
            yield from _outcome(entry)
        case Noted():
            yield meters.ENTRIES, ("noted",), 1
        case _:
            assert_never(entry)


def calls(entry: Outcome) -> Iterator[Called]:
    """The calls of an exchange that say something about their backends."""
    for attempt in entry.attempts:
        bad = failed(attempt.result, attempt.status)
        if bad is not None:
            yield Called(attempt.backend, bad, tenths(attempt.first_ms))


def _decided(entry: Decided) -> Iterator[tuple[Meter, tuple[str, ...], int]]:
    for label in dict.fromkeys(each.label for each in entry.labels):
        yield meters.LABELS, (label,), 1
    for rule in dict.fromkeys(each.rule for each in entry.excluded):
        yield meters.HELD_BACK, (rule,), 1
    if entry.refusal:
        reason = entry.refusal if entry.refusal in _KNOWN_REFUSALS else OTHER
        yield meters.REFUSALS, (reason, entry.rule), 1


def _outcome(entry: Outcome) -> Iterator[tuple[Meter, tuple[str, ...], int]]:
    yield meters.EXCHANGES, (entry.result, entry.model, entry.zone), 1
    for notice in entry.notices:
        yield meters.NOTICES, (notice,), 1
    for attempt in entry.attempts:
        yield from _attempt(attempt)
    if not entry.attempts:
        return
    first, last = entry.attempts[0], entry.attempts[-1]
    if entry.result == "answered":
        yield meters.DURATION, (last.model,), max(entry.ms, 0)
        if first.model != last.model:
            yield meters.FALLBACKS, (first.model, last.model), 1
    if entry.usage is not None:
        yield from _tokens((last.model, last.backend, last.zone), entry.usage)


def _attempt(call: Attempt) -> Iterator[tuple[Meter, tuple[str, ...], int]]:
    whose = (call.model, call.backend, call.zone)
    yield meters.CALLS, (*whose, call.result), 1
    if call.cost is None:
        yield meters.UNPRICED, whose, 1
    elif call.cost:
        yield meters.SPEND, whose, call.cost
    if call.first_ms >= 0:
        yield meters.FIRST_TOKEN, (call.model, call.backend), call.first_ms


def _tokens(whose: tuple[str, ...], used: Usage) -> Iterator[tuple[Meter, tuple[str, ...], int]]:
    amounts = (
        (meters.INPUT, used.input_tokens),
        (meters.CACHED, used.cached_tokens),
        (meters.WRITTEN, used.cache_write_tokens),
        (meters.OUTPUT, used.output_tokens),
        (meters.REASONING, used.reasoning_tokens),
    )
    yield from ((meter, whose, amount) for meter, amount in amounts if amount)
