"""Advisories of OSV, kept beside the log: written by `gate sync`, read by the gate.

A file of one ecosystem (`all.zip` of https://osv.dev) is read as a whole and takes the place of
what was here of that ecosystem.
"""

import sqlite3
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from halfdoor.errors import SetupError
from halfdoor.verify.declared import normal
from halfdoor.verify.pins import PYPI
from halfdoor.verify.vulnerable import Advisory, Look, Range

FILE: Final = "advisories.sqlite"
_MOST_BYTES: Final = 4 * 1024 * 1024
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS advisories (ecosystem TEXT, name TEXT, held BLOB,"
    " PRIMARY KEY (ecosystem, name)) WITHOUT ROWID"
)
_HELD: Final = msgspec.msgpack.Decoder(tuple[Advisory, ...])


def look(state_dir: Path) -> Look | None:
    """What is known of a package; None where nothing was ever synced."""
    path = state_dir / FILE
    if not path.exists():
        return None

    def known(ecosystem: str, name: str) -> Iterable[Advisory]:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            query = "SELECT held FROM advisories WHERE ecosystem = ? AND name = ?"
            row = connection.execute(query, (ecosystem, name)).fetchone()
        finally:
            connection.close()
        return _HELD.decode(row[0]) if row else ()

    return known


def sync(state_dir: Path, file: Path) -> dict[str, int]:
    """Take in a file of OSV; how many packages of each ecosystem. Raises SetupError."""
    held: dict[tuple[str, str], list[Advisory]] = defaultdict(list)
    for advisory in _read(file):
        for ecosystem, name, told in _affected(advisory):
            held[ecosystem, name].append(told)
    if not held:
        hint = "give `all.zip` of one ecosystem, from osv.dev"
        raise SetupError("holds no advisory", where=str(file), hint=hint)
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    counts = dict.fromkeys((ecosystem for ecosystem, _ in held), 0)
    with sqlite3.connect(state_dir / FILE) as connection:
        connection.execute(_TABLE)
        for ecosystem in counts:
            connection.execute("DELETE FROM advisories WHERE ecosystem = ?", (ecosystem,))
        for (ecosystem, name), known in held.items():
            counts[ecosystem] += 1
            row = (ecosystem, name, msgspec.msgpack.encode(tuple(known)))
            connection.execute("INSERT INTO advisories VALUES (?, ?, ?)", row)
    connection.close()
    return counts


def _read(file: Path) -> Iterator[dict[str, Any]]:
    """The advisories of a zip, or the one of a JSON file. One that cannot be read is an error."""
    try:
        if not zipfile.is_zipfile(file):
            yield msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
            return
        with zipfile.ZipFile(file) as packed:
            for each in packed.infolist():
                if each.filename.endswith(".json") and each.file_size <= _MOST_BYTES:
                    yield msgspec.json.decode(packed.read(each), type=dict[str, Any])
    except (OSError, zipfile.BadZipFile, msgspec.DecodeError) as error:
        hint = "fetch it again from osv.dev"
        raise SetupError(f"cannot be read: {error}", where=str(file), hint=hint) from None


def _affected(advisory: dict[str, Any]) -> Iterator[tuple[str, str, Advisory]]:
    if advisory.get("withdrawn"):
        return
    summary = str(advisory.get("summary") or "")[:120]
    for each in advisory.get("affected") or ():
        package = each.get("package") or {}
        ecosystem, name = str(package.get("ecosystem", "")), str(package.get("name", ""))
        if ecosystem and name:
            told = Advisory(
                str(advisory.get("id", "")),
                summary,
                tuple(str(version) for version in each.get("versions") or ()),
                tuple(span for given in each.get("ranges") or () for span in _ranges(given)),
            )
            yield ecosystem, normal(name) if ecosystem == PYPI else name, told


def _ranges(given: dict[str, Any]) -> Iterator[Range]:
    """The events of a range, in their order, as spans. Of Git's commits nothing is told."""
    if given.get("type") == "GIT":
        return
    start: str | None = None
    for event in given.get("events") or ():
        if "introduced" in event:
            start = str(event["introduced"])
        elif start is not None and ("fixed" in event or "last_affected" in event):
            yield Range(start, str(event.get("fixed", "")), str(event.get("last_affected", "")))
            start = None
    if start is not None:
        yield Range(start)
