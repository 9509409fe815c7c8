"""The file under trouble: full, locked, replaced, damaged, shared and killed."""

import asyncio
import multiprocessing
import sqlite3
import stat
import time

import pytest

from halfdoor.errors import LogError
from halfdoor.store import file as store_file
from halfdoor.store import schema, writer
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.log import SqliteLog
from halfdoor.store.reader import LogReader
from halfdoor.store.schema import FILE
from tests.record.samples import decided, entries_of, outcome
from tests.store.ledgers import tamper, written


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def keys(directory):
    return LogKeys.load_or_create(directory)


def whole(directory, keys):
    """The size of a log without damage."""
    with LogReader(directory) as reader:
        report = reader.verify(keys.verifier)
    assert not report.problems
    return report.size


def test_a_clean_close_leaves_one_file_that_can_be_copied(directory, keys):
    file = LogFile(directory / FILE, keys)
    file.append([decided()])
    assert (directory / f"{FILE}-wal").exists()
    file.close()
    assert sorted(path.name for path in directory.iterdir()) == ["log.db", "log.key", "mac.key"]
    assert stat.S_IMODE((directory / FILE).stat().st_mode) == 0o600
    assert whole(directory, keys) == 1


def test_every_commit_is_flushed(directory, keys):
    file = LogFile(directory / FILE, keys)
    assert file._connection is not None
    asked = ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync")
    found = [file._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
    assert found == ["wal", 2, 1, 1]
    file.close()


def test_entries_are_readable_text(directory, keys):
    written(directory)
    connection = sqlite3.connect(directory / FILE)
    leaf = connection.execute("SELECT leaf FROM entries WHERE exchange = ?", (decided(3).id,))
    assert decided(3).id in leaf.fetchone()[0]
    connection.close()


def test_a_full_disk_stops_the_log_and_space_brings_it_back(directory, keys):
    file = LogFile(directory / FILE, keys)
    file.append(entries_of(3))
    assert file._connection is not None
    file._connection.execute("PRAGMA max_page_count=1")
    with pytest.raises(LogError, match=r"log.db: .* disk is full; hint: free some space"):
        file.append(entries_of(200))
    assert file.append([decided(3)]) == [6]
    file.close()
    assert whole(directory, keys) == 7


def test_a_file_that_cannot_be_written_is_named(directory, keys):
    file = LogFile(directory / FILE, keys)
    assert file._connection is not None
    file._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(LogError, match=r"cannot be opened for writing; hint: check the perm"):
        file.append([decided()])
    assert file.append([decided()]) == [0]
    file.close()


def test_a_lock_that_is_never_released_is_named(directory, keys, monkeypatch):
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_S", 0.05)
    file = LogFile(directory / FILE, keys)
    other = sqlite3.connect(directory / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogError, match="was locked by another process"):
        file.append([decided()])
    other.close()
    assert file.append([decided()]) == [0]
    file.close()


def test_a_log_that_was_moved_away_is_not_begun_again(directory, keys):
    file = LogFile(directory / FILE, keys)
    file.append([decided()])
    (directory / FILE).rename(directory / "elsewhere")
    for _ in range(2):
        with pytest.raises(LogError, match="was moved or replaced while in use"):
            file.append([outcome()])
    (directory / "elsewhere").rename(directory / FILE)
    assert file.append([outcome()]) == [1]
    file.close()


def test_a_log_that_was_set_back_while_in_use_is_refused(directory, keys):
    file = LogFile(directory / FILE, keys)
    file.append(entries_of(4), last=True)
    tamper(
        directory,
        "DELETE FROM entries WHERE seq >= 4",
        f"UPDATE frontier SET size = 4, peaks = x'{'00' * 32}'",
    )
    with pytest.raises(LogError, match="went from 8 entries to 4; hint: run `halfdoor log verify`"):
        file.append([decided(9)])
    file.close()


def test_a_missing_end_stops_the_next_start(directory, keys):
    written(directory)
    tamper(directory, "DELETE FROM entries WHERE seq >= 30")
    file = LogFile(directory / FILE, keys)
    with pytest.raises(LogError, match="went from 40 entries to 30"):
        file.append([decided()])
    file.close()


def test_a_log_without_its_key_says_what_to_restore(directory, keys):
    written(directory)
    (directory / "log.key").unlink()
    with pytest.raises(LogError, match=r"begun with another key; hint: restore `log.key`"):
        LogFile(directory / FILE, LogKeys.load_or_create(directory))


def test_a_later_schema_asks_for_an_upgrade(directory, keys):
    written(directory)
    tamper(directory, "UPDATE meta SET value = '2' WHERE name = 'schema'")
    with pytest.raises(LogError, match="upgrade halfdoor"):
        LogFile(directory / FILE, keys)


def test_a_file_that_is_no_database_is_not_overwritten(directory, keys):
    (directory / FILE).write_bytes(b"precious " * 1000)
    with pytest.raises(LogError, match="is damaged"):
        LogFile(directory / FILE, keys)
    assert (directory / FILE).read_bytes() == b"precious " * 1000


def test_the_head_is_signed_after_many_entries(directory, keys, monkeypatch):
    monkeypatch.setattr(store_file, "CHECKPOINT_ENTRIES", 8)
    file = LogFile(directory / FILE, keys)
    file.append(entries_of(3))
    assert file.sign_in_s() is not None
    file.append(entries_of(2))
    assert file.sign_in_s() is None
    file.close()


async def test_the_head_is_signed_when_it_is_time(directory, keys, monkeypatch):
    monkeypatch.setattr(store_file, "CHECKPOINT_S", 0.02)
    log = await asyncio.to_thread(SqliteLog, directory, keys)
    await log.append(decided())
    await asyncio.to_thread(_await_checkpoint, directory, 1)
    await log.close()


def _await_checkpoint(directory, size):
    with LogReader(directory) as reader:
        for _ in range(500):
            if f"\n{size}\n" in (reader.newest_checkpoint() or ""):
                return
            time.sleep(0.01)
    pytest.fail("no checkpoint was signed")


async def test_a_cancelled_caller_does_not_take_its_entry_back(directory, keys):
    log = await asyncio.to_thread(SqliteLog, directory, keys)
    task = asyncio.create_task(log.append(decided(0)))
    await asyncio.sleep(0)
    task.cancel()
    assert (await log.append(decided(1))).sequence == 1
    await log.close()
    assert await asyncio.to_thread(whole, directory, keys) == 2


async def test_a_queue_that_is_too_long_says_so(directory, keys, monkeypatch):
    monkeypatch.setattr(writer, "LONGEST_QUEUE", 0)
    log = await asyncio.to_thread(SqliteLog, directory, keys)
    with pytest.raises(LogError, match="0 entries wait for the disk"):
        await log.append(decided())
    await log.close()


async def test_closing_writes_what_was_queued(directory, keys):
    log = await asyncio.to_thread(SqliteLog, directory, keys)
    tasks = [asyncio.create_task(log.append(decided(number))) for number in range(300)]
    await asyncio.sleep(0)
    await log.close()
    assert sorted(permit.sequence for permit in await asyncio.gather(*tasks)) == list(range(300))
    assert await asyncio.to_thread(whole, directory, keys) == 300


def test_a_loop_that_was_closed_while_it_waited_does_not_stop_the_writer(directory, keys):
    log = SqliteLog(directory, keys)
    gone = asyncio.new_event_loop()
    log._writer.put(writer.Job(decided(0), gone.create_future()))
    gone.close()
    assert asyncio.run(log.append(decided(1))).sequence == 1
    asyncio.run(log.close())


def test_an_unforeseen_failure_reaches_its_caller_and_passes(directory, keys, monkeypatch):
    log = SqliteLog(directory, keys)
    monkeypatch.setattr(store_file, "leaf_hash", lambda _: 1 / 0)
    with pytest.raises(LogError, match="the evidence log failed: ZeroDivisionError"):
        asyncio.run(log.append(decided(0)))
    monkeypatch.undo()
    assert asyncio.run(log.append(decided(0))).sequence == 0
    asyncio.run(log.close())


def _append_many(directory, first, count):
    file = LogFile(directory / FILE, LogKeys.load_or_create(directory))
    for number in range(first, first + count):
        file.append([decided(number), outcome(number)])
    file.append([], last=True)
    file.close()


def test_processes_that_append_together_grow_one_tree(directory, processes):
    spawn = multiprocessing.get_context("spawn")
    workers = [
        spawn.Process(target=_append_many, args=(directory, first, 40)) for first in (0, 1000, 2000)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert whole(directory, LogKeys.load_or_create(directory)) == 240


def _append_until_killed(directory, told):
    file = LogFile(directory / FILE, LogKeys.load_or_create(directory))
    for number in range(1_000_000):
        file.append([decided(number), outcome(number)])
        told.send(number + 1)


def _last_promise(listen):
    promised = 0
    try:
        while listen.poll():
            promised = listen.recv()
    except EOFError:
        pass
    return promised


def test_a_killed_writer_leaves_a_valid_log_with_all_that_it_promised(directory, processes):
    keys = LogKeys.load_or_create(directory)
    spawn = multiprocessing.get_context("spawn")
    listen, told = spawn.Pipe(duplex=False)
    worker = spawn.Process(target=_append_until_killed, args=(directory, told))
    worker.start()
    while listen.recv() < 50:
        pass
    worker.kill()
    worker.join()
    told.close()
    assert whole(directory, keys) >= 2 * max(50, _last_promise(listen))
    listen.close()
    file = LogFile(directory / FILE, keys)
    file.append([decided(0)], last=True)
    file.close()
    assert whole(directory, keys) % 2 == 1
