from datetime import datetime

from msgspec.structs import replace

from halfdoor.canon.objectives import Objective
from halfdoor.canon.record import Attempt
from halfdoor.record import meters
from halfdoor.record.tally import Series
from halfdoor.store.books import Books
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.schema import FILE
from tests.record.samples import decided, outcome

CALL = Attempt("sonnet", "vendor", "cloud", "answered", 200, 10, 10, 900, cost=7, first_ms=2_050)
DOWN = replace(CALL, result="connect", cost=0, first_ms=-1)
NOW_MS = int(datetime.fromisoformat(outcome().time).timestamp() * 1000)
HELD_TO = (Objective("vendor", 0.9, 20, 0.5),)


def put(directory, *entries):
    file = LogFile(directory / FILE, LogKeys.load_or_create(directory))
    file.append(entries, last=True)
    file.close()


def read(directory, now_ms=NOW_MS):
    with Books(directory) as books:
        books.catch_up()
        return books.sums(), books.standing(HELD_TO, now_ms)


def test_what_is_added_later_is_added_up_and_nothing_twice(tmp_path):
    put(tmp_path, decided(1), outcome(1, attempts=(CALL,)))
    read(tmp_path)
    put(tmp_path, decided(2), outcome(2, attempts=(DOWN, CALL)))
    for _ in range(2):
        sums, _ = read(tmp_path)
        assert sums[Series(meters.SPEND.name, ("sonnet", "vendor", "cloud"))] == 14
        assert sums[Series(meters.ENTRIES.name, ("outcome",))] == 2


def test_objectives_stand_by_what_the_windows_hold(tmp_path):
    old = "2026-11-21T08:00:00.000Z"
    put(
        tmp_path,
        *(decided(1), outcome(1, attempts=(DOWN,), time=old, result="failed")),
        *(decided(2), outcome(2, attempts=(CALL,))),
        *(decided(3), outcome(3, attempts=(replace(CALL, first_ms=1_990),))),
    )
    _, (available, first) = read(tmp_path)
    assert (available.bad["1h"], available.of["1h"]) == (0, 2)
    assert (available.bad["6h"], available.of["6h"]) == (1, 3)
    assert (first.bad["1h"], first.of["1h"]) == (1, 2)


def test_a_window_ends_now_and_not_with_the_last_call(tmp_path):
    put(tmp_path, decided(1), outcome(1, attempts=(DOWN,), result="failed"))
    _, (available, _) = read(tmp_path, NOW_MS + 4 * 60_000)
    assert available.of["5m"] == 1
    _, (available, _) = read(tmp_path, NOW_MS + 5 * 60_000)
    assert (available.of["5m"], available.of["30m"]) == (0, 1)


def test_calls_older_than_every_window_are_let_go(tmp_path):
    put(tmp_path, decided(1), outcome(1, attempts=(CALL,), time="2026-11-01T08:00:00.000Z"))
    read(tmp_path)
    put(tmp_path, decided(2), outcome(2, attempts=(CALL,)))
    read(tmp_path)
    with Books(tmp_path) as books:
        assert books._file.execute("SELECT count(*) FROM calls").fetchone() == (1,)


def test_another_log_begins_again(tmp_path):
    put(tmp_path, decided(1), outcome(1, attempts=(CALL,)))
    read(tmp_path)
    (tmp_path / FILE).unlink()
    put(tmp_path, decided(1))
    sums, _ = read(tmp_path)
    assert sums[Series(meters.ENTRIES.name, ("decided",))] == 1
    assert Series(meters.ENTRIES.name, ("outcome",)) not in sums
