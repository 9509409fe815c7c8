import re
from pathlib import Path

from halfdoor.record.meters import COUNTED, CURRENT, METERS, Kind, page

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"


def test_the_page_is_current():
    hint = "python -m halfdoor.record.meters > docs/reference/metrics.md"
    assert PAGE.read_text() == page(), hint


def test_names_are_such_as_prometheus_takes_and_none_stands_twice():
    assert len({meter.name for meter in METERS}) == len(METERS)
    for meter in METERS:
        assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", meter.name)
        assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label) for label in meter.labels)
        assert meter.name.endswith("_total") == (meter.kind is Kind.COUNTER)


def test_what_is_counted_never_falls_and_what_is_now_may():
    assert all(meter.kind is not Kind.GAUGE for meter in COUNTED)
    assert all(meter.kind is Kind.GAUGE for meter in CURRENT)
