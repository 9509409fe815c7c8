"""Processes that start together open the same new files, whoever of them is first."""

import sqlite3
import threading
import time

import pytest

from halfdoor.store import books, floors, shared, uses
from halfdoor.store.books import Books
from halfdoor.store.floors import SharedFloors
from halfdoor.store.ledger import Calendar, SharedLedger
from halfdoor.store.shared import SharedMemory


def memory(folder):
    return SharedMemory(folder, lambda: 1_000, b"k" * 32)


def sessions(folder):
    return SharedFloors(folder, lambda: 1_000, 60_000)


def money(folder):
    return SharedLedger(folder, Calendar((), lambda: 1_000, None), (), lambda *_: {})


@pytest.mark.parametrize(
    ("file", "opened"),
    [
        (shared.FILE, memory),
        (floors.FILE, sessions),
        (uses.FILE, money),
        (books.FILE, Books),
    ],
)
def test_a_file_that_another_process_is_just_making_is_waited_for(tmp_path, file, opened):
    """Switching the journal waits for no lock: one worker of two ended with `database is locked`."""
    held = threading.Event()

    def make():
        maker = sqlite3.connect(tmp_path / file, isolation_level=None)
        maker.execute("CREATE TABLE IF NOT EXISTS first (made)")
        maker.execute("BEGIN IMMEDIATE")
        held.set()
        time.sleep(0.2)
        maker.execute("ROLLBACK")
        maker.close()

    other = threading.Thread(target=make)
    other.start()
    assert held.wait(5)
    opened(tmp_path)
    other.join()
