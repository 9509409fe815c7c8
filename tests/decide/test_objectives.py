import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfdoor.canon.objectives import Counted, Objective, failed, tenths
from halfdoor.decide.objectives import LEAST_BAD, PAIRS, WINDOWS, burn, levels

COUNTS = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(sorted)
TARGETS = st.floats(0.5, 0.9999)


def counted(bad, of):
    return dict.fromkeys(WINDOWS, Counted(of, bad))


def level(bad, of, target=0.99):
    (found,) = levels(Objective("cloud", target), counted(bad, of))
    return found


@given(COUNTS, TARGETS)
def test_a_burn_rate_is_never_negative_and_never_more_than_all_calls_can_burn(counts, target):
    bad, of = counts
    assert 0 <= burn(bad, of, target) <= 1 / (1 - target) + 1e-9


@given(COUNTS, TARGETS)
def test_one_more_bad_call_never_burns_less(counts, target):
    bad, of = counts
    assert burn(bad + 1, of + 1, target) >= burn(bad, of, target) - 1e-12


@given(st.integers(1, 1000), st.sampled_from([0.9, 0.95, 0.99]))
def test_a_rate_of_one_uses_up_exactly_what_may_fail(hundreds, target):
    of = hundreds * 100
    assert burn(round(of * (1 - target)), of, target) == pytest.approx(1)


@given(COUNTS, TARGETS, st.integers(2, 9))
def test_twice_as_many_calls_of_the_same_mix_burn_as_fast(counts, target, times):
    bad, of = counts
    assert burn(bad * times, of * times, target) == pytest.approx(burn(bad, of, target))


@given(COUNTS)
def test_an_alarm_means_that_both_its_windows_burn(counts):
    found = level(*counts)
    if found.alarm is not None:
        assert found.burn(found.alarm.long) >= found.alarm.burn
        assert found.burn(found.alarm.short) >= found.alarm.burn
        assert found.bad[found.alarm.long] >= LEAST_BAD


def test_a_backend_that_is_down_is_urgent_and_one_or_two_failures_are_chance():
    assert level(50, 100).alarm == PAIRS[0]
    assert level(2, 2).alarm is None
    assert level(3, 3).alarm is not None


def test_trouble_that_is_over_ends_the_alarm():
    now = {**counted(300, 1000), "5m": Counted(40), "30m": Counted(100), "6h": Counted(900, 2)}
    (found,) = levels(Objective("cloud", 0.99), now)
    assert found.burn("1h") > 14.4
    assert found.alarm is None


def test_what_begins_late_counts_against_the_first_token_alone():
    (found,) = levels(
        Objective("gpu", None, 20, 0.95), dict.fromkeys(WINDOWS, Counted(9, 9, 20, 2))
    )
    assert (found.what, found.target) == ("first_token", 0.95)
    assert found.good("1h") == pytest.approx(0.9)


def test_without_calls_nothing_burns():
    assert level(0, 0).good("1h") is None
    assert level(0, 0).burn("1h") == 0


@pytest.mark.parametrize(
    ("result", "status", "counts"),
    [
        ("answered", 200, False),
        ("failed-inside", 200, True),
        ("connect", 0, True),
        ("timeout", 0, True),
        ("status", 500, True),
        ("status", 429, True),
        ("status", 529, True),
        ("status", 400, False),
        ("status", 404, False),
        ("hung-up", 0, None),
        ("busy", 0, None),
        ("budget", 0, None),
        ("stopped", 0, None),
        ("internal", 0, None),
        ("zone", 0, None),
        ("untranslatable", 0, None),
    ],
)
def test_only_its_own_failures_count_against_a_backend(result, status, counts):
    assert failed(result, status) is counts


def test_tenths_that_have_begun_count_whole():
    assert [tenths(ms) for ms in (-1, 0, 1, 100, 101)] == [-1, 0, 1, 1, 2]
