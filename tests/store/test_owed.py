"""Outcomes that the disk refused: kept, written first when it takes entries again, and once only."""

import asyncio
import errno
import os
import sqlite3
import time

import pytest

from halfdoor.errors import LogError
from halfdoor.store import writer
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.log import SqliteLog
from halfdoor.store.reader import LogReader
from tests.record.samples import decided, outcome


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def keys(directory):
    return LogKeys.load_or_create(directory)


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def kinds(directory, keys):
    """(kind, exchange) of each entry of a log without damage."""
    with LogReader(directory) as log:
        assert not log.verify(keys.verifier).problems
        return [(row.kind, row.exchange) for row in log.rows()]


def until_whole(directory, keys):
    for _ in range(500):
        if len(kinds(directory, keys)) == 2:
            return
        time.sleep(0.01)
    pytest.fail("the outcome was never written")


async def refuse(log, *entries):
    for entry in entries:
        with pytest.raises(LogError, match="disk is full"):
            await log.append(entry)


async def test_an_outcome_that_the_full_disk_refused_is_written_before_anything_new(
    directory, keys, monkeypatch
):
    log = await asyncio.to_thread(SqliteLog, directory, keys)
    await log.append(decided(0))
    with monkeypatch.context() as full:
        full.setattr(LogFile, "_append", no_space)
        await refuse(log, outcome(0), decided(1), decided(2))
    await log.append(decided(3))
    await log.close()
    first, last = decided(0).id, decided(3).id
    found = await asyncio.to_thread(kinds, directory, keys)
    assert found == [("decided", first), ("outcome", first), ("decided", last)]


async def test_a_commit_that_failed_and_reached_the_disk_all_the_same_is_not_repeated(
    directory, keys, monkeypatch
):
    log = await asyncio.to_thread(SqliteLog, directory, keys)
    await log.append(decided(0))
    append = LogFile._append

    def flush_fails(self, connection, entries, *, last):
        append(self, connection, entries, last=last)
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(LogFile, "_append", flush_fails)
        with pytest.raises(LogError, match="I/O"):
            await log.append(outcome(0))
    await log.append(decided(1))
    await log.close()
    found = await asyncio.to_thread(kinds, directory, keys)
    assert [kind for kind, _ in found] == ["decided", "outcome", "decided"]


@pytest.mark.parametrize("closes", [False, True])
async def test_what_is_owed_is_written_without_new_requests(directory, keys, monkeypatch, closes):
    monkeypatch.setattr(writer, "OWED_S", 5.0 if closes else 0.01)
    log = await asyncio.to_thread(SqliteLog, directory, keys)
    await log.append(decided(0))
    with monkeypatch.context() as full:
        full.setattr(LogFile, "_append", no_space)
        await refuse(log, outcome(0))
    if closes:
        await log.close()
    await asyncio.to_thread(until_whole, directory, keys)
    if not closes:
        await log.close()


async def test_a_queue_that_is_too_long_still_takes_the_outcomes_of_what_was_answered(
    directory, keys, monkeypatch
):
    log = await asyncio.to_thread(SqliteLog, directory, keys)
    await log.append(decided(0))
    monkeypatch.setattr(writer, "LONGEST_QUEUE", 0)
    with pytest.raises(LogError, match="wait for the disk"):
        await log.append(decided(1))
    assert (await log.append(outcome(0))).sequence == 1
    await log.close()


def test_drafts_of_starts_that_were_killed_are_swept_away_later(directory, keys):
    old, young, other = (
        directory / f".{name}"
        for name in ("log.key." + "a" * 16, "patterns.bin." + "b" * 16, "mine")
    )
    for path in (old, young, other):
        path.write_bytes(b"draft")
    for path in (old, other):
        os.utime(path, (0, 0))
    LogKeys.load_or_create(directory)
    assert not old.exists()
    assert young.exists()
    assert other.exists()
