import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from halfdoor.record import meters
from halfdoor.record.meters import BOUNDS_MS, METERS
from halfdoor.record.tally import Series, Tally
from halfdoor.server.exposition import text
from tests.record.samples import decided, outcome
from tests.record.test_tally import CLOUD


def samples(page):
    """(name, labels) → value, as Prometheus' own client reads the page."""
    families = text_string_to_metric_families(page.decode())
    found = [sample for family in families for sample in family.samples]
    named = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in found}
    assert len(named) == len(found)
    return named


def told(*entries):
    tally = Tally({})
    for entry in entries:
        tally.take(entry)
    return samples(text(tally.more, ()))


def test_prometheus_reads_what_was_counted():
    found = told(decided(), outcome(attempts=(CLOUD,), model="sonnet", zone="cloud"))
    whose = (("backend", "vendor"), ("model", "sonnet"), ("zone", "cloud"))
    assert found["litellm_spend_metric_total", whose] == 7e-12
    assert found["litellm_input_tokens_metric_total", whose] == 3000
    assert found["halfdoor_labels_total", (("label", "secret"),)] == 1


def test_a_histogram_is_cumulative_and_ends_with_all():
    quick = outcome(attempts=(CLOUD,), ms=40)
    slow = outcome(attempts=(CLOUD,), ms=700_000)
    found = told(quick, slow)
    name, model = "vllm:e2e_request_latency_seconds", ("model_name", "sonnet")
    assert found[f"{name}_bucket", (("le", "0.05"), model)] == 1
    assert found[f"{name}_bucket", (("le", "300"), model)] == 1
    assert found[f"{name}_bucket", (("le", "+Inf"), model)] == 2
    assert found[f"{name}_count", (model,)] == 2
    assert found[f"{name}_sum", (model,)] == pytest.approx(700.04)


def test_every_meter_says_its_type_once_with_or_without_a_number():
    families = {f.name: f for f in text_string_to_metric_families(text({}, ()).decode())}
    for meter in METERS:
        assert families[meter.name.removesuffix("_total")].type == meter.kind.value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_value_of_a_label_comes_back_as_it_was(value):
    if "\r" in value or len(value.splitlines()) > 1 + value.count("\n"):
        return  # the client's own parser cuts lines at more than line feeds
    found = samples(text({Series(meters.LABELS.name, (value,)): 3}, ()))
    assert found["halfdoor_labels_total", (("label", value),)] == 3


@given(st.integers(0, 2**62))
def test_a_number_is_read_back_as_the_float_that_it_is(amount):
    whose = ("m", "b", "z")
    found = samples(text({Series(meters.SPEND.name, whose): amount}, ()))
    assert list(found.values()) == [amount / 10**12]


def test_bounds_are_told_in_seconds():
    page = text({Series("vllm:e2e_request_latency_seconds", ("m",), "sum"): 0}, ()).decode()
    assert page.count("_bucket{") == len(BOUNDS_MS) + 1
