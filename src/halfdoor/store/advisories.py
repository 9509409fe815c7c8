"""Advisories of OSV, kept beside the log: written by `gate sync`, read by the gate.

A file of one ecosystem (`all.zip` of https://osv.dev) is read as a whole and takes the place of
what was here of that ecosystem. Its advisories name packages of others, too: those are left out,
for they are a few of many, and whoever has a few must not pass for having all.
"""

import sqlite3
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from halfdoor.errors import SetupError
from halfdoor.verify.declared import normal
from halfdoor.verify.pins import PYPI
from halfdoor.verify.vulnerable import Advisory, Known, Range

FILE: Final = "advisories.sqlite"
_MOST_BYTES: Final = 4 * 1024 * 1024
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS advisories (ecosystem TEXT, name TEXT, held BLOB,"
    " PRIMARY KEY (ecosystem, name)) WITHOUT ROWID"
)
_WHOLE: Final = "CREATE TABLE IF NOT EXISTS whole (ecosystem TEXT PRIMARY KEY) WITHOUT ROWID"
_HELD: Final = msgspec.msgpack.Decoder(tuple[Advisory, ...])


def look(state_dir: Path) -> Known:
    """What is known of packages, and of which ecosystems; of none where nothing was ever synced."""
    path = state_dir / FILE
    uri = f"{path.as_uri()}?mode=ro"

    def known(ecosystem: str, name: str) -> Iterable[Advisory]:
        query = "SELECT held FROM advisories WHERE ecosystem = ? AND name = ?"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            row = connection.execute(query, (ecosystem, name)).fetchone()
        return _HELD.decode(row[0]) if row else ()

    return Known(_synced(uri) if path.exists() else frozenset(), known)


def sync(state_dir: Path, file: Path) -> dict[str, int]:
    """Take in a file of OSV; how many packages of each ecosystem. Raises SetupError."""
    held: dict[str, dict[str, list[Advisory]]] = defaultdict(lambda: defaultdict(list))
    own: set[str] = set()
    for advisory in _read(file):
        affected = list(_affected(advisory))
        named = {ecosystem for ecosystem, _, _ in affected}
        own |= named if len(named) == 1 else set()
        if not advisory.get("withdrawn"):
            for ecosystem, name, told in affected:
                held[ecosystem][name].append(told)
    if not own:
        hint = "give `all.zip` of one ecosystem, from osv.dev"
        raise SetupError("holds no advisory of one ecosystem", where=str(file), hint=hint)
    _keep(state_dir, {ecosystem: held[ecosystem] for ecosystem in sorted(own)})
    return {ecosystem: len(held[ecosystem]) for ecosystem in sorted(own)}


def _synced(uri: str) -> frozenset[str]:
    """INVARIANT: only what was taken in as a whole. Older data does not say so, and is none."""
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'whole'").fetchone():
            return frozenset()
        return frozenset(row[0] for row in connection.execute("SELECT ecosystem FROM whole"))


def _keep(state_dir: Path, held: Mapping[str, Mapping[str, list[Advisory]]]) -> None:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(sqlite3.connect(state_dir / FILE)) as connection, connection:
        connection.execute(_TABLE)
        connection.execute(_WHOLE)
        for ecosystem, packages in held.items():
            connection.execute("DELETE FROM advisories WHERE ecosystem = ?", (ecosystem,))
            connection.execute("INSERT OR REPLACE INTO whole VALUES (?)", (ecosystem,))
            for name, known in packages.items():
                row = (ecosystem, name, msgspec.msgpack.encode(tuple(known)))
                connection.execute("INSERT INTO advisories VALUES (?, ?, ?)", row)


def _read(file: Path) -> Iterator[dict[str, Any]]:
    """The advisories of a zip. One that cannot be read is an error."""
    try:
        with zipfile.ZipFile(file) as packed:
            for each in packed.infolist():
                if each.filename.endswith(".json") and each.file_size <= _MOST_BYTES:
                    yield msgspec.json.decode(packed.read(each), type=dict[str, Any])
    except (OSError, zipfile.BadZipFile, msgspec.DecodeError) as error:
        hint = "fetch `all.zip` of one ecosystem again, from osv.dev"
        raise SetupError(f"cannot be read: {error}", where=str(file), hint=hint) from None


def _affected(advisory: dict[str, Any]) -> Iterator[tuple[str, str, Advisory]]:
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
