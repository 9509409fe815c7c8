import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from halfdoor.canon.record import Attempt, LabelCount
from halfdoor.cli.why import REFUSALS
from halfdoor.record import meters
from halfdoor.record.meters import METERS, MOST_SETS, OTHER, Kind
from halfdoor.record.tally import SUM, Called, Series, Tally, calls
from tests.record.samples import decided, noted, outcome

CLOUD = Attempt("sonnet", "vendor", "cloud", "answered", 200, 10, 10, 900, cost=7, first_ms=320)


def counted(*entries, known=None):
    tally = Tally(known or {})
    for entry in entries:
        tally.take(entry)
    return tally.more


def test_an_exchange_counts_once_its_calls_each_and_its_tokens_with_the_last():
    first = replace(CLOUD, model="opus", result="status", status=529, cost=0, first_ms=-1)
    more = counted(outcome(attempts=(first, CLOUD), model="sonnet", zone="cloud"))
    assert more[Series(meters.EXCHANGES.name, ("answered", "sonnet", "cloud"))] == 1
    assert more[Series(meters.CALLS.name, ("opus", "vendor", "cloud", "status"))] == 1
    assert more[Series(meters.FALLBACKS.name, ("opus", "sonnet"))] == 1
    assert more[Series(meters.INPUT.name, ("sonnet", "vendor", "cloud"))] == 3000
    assert more[Series(meters.SPEND.name, ("sonnet", "vendor", "cloud"))] == 7


def test_a_histogram_has_its_bucket_and_its_sum():
    more = counted(outcome(attempts=(CLOUD,)))
    whose = ("sonnet", "vendor")
    assert more[Series(meters.FIRST_TOKEN.name, whose, SUM)] == 320
    assert more[Series(meters.FIRST_TOKEN.name, whose, "3")] == 1


def test_a_refusal_names_its_rule_and_what_was_held_back():
    more = counted(decided(refusal="rule", plan=()))
    assert more[Series(meters.REFUSALS.name, ("rule", "no-keys"))] == 1
    assert more[Series(meters.HELD_BACK.name, ("no-keys",))] == 1
    assert more[Series(meters.LABELS.name, ("secret",))] == 1


@pytest.mark.parametrize("reason", REFUSALS)
def test_what_why_explains_is_not_counted_as_other_and_stands_on_the_page(reason):
    more = counted(decided(refusal=reason, plan=()))
    assert more[Series(meters.REFUSALS.name, (reason, "no-keys"))] == 1
    assert f"`{reason}`" in meters.REFUSALS.said


def test_a_label_found_twice_in_an_exchange_counts_once():
    twice = LabelCount("secret", "other", "secrets", 3, ("tools",))
    more = counted(decided(labels=(*decided().labels, twice)))
    assert more[Series(meters.LABELS.name, ("secret",))] == 1


def test_what_nobody_priced_is_told_apart_from_what_is_free():
    free = replace(CLOUD, cost=0)
    unknown = replace(CLOUD, cost=None)
    more = counted(outcome(attempts=(free, unknown)))
    assert more[Series(meters.UNPRICED.name, ("sonnet", "vendor", "cloud"))] == 1
    assert not [series for series in more if series.meter == meters.SPEND.name]


def test_beyond_the_cap_everything_new_is_added_up_as_other():
    labels = [decided(labels=(LabelCount(f"path:{n}", "", "paths", 1, ()),)) for n in range(300)]
    more = counted(*labels)
    found = {s.labels for s in more if s.meter == meters.LABELS.name}
    assert len(found) == MOST_SETS + 1
    assert more[Series(meters.LABELS.name, (OTHER,))] == 300 - MOST_SETS


def test_the_cap_holds_for_what_was_counted_before():
    known = {meters.LABELS.name: {(f"path:{n}",) for n in range(MOST_SETS)}}
    more = counted(decided(), known=known)
    assert more[Series(meters.LABELS.name, (OTHER,))] == 1


@given(st.lists(st.sampled_from([decided(), outcome(), noted(), decided(refusal="rule")])))
def test_every_entry_is_counted_as_one_and_everything_by_its_meter(entries):
    more = counted(*entries)
    kinds = [n for series, n in more.items() if series.meter == meters.ENTRIES.name]
    assert sum(kinds) == len(entries)
    named = {meter.name: meter for meter in METERS}
    for series in more:
        assert len(series.labels) == len(named[series.meter].labels)
        assert bool(series.part) == (named[series.meter].kind is Kind.HISTOGRAM)


def test_calls_that_say_nothing_of_a_backend_are_left_out():
    gone = replace(CLOUD, result="hung-up")
    down = replace(CLOUD, result="connect", first_ms=-1)
    found = list(calls(outcome(attempts=(gone, down, CLOUD))))
    assert found == [Called("vendor", True, -1), Called("vendor", False, 4)]
