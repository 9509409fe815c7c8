import shutil
import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from halfdoor.canon.money import Usage
from halfdoor.canon.record import Attempt, Planned
from halfdoor.errors import LogError
from halfdoor.store.books import FILE, QUARTER_S, VERSION, Books, Key, Sum, quarter
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.schema import FILE as LOG
from tests.record.samples import TIME, decided, exchange_id, outcome
from tests.store.ledgers import written

SONNET = Attempt("sonnet", "anthropic", "cloud", "answered", 200, 10, 10, 5, cost=700)
NOW_MS = quarter(TIME) * QUARTER_S * 1000


def entered(directory, *entries):
    """A log of these entries, and its books brought up to date."""
    file = LogFile(directory / LOG, LogKeys.load_or_create(directory))
    file.append(entries, last=True)
    file.close()
    return summed(directory)


def summed(directory):
    with Books(directory) as books:
        books.catch_up()
        return {line.key: line.sum for line in books.lines()}


def test_the_books_add_up_what_one_asker_spent_on_one_model(tmp_path):
    pair = [decided(1), outcome(1, attempts=(SONNET,)), decided(2), outcome(2, attempts=(SONNET,))]
    (key, total), *rest = entered(tmp_path, *pair).items()
    assert key == Key(quarter(TIME), "sonnet", "anthropic", "cloud", labels="secret")
    assert total == Sum(exchanges=2, input=6000, cached=2000, output=240, cost=1400)
    assert not rest


def test_an_exchange_stands_where_it_was_decided_and_costs_where_it_was_tried(tmp_path):
    first = replace(SONNET, model="dear", result="cut", cost=50)
    found = entered(
        tmp_path, decided(1, token="ann"), outcome(1, attempts=(first, SONNET), cost=750)
    )
    assert {key.model: (s.exchanges, s.cost) for key, s in found.items()} == {
        "dear": (0, 50),
        "sonnet": (1, 700),
    }
    assert {key.token for key in found} == {"ann"}


def test_a_cost_that_nobody_knows_is_counted_with_the_most_it_may_be(tmp_path):
    plan = (Planned("sonnet", "anthropic", "cloud", 9_000),)
    unknown = replace(SONNET, cost=None)
    ended = outcome(1, attempts=(unknown,), usage=None, result="hung-up")
    (total,) = entered(tmp_path, decided(1, plan=plan), ended).values()
    assert total == Sum(exchanges=1, early=1, unknown=1, most=9_000)


def test_an_exchange_without_an_outcome_is_pending_until_it_has_one(tmp_path):
    plan = (Planned("sonnet", "anthropic", "cloud", 9_000),)
    assert entered(tmp_path, decided(1, plan=plan, project="web")) == {}
    with Books(tmp_path) as books:
        (pending,) = books.pending(NOW_MS)
        assert (pending.exchange, pending.plan) == (exchange_id(1), plan)
        assert pending.who.project == "web"
    (total,) = entered(tmp_path, outcome(1, attempts=(SONNET,))).values()
    assert total.cost == 700
    with Books(tmp_path) as books:
        assert not list(books.pending())


def test_books_continue_where_they_stopped_and_enter_nothing_twice(tmp_path):
    written(tmp_path)
    once = summed(tmp_path)
    assert summed(tmp_path) == once
    assert sum(total.exchanges for total in once.values()) == 20
    more = entered(tmp_path, decided(90), outcome(90))
    assert sum(total.exchanges for total in more.values()) == 21


def test_books_of_another_log_are_made_again(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    entered(one, decided(1), outcome(1), decided(2), outcome(2))
    entered(two, *(e for n in range(5) for e in (decided(n, token="ann"), outcome(n))))
    shutil.copy(one / FILE, two / FILE)
    assert [(key.token, s.exchanges) for key, s in summed(two).items()] == [("ann", 5)]


def test_books_of_an_older_version_are_made_again_from_the_log(tmp_path):
    by_plan = replace(SONNET, cost=0, plan="max", worth=7)
    before = entered(tmp_path, decided(1), outcome(1, attempts=(by_plan,)))
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.execute("ALTER TABLE lines DROP COLUMN plan_calls")
        file.execute("ALTER TABLE lines DROP COLUMN plan_tokens")
        file.execute(f"PRAGMA user_version = {VERSION - 1}")
    assert summed(tmp_path) == before
    (total,) = before.values()
    assert (total.plan_calls, total.plan_tokens) == (1, 3_120)


def test_lines_are_read_from_one_moment_to_another(tmp_path):
    entered(tmp_path, decided(1), outcome(1))
    with Books(tmp_path) as books:
        assert list(books.lines(NOW_MS, NOW_MS + QUARTER_S * 1000))
        assert not list(books.lines(NOW_MS + QUARTER_S * 1000))
        assert not list(books.lines(0, NOW_MS))


def test_absurd_costs_do_not_break_the_books(tmp_path):
    absurd = replace(SONNET, cost=2**53 - 1)
    counts = Usage(2**53 - 1, 2**53 - 1)
    pairs = [
        entry
        for number in range(1100)
        for entry in (decided(number), outcome(number, attempts=(absurd,), usage=counts))
    ]
    (total,) = entered(tmp_path, *pairs).values()
    assert total.cost == 2**63 - 1


def test_without_a_log_the_books_are_empty(tmp_path):
    assert summed(tmp_path) == {}


def test_a_damaged_file_says_that_it_may_be_deleted(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(LogError, match="delete the file: it is made again from the log"):
        Books(tmp_path)


@pytest.mark.parametrize("table", ["head", "lines"])
def test_a_file_that_is_damaged_once_it_is_open_is_told_like_one_that_was_before(tmp_path, table):
    entered(tmp_path, decided(1), outcome(1))
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        file.execute(f"DROP TABLE {table}")
    with pytest.raises(LogError, match="delete the file: it is made again from the log"):
        entered(tmp_path, decided(2), outcome(2))
