"""A loss of power, not only of the process: whatever was not flushed is gone or torn."""

import asyncio
import random

import pytest

from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.log import SqliteLog
from halfdoor.store.reader import LogReader
from halfdoor.store.schema import FILE
from tests.crash.power import Disk, State, restored
from tests.record.samples import decided, outcome


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def keys(directory):
    return LogKeys.load_or_create(directory)


def comes_back(state: State, directory, to) -> None:
    """A gateway starts on what is left, appends, and every promised entry is there and proven."""
    place = restored(state, directory, to)
    keys = LogKeys.load(place)
    file = LogFile(place / FILE, keys)
    (sequence,) = file.append([decided(10_000_000)], last=True)
    file.close()
    assert isinstance(sequence, int)
    assert sequence >= state.promised
    with LogReader(place) as log:
        assert not log.verify(keys.verifier).problems


def grow(directory, keys, disk, appends, *, pragma="PRAGMA wal_autocheckpoint=12"):
    """Batches of one to six entries; the journal is folded in often, which is the delicate part."""
    file = LogFile(directory / FILE, keys)
    assert file._connection is not None
    file._connection.execute(pragma)
    for number in range(appends):
        more = [decided(100 * number + n) for n in range(disk.chance.randint(1, 6))]
        file.append(more, last=number % 5 == 0)
        disk.promised += len(more)
        disk.states.append(disk.lost())
    return file


@pytest.mark.parametrize("seed", range(2))
def test_the_log_survives_a_loss_of_power_at_every_flush(seed, directory, keys, tmp_path):
    with Disk(directory, random.Random(seed)) as disk:
        grow(directory, keys, disk, 40).close()
    assert disk.flushes > 40
    chosen = disk.chance.sample(disk.states, 150)
    for number, state in enumerate([*chosen, disk.states[0], disk.states[-1], disk.lost()]):
        comes_back(state, directory, tmp_path / f"disk-{number}")


async def test_an_acknowledged_append_is_on_the_disk(directory, keys, tmp_path):
    with Disk(directory, random.Random(0)) as disk:
        log = await asyncio.to_thread(SqliteLog, directory, keys)
        for number in range(0, 60, 3):
            entries = (decided(number), decided(number + 1), outcome(number))
            permits = await asyncio.gather(*(log.append(entry) for entry in entries))
            disk.promised = max(permit.sequence for permit in permits) + 1
            disk.states.append(disk.lost())
        await log.close()
    acknowledged = [state for state in disk.states if state.promised][-20:]
    for number, state in enumerate(acknowledged):
        await asyncio.to_thread(comes_back, state, directory, tmp_path / f"disk-{number}")


def test_the_witness_notices_a_log_that_does_not_flush(directory, keys, tmp_path):
    with Disk(directory, random.Random(0)) as disk:
        grow(directory, keys, disk, 5, pragma="PRAGMA synchronous=OFF").close()
        unflushed = disk.states[-1]
    assert unflushed.promised
    with pytest.raises(AssertionError):
        comes_back(unflushed, directory, tmp_path / "disk")
