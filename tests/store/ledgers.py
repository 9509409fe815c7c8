"""Logs made for tests, and the hands that damage them."""

import sqlite3
from pathlib import Path

from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.schema import FILE
from tests.record.samples import entries_of


def written(directory: Path, batches: int = 5, exchanges: int = 4) -> LogKeys:
    """A closed log of several batches, each under a checkpoint of its own."""
    keys = LogKeys.load_or_create(directory)
    file = LogFile(directory / FILE, keys)
    entries = entries_of(batches * exchanges)
    step = 2 * exchanges
    for start in range(0, len(entries), step):
        file.append(entries[start : start + step], last=True)
    file.close()
    return keys


def tamper(directory: Path, *statements: str) -> None:
    """Change the file behind halfdoor's back."""
    connection = sqlite3.connect(directory / FILE)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
