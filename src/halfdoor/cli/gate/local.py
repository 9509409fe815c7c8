"""What this machine's own state knows: text of restricted files, and exchanges in the log."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from halfdoor.reading.globs import matcher
from halfdoor.verify.fresh import counted
from halfdoor.verify.secrets import Known
from halfdoor.verify.trace import Look, Traced
from halfdoor.verify.vulnerable import Known as Advisories

_PATH: Final = "path:"
# As `store.index.FOLDER`, whose import takes longer than a check; a test holds the two equal.
_INDEXES: Final = "provenance"


def restricted(state_dir: Path) -> Known | None:
    """Finds the text of indexed files (`halfdoor policy index`); None when nothing is indexed.

    A file that its own label is about may hold its text. Raises SetupError for a broken index.
    """
    if not any((state_dir / _INDEXES).glob("*.idx")):
        return None
    from halfdoor.detect.provenance import ProvenanceDetector  # noqa: PLC0415  only where there is one
    from halfdoor.reading.passages import Passage  # noqa: PLC0415  the same
    from halfdoor.store.index import load  # noqa: PLC0415  the same
    from halfdoor.store.keys import LogKeys  # noqa: PLC0415  the same

    built = load(state_dir, LogKeys.load_or_create(state_dir).prints_key)
    detector = ProvenanceDetector(tuple(each.data for each in built))

    def known(path: str, text: str) -> Iterator[str]:
        for label in detector.find(Passage("", texts=(text,))):
            glob = label.name.removeprefix(_PATH)
            if glob == label.name or not matcher([glob])(path):
                yield label.name

    return known


def exchanges(state_dir: Path) -> Look | None:
    """Tells what the log holds of an exchange; None where there is no log."""
    from halfdoor.store import schema  # noqa: PLC0415  only when a commit names an exchange

    if not (state_dir / schema.FILE).exists():
        return None

    def known(exchange: str) -> Traced | None:
        from halfdoor.errors import LogError  # noqa: PLC0415  the same
        from halfdoor.store.reader import LogReader  # noqa: PLC0415  the same

        with LogReader(state_dir) as log:
            try:
                log.find(exchange)
            except LogError:
                return None
            held = log.exchange(exchange)
            return Traced(held.decided.time, held.outcome.result if held.outcome else "")

    return known


def advisories(state_dir: Path) -> Advisories:
    """What OSV knows of a package, as far as `gate sync` brought it here."""
    from halfdoor.store.advisories import look  # noqa: PLC0415  only when a pin is new

    return look(state_dir)


def taken_in(files: list[Path], config: Path | None) -> Iterator[str]:
    """Take in files of OSV; a sentence each. Raises SetupError."""
    from halfdoor.config.load import state_dir, user_settings  # noqa: PLC0415  `sync` alone
    from halfdoor.store.advisories import sync  # noqa: PLC0415  the same

    folder = state_dir(user_settings(config, os.environ), os.environ)
    for file in files:
        for ecosystem, count in sorted(sync(folder, file).items()):
            yield f"{ecosystem}: advisories about {counted(count, 'package')}"
