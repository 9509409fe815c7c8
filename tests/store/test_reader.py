import sqlite3

import pytest

from halfdoor.canon.record import Decided
from halfdoor.errors import LogError
from halfdoor.record.checkpoint import verify
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from halfdoor.store.schema import FILE
from tests.record.samples import decided, entries_of, exchange_id, outcome
from tests.store.ledgers import tamper, written


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "state"


def test_entries_come_back_in_order(directory):
    written(directory)
    with LogReader(directory) as reader:
        assert [reader.entry(row) for row in reader.rows()] == entries_of(20)
        assert [row.seq for row in reader.tail(3)] == [37, 38, 39]
        assert [row.seq for row in reader.rows(after=37)] == [38, 39]
        assert not list(reader.rows(since="2027"))


def test_no_log_yet_says_how_to_begin(directory):
    with pytest.raises(LogError, match=r"no exchange has been recorded yet; hint: start"):
        LogReader(directory)


def test_an_exchange_is_its_decision_and_its_outcome(directory):
    written(directory)
    with LogReader(directory) as reader:
        found = reader.exchange(exchange_id(3))
    assert (found.position, found.decided, found.outcome) == (6, decided(3), outcome(3))


def test_an_exchange_is_found_by_a_unique_beginning(directory):
    written(directory)
    with LogReader(directory) as reader:
        assert reader.find("last") == exchange_id(19)
        assert reader.find(exchange_id(7)) == exchange_id(7)
        with pytest.raises(LogError, match="give more of the exchange's id"):
            reader.find("hd_0")
        with pytest.raises(LogError, match="no exchange `hd_9` is in the log"):
            reader.find("hd_9")


def test_the_newest_exchanges_come_first(directory):
    written(directory)
    with LogReader(directory) as reader:
        found = [exchange.decided.id for exchange in reader.recent(2)]
    assert found == [exchange_id(19), exchange_id(18)]


@pytest.mark.parametrize("position", [0, 255, 256, 511, 699])
def test_every_entry_is_proven_by_the_newest_checkpoint(directory, position):
    keys = written(directory, batches=7, exchanges=50)
    with LogReader(directory) as reader:
        found = reader.inclusion(position, keys.verifier)
    assert found is not None
    assert (found.size, found.proven) == (700, True)


def test_a_changed_entry_is_not_proven(directory):
    keys = written(directory)
    tamper(directory, "UPDATE entries SET leaf = replace(leaf, 'no-keys', 'no_keys') WHERE seq = 6")
    with LogReader(directory) as reader:
        found = reader.inclusion(6, keys.verifier)
        assert found is not None
        assert not found.proven


def test_an_entry_newer_than_the_newest_checkpoint_is_not_yet_proven(directory):
    keys = written(directory)
    tamper(directory, "DELETE FROM checkpoints WHERE size > 32")
    with LogReader(directory) as reader:
        assert reader.inclusion(36, keys.verifier) is None
        assert verify(reader.newest_checkpoint() or "", keys.verifier).size == 32


def test_reading_goes_on_while_another_process_appends(directory):
    keys = written(directory)
    writer = LogFile(directory / FILE, keys)
    with LogReader(directory) as reader:
        rows = reader.rows()
        assert next(rows).seq == 0
        writer.append([decided(99)])
        assert [row.seq for row in rows] == list(range(1, 40))
        assert reader.size() == 41
    writer.close()


def test_a_reader_cannot_write(directory):
    written(directory)
    with LogReader(directory) as reader, pytest.raises(sqlite3.OperationalError):
        reader._connection.execute("DELETE FROM entries")


def test_reading_leaves_no_journal_behind(directory):
    written(directory)
    with LogReader(directory) as reader:
        assert len(reader.tail(1)) == 1
    assert sorted(path.name for path in directory.iterdir()) == ["log.db", "log.key", "mac.key"]


def test_a_copy_that_cannot_be_written_can_be_read(directory):
    keys = written(directory)
    (directory / FILE).chmod(0o400)
    directory.chmod(0o500)
    with LogReader(directory) as reader:
        assert reader.verify(keys.verifier).size == 40
    directory.chmod(0o700)


def test_a_file_that_is_no_database_is_named(directory):
    LogKeys.load_or_create(directory)
    (directory / FILE).write_bytes(b"this is not a database at all" * 200)
    with pytest.raises(LogError, match=r"log.db: the evidence log is damaged; hint: keep a copy"):
        LogReader(directory)


def test_an_unreadable_entry_is_named_by_position(directory):
    written(directory)
    tamper(directory, "UPDATE entries SET leaf = '{' WHERE seq = 4")
    with (
        LogReader(directory) as reader,
        pytest.raises(LogError, match=r"log.db: entry 4: .*verify"),
    ):
        reader.exchange(exchange_id(2))


def test_recent_exchanges_are_decisions(directory):
    written(directory)
    with LogReader(directory) as reader:
        assert all(isinstance(exchange.decided, Decided) for exchange in reader.recent(5))
