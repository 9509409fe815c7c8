"""Proves the log, then changes one byte of a copy and proves that again."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from halfdoor.errors import LogError
from halfdoor.record.audit import Report
from halfdoor.store.keys import LogKeys
from halfdoor.store.reader import LogReader
from halfdoor.store.schema import FILE

_SENT: Final = re.compile(r'"sent_bytes":(\d)(\d+)')


class Tampered(Struct, frozen=True):
    """One changed byte. entry: its position in the log; offset: in the file, bytes.

    before, after: the text around it.
    """

    entry: int
    offset: int
    before: str
    after: str
    report: Report


def verified(state: Path) -> Report:
    """What `halfdoor log verify` finds in this state directory."""
    with LogReader(state) as reader:
        return reader.verify(LogKeys.load(state).verifier)


def tamper(state: Path, copy: Path, exchange: str) -> Tampered:
    """Make the number of bytes that an exchange sent smaller, in a copy of the database.

    Raises LogError when its outcome is not in the file.
    """
    shutil.copytree(state, copy)
    with LogReader(state) as reader:
        found = [row for row in reader.rows() if (row.exchange, row.kind) == (exchange, "outcome")]
    match = _SENT.search(found[0].leaf) if found else None
    if match is None:
        raise LogError(f"`{exchange}` has no outcome with bytes sent", where=str(state / FILE))
    smaller = b"1" if match[1] != "1" else b"0"
    whole = (state / FILE).read_bytes()
    # SQLite leaves old copies of rows in free space, where a change means nothing.
    for place in _places(whole, found[0].leaf.encode()):
        offset = place + match.start(1)
        (copy / FILE).write_bytes(whole[:offset] + smaller + whole[offset + 1 :])
        report = verified(copy)
        if report.problem_count:
            break
    else:
        raise LogError("no change of the copy was noticed", where=str(copy / FILE))
    after = f'"sent_bytes":{smaller.decode()}{match[2]}'
    return Tampered(found[0].seq, offset, match[0], after, report)


def _places(whole: bytes, leaf: bytes) -> Iterator[int]:
    place = whole.find(leaf)
    while place >= 0:
        yield place
        place = whole.find(leaf, place + 1)
