from datetime import UTC, datetime

import pytest

from halfdoor.errors import SetupError
from halfdoor.store.periods import period, zone

BERLIN = zone("Europe/Berlin")


def ms(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def found(kind, now, where=BERLIN):
    one = period(kind, ms(now), where)
    return one.start_ms, one.until_ms


def test_a_day_begins_at_midnight_where_the_team_lives():
    assert found("day", "2026-11-21T23:30") == (ms("2026-11-21T23:00"), ms("2026-11-22T23:00"))


def test_a_week_begins_on_monday():
    assert found("week", "2026-11-22T12:00") == (ms("2026-11-15T23:00"), ms("2026-11-22T23:00"))


def test_a_month_ends_where_the_next_begins():
    assert found("month", "2026-12-31T22:59") == (ms("2026-11-30T23:00"), ms("2026-12-31T23:00"))
    assert found("month", "2026-12-31T23:00")[0] == ms("2026-12-31T23:00")


def test_a_day_with_a_change_of_clocks_has_25_hours():
    start, end = found("day", "2026-10-25T12:00")
    assert end - start == 25 * 3600 * 1000


def test_the_machines_own_zone_needs_no_name():
    assert zone("") is None
    start, end = found("day", "2026-11-21T12:00", None)
    assert start <= ms("2026-11-21T12:00") < end


def test_an_end_is_told_in_words():
    assert period("month", ms("2026-11-21T12:00"), BERLIN).until == "2026-12-01 00:00 CET"


def test_a_zone_that_nobody_knows_is_said_at_once():
    with pytest.raises(SetupError, match="no time zone `Europe/Atlantis`"):
        zone("Europe/Atlantis")
