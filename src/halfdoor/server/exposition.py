"""Prometheus' text format 0.0.4: numbers in, lines out. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from halfdoor.record.meters import BOUNDS_MS, METERS, Kind, Meter
from halfdoor.record.tally import SUM, Series

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_ENDS: Final = (*(f"{bound / 1000:g}" for bound in BOUNDS_MS), "+Inf")

Labels = tuple[str, ...]
Gauge = tuple[Meter, Labels, float]


def text(sums: Mapping[Series, int], gauges: Iterable[Gauge]) -> bytes:
    """The page. sums: what was counted, in whole units. gauges: as they are shown."""
    counted: dict[str, dict[Labels, dict[str, int]]] = {}
    for series, value in sums.items():
        counted.setdefault(series.meter, {}).setdefault(series.labels, {})[series.part] = value
    current: dict[str, list[tuple[Labels, float]]] = {}
    for meter, labels, number in gauges:
        current.setdefault(meter.name, []).append((labels, number))
    lines = [
        line for meter in METERS for line in _meter(meter, counted, current.get(meter.name, ()))
    ]
    return ("\n".join(lines) + "\n").encode()


def _meter(
    meter: Meter,
    counted: Mapping[str, Mapping[Labels, Mapping[str, int]]],
    current: Sequence[tuple[Labels, float]],
) -> Iterator[str]:
    yield f"# HELP {meter.name} {_escaped(meter.said)}"
    yield f"# TYPE {meter.name} {meter.kind}"
    for labels, number in current:
        yield _line(meter.name, zip(meter.labels, labels, strict=True), number)
    for labels, parts in counted.get(meter.name, {}).items():
        named = tuple(zip(meter.labels, labels, strict=True))
        if meter.kind is Kind.HISTOGRAM:
            yield from _histogram(meter, named, parts)
        else:
            yield _line(meter.name, named, parts[""] / meter.per)


def _histogram(
    meter: Meter, labels: tuple[tuple[str, str], ...], parts: Mapping[str, int]
) -> Iterator[str]:
    so_far = 0
    for number, end in enumerate(_ENDS):
        so_far += parts.get(str(number), 0)
        yield _line(f"{meter.name}_bucket", (*labels, ("le", end)), so_far)
    yield _line(f"{meter.name}_sum", labels, parts[SUM] / meter.per)
    yield _line(f"{meter.name}_count", labels, so_far)


def _line(name: str, labels: Iterable[tuple[str, str]], number: float) -> str:
    said = ",".join(f'{label}="{_quoted(value)}"' for label, value in labels)
    shown = str(int(number)) if number == int(number) else repr(number)
    return f"{name}{{{said}}} {shown}" if said else f"{name} {shown}"


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', '\\"')
